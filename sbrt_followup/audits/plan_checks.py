"""Proofs about plans: intervals by tier, phases, first visit, windows of visits, and the horizon.

Intervals are compared at every month where one changes, from time zero on; windows of visits in average months.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction

from ..rulebook.conditions import decimal
from ..rulebook.model import Evidence, First, Phase, Plan, Schedule
from ..rulebook.offsets import MOST_VISITS, Offset, visit_offsets
from ..timing import DAYS_PER_MONTH
from ..vocabulary import TIERS
from .findings import Finding, found

MEDIAN_FRACTURE = "median time to fracture"


def audit_plan(plan: Plan, evidence: Evidence | None, stand_in: Plan | None) -> Iterator[Finding]:
    """Give every finding about one plan; `stand_in` is the plan followed while the tier is not decided."""
    yield from _intervals_by_tier(plan)
    for schedule in plan.schedules:
        yield from _phases(plan, schedule)
        yield from _visits(plan, schedule)
        yield from _fractures(plan, schedule, evidence)
    if stand_in is not None:
        yield from _picks(plan, stand_in)


def tiers_of(schedule: Schedule) -> str:
    """Name the tiers a schedule is for."""
    return ", ".join(schedule.tiers)


def interval_at(schedule: Schedule, month: Fraction) -> tuple[Fraction, Phase | First]:
    """Give the interval in force at a month: before the first visit the time to it."""
    if month < schedule.first_offset:
        return schedule.first_offset, schedule.first
    phase = schedule.phase_at(month)
    return phase.interval, phase


def changes_of(schedules: Sequence[Schedule]) -> list[Fraction]:
    """List the months at which an interval changes, 0 first."""
    ends = {p.end for s in schedules for p in s.phases if p.end is not None}
    return sorted({Fraction(0), *(s.first_offset for s in schedules), *ends})


def _intervals_by_tier(plan: Plan) -> Iterator[Finding]:
    if not plan.tiered:
        return
    by_tier = [(tier, plan.schedule_for(tier)) for tier in TIERS]
    known = [(tier, s) for tier, s in by_tier if s is not None]
    for (mild, milder), (bad, worse) in itertools.pairwise(known):
        for month in changes_of([milder, worse]):
            if month >= plan.horizon.value:
                break
            short, _ = interval_at(milder, month)
            long, where = interval_at(worse, month)
            if long > short:
                yield found(
                    "interval-not-monotone", plan,
                    f"from month {decimal(month)} tier {bad} is scanned every {decimal(long)} months, tier {mild} every {decimal(short)}",
                    where.source, {"tier": bad, "month": decimal(month)},
                )  # fmt: skip
                break


def _phases(plan: Plan, schedule: Schedule) -> Iterator[Finding]:
    visits = visit_offsets(schedule, plan.horizon.value)
    in_force = {id(schedule.phase_at(v.months)) for v in visits}
    for phase in schedule.phases:
        if phase.interval_ci is not None and not phase.interval_ci.low <= phase.interval <= phase.interval_ci.high:
            ci = phase.interval_ci
            yield found(
                "interval-outside-ci", plan,
                f"phase '{phase.id}' takes {decimal(phase.interval)} months, outside its own confidence interval {decimal(ci.low)} to {decimal(ci.high)}",
                phase.source, {"tier": tiers_of(schedule), "phase": phase.id},
            )  # fmt: skip
        if visits and id(phase) not in in_force:
            yield found(
                "dead-phase", plan, f"phase '{phase.id}' holds no visit up to month {decimal(plan.horizon.value)}",
                phase.source, {"tier": tiers_of(schedule), "phase": phase.id},
            )  # fmt: skip


def _visits(plan: Plan, schedule: Schedule) -> Iterator[Finding]:
    horizon = plan.horizon.value
    visits = visit_offsets(schedule, horizon)
    tier = {"tier": tiers_of(schedule)}
    if not visits:
        yield found(
            "no-visit-before-horizon", plan,
            f"the first visit, month {decimal(schedule.first_offset)}, comes after the horizon, month {decimal(horizon)}",
            schedule.first.source, tier,
        )  # fmt: skip
        return
    if len(visits) >= MOST_VISITS:
        yield found(
            "horizon-not-covered", plan,
            f"visits end at month {decimal(visits[-1].months)}, before the horizon: more than {MOST_VISITS} would be needed",
            schedule.phases[0].source, tier,
        )  # fmt: skip
        return
    crossing = [k for k, both in enumerate(itertools.pairwise(visits)) if _cross(plan, *both)]
    if crossing:
        k = crossing[0]
        yield found(
            "visit-windows-cross", plan,
            f"the windows of visits {k + 1} and {k + 2} cross and are cut at their midpoint (tolerance {decimal(plan.tolerance.value)} days, interval {decimal(visits[k + 1].months - visits[k].months)} months)",
            plan.tolerance.source, {**tier, "visit": str(k + 2)},
        )  # fmt: skip


def _cross(plan: Plan, one: Offset, other: Offset) -> bool:
    """Whether two neighbouring windows share more than the day at which one ends and the next begins."""
    due, after = one.months * DAYS_PER_MONTH, other.months * DAYS_PER_MONTH
    latest = max(one.latest * DAYS_PER_MONTH, due + plan.tolerance.value)
    earliest = min(other.earliest * DAYS_PER_MONTH, after - plan.tolerance.value)
    return latest > earliest


def _fractures(plan: Plan, schedule: Schedule, evidence: Evidence | None) -> Iterator[Finding]:
    """Hold the first MRI against the earliest published median of fractures."""
    if evidence is None:
        return
    medians = [
        (value.value, reference.key)
        for reference in evidence.sources
        for finding in reference.findings
        if finding.read != "derived"
        for value in finding.values
        if value.what == MEDIAN_FRACTURE and value.unit == "months"
    ]
    if medians and schedule.first_offset > min(medians)[0]:
        month, key = min(medians)
        yield found(
            "first-scan-after-median-fracture", plan,
            f"the first MRI, month {decimal(schedule.first_offset)}, comes after the median fracture, month {decimal(month)} ({key})",
            schedule.first.source, {"tier": tiers_of(schedule), "fracture_month": decimal(month)},
        )  # fmt: skip


def _picks(plan: Plan, stand_in: Plan) -> Iterator[Finding]:
    """The stand-in for an undecided tier must not read the same published ranges another way than the middle tier."""
    own, other = plan.schedule_for("intermediate"), stand_in.schedule_for("any")
    if own is None or other is None:
        return
    for phase, theirs in zip(own.phases, other.phases, strict=False):
        for name in ("every", "until"):
            span, span2 = getattr(phase, name), getattr(theirs, name)
            same = span is not None and span2 is not None and span.ranged
            if same and (span.low, span.high) == (span2.low, span2.high):
                pick, pick2 = getattr(phase, f"{name}_pick"), getattr(theirs, f"{name}_pick")
                if pick != pick2:
                    yield found(
                        "picks-disagree", plan,
                        f"of {decimal(span.low)} to {decimal(span.high)} months the intermediate tier takes the {pick}, {stand_in.name} the {pick2}",
                        phase.source, {"tier": "undecided", "phase": phase.id},
                    )  # fmt: skip
