"""The best plan of a comparison as an overlay to sign."""

from __future__ import annotations

from ... import __version__
from ...problems import refuse
from ...rulebook.library import Rulebook
from ...rulebook.model import Plan
from ...surveillance.compared import Compared
from ...vocabulary import TIERS
from .plan_overlay import course_of, overlay
from .policy_text import in_words

NAME = "proposed-plan"


def proposal(result: Compared, rulebook: Rulebook) -> str:
    """Give the overlay's YAML; refuse where no plan was found, or where no plan goes by these groups."""
    if not result.chosen:
        raise refuse(
            "no-best-plan",
            "no plan in whole weeks keeps to this number of MRIs within the gaps allowed",
            hint="Give a larger --budget, or wider --gaps.",
        )
    base = _base(result, rulebook)
    tiered = set(result.chosen) <= set(TIERS)
    courses = [course_of((group,) if tiered else ("any",), plan) for group, plan in result.chosen.items()]
    best, reference = result.of("phased"), result.scored[0]
    assert best is not None
    words = "; ".join(f"{group}: {in_words(plan)}" for group, plan in result.chosen.items())
    why = (
        f"Soonest to find progression for {result.budget:.2f} MRIs a {result.hazards.unit} over {result.setting.horizon:g} months: mean delay "
        f"{best.given.mean_delay:.2f} months instead of {reference.given.mean_delay:.2f} under {reference.candidate.name} with "
        f"{reference.given.total('mris'):.2f} MRIs; {best.given.total('mris'):.2f} MRIs."
    )
    hazards = "; ".join(
        f"{g.group} {', '.join(f'{r:.5f} from month {m:g}' for m, r in zip(g.rates.from_months, g.rates.progression, strict=True))} a month, "
        f"death {g.rates.death_clear:g}, {g.known} ({g.source})"
        + (f", n {g.n}, events {', '.join(map(str, g.events))}" if g.n else "")
        for g in result.hazards.groups
    )
    shares = ", ".join(
        f"{g} {100 * s:.1f} %" for g, s in zip(result.setting.groups, result.setting.shares, strict=True)
    )
    cautions = "; ".join(c.message for c in result.cautions)
    notes = (
        f"{words}. Rests on hazards: {hazards}. Shares: {shares} ({result.mix.source}, {result.mix.known}). Sensitivity {result.setting.sensitivity:g}. "
        f"Mind: {cautions}. Written by sbrt-followup {__version__} policy; the command stands in the manifest beside this file."
    )
    title = f"Proposed: soonest for {result.budget:.2f} MRIs a {result.hazards.unit}, whole weeks"
    return overlay(base, NAME, title, courses, why, notes)


def _base(result: Compared, rulebook: Rulebook) -> Plan:
    """Give the plan to lay it over: tiered where the groups are tiers, else one without."""
    wanted = set(result.chosen) <= set(TIERS)
    if wanted and set(result.chosen) != set(TIERS):
        raise refuse(
            "group-without-patients",
            "a tiered plan needs every tier, and some have no patients here",
            hint="Give --mix.",
        )
    if not wanted and len(result.chosen) > 1:
        raise refuse("no-schedule", "a plan goes by tiers, not by these groups", hint="Fit hazards by risk_group.")
    every = [*result.asked.plans, *(d for d in rulebook.documents.values() if isinstance(d, Plan))]
    fitting = [p for p in every if p.tiered == wanted and (not wanted or p.risk == rulebook.profile.risk)]
    if not fitting:
        raise refuse("no-base", "the rulebook has no plan of this kind to lay the proposal over")
    return fitting[0]
