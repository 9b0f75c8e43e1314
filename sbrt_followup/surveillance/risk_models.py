"""A model of risk for every unit of a study: columns of the user's own, or groups with hazards behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..arrays import Floats
from ..estimators.counts import COMPETING
from ..problems import refuse
from ..timing import analysis_days
from ..vocabulary import TIERS
from .document_rates import Published
from .foretold import Foretold, Grouped, stretches
from .hazards import Hazards, Rates
from .validation import People

MONTH = analysis_days(1)
GIVEN = "given"


def by_columns(columns: Mapping[float, str], plain: bool, scores: Mapping[float, Floats], people: People) -> Foretold:
    """Foretell by columns: risks at horizons, or a plain score."""
    names = ", ".join(dict.fromkeys(columns.values()))
    if plain:
        return Foretold(names, scores, {}, {}, None)
    months = sorted(scores)
    course = stretches(scores, _death_rates(people, months))
    return Foretold(names, scores, scores, dict.fromkeys(months, GIVEN), course, source="columns of the cohort")


def _death_rates(people: People, months: Sequence[float]) -> list[float]:
    """Give the cohort's own rate of death without progression, a month, between horizons."""
    found, begin = [], 0.0
    for end in months:
        start, stop = begin * MONTH, end * MONTH
        exposed = (np.clip(people.time, start, stop) - np.maximum(people.entry, start).clip(max=stop)).clip(min=0).sum()
        died = ((people.status == COMPETING) & (people.time > start) & (people.time <= stop)).sum()
        found.append(float(died / exposed * MONTH) if exposed > 0 else 0.0)
        begin = end
    return found


def by_group(
    name: str,
    months: Sequence[float],
    order: tuple[str, ...],
    people: People,
    hazards: Hazards | None,
    published: Sequence[Published],
) -> Foretold:
    """Foretell by group: risks from hazards where every group has them, published ones in their place where there are any."""
    labels = people.labels
    rates: list[Rates] = []
    if hazards is not None:
        rates = [hazards.of(label).rates for label in labels]
    rank = _ranks(order, max(months), labels, rates)
    scores = dict.fromkeys(months, np.array([float(rank.index(label)) for label in labels])[people.group])
    if not rates or hazards is None:
        return Foretold(name, scores, {}, {}, None, by_group=True)
    course = Grouped(tuple(rates), people.group)
    by_course = {m: course.risk(m) for m in months}
    risks = dict(by_course)
    known = dict.fromkeys(months, " and ".join(hazards.known))
    for month in months:
        own = {p.of: p.risk for p in published if p.months == month}
        if hazards.known == ("derived",) and set(labels) <= set(own):
            risks[month] = np.array([own[label] for label in labels])[people.group]
            known[month] = "published"
    sources = ", ".join(dict.fromkeys(hazards.of(label).source for label in labels))
    return Foretold(name, scores, risks, known, course, by_course, sources, by_group=True)


def _ranks(order: tuple[str, ...], last: float, labels: tuple[str, ...], rates: Sequence[Rates]) -> list[str]:
    """Order the groups, mildest first."""
    if order:
        unknown = set(labels) - set(order)
        if unknown:
            raise refuse("unknown-group", f"--order leaves out {', '.join(sorted(unknown))}")
        return list(order)
    if set(labels) <= set(TIERS):
        return list(TIERS)
    if rates:
        return [label for _, label in sorted(zip([float(r.cumulative(last)) for r in rates], labels, strict=True))]
    if all(_is_number(label) for label in labels):
        return sorted(labels, key=float)
    raise refuse(
        "no-order",
        "the order of the groups is not known",
        hint=f'Say it, mildest first: --order "{";".join(labels)}".',
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
