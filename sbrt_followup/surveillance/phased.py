"""The best plans a clinic can write down: a first MRI, then at most a few phases of equal gaps in whole weeks.

Conventions. Cost as in `optimum`: months undetected to the horizon + κ × MRIs. The best such plan at a price is exact, by
dynamic programming over (week of the last MRI, phase, gap): a phase may end at any of its MRIs, as a plan's `until` says.
Plans for several groups are put together from each group's best ones over a range of prices, so that the mean number of
MRIs keeps to a budget. A phase holds at least two gaps: one odd gap is no phase. Of the plans within one per
cent of the fewest months undetected, the one with the fewest phases is taken: gaps do not change for next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..timing import DAYS_PER_MONTH
from .detection import detect
from .hazards import Floats, Rates
from .optimum import Days

MONTH = float(DAYS_PER_MONTH)
WEEK = 7  # days
MOST_TOGETHER = 2_000_000  # combinations of plans looked at
NEXT_TO_NOTHING = 0.01  # of the months undetected


@dataclass(frozen=True)
class Weeks:
    """What a phased plan may be: the first MRI in weeks (exactly), the gaps allowed, and the most phases."""

    first: int
    shortest: int
    longest: int
    phases: int

    @property
    def gaps(self) -> tuple[int, ...]:
        """The gaps allowed, in weeks."""
        return tuple(range(self.shortest, self.longest + 1))


@dataclass(frozen=True)
class Stretch:
    """MRIs every so many weeks until a week since time zero; None: to the end."""

    every: int
    until: int | None


@dataclass(frozen=True)
class Phased:
    """A plan in whole weeks, and what it gives in its group."""

    first: int
    stretches: tuple[Stretch, ...]
    visits: tuple[float, ...]  # months
    mris: float
    undetected: float  # months, to the horizon


def visits_of(first: int, stretches: Sequence[Stretch], horizon: float) -> tuple[float, ...]:
    """Lay out a phased plan's MRIs, in months."""
    last = int(horizon * MONTH / WEEK + 1e-9)
    weeks, week, k = [], first, 0
    while week <= last:
        weeks.append(week * WEEK / MONTH)
        while (end := stretches[k].until) is not None and week >= end:
            k += 1
        week += stretches[k].every
    return tuple(weeks)


class Search:
    """One group's best phased plans."""

    def __init__(self, rates: Rates, horizon: float, allowed: Weeks) -> None:
        self.rates, self.horizon, self.allowed = rates, horizon, allowed
        days = Days(rates, horizon, WEEK)
        n = len(days.month)
        gap = self.gaps = np.array(allowed.gaps)
        start = np.arange(n)[:, None]
        stop = start + gap
        self.inside = stop < n
        stop = np.where(self.inside, stop, n)  # the point after the last week is the horizon
        self.stop = stop
        before = days.progressed[:n, None]
        self.undetected = days.months[stop] - days.months[:n, None] - before * (days.lived[stop] - days.lived[:n, None])
        done = days.clear[stop] + days.living[stop] * (days.progressed[stop] - before)
        self.done = np.where(self.inside, done, 0.0)
        self.n = n

    def best(self, price: float) -> tuple[Phased, ...]:
        """Find the plan of least cost at a price, with one phase, two, and so on to the most allowed."""
        cost = self.undetected + price * self.done
        later = np.full(self.n + 1, np.inf)
        choices: list[tuple[Floats, Floats]] = []
        found = []
        for _ in range(self.allowed.phases):
            going, opening = self._phase(cost, later)
            choices.insert(0, (going, opening))
            later = np.append(opening.min(axis=1), 0.0)
            found.append(self._read(choices))
        return tuple(found)

    def _phase(self, cost: Floats, later: Floats) -> tuple[Floats, Floats]:
        """Give, by the week of an MRI and the gap, the least cost of going on in a phase, and of opening it there.

        Going on, the phase may end at the next MRI, where `later` holds what the phases after it cost; a phase just opened
        may not.
        """
        going = np.zeros((self.n + 1, len(self.gaps)))
        opening = np.zeros((self.n, len(self.gaps)))
        column = np.arange(len(self.gaps))
        for week in range(self.n - 1, -1, -1):
            stop = self.stop[week]
            on = going[stop, column]
            opening[week] = cost[week] + on
            going[week] = cost[week] + np.where(self.inside[week], np.minimum(on, later[stop]), 0.0)
        return going, opening

    def _read(self, choices: list[tuple[Floats, Floats]]) -> Phased:
        gaps = self.gaps
        week, stretches = self.allowed.first, []
        for number, (going, opening) in enumerate(choices):
            gap = int(opening[week].argmin())
            week += int(gaps[gap])
            later = choices[number + 1][1].min(axis=1) if number + 1 < len(choices) else None
            while week < self.n:
                week += int(gaps[gap])
                if week < self.n and later is not None and later[week] < going[week, gap]:
                    break
            if week >= self.n:
                stretches.append(Stretch(int(gaps[gap]), None))
                break
            stretches.append(Stretch(int(gaps[gap]), week))
        return self.plan(self.allowed.first, tuple(stretches))

    def plan(self, first: int, stretches: tuple[Stretch, ...]) -> Phased:
        """Score a plan."""
        visits = visits_of(first, stretches, self.horizon)
        given = detect(visits, self.rates, self.horizon)
        return Phased(first, stretches, visits, given.mris, given.undetected_to_horizon)

    def sweep(self, prices: Sequence[float]) -> tuple[Phased, ...]:
        """Give the distinct best plans over prices, and every plan of one phase, fewest MRIs first."""
        found = {plan.visits: plan for price in prices for plan in reversed(self.best(price))}
        found |= {p.visits: p for p in (self.plan(self.allowed.first, (Stretch(g, None),)) for g in self.allowed.gaps)}
        return tuple(sorted(found.values(), key=lambda plan: plan.mris))


def together(
    choices: Sequence[Sequence[Phased]], shares: Sequence[float], weights: Sequence[float], budget: float
) -> tuple[Phased, ...] | None:
    """Choose one plan per group: least weighted months undetected within a mean number of MRIs; None if none fits."""
    mris, months, phases = np.zeros(1), np.zeros(1), np.zeros(1, dtype=np.int64)
    while np.prod([float(len(c)) for c in choices]) > MOST_TOGETHER:
        choices = [c if len(c) < 3 else c[::2] for c in choices]
    for plans, share, weight in zip(choices, shares, weights, strict=True):
        mris = np.add.outer(mris, [share * p.mris for p in plans]).ravel()
        months = np.add.outer(months, [share * weight * p.undetected for p in plans]).ravel()
        phases = np.add.outer(phases, [len(p.stretches) for p in plans]).ravel()
    months = np.where(mris <= budget + 1e-9, months, np.inf)
    if not np.isfinite(months).any():
        return None
    near = np.flatnonzero(months <= months.min() * (1 + NEXT_TO_NOTHING))
    place = int(near[np.lexsort((months[near], phases[near]))[0]])
    chosen: list[Phased] = []
    for plans in reversed(choices):
        place, k = divmod(place, len(plans))
        chosen.insert(0, plans[k])
    return tuple(chosen)
