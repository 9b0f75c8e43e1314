"""A hazard constant in pieces, from events known to lie between two scans, with late entry: by Newton in its logarithm.

Conventions. An observation is (left, right] in any unit of time, right infinite where the event was never found; it
counts from `entry` on, under the condition of being clear then. With A the cumulative hazard its log-likelihood is
−(A(left) − A(entry)), and + log(1 − exp(−(A(right) − A(left)))) where the event was found (Finkelstein 1986; with
truncation Turnbull 1976). A row that is censored on the day it enters adds nothing and is kept. Observations may carry
weights (a bootstrap sample of them).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..arrays import Floats
from .interval_censored import solve_positive

_MOST_STEPS = 200
_LONGEST_STEP = 2.0  # in the logarithm of a hazard
_ROUNDING = 1e-13  # of a log-likelihood, as a share of it
_FLAT = 1e-9  # the slope that counts as none, as a share of n


@dataclass(frozen=True)
class Exposure:
    """Time of each observation in each piece: under observation before its left end, and inside its interval (0 where censored)."""

    before: Floats
    inside: Floats
    event: Floats  # 1 where the event was found
    weight: Floats

    def weighted(self, weight: Floats) -> Exposure:
        """Give the same with other weights."""
        return replace(self, weight=weight)

    def under(self, hazard: Floats) -> Risk:
        """Give each observation's cumulative hazards."""
        within = self.inside @ hazard
        with np.errstate(over="ignore"):
            odds = self.event / np.expm1(np.where(self.event > 0, within, 1.0))
        return Risk(self, hazard, within, odds)


@dataclass(frozen=True)
class Risk:
    """Cumulative hazards by piece, and the odds q = 1/(exp(D) − 1) of being clear at right among those clear at left."""

    exposure: Exposure
    hazard: Floats
    within: Floats  # D, the sum of `inside`
    odds: Floats

    @property
    def before(self) -> Floats:
        """The cumulative hazard before the left end, by piece."""
        return np.asarray(self.exposure.before * self.hazard)

    @property
    def inside(self) -> Floats:
        """The cumulative hazard inside the interval, by piece."""
        return np.asarray(self.exposure.inside * self.hazard)

    @property
    def loglik(self) -> float:
        """Σ −A + log(1 − exp(−D)), the latter where the event was found."""
        own = self.exposure
        found = own.event > 0
        gone = np.log(-np.expm1(-self.within[found])) @ own.weight[found]
        return float(gone - own.weight @ (own.before @ self.hazard))

    @property
    def slope(self) -> Floats:
        """Each observation's derivative by each piece's log hazard."""
        return np.asarray((self.odds[:, None] * self.exposure.inside - self.exposure.before) * self.hazard)

    @property
    def bend(self) -> Floats:
        """Minus the second derivative of log(1 − exp(−D)) by D."""
        return np.asarray(self.odds * (1.0 + self.odds))


def exposed(
    left: Floats, right: Floats, starts: Floats, entry: npt.ArrayLike = 0.0, weight: Floats | None = None
) -> Exposure:
    """Divide observations among pieces that begin at `starts` (the first at 0)."""
    stops = np.append(starts[1:], np.inf)
    event = np.isfinite(right)

    def lived(until: Floats) -> Floats:
        return np.asarray(np.clip(np.minimum(until[:, None], stops) - starts, 0.0, None))

    to_left = lived(left)
    inside = np.where(event[:, None], lived(np.where(event, right, 0.0)) - to_left, 0.0)
    late = np.broadcast_to(np.asarray(entry, dtype=np.float64), left.shape)
    before = to_left - lived(late) if late.any() else to_left
    return Exposure(before, inside, event.astype(np.float64), np.ones(len(left)) if weight is None else weight)


def fit(exposure: Exposure, start: Floats | None = None, hold: int | None = None, most: int = _MOST_STEPS) -> Risk:
    """Fit the hazard by Newton's method in its logarithm, from a first guess of it (default: events over time).

    `hold` keeps one piece's hazard at its guess; `most` steps are taken.
    """
    weight = exposure.weight
    n = float(weight.sum())
    if start is None:
        time = float(weight @ (exposure.before.sum(axis=1) + exposure.inside.sum(axis=1) / 2))
        start = np.full(exposure.before.shape[1], (weight @ exposure.event) / time)
    log_hazard = np.log(start)
    moving = np.arange(len(start)) != hold
    risk = exposure.under(np.exp(log_hazard))
    loglik = risk.loglik
    for _ in range(most):
        slope = (weight @ risk.slope)[moving]
        if np.abs(slope).max(initial=0.0) <= _FLAT * n:
            break
        bent = curvature(risk)[np.ix_(moving, moving)] + np.diag(np.maximum(-slope, 0.0))
        move = np.zeros(len(log_hazard))
        move[moving] = np.clip(scaled_solve(bent, slope), -_LONGEST_STEP, _LONGEST_STEP)
        share, before = 1.0, loglik
        while True:
            risk = exposure.under(np.exp(log_hazard + share * move))
            loglik = risk.loglik
            if loglik >= before - _ROUNDING * abs(before) or share < 1e-9:
                break
            share /= 2
        log_hazard = log_hazard + share * move
    return risk


def curvature(risk: Risk) -> Floats:
    """Give the information for the pieces' log hazards, where their slope is none."""
    inside = risk.inside
    return np.asarray(inside.T @ ((risk.exposure.weight * risk.bend)[:, None] * inside))


def std_error_log(risk: Risk) -> Floats:
    """Give the standard error of each piece's log hazard, from the observed information."""
    return np.asarray(np.sqrt(np.diag(np.linalg.inv(curvature(risk)))))


def scaled_solve(matrix: Floats, target: Floats) -> Floats:
    """Solve a positive definite system whose parts may be of very different size."""
    scale = np.sqrt(np.maximum(np.diag(matrix), np.finfo(np.float64).tiny))
    scale = scale.reshape(-1, *[1] * (target.ndim - 1))
    return solve_positive(matrix / np.outer(scale, scale), target / scale) / scale
