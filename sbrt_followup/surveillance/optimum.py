"""The best days for MRIs in one group, and the rules of thumb they are held against.

Conventions. Every MRI has a price κ in months: a schedule's cost is its months alive with undetected progression, up to
the horizon, plus κ × its MRIs, per patient treated. The optimum is exact on whole days, by dynamic programming: V(t), the
cost from a clear MRI on day t on, is the least over the day u of the next MRI (or none) of what the gap costs + V(u).
It assumes that an MRI never misses. With X(u) and Y(u) of `_Days` the cost of a gap is X(u) − Φ(t) Y(u) + Φ(t) E(t) − I(t),
so that a step of the recursion is one pass over days.
`square_root`: MRIs as often as √(hazard / 2κ) a month (Medical Decision Making 1983;3:229); `equal_yield`: an MRI whenever
the hazard since the last one has reached the same sum (Munford & Shahani 1972; the principle of Chen 2024).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..timing import DAYS_PER_MONTH
from .detection import NO_DEATHS, Flow
from .hazards import Floats, Rates

MONTH = float(DAYS_PER_MONTH)
STEPS = 60  # of a bisection


@dataclass(frozen=True)
class Limits:
    """What a schedule must keep: days between MRIs at least and at most, and the day of the first at the latest."""

    shortest: int
    longest: int | None = None
    first_by: int | None = None


@dataclass(frozen=True)
class Schedule:
    """MRIs in months since time zero, and their cost at the price they were chosen for."""

    visits: tuple[float, ...]
    cost: float


class Days:
    """One group's shares on days `step` apart, from which every gap's cost follows; the last point is the horizon."""

    def __init__(self, rates: Rates, horizon: float, step: int = 1) -> None:
        whole = np.arange(0, int(horizon * MONTH / step + 1e-9) + 1) * step / MONTH
        self.month: Floats = whole
        points = np.append(whole, horizon)
        flow, c = Flow(rates), rates.after
        self.clear, self.progressed = flow.clear(points), flow.progressed(points)
        self.living = np.exp(-c * points)
        if c > NO_DEATHS:
            self.lived = -np.expm1(-c * points) / c
            self.months = (flow.onsets(points) - self.living * self.progressed) / c
        else:
            self.lived = points
            self.months = points * self.progressed - flow.progressed_moment(points)

    def undetected(self, start: int, stop: Floats | slice | int) -> Floats:
        """Give the months undetected in gaps from a clear MRI at one point to others."""
        gap = self.months[stop] - self.months[start] - self.progressed[start] * (self.lived[stop] - self.lived[start])
        return np.asarray(gap)

    def done(self, start: int, stop: Floats | slice | int) -> Floats:
        """Give the MRIs done at the end of such gaps."""
        return np.asarray(self.clear[stop] + self.living[stop] * (self.progressed[stop] - self.progressed[start]))


def exact(days: Days, price: float, limits: Limits) -> Schedule:
    """Find the schedule of least cost; MRIs end where no further one pays."""
    n = len(days.month)
    phi = days.progressed[:n]
    ahead = days.months[:n] + price * (days.clear[:n] + days.living[:n] * phi)  # X without V
    slope = days.lived[:n] + price * days.living[:n]  # Y
    constant = phi * days.lived[:n] - days.months[:n]
    # Without another MRI: undetected to the horizon.
    value = days.months[-1] + constant - phi * days.lived[-1]
    best = np.full(n, -1, dtype=np.int64)
    total = np.empty(n)
    total[-1] = ahead[-1] + value[-1]
    for start in range(n - 2, -1, -1):
        total[start + 1] = ahead[start + 1] + value[start + 1]
        first = start + limits.shortest
        last = n if limits.longest is None else min(n, start + limits.longest + 1)
        if start == 0 and limits.first_by is not None:
            first, last = min(first, limits.first_by), min(last, limits.first_by + 1)
        if first >= last:
            continue
        cost = total[first:last] - phi[start] * slope[first:last]
        k = int(cost.argmin())
        if cost[k] + constant[start] < value[start] or (start == 0 and limits.first_by is not None):
            value[start], best[start] = cost[k] + constant[start], first + k
    visits, day = [], int(best[0])
    while day > 0:
        visits.append(float(days.month[day]))
        day = int(best[day])
    return Schedule(tuple(visits), float(value[0]))


def square_root(rates: Rates, price: float, horizon: float, shortest: float = 0.0) -> tuple[float, ...]:
    """Give MRIs as often as the square root of the hazard, at a price; gaps are never below `shortest` months."""
    often = tuple(float(np.sqrt(rate / (2 * price))) for rate in rates.progression)
    return _spaced(Rates(rates.from_months, often), 1.0, horizon, shortest)


def equal_yield(rates: Rates, share: float, horizon: float, shortest: float = 0.0) -> tuple[float, ...]:
    """Give MRIs that each find the same share of those clear before; gaps are never below `shortest` months."""
    return _spaced(rates, -float(np.log1p(-share)), horizon, shortest)


def _spaced(often: Rates, each: float, horizon: float, shortest: float) -> tuple[float, ...]:
    most = int(float(often.cumulative(horizon)) / each + 1e-9)
    visits: list[float] = []
    for month in often.reached(each * np.arange(1, most + 1)).tolist():
        due = max(month, visits[-1] + shortest if visits else shortest)
        if due > horizon + 1e-9:
            break
        visits.append(due)
    return tuple(visits)


def price_for(
    mris: Callable[[float], float], budget: float, low: float = 1e-4, high: float = 100.0, close: float = 1e-9
) -> float:
    """Find the lowest price at which no more than a number of MRIs is done; MRIs fall as the price rises.

    The price is found to a share `close` of itself.
    """
    for _ in range(STEPS):
        middle = float(np.sqrt(low * high))
        if mris(middle) > budget:
            low = middle
        else:
            high = middle
        if high / low < 1 + close:
            break
    return high
