"""Schedules compared over groups of patients: what each asks and finds, with the uncertainty of the hazards carried through.

Conventions. Every number is per patient treated, up to the horizon, over the groups in their shares. Limits are centiles over
draws of the hazards (bootstrap samples, or log-normal by their standard errors), each draw the same for all schedules, so that a
difference is as certain as it is. A group's weight multiplies its months undetected, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from ..arrays import Floats
from .detection import Mixed, detect
from .hazards import Hazards, Rates
from .optimum import MONTH, Days, Limits, equal_yield, exact, price_for, square_root
from .phased import WEEK, Phased, Search, Weeks, together
from .pseudo_alarms import Alarms, Swelling, alarms, weighted

Origin = Literal["plan", "every", "square_root", "equal_yield", "phased", "optimum"]
PRICES = (0.005, 5.0)  # months an MRI, from next to nothing to beyond any use
POINTS = 25  # of a frontier
EXACT, TO_THE_DAY = 1e-8, 1e-3  # how nearly a price is found: between two optima to the day there is no other
SWEEP = 32  # prices at which phased plans are looked for


@dataclass(frozen=True)
class Setting:
    """Whom schedules are compared on, and how."""

    groups: tuple[str, ...]
    rates: tuple[Rates, ...]
    shares: tuple[float, ...]
    weights: tuple[float, ...]
    horizon: float
    sensitivity: float = 1.0
    within: tuple[float, ...] = ()
    """Months within which the share found is given."""
    swelling: Swelling | None = None

    def scored(self, visits: Mapping[str, Sequence[float]], rates: Sequence[Rates] | None = None) -> Mixed:
        """Give what a schedule gives."""
        own = self.rates if rates is None else rates
        parts = zip(self.groups, own, strict=True)
        return Mixed(self.shares, tuple(detect(visits[g], r, self.horizon, self.sensitivity) for g, r in parts))

    def undetected(self, given: Mixed) -> float:
        """Give the weighted months undetected to the horizon: what the optimum minimises."""
        parts = zip(self.shares, self.weights, given.parts, strict=True)
        return sum(s * w * p.undetected_to_horizon for s, w, p in parts)


@dataclass(frozen=True)
class Candidate:
    """A schedule for every group: its name, where it comes from, and its visits in months."""

    name: str
    origin: Origin
    visits: Mapping[str, tuple[float, ...]]
    phased: Mapping[str, Phased] = field(default_factory=dict)
    price: float = float("nan")
    """Months an MRI, where the schedule was made for one."""


@dataclass(frozen=True)
class Spread:
    """Limits of one number; NaN where the hazards have no known uncertainty."""

    low: float = float("nan")
    high: float = float("nan")


@dataclass(frozen=True)
class Scored:
    """A candidate with all it gives."""

    candidate: Candidate
    given: Mixed
    undetected: float  # weighted, to the horizon
    alarms: Alarms | None
    spread: Mapping[str, Spread]


MEASURES: dict[str, Callable[[Mixed], float]] = {
    "mris": lambda m: m.total("mris"),
    "found": lambda m: m.total("found"),
    "mean_delay": lambda m: m.mean_delay,
    "undetected": lambda m: m.total("undetected_to_horizon"),
}


def score(
    setting: Setting, candidates: Sequence[Candidate], draws: Sequence[Sequence[Rates]], level: float = 0.95
) -> tuple[Scored, ...]:
    """Score schedules; the limits of a difference are against the first one."""
    samples = np.array(
        [[[f(m) for f in MEASURES.values()] for m in (setting.scored(c.visits, r) for r in draws)] for c in candidates]
    )
    found = []
    for k, candidate in enumerate(candidates):
        given = setting.scored(candidate.visits)
        spread: dict[str, Spread] = {}
        if len(draws) > 1:
            for at, name in enumerate(MEASURES):
                spread[name] = _limits(samples[k, :, at], level)
                spread[f"{name}_difference"] = _limits(samples[k, :, at] - samples[0, :, at], level)
        rung = None
        if setting.swelling is not None:
            rung = weighted(setting.shares, tuple(alarms(part, setting.swelling) for part in given.parts))
        found.append(Scored(candidate, given, setting.undetected(given), rung, spread))
    return tuple(found)


def _limits(values: Floats, level: float) -> Spread:
    low, high = np.nanquantile(values, [0.5 - level / 2, 0.5 + level / 2])
    return Spread(float(low), float(high))


def draw(hazards: Hazards, groups: Sequence[str], number: int, seed: int) -> tuple[tuple[Rates, ...], ...]:
    """Give draws of every group's hazards; none where no group knows how well its hazards are known."""
    own = [hazards.of(g) for g in groups]
    if not number or not any(g.draws or g.std_error_log for g in own):
        return ()
    rng = np.random.default_rng(seed)
    columns = [g.sampled(number, rng) for g in own]
    return tuple(zip(*columns, strict=True))


class Best:
    """The best schedules for a number of MRIs: the exact optimum, the rules of thumb, and what a clinic can write down."""

    def __init__(self, setting: Setting, limits: Limits, weeks: Sequence[Weeks]) -> None:
        self.setting = setting
        self.limits = [replace(limits, first_by=max(limits.shortest, w.first * WEEK)) for w in weeks]
        self.days = [Days(r, setting.horizon) for r in setting.rates]
        prices = np.geomspace(*PRICES, SWEEP).tolist()
        self.choices = [Search(r, setting.horizon, w).sweep(prices) for r, w in zip(setting.rates, weeks, strict=True)]

    def optimum_at(self, price: float) -> Candidate:
        """Give the optimum at a price; a group's weight makes its MRIs that much cheaper."""
        parts = zip(self.setting.groups, self.days, self.setting.weights, self.limits, strict=True)
        visits = {g: exact(d, price / w, limits).visits for g, d, w, limits in parts}
        return Candidate("optimum", "optimum", visits, price=price)

    def square_root_at(self, price: float) -> Candidate:
        """Give MRIs as often as the square root of the hazard, at a price."""
        parts = zip(self.setting.groups, self.setting.rates, self.setting.weights, strict=True)
        visits = {g: square_root(r, price / w, self.setting.horizon) for g, r, w in parts}
        return Candidate("square-root rule", "square_root", visits, price=price)

    def equal_yield_at(self, share: float) -> Candidate:
        """Give MRIs that all find the same share."""
        visits = {
            g: equal_yield(r, share, self.setting.horizon)
            for g, r in zip(self.setting.groups, self.setting.rates, strict=True)
        }
        return Candidate(f"equal yield {100 * share:.2g} %", "equal_yield", visits, price=share)

    def for_budget(
        self, make: Callable[[float], Candidate], budget: float, most: float = PRICES[1]
    ) -> Candidate | None:
        """Give the schedule of a family that uses a number of MRIs as nearly as it can without exceeding it."""
        close = TO_THE_DAY if make == self.optimum_at else EXACT
        price = price_for(lambda p: self.mris(make(p)), budget, PRICES[0], most, close)
        found = make(price)
        return found if self.mris(found) <= budget + 1e-9 else None

    def phased(self, budget: float) -> Candidate | None:
        """Give the best plans in phases of whole weeks within a number of MRIs."""
        chosen = together(self.choices, self.setting.shares, self.setting.weights, budget)
        if chosen is None:
            return None
        by_group = dict(zip(self.setting.groups, chosen, strict=True))
        return Candidate("whole weeks", "phased", {g: p.visits for g, p in by_group.items()}, by_group)

    @property
    def fewest(self) -> float:
        """The fewest MRIs that plans in phases of whole weeks come to within their limits."""
        return sum(s * c[0].mris for s, c in zip(self.setting.shares, self.choices, strict=True))

    def mris(self, candidate: Candidate) -> float:
        """Count a schedule's MRIs."""
        return self.setting.scored(candidate.visits).total("mris")

    def frontier(self, low: float, high: float) -> dict[Origin, list[tuple[float, float, float]]]:
        """Give (MRIs, months undetected, mean delay) of each family, for numbers of MRIs between two."""
        found: dict[Origin, list[tuple[float, float, float]]] = {"optimum": [], "square_root": [], "phased": []}
        ends = [price_for(lambda p: self.mris(self.square_root_at(p)), m, *PRICES) for m in (high, low)]
        for price in np.geomspace(ends[0], ends[1], POINTS).tolist():
            for origin, make in (("optimum", self.optimum_at), ("square_root", self.square_root_at)):
                found[origin].append(self._point(make(price)))  # type: ignore[index]
        for budget in np.linspace(low, high, POINTS).tolist():
            plan = self.phased(budget)
            if plan is not None:
                found["phased"].append(self._point(plan))
        return {origin: sorted(set(points)) for origin, points in found.items()}

    def _point(self, candidate: Candidate) -> tuple[float, float, float]:
        given = self.setting.scored(candidate.visits)
        return given.total("mris"), self.setting.undetected(given), given.mean_delay


def every(months: float, horizon: float) -> tuple[float, ...]:
    """Give MRIs at a constant gap."""
    return tuple((np.arange(1, int(horizon / months + 1e-9) + 1) * months).tolist())


def stop_bound(price: float, lead: float) -> float:
    """Give the hazard below which MRIs no longer pay, if they precede symptoms by `lead` months (MDM 1983;3:229)."""
    return 2 * price / lead**2


def in_weeks(months: float) -> int:
    """Turn months into whole weeks, rounded down."""
    return int(months * MONTH / 7 + 1e-9)
