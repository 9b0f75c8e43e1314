"""A cohort's own intervals as a plan to sign: laid over the plan in force, with everything they rest on in it."""

from __future__ import annotations

from fractions import Fraction

from ... import __version__
from ...problems import refuse
from ...rulebook.library import Rulebook
from ...rulebook.model import Plan
from ...surveillance.cohort_intervals import Intervals
from ...surveillance.group_intervals import GroupIntervals
from ...tables.records import Records
from ...vocabulary import TIERS
from .intervals_text import plan_of
from .plan_overlay import Course, Stage, overlay

NAME = "fitted-plan"


def fitted_plan(result: Intervals, rulebook: Rulebook, base: Plan, cohort: Records, as_of: str | None = None) -> str:
    """Give the overlay's YAML; refuse where a group has no interval, or where no plan goes by these groups."""
    labels = [own.group for own in result.groups]
    tiered = set(labels) <= set(TIERS)
    if not tiered and len(labels) > 1:
        raise refuse("no-schedule", "a plan goes by tiers, not by these groups", hint="Fit hazards by risk_group.")
    if tiered and set(labels) != set(TIERS):
        absent = ", ".join(t for t in TIERS if t not in labels)
        raise refuse("group-without-patients", f"a tiered plan needs every tier, and nobody here is {absent}")
    empty = [own.group for own in result.groups if not own.rounded or any(r is None for r in own.rounded)]
    if empty:
        raise refuse("no-interval", f"no interval for every phase of {', '.join(empty)}: no plan can be written")
    under = base if base.tiered == tiered else _of_kind(rulebook, tiered)
    courses = [_course(own, tiered, under) for own in result.groups]
    share = result.asked.yields.get("")
    title = "Proposed: by target yield per MRI" if share is None else f"Proposed: {100 * share:g} % found per MRI"
    words = "; ".join(plan_of(own) for own in result.groups)
    why = f"Intervals at which an MRI finds the target share by this clinic's own outcomes: {words}."
    return overlay(under, NAME, f"{title}, by this clinic's own outcomes", courses, why, _notes(result, cohort, as_of))


def _of_kind(rulebook: Rulebook, tiered: bool) -> Plan:
    fitting = [
        d for d in rulebook.documents.values()
        if isinstance(d, Plan) and d.tiered == tiered and (not tiered or d.risk == rulebook.profile.risk)
    ]  # fmt: skip
    if not fitting:
        raise refuse("no-base", "the rulebook has no plan of this kind to lay the intervals over")
    return fitting[0]


def _course(own: GroupIntervals, tiered: bool, base: Plan) -> Course:
    """Write a group's phases as a course; the first MRI stays where the plan in force has it, no later than the interval."""
    fit = own.fit
    assert fit is not None
    stages = []
    for phase, rounded in zip(fit.phases, own.rounded, strict=True):
        gap = phase.interval
        assert rounded is not None and gap is not None
        until = None if phase.until_month is None else _tenth(phase.until_month)
        limits = None if gap.method is None else (_tenth(gap.ci_low), _tenth(gap.ci_high))
        says = f"{phase.events} progressions, {phase.hazard:.5f} a month, {fit.model}, limits by {gap.method}: {100 * rounded.yield_at_months:.2f} % found"
        stages.append(Stage(_tenth(rounded.months), until, says, limits))
    schedule = base.schedule_for(own.group if tiered else "any")
    first = stages[0].every
    if schedule is not None and schedule.first is not None:
        planned = schedule.first.at if schedule.first.at is not None else schedule.first.no_later_than
        first = first if planned is None else min(first, planned)
    why = f"The first interval, or as in {base.name} where that is sooner."
    return Course((own.group,) if tiered else ("any",), first, tuple(stages), why)


def _tenth(months: float) -> Fraction:
    return Fraction(round(months * 10), 10)


def _notes(result: Intervals, cohort: Records, as_of: str | None) -> str:
    """Say everything the intervals rest on."""
    parts = []
    for own in result.groups:
        fit = own.fit
        assert fit is not None
        stretches = "; ".join(
            f"from month {p.from_month:g} {p.hazard:.5f} a month, {p.events} progressions, every {p.interval.estimate:.2f} months "
            f"({p.interval.ci_low:.2f} to {p.interval.ci_high:.2f}, {p.interval.method})"
            for p in fit.phases
            if p.interval is not None
        )
        parts.append(
            f"{own.group}: n {len(own.observed.seen)}, target {100 * own.yield_share:g} %, model {fit.model} ({own.why}), {stretches}, "
            f"death {fit.death_clear or 0:.5f} before and {fit.death_after or 0:.5f} after progression"
        )
    cautions = "; ".join(c.message for c in result.cautions)
    basis = f" Groups: {result.grouping.note}." if result.grouping is not None and result.grouping.note else ""
    day = f"as of {as_of}" if as_of else "every date as given"
    return (
        f"{'. '.join(parts)}. Cohort {cohort.content_hash}, {day}.{basis} Mind: {cautions}. Written by sbrt-followup {__version__} intervals; the "
        "command stands in the manifest beside this file."
    )
