"""A Weibull hazard from events known to lie between two scans, with late entry; refused where no maximum exists.

Conventions. The cumulative hazard is A(t) = size · (t/unit)^shape, in any unit of time; the log-likelihood is that of
`piecewise`. With late entry it may rise for ever as the shape falls to 0 (hazard ∝ 1/t): there is then no estimate, and
whatever an optimiser stops at is an accident. Newton's method in (log size, log shape) from exact derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Floats

_MOST_STEPS = 200
_LONGEST_STEP = 1.0
_FLAT = 1e-9  # the slope that counts as none, as a share of n
_WIDEST_LOG_SHAPE = 4.0  # a shape of e^±4 is no hazard of patients
_NO_CURVE = 1e-2  # information about a parameter that counts as none


@dataclass(frozen=True)
class Weibull:
    """The fit; `interior` tells whether it is a maximum inside."""

    size: float
    shape: float
    unit: float
    loglik: float
    covariance: Floats  # of (log size, log shape)
    interior: bool

    def cumulative(self, t: Floats) -> Floats:
        """Give the cumulative hazard at each time."""
        return np.asarray(self.size * (np.asarray(t, dtype=np.float64) / self.unit) ** self.shape)

    def reached(self, cumulative: Floats) -> Floats:
        """Give the time at which the cumulative hazard reaches a value."""
        return np.asarray(self.unit * (np.asarray(cumulative, dtype=np.float64) / self.size) ** (1.0 / self.shape))


def fit(left: Floats, right: Floats, entry: Floats, unit: float | None = None) -> Weibull:
    """Fit from intervals (left, right], right infinite where the event was never found."""
    event = np.isfinite(right)
    late = np.broadcast_to(np.asarray(entry, dtype=np.float64), left.shape)
    scale = float(np.median(np.where(event, right, left))) if unit is None else unit
    times = [left, np.where(event, right, left), late]
    logs = [np.log(np.where(t > 0, t, 1.0) / scale) for t in times]
    exposed = float((times[1] - late).sum()) / scale
    at = np.array([np.log(event.sum() / max(exposed, 1e-9)), 0.0])
    value, slope, curve = _derivatives(at, times, logs, event)
    flat, steps, rest = _FLAT * len(left), 0, False
    while steps < _MOST_STEPS and np.isfinite(slope).all() and abs(at[1]) < _WIDEST_LOG_SHAPE:
        rest = bool(np.abs(slope).max() <= flat)
        if rest:
            break
        values, vectors = np.linalg.eigh(-curve)
        move = vectors @ ((vectors.T @ slope) / np.maximum(np.abs(values), 1e-8))
        move = np.clip(move, -_LONGEST_STEP, _LONGEST_STEP)
        share, next_ = 1.0, _derivatives(at + move, times, logs, event)
        while not next_[0] >= value - 1e-12 * abs(value) and share > 1e-9:
            share /= 2
            next_ = _derivatives(at + share * move, times, logs, event)
        at = at + share * move
        value, slope, curve = next_
        steps += 1
    inside = rest and bool((np.linalg.eigvalsh(-curve) > _NO_CURVE).all()) and value <= 0
    covariance = np.asarray(np.linalg.inv(-curve)) if inside else np.full((2, 2), np.nan)
    return Weibull(float(np.exp(at[0])), float(np.exp(at[1])), scale, value, covariance, inside)


def _derivatives(at: Floats, times: list[Floats], logs: list[Floats], event: Floats) -> tuple[float, Floats, Floats]:
    """Give the log-likelihood, its slope and its curvature."""
    shape = np.exp(at[1])
    values, slopes, curves = [], [], []
    for t, log_t in zip(times, logs, strict=True):
        with np.errstate(over="ignore"):
            cumulative = np.where(t > 0, np.exp(at[0] + shape * log_t), 0.0)
        pull = shape * log_t
        values.append(cumulative)
        slopes.append(np.stack([cumulative, cumulative * pull]))
        curves.append(np.stack([cumulative, cumulative * pull, cumulative * (pull**2 + pull)]))
    within = np.where(event, values[1] - values[0], 1.0)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        odds = np.where(event, 1.0 / np.expm1(within), 0.0)
        gone = np.where(event, np.log(-np.expm1(-within)), 0.0)
    loglik = float(gone.sum() - (values[0] - values[2]).sum())
    inner, outer = slopes[1] - slopes[0], slopes[0] - slopes[2]
    slope = (odds * inner - outer).sum(axis=1)
    bent = (inner * (odds * (1 + odds))) @ inner.T
    second = (odds * (curves[1] - curves[0]) - (curves[0] - curves[2])).sum(axis=1)
    return loglik, slope, np.array([[second[0], second[1]], [second[1], second[2]]]) - bent
