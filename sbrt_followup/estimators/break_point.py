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
from . import illness_death, piecewise
from .illness_death import Likelihood, Seen, Ties

_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0

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


def search(fit: At, grid: Sequence[float], fine: float, cells: int = 1, guess: Floats | None = None) -> Break:
    """Find the best break on multiples of `fine`, about the best `cells` points of the grid."""
    profile, guesses = [], []
    for at in grid:
        loglik, guess = fit(at, guess, True)
        profile.append(loglik)
        guesses.append(guess)
    known: dict[int, tuple[float, Floats]] = {}

    def value(place: int, start: Floats) -> float:
        if place not in known:
            known[place] = fit(place * fine, start, False)
        return known[place][0]

    order = np.argsort(profile)[::-1]
    steps = np.diff(grid).max(initial=fine)
    for cell in order[:cells].tolist():
        reach = max(1, round(float(steps) / fine))
        centre = round(grid[cell] / fine)
        low = max(centre - reach, round(grid[0] / fine))
        high = min(centre + reach, round(grid[-1] / fine))
        _golden(lambda place, start=guesses[cell]: value(place, start), low, high)  # type: ignore[misc]
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
    """Fits of a hazard with one break where progression is censored at the last clear scan; set up once for each break."""

    def __init__(self, data: Seen) -> None:
        self.data = data
        self._known: dict[float, piecewise.Exposure] = {}

    def exposure(self, at: float, weight: Floats | None) -> piecewise.Exposure:
        """Give the exposure on both sides of a break."""
        if at not in self._known:
            data = self.data
            self._known[at] = piecewise.exposed(data.left, data.right, np.array([0.0, at]), data.entry)
        own = self._known[at]
        return own if weight is None else own.weighted(weight)

    def at(self, weight: Floats | None = None) -> At:
        """Give the fit as a function of the break, for weighted observations."""

        def fit(at: float, guess: Floats | None, quick: bool) -> tuple[float, Floats]:
            exposure = self.exposure(at, weight)
            risk = (
                piecewise.fit(exposure, guess, most=1)
                if quick and guess is not None
                else piecewise.fit(exposure, guess)
            )
            return risk.loglik, risk.hazard

        return fit


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
