"""The options of `policy` as checked values: plans, limits of the search, shares of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..problems import refuse

if TYPE_CHECKING:
    from ..rulebook.library import Rulebook
    from ..rulebook.model import Plan
    from ..surveillance.compared import Asked
    from ..surveillance.hazards import Hazards
    from ..surveillance.mixes import Mix
    from ..tables.records import Records


def plans_of(rulebook: Rulebook, names: str | None) -> tuple[Plan, ...]:
    """Give the plans to compare, the profile's first unless others are named."""
    from ..rulebook.model import Plan

    if names is not None:
        chosen = list(dict.fromkeys(part.strip() for part in names.split(",") if part.strip()))
        if not chosen:
            raise refuse("not-allowed", "--plan takes ids joined by commas, such as mri-review-2025,chen-2024")
        return tuple(rulebook.get(Plan, name) for name in chosen)
    others = [d for d in rulebook.documents.values() if isinstance(d, Plan) and d.id != rulebook.plan.id]
    return (rulebook.plan, *sorted(others, key=lambda d: d.id))


def asked_of(
    plans: tuple[Plan, ...],
    every: str | None,
    budget: float | None,
    horizon: float | None,
    sensitivity: float,
    within: str,
    weight: str | None,
    phases: int,
    gaps: str | None,
    first: int | None,
    lead: float | None,
    draws: int,
    seed: int,
    level: float,
    frontier: bool,
) -> Asked:
    """Check the options, naming everything wrong at once."""
    from ..problems import InputRefused, Problem
    from ..surveillance.compared import Asked
    from . import curves

    constant = tuple(dict.fromkeys(curves.numbers("--every", every))) if every else ()
    near = tuple(curves.numbers("--within", within))
    weeks = tuple(curves.numbers("--gaps", gaps)) if gaps else None
    wrong = []
    if constant and min(constant) < 0.25:
        wrong.append("--every takes months, 0.25 or more")
    if budget is not None and not 0 < budget <= 500:
        wrong.append("--budget takes a number of MRIs above 0, at most 500")
    if horizon is not None and not 0 < horizon <= 600:
        wrong.append("--horizon takes a number of months above 0, at most 600")
    if not 0 < sensitivity <= 1:
        wrong.append("--sensitivity takes a share above 0, at most 1, such as 0.9")
    if not near or min(near) <= 0:
        wrong.append("--within takes months above 0, such as 3")
    if not 1 <= phases <= 5:
        wrong.append("--phases takes a number from 1 to 5")
    if weeks is not None and (len(weeks) != 2 or not 1 <= weeks[0] <= weeks[1] <= 104 or any(w % 1 for w in weeks)):
        wrong.append("--gaps takes two whole numbers of weeks, such as 6,26")
    if first is not None and not 1 <= first <= 104:
        wrong.append("--first takes a week from 1 to 104")
    if lead is not None and not lead > 0:
        wrong.append("--lead takes a number of months above 0")
    if not (draws == 0 or 20 <= draws <= 100_000):
        wrong.append("--draws takes 0, or a number from 20 to 100,000")
    if seed < 0:
        wrong.append("--seed takes a whole number, 0 or more")
    if not 0.5 <= level < 1:
        wrong.append("--level takes a share from 0.5 to below 1, such as 0.95")
    if wrong:
        raise InputRefused(Problem("not-allowed", text) for text in wrong)
    return Asked(
        plans,
        constant,
        budget,
        horizon,
        sensitivity,
        near,
        pairs("--weight", weight) if weight else None,
        phases,
        None if weeks is None else (int(weeks[0]), int(weeks[1])),
        first,
        lead,
        draws,
        seed,
        level,
        frontier,
    )


def pairs(flag: str, text: str) -> dict[str, float]:
    """Read names with numbers: low=52,high=48."""
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if not name.strip() or not 0 < number < float("inf") or name.strip() in found:
            raise refuse("not-allowed", f"{flag} takes groups with numbers above 0, such as low=52,high=48")
        found[name.strip()] = number
    return found


def mix_from(
    rulebook: Rulebook,
    simulation: Any,
    hazards: Hazards,
    mix: str | None,
    records: Records | None,
    by: str,
    quiet: bool,
) -> Mix:
    """Settle the shares of the groups."""
    from ..surveillance.document_rates import document_mix
    from ..surveillance.mixes import Mix, mix_of
    from . import curves, inputs

    if mix is not None or records is None:
        given = pairs("--mix", mix) if mix is not None else None
        return mix_of(hazards, document_mix(simulation, rulebook.evidence), given, simulation.name)
    grouping = curves.grouping_of(records, rulebook, by, hazards.unit)
    if grouping is None:
        raise refuse("no-mix", "--by names the groups of the cohort")
    per = ["patient_id"] if hazards.unit == "patient" else ["patient_id", "site_id"]
    rows = records.frame[per].assign(group=grouping.values.astype(object)).drop_duplicates(per)
    counts = rows["group"].dropna().astype(str).value_counts()
    names = [g.group for g in hazards.groups]
    strangers = sorted(set(counts.index) - set(names))
    if strangers:
        text = f"there are no hazards of the group{'s' if len(strangers) > 1 else ''} {', '.join(strangers)}"
        raise refuse("unknown-group", text, hint=f"The hazards know {', '.join(names)}; --by names the column.")
    lost = int(rows["group"].isna().sum())
    if lost:
        inputs.say(f"{lost} of {len(rows)} {hazards.unit}s have no {by}: not counted", quiet)
    if counts.empty:
        raise refuse("no-mix", f"nobody in the cohort has a {by}", hint="Give --mix.")
    whole = float(counts.sum())
    return Mix(
        {g: float(counts.get(g, 0)) / whole for g in names},
        f"{int(whole)} {hazards.unit}s of the cohort by {by}",
        "cohort",
    )
