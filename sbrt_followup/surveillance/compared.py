"""Plans of a rulebook compared on hazards, with the best schedules for a number of MRIs: everything `policy` reports.

Conventions. A group's visits under a plan are those of the tier it names; a plan without tiers serves any group. Whoever no
group is known of is not counted. The best schedules keep what the first plan named keeps: its first visit in each group at
the latest, no gap shorter than the shortest of the plans compared; in whole weeks also none longer than their longest, unless
other limits are given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from ..outcomes.analysis import Caution
from ..problems import InputRefused, Problem, nearest, refuse
from ..rulebook.library import Rulebook
from ..rulebook.model import Plan
from ..rulebook.offsets import visit_offsets
from ..rulebook.simulation import Simulation, look_up
from ..sites.windows import unite
from .hazards import Hazards
from .mixes import Mix
from .optimum import MONTH, Limits
from .phased import WEEK, Phased, Weeks
from .plan_comparison import Best, Candidate, Origin, Scored, Setting, draw, every, in_weeks, score, stop_bound
from .pseudo_alarms import Swelling

UNUSED = 0.1  # of the MRIs there are
SHORT_OF = 0.1  # of the first plan's MRIs: how far beyond the plans the frontier reaches


@dataclass(frozen=True)
class Asked:
    """What to compare, and how."""

    plans: tuple[Plan, ...]
    every: tuple[float, ...] = ()
    budget: float | None = None  # MRIs per patient; None: those of the first plan
    horizon: float | None = None  # months; None: the first plan's
    sensitivity: float = 1.0
    within: tuple[float, ...] = ()
    weights: Mapping[str, float] | None = None
    phases: int = 3
    gaps: tuple[int, int] | None = None  # weeks
    first: int | None = None  # weeks
    lead: float | None = None  # months by which an MRI precedes symptoms
    draws: int = 200
    seed: int = 1
    level: float = 0.95
    frontier: bool = True


@dataclass(frozen=True)
class Group:
    """One group's hazards in words of the comparison."""

    group: str
    share: float
    weight: float
    first: int  # weeks
    stop_from: float | None
    """The month from which MRIs no longer pay, if a lead is given and it comes to that."""


@dataclass(frozen=True)
class Compared:
    """The comparison with all its premises."""

    asked: Asked
    hazards: Hazards
    mix: Mix
    setting: Setting
    groups: tuple[Group, ...]
    budget: float
    scored: tuple[Scored, ...]
    frontier: Mapping[Origin, Sequence[tuple[float, float, float]]]
    gaps: tuple[int, int]
    drawn: int
    stop_hazard: float | None
    cautions: tuple[Caution, ...]

    def of(self, origin: Origin) -> Scored | None:
        """Give the best schedule of a family, if it was found."""
        return next((s for s in self.scored if s.candidate.origin == origin), None)

    @property
    def simplicity_cost(self) -> float | None:
        """The share by which the best plan in whole weeks leaves more months undetected than the optimum at the same MRIs.

        MRIs by which the two differ are counted at the price the optimum was made for.
        """
        best, optimum = self.of("phased"), self.of("optimum")
        if best is None or optimum is None or not optimum.undetected > 0:
            return None
        more = optimum.candidate.price * (best.given.total("mris") - optimum.given.total("mris"))
        return (best.undetected + more) / optimum.undetected - 1

    @property
    def chosen(self) -> Mapping[str, Phased]:
        """The best plan in whole weeks, by group; empty where none keeps to the budget."""
        best = self.of("phased")
        return {} if best is None else best.candidate.phased


def compared(
    rulebook: Rulebook, simulation: Simulation, hazards: Hazards, mix: Mix, asked: Asked, step: Callable[[], None]
) -> Compared:
    """Compare plans on hazards; `step` is called after each of the four parts."""
    groups = tuple(g.group for g in hazards.groups if mix.shares.get(g.group, 0.0) > 0)
    weights = _weights(asked, groups)
    horizon = float(asked.plans[0].horizon.value) if asked.horizon is None else asked.horizon
    rates = tuple(hazards.of(g).rates for g in groups)
    whole = sum(mix.shares[g] for g in groups)
    setting = Setting(
        groups,
        rates,
        tuple(mix.shares[g] / whole for g in groups),
        weights,
        horizon,
        asked.sensitivity,
        asked.within,
        swelling_of(rulebook, simulation),
    )
    plans = [Candidate(p.id, "plan", _visits(p, groups, horizon)) for p in asked.plans]
    plans += [Candidate(f"every {m:g} months", "every", dict.fromkeys(groups, every(m, horizon))) for m in asked.every]
    _check_visits(plans)
    gaps = asked.gaps or _gaps(plans)
    first = {g: in_weeks(plans[0].visits[g][0]) if asked.first is None else asked.first for g in groups}
    late = [g for g in groups if first[g] * WEEK / MONTH > horizon]
    if late:
        text = f"the first MRI, week {max(first.values())}, lies beyond the horizon of {horizon:g} months"
        raise refuse("first-after-horizon", text, hint="Give an earlier --first or a longer --horizon.")
    step()
    budget = setting.scored(plans[0].visits).total("mris") if asked.budget is None else asked.budget
    limits = Limits(gaps[0] * WEEK)
    best = Best(setting, limits, [Weeks(max(1, first[g]), gaps[0], gaps[1], asked.phases) for g in groups])
    step()
    candidates = [*plans, *_best(best, budget)]
    draws = draw(hazards, groups, asked.draws, asked.seed)
    scored = score(setting, candidates, draws, asked.level)
    step()
    price = next((c.price for c in candidates if c.origin == "square_root"), None)
    bound = stop_bound(price, asked.lead) if price is not None and asked.lead is not None else None
    own = tuple(
        Group(g, s, w, first[g], _stops(hazards, g, bound))
        for g, s, w in zip(groups, setting.shares, weights, strict=True)
    )
    reach = [s.given.total("mris") for s in scored]
    drawn = best.frontier(min(reach) * (1 - SHORT_OF), max(reach) * (1 + SHORT_OF)) if asked.frontier else {}
    step()
    cautions = _cautions(hazards, mix, asked, best, scored, len(draws), groups, budget, gaps)
    return Compared(asked, hazards, mix, setting, own, budget, scored, drawn, gaps, len(draws), bound, cautions)


def _weights(asked: Asked, groups: Sequence[str]) -> tuple[float, ...]:
    given = asked.weights or {}
    unknown = [g for g in given if g not in groups]
    if unknown:
        raise InputRefused(
            Problem("unknown-group", f"--weight names no group '{g}'", hint=nearest(g, groups)) for g in unknown
        )
    return tuple(given.get(g, 1.0) for g in groups)


def _visits(plan: Plan, groups: Sequence[str], horizon: float) -> dict[str, tuple[float, ...]]:
    found = {}
    for group in groups:
        schedule = plan.schedule_for(group)
        if schedule is None:
            known = ", ".join(t for s in plan.schedules for t in s.tiers)
            raise refuse(
                "no-schedule",
                f"{plan.name} has no schedule for the group '{group}'",
                hint=f"It goes by the tiers {known}: fit hazards by risk_group, or compare a plan without tiers.",
            )
        found[group] = tuple(float(o.months) for o in visit_offsets(schedule, Fraction(str(horizon))))
    return found


def _check_visits(plans: Sequence[Candidate]) -> None:
    empty = [c.name for c in plans if not all(c.visits.values())]
    if empty:
        raise InputRefused(
            Problem("no-visits", f"{name} has no visit up to the horizon", hint="Give a longer --horizon.")
            for name in empty
        )


def _gaps(plans: Sequence[Candidate]) -> tuple[int, int]:
    """Give the shortest and longest gap of the plans, in whole weeks; the longest is rounded up."""
    gaps = np.concatenate([np.diff(v) for c in plans for v in c.visits.values() if len(v) > 1] or [np.array([1.0])])
    shortest = max(1, in_weeks(float(gaps.min())))
    return shortest, max(shortest, ceil(float(gaps.max()) * MONTH / WEEK - 1e-9))


def _best(best: Best, budget: float) -> list[Candidate]:
    found = [
        best.phased(budget),
        best.for_budget(best.square_root_at, budget),
        best.for_budget(best.equal_yield_at, budget, 0.9),
        best.for_budget(best.optimum_at, budget),
    ]
    return [c for c in found if c is not None]


def _stops(hazards: Hazards, group: str, bound: float | None) -> float | None:
    """Give the month from which the hazard stays below a bound; None where it does not."""
    if bound is None:
        return None
    rates = hazards.of(group).rates
    begin = None
    for month, rate in zip(rates.from_months, rates.progression, strict=True):
        begin = None if rate >= bound else month if begin is None else begin
    return begin


def swelling_of(rulebook: Rulebook, simulation: Simulation) -> Swelling:
    """Gather what the documents say of pseudo-progression and of confirming MRIs."""
    evidence, pseudo, assumed = rulebook.evidence, simulation.pseudoprogression, simulation.assumed
    within = [
        float(m.within.value)
        for c in rulebook.criteria
        if c.role == "next_step"
        for m in c.meanings
        if m.within is not None
    ]
    stretches = unite([w for w in rulebook.windows if w.when is None])
    return Swelling(
        look_up(pseudo.share, evidence) / 100,
        look_up(pseudo.first_peak, evidence),
        look_up(pseudo.last_peak, evidence),
        assumed.pseudo_growth.share,
        look_up(simulation.detectable, evidence) / 100,
        tuple((s.start, s.stop) for s in stretches),
        max(within, default=0.0),
        assumed.local.share,
    )


def _cautions(
    hazards: Hazards,
    mix: Mix,
    asked: Asked,
    best: Best,
    scored: Sequence[Scored],
    draws: int,
    groups: Sequence[str],
    budget: float,
    gaps: tuple[int, int],
) -> tuple[Caution, ...]:
    found = []
    for known in hazards.known:
        if known != "fitted":
            names = ", ".join(g.group for g in hazards.groups if g.known == known)
            source = next(g.source for g in hazards.groups if g.known == known)
            text = f"hazards {known}, not fitted to a cohort ({names}): {source}"
            if draws and known == "derived":
                text += "; their limits are as wide as those of the published intervals, and a clinic's own are likely wider"
            found.append(Caution(f"hazards-{known}", text))
    if mix.known not in ("cohort", "given"):
        found.append(Caution("mix", f"shares of the groups: {mix.source} ({mix.known})"))
    left = [g.group for g in hazards.groups if g.group not in groups]
    if left:
        found.append(Caution("group-without-patients", f"nobody in {', '.join(left)}: not compared"))
    immortal = [g for g in groups if hazards.of(g).rates.death_clear <= 0]
    if immortal:
        text = (
            f"nobody dies in {', '.join(immortal)}: no rate of death is known, and MRIs are overstated (--death RATE)"
        )
        found.append(Caution("no-death", text))
    if hazards.unit == "site":
        found.append(Caution("unit-site", "hazards are per site: MRIs and findings are per treated site"))
    if not draws and asked.draws:
        found.append(Caution("no-uncertainty", "how well the hazards are known is not known: no limits are given"))
    if asked.sensitivity < 1:
        text = "the optimum, and the plan in whole weeks, are found for MRIs that never miss, then scored with the sensitivity given"
        found.append(Caution("optimum-without-misses", text))
    if not any(s.candidate.origin == "phased" for s in scored):
        text = f"no plan in whole weeks within these limits uses so few MRIs: the fewest is {best.fewest:.2f} a patient"
        found.append(Caution("budget-too-small", text))
    used = next((s.given.total("mris") for s in scored if s.candidate.origin == "phased"), budget)
    if used < (1 - UNUSED) * budget:
        text = f"the plan in whole weeks uses {used:.1f} of {budget:.1f} MRIs: gaps are never below {gaps[0]} weeks (--gaps)"
        found.append(Caution("budget-not-used", text))
    found.append(
        Caution(
            "no-proof",
            "a plan that finds progression sooner is no proof that patients fare better; death is assumed not to depend on the MRIs",
        )
    )
    return tuple(found)
