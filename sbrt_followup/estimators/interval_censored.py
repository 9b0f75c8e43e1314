"""The nonparametric maximum likelihood estimate for events known to lie between two scans (Turnbull).

Conventions. An observation is (left, right] in days: clear at left, found at right; right is infinite when the event was
never found, and left = right is an event of known day. Mass can lie only on the innermost intervals, those that begin
at a left end and end at the next right end with nothing between; inside them the curve is not unique. Observations are
reduced to distinct runs of innermost intervals, so that every product with their incidence matrix is a difference of
cumulative sums; no such matrix is ever built.

The method is the constrained Newton method with support search (Wang 2008): where the gradient is greatest between two
support intervals a support interval is added, and the quadratic approximation is solved with masses >= 0. The
certificate is the Karush–Kuhn–Tucker gap max_j d_j − n, with d_j the derivative of the log-likelihood by mass j: no
distribution has a log-likelihood greater than the estimate's by more than the gap (Lindsay 1983).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..arrays import Floats, Ints

TOLERANCE = 1e-10  # the gap that counts as zero, as a share of n
_MOST_ITERATIONS = 1000
_HALVINGS = 40
_MOST_PIVOTS = 500
_PATIENCE = 3  # exchanges of all misplaced variables that need not help, before they go one by one
_SLACK = 1e-12
_ROUNDING = 1e-11  # of a log-likelihood, as a share of it
_RIDGE = 1e-13  # keeps a singular Hessian solvable, as a share of its diagonal; does not move the solution
_OPEN = 2  # where a side of an interval sorts among the sides on the same day: closed left 0, right 1, open left 2


@dataclass(frozen=True)
class Npmle:
    """Masses on intervals (left, right] (left = right: on that day), with the proof that no other has more likelihood."""

    left_days: Floats
    right_days: Floats
    mass: Floats
    loglik: float
    kkt_gap: float
    iterations: int
    n: float
    place: Ints  # among the innermost intervals

    @property
    def surv_low(self) -> Floats:
        """The curve at the end of each interval, where all its mass is gone."""
        return np.asarray(np.maximum(1.0 - np.cumsum(self.mass), 0.0))

    @property
    def surv_high(self) -> Floats:
        """The curve at the start of each interval, where its mass is still to come."""
        return np.concatenate([[1.0], self.surv_low[:-1]])[: len(self.mass)]

    def bounds(self, when: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Give the least and greatest S(t) that the masses allow; they differ inside an interval only."""
        t = np.asarray(when, dtype=np.float64)
        if not self.mass.size:
            unknown = np.full(t.shape, np.nan)
            return unknown, unknown
        ladder = np.concatenate([[1.0], self.surv_low])
        exact = self.left_days == self.right_days
        begun = np.searchsorted(self.left_days, t, side="left")
        # On the day of an exact event its mass is gone.
        at = np.minimum(begun, len(exact) - 1)
        begun = begun + ((begun < len(exact)) & exact[at] & (self.left_days[at] == t))
        ended = np.searchsorted(self.right_days, t, side="right")
        return ladder[begun], ladder[ended]


@dataclass(frozen=True)
class Runs:
    """Distinct observations as runs first..last of innermost intervals, with their weights."""

    first: Ints
    last: Ints
    weight: Floats
    left_days: Floats
    right_days: Floats
    of_observation: Ints  # each observation's place among the distinct runs

    @property
    def size(self) -> int:
        """The number of innermost intervals."""
        return len(self.left_days)

    def covered(self, mass: Floats) -> Floats:
        """Give each run's probability."""
        total = np.concatenate([[0.0], np.cumsum(mass)])
        return np.asarray(total[self.last + 1] - total[self.first])

    def gathered(self, value: Floats) -> Floats:
        """Give each innermost interval the sum of a value over the runs that hold it."""
        change = np.bincount(self.first, value, self.size + 1) - np.bincount(self.last + 1, value, self.size + 1)
        return np.asarray(np.cumsum(change)[:-1])

    def curvature(self, value: Floats, chosen: Ints) -> Floats:
        """Give, for chosen intervals j and k, the sum of a value over the runs that hold both."""
        k = len(chosen)
        start = np.searchsorted(chosen, self.first)
        stop = np.searchsorted(chosen, self.last, side="right") - 1
        used = start <= stop
        cells = np.bincount(start[used] * k + stop[used], value[used], k * k).reshape(k, k)
        upper = np.cumsum(np.cumsum(cells, axis=0)[:, ::-1], axis=1)[:, ::-1]
        upper = np.triu(upper)
        return np.asarray(upper + np.triu(upper, 1).T)


def innermost(left: npt.ArrayLike, right: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Runs:
    """Find the innermost intervals (R's Turnbull intervals) and reduce the observations to runs of them."""
    low: Floats = np.asarray(left, dtype=np.float64)
    high: Floats = np.asarray(right, dtype=np.float64)
    weight: Floats = np.ones(len(low)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not (np.isfinite(low).all() and (low >= 0).all() and (low <= high).all()):
        raise ValueError("an observation needs a finite left end, 0 or more, and a right end not before it")
    if not (np.isfinite(weight).all() and (weight >= 0).all()):
        raise ValueError("weights must be finite and not negative")
    used = weight > 0
    days, code = np.unique(np.concatenate([low, high]), return_inverse=True)
    begin, end = 3 * code[: len(low)], 3 * code[len(low) :] + 1
    begin = begin + np.where(low < high, _OPEN, 0)
    side = np.zeros(3 * len(days), dtype=np.int8)
    side[begin[used]], side[end[used]] = -1, 1
    places = np.flatnonzero(side)
    inner = np.flatnonzero((side[places[:-1]] == -1) & (side[places[1:]] == 1)) if places.size else places
    starts, stops = places[inner], places[inner + 1]
    first = np.searchsorted(starts, begin, side="left")
    last = np.searchsorted(stops, end, side="right") - 1
    keys, place = np.unique(np.where(used, first * (len(starts) + 1) + last, -1), return_inverse=True)
    total = np.bincount(place, weight, len(keys))
    kept = keys >= 0
    keys, total, place = keys[kept], total[kept], np.where(used, place - int((~kept).sum()), -1)
    one, two = np.divmod(keys, len(starts) + 1)
    return Runs(one, two, total.astype(np.float64), days[starts // 3], days[stops // 3], place)


def npmle(
    left: npt.ArrayLike,
    right: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    tolerance: float = TOLERANCE,
) -> Npmle:
    """Estimate the distribution of the event day from (left, right] with the greatest likelihood."""
    return fit(innermost(left, right, weights), tolerance=tolerance)


def fit(runs: Runs, *, tolerance: float = TOLERANCE) -> Npmle:
    """Estimate the masses of the innermost intervals; those without mass are left out."""
    n = float(runs.weight.sum())
    if not n:
        nothing = np.empty(0)
        return Npmle(nothing, nothing, nothing, 0.0, 0.0, 0, 0.0, np.empty(0, dtype=np.int64))
    mass = _start(runs)
    loglik, gap, iterations = -np.inf, np.inf, 0
    for iterations in range(_MOST_ITERATIONS):  # noqa: B007 - reported
        covered = runs.covered(mass)
        slope = runs.gathered(runs.weight / covered)
        loglik = float(runs.weight @ np.log(covered))
        gap = float(slope.max() - n)
        if gap <= tolerance * n:
            break
        better = _step(runs, mass, covered, slope, _candidates(mass, slope, n), loglik)
        if better is None:
            break
        mass = better
    kept = np.flatnonzero(mass)
    return Npmle(runs.left_days[kept], runs.right_days[kept], mass[kept], loglik, max(gap, 0.0), iterations, n, kept)


def _start(runs: Runs) -> Floats:
    """Put equal masses on the fewest intervals that meet every run, then weigh them once by expectation."""
    least = np.full(runs.size + 1, runs.size, dtype=np.int64)  # the least last end of runs that begin here or later
    np.minimum.at(least, runs.first, runs.last)
    least = np.minimum.accumulate(least[::-1])[::-1]
    mass = np.zeros(runs.size)
    here = 0
    while (here := int(least[here])) < runs.size:
        mass[here] = 1.0
        here += 1
    mass /= mass.sum()
    mass *= runs.gathered(runs.weight / runs.covered(mass))
    return np.asarray(mass / mass.sum())


def _candidates(mass: Floats, slope: Floats, n: float) -> Ints:
    """Give the support and, between its members, the places where a little mass gains most."""
    support = np.flatnonzero(mass)
    bounds = np.concatenate([[-1], support, [len(mass)]])
    new = []
    for before, after in pairwise(bounds):
        if after - before > 1:
            best = before + 1 + int(np.argmax(slope[before + 1 : after]))
            if slope[best] > n:
                new.append(best)
    return np.asarray(np.union1d(support, np.array(new, dtype=np.int64)), dtype=np.int64)


def _step(runs: Runs, mass: Floats, covered: Floats, slope: Floats, chosen: Ints, loglik: float) -> Floats | None:
    """Move towards the minimum of the quadratic approximation; None where nothing better is left in the numbers."""
    n = float(runs.weight.sum())
    curvature = runs.curvature(runs.weight / covered**2, chosen)
    target = _least(curvature, 2.0 * slope[chosen] - n, mass[chosen])
    move = np.zeros(runs.size)
    move[chosen] = target - mass[chosen]
    gain = float((slope - n) @ move)
    share = 1.0
    for _ in range(_HALVINGS):
        new = np.maximum(mass + share * move, 0.0)
        new /= new.sum()
        covered = runs.covered(new)
        if (covered > 0).all() and _ascends(runs, covered, move, gain, loglik, share):
            return np.asarray(new)
        share /= 2
    return None


def _ascends(runs: Runs, covered: Floats, move: Floats, gain: float, loglik: float, share: float) -> bool:
    """Tell whether a step is far enough up; below the rounding of the log-likelihood its slope along the step decides."""
    if gain > _ROUNDING * abs(loglik):
        return float(runs.weight @ np.log(covered)) >= loglik + 1e-4 * share * gain
    along = float((runs.gathered(runs.weight / covered) - runs.weight.sum()) @ move)
    return abs(along) <= 0.5 * gain


def _least(curvature: Floats, pull: Floats, start: Floats) -> Floats:
    """Minimise x'Cx/2 − pull'x over x >= 0 by block principal pivoting (Portugal, Júdice and Vicente 1994)."""
    scale = np.sqrt(np.diag(curvature))
    matrix, target = curvature / np.outer(scale, scale), pull / scale
    free = start > 0
    fewest, patience = len(target) + 1, _PATIENCE
    x = np.zeros(len(target))
    for _ in range(_MOST_PIVOTS):
        x = np.zeros(len(target))
        x[free] = solve_positive(matrix[np.ix_(free, free)], target[free])
        push = target - matrix @ x
        wrong = np.where(free, x < 0, push > _SLACK * np.abs(target).max())
        number = int(wrong.sum())
        if not number:
            break
        if number < fewest:
            fewest, patience = number, _PATIENCE
        elif patience:
            patience -= 1
        else:  # Murty's rule: one at a time always comes to an end
            wrong[: int(np.flatnonzero(wrong)[-1])] = False
        free ^= wrong
    return np.asarray(np.maximum(x, 0.0) / scale)


def solve_positive(matrix: Floats, target: Floats) -> Floats:
    """Solve a positive definite system, made so by a ridge where it is singular."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    ridge = _RIDGE
    while True:
        try:
            factor = cho_factor(matrix + ridge * np.eye(len(matrix)), overwrite_a=True, check_finite=False)
        except LinAlgError:
            ridge *= 100
            continue
        return np.asarray(cho_solve(factor, target, check_finite=False))
