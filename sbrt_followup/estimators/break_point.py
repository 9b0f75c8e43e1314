"""Where a hazard changes: the break of greatest likelihood, on a lattice of times.

Conventions. The likelihood as a function of the break is neither smooth nor regular: it is profiled over a coarse grid,
each fit starting from its neighbour's, then searched by golden section on a fine lattice about the best cells. A limit of
χ²₁ says nothing about a break, nor about the likelihood ratio against none: both need a bootstrap (Goodman, Li and
Tiwari 2011).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Floats
from . import illness_death
from .illness_death import Likelihood, Seen, Ties

_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
_SIDE_BY_SIDE = 30  # steps at most
_FLAT = 1e-9  # the slope that counts as none, as a share of n
_RIDGE = 1e-9  # a piece without events: its hazard runs to 0

At = Callable[[float, Floats | None, bool], tuple[float, Floats]]
"""Log-likelihood and parameters with a break at a time, from a first guess; `quick`: near enough for a grid."""


@dataclass(frozen=True)
class Break:
    """The best break, with its log-likelihood and parameters, and the profile over the coarse grid."""

    at: float
    loglik: float
    parameters: Floats
    grid: Floats
    profile: Floats


def search(fit: At, grid: Sequence[float], fine: float, cells: int = 1, width: float = 1.0) -> Break:
    """Find the best break on multiples of `fine`, within `width` of the best `cells` points of the grid."""
    profile, guesses = [], []
    guess: Floats | None = None
    for at in grid:
        loglik, guess = fit(at, guess, True)
        profile.append(loglik)
        guesses.append(guess)
    known: dict[int, tuple[float, Floats]] = {}

    def value(place: int, start: Floats) -> float:
        if place not in known:
            known[place] = fit(place * fine, start, False)
        return known[place][0]

    reach = round(width / fine)
    for cell in np.argsort(profile)[::-1][:cells].tolist():
        centre = round(grid[cell] / fine)
        _golden(lambda place, start=guesses[cell]: value(place, start), max(centre - reach, 1), centre + reach)  # type: ignore[misc]
        value(centre, guesses[cell])
    best = max(known, key=lambda place: (known[place][0], -place))
    return Break(best * fine, known[best][0], known[best][1], np.array(grid), np.array(profile))


def _golden(value: Callable[[int], float], low: int, high: int) -> None:
    """Look at the places a golden section between two ends asks for, then at all that are left."""
    while high - low > 3:
        inner = max(1, round((high - low) * (1 - _GOLDEN)))
        left, right = low + inner, high - inner
        if left >= right:
            break
        if value(left) >= value(right):
            high = right
        else:
            low = left
    for place in range(low, high + 1):
        value(place)


class Standard:
    """Fits of a hazard with one break where progression is censored at the last clear scan, for many breaks at once.

    Before the interval that holds it a progression only lengthens the exposure, which is one sum for each break: what is
    left to do at every step concerns the progressions alone.
    """

    def __init__(self, data: Seen) -> None:
        self.data = data
        self._lengths: dict[tuple[float, ...], tuple[Floats, ...]] = {}

    def profile(self, breaks: Floats, weight: Floats | None = None) -> tuple[Floats, Floats]:
        """Give the log-likelihood with each break, and the two hazards (Newton's method, side by side)."""
        found = self.data.found
        own = np.ones(len(found)) if weight is None else weight
        before, after, first, second = self._of(breaks)
        exposed = np.stack([before @ own, after @ own], axis=1)
        events = own[found]
        hazard = np.tile(events.sum() / (exposed.sum(axis=1) + (first + second) @ events / 2), (2, 1)).T
        loglik = np.full(len(breaks), -np.inf)
        for _ in range(_SIDE_BY_SIDE):
            one, two = first * hazard[:, :1], second * hazard[:, 1:]
            within = one + two
            gone = np.expm1(within)
            loglik = (within - np.log(gone)) @ -events - (exposed * hazard).sum(axis=1)
            odds = 1.0 / gone
            bend = odds * (1.0 + odds) * events
            slope = np.stack([(odds * one) @ events, (odds * two) @ events], axis=1) - exposed * hazard
            if np.abs(slope).max() <= _FLAT * len(own):
                break
            a, b, c = ((bend * x * y).sum(axis=1) for x, y in ((one, one), (one, two), (two, two)))
            a, c = a + np.maximum(-slope[:, 0], 0.0) + _RIDGE, c + np.maximum(-slope[:, 1], 0.0) + _RIDGE
            turn = a * c - b * b
            move = np.stack([c * slope[:, 0] - b * slope[:, 1], a * slope[:, 1] - b * slope[:, 0]], axis=1)
            hazard = hazard * np.exp(np.clip(move / turn[:, None], -2.0, 2.0))
        return loglik, hazard

    def _of(self, breaks: Floats) -> tuple[Floats, ...]:
        """Give exposure before and after each break, of everybody, and inside the intervals, of the found."""
        key = tuple(breaks.tolist())
        if key not in self._lengths:
            data, at = self.data, breaks[:, None]
            found = data.found
            before = np.minimum(data.left, at) - np.minimum(data.entry, at)
            left, right = data.left[found], data.right[found]
            first = np.minimum(right, at) - np.minimum(left, at)
            self._lengths[key] = (before, data.left - data.entry - before, first, right - left - first)
        return self._lengths[key]

    def search(
        self, grid: Floats, fine: float, cells: int = 1, width: float = 1.0, weight: Floats | None = None
    ) -> Break:
        """Find the best break on multiples of `fine`, within `width` of the best `cells` points of the grid."""
        profile, _ = self.profile(grid, weight)
        reach = round(width / fine)
        best: Break | None = None
        for cell in np.argsort(profile)[::-1][:cells].tolist():
            centre = round(float(grid[cell]) / fine)
            near = np.asarray(np.arange(max(centre - reach, 1), centre + reach + 1) * fine, dtype=np.float64)
            loglik, hazard = self.profile(near, weight)
            place = int(np.argmax(loglik))
            if best is None or loglik[place] > best.loglik:
                best = Break(float(near[place]), float(loglik[place]), hazard[place], grid, profile)
        assert best is not None
        return best


class IllnessDeath:
    """Fits of illness–death rates with one break in progression; set up once for each break."""

    def __init__(self, data: Seen, ties: Ties) -> None:
        self.data, self.ties = data, ties
        self._first = illness_death.first_guess(data, ties)
        self._known: dict[float, Likelihood] = {}

    def function(self, at: float, weight: Floats | None) -> Likelihood:
        """Give the likelihood with a break."""
        if at not in self._known:
            self._known[at] = illness_death.likelihood(self.data, (0.0, at), self.ties)
        own = self._known[at]
        return own if weight is None else own.weighted(weight)

    def at(self, weight: Floats | None = None) -> At:
        """Give the fit as a function of the break, for weighted observations."""

        def fit(at: float, guess: Floats | None, quick: bool) -> tuple[float, Floats]:
            start, most = (self._first, 100) if guess is None else (guess, 1 if quick else 100)
            found = illness_death.climb(self.function(at, weight), start, most=most)
            return found.loglik, found.parameters

        return fit

    def near(self, centre: float, fine: float, reach: int = 3, weight: Floats | None = None) -> Break:
        """Find the best break within `reach` steps of a place, such as the best of the usual likelihood."""
        first = round(centre / fine)
        grid = [place * fine for place in range(max(first - reach, 1), first + reach + 1)]
        return search(self.at(weight), grid, fine, width=0.0)
