"""Cumulative incidence with a competing event, by Aalen–Johansen on counts.

Conventions. F(t) = Σ S(s−) d₁/n with S free of both events; ties are exact (no jitter). The variance is Aalen's in the
form of R's `cmprsk::cuminc`, which corrects each jump for ties by (n − d)/(n − 1). The competing event's incidence is
had by swapping the two events. Once nobody is left free of both, the curve is known for ever.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Floats
from .confidence import interval
from .counts import Counts
from .survival import Curve, Estimate, product_limit


def swap(counts: Counts) -> Counts:
    """Exchange the endpoint's own event and the competing one."""
    return Counts(counts.time, counts.n_competing, counts.n_event, counts.n_censor, counts.entry_time, counts.n_entry)


def event_free(counts: Counts) -> Counts:
    """Count either event as the event."""
    either = counts.n_event + counts.n_competing
    return Counts(counts.time, either, np.zeros_like(either), counts.n_censor, counts.entry_time, counts.n_entry)


def incidence_steps(counts: Counts) -> tuple[Floats, Floats]:
    """Give F and the event-free probability S at each distinct time."""
    free, _ = product_limit(counts.n_risk, counts.n_event + counts.n_competing)
    before = np.concatenate([[1.0], free[:-1]])
    n = counts.n_risk.astype(np.float64)
    jump = np.divide(before * counts.n_event, n, out=np.zeros_like(n), where=n > 0)
    return np.cumsum(jump), free


def aalen_variance(counts: Counts) -> Floats:
    """Give the variance of F at each distinct time (module docstring)."""
    incidence, free = incidence_steps(counts)
    n = counts.n_risk.astype(np.float64)
    before = np.concatenate([[1.0], free[:-1]])
    inverse = np.divide(1.0, free, out=np.zeros_like(free), where=free > 0)
    # Each event jump moves F(t) by (1 + F(s)/S(s) − F(t)/S(s)), each competing jump by (F(s) − F(t))/S(s).
    sums = np.zeros((3, len(n)))
    for number, own in ((counts.n_event, 1.0), (counts.n_competing, 0.0)):
        d = number.astype(np.float64)
        ties = 1.0 - np.divide(d - 1.0, n - 1.0, out=np.zeros_like(d), where=(d > 1) & (n > 1))
        jump = np.divide(before**2 * ties * d, n**2, out=np.zeros_like(d), where=d > 0)
        if not own:
            jump = np.where(free > 0, jump, 0.0)
        level = own + incidence * inverse
        sums += np.vstack([level * level * jump, level * inverse * jump, inverse * inverse * jump])
    v1, v2, v3 = np.cumsum(sums, axis=1)
    return np.asarray(np.maximum(v1 + incidence**2 * v3 - 2 * incidence * v2, 0.0))


def aalen_johansen(
    counts: Counts, *, ci_type: str = "log-log", level: float = 0.95, variance: Floats | None = None
) -> Curve:
    """Estimate the incidence of the endpoint's own event; `variance` replaces Aalen's (clustered data)."""
    incidence, free = incidence_steps(counts)
    std_error = np.sqrt(aalen_variance(counts) if variance is None else variance)
    low, high = interval(incidence, std_error, ci_type, level)
    ended = bool(free.size and free[-1] <= 0)
    return Curve(counts.time, incidence, std_error, low, high, 0.0, float("inf") if ended else counts.last)


def time_to(curve: Curve, share: float) -> Estimate:
    """Give the time by which a share has had the event, the interval from the curve's upper and lower limits."""
    first = []
    for values in (curve.estimate, curve.ci_high, curve.ci_low):
        reached = np.flatnonzero(values > share - 1e-8)
        first.append(float(curve.time[reached[0]]) if reached.size else float("nan"))
    return Estimate(*first)


def loss_variance(counts: Counts, tau: float) -> float:
    """Give the variance of the time lost up to tau by the infinitesimal jackknife (nobody enters late).

    All who leave at one time with one status move the area alike, so that a pass over the counts is enough.
    """
    n = counts.n_risk.astype(np.float64)
    own = counts.n_event.astype(np.float64)
    either = own + counts.n_competing
    _, free = incidence_steps(counts)
    before = np.concatenate([[1.0], free[:-1]])
    left = n - either
    hazard = np.divide(either, n * left, out=np.zeros_like(n), where=left > 0)
    falls = np.cumsum(hazard)  # by how much log S falls for each one more at risk
    falls_before = np.concatenate([[0.0], falls[:-1]])
    ahead = np.maximum(tau - counts.time, 0.0)
    jump = ahead * before * own / n
    beyond = jump.sum() - np.cumsum(jump)
    exposed = np.cumsum(jump * falls_before) - np.cumsum(jump / n) + falls * beyond
    failing = -np.divide(1.0, left, out=np.zeros_like(n), where=left > 0) * beyond
    moves = ((counts.n_censor, 0.0), (counts.n_competing, failing), (counts.n_event, failing + ahead * before / n))
    return float(sum((number * (exposed + move) ** 2).sum() for number, move in moves))


def restricted_loss(counts: Counts, tau: float, *, variance_of_area: float | None = None) -> Estimate:
    """Give the mean time lost to the endpoint's own event up to tau days: the area under its incidence."""
    incidence, free = incidence_steps(counts)
    ended = bool(free.size and free[-1] <= 0)
    if not counts.n or (tau > counts.last and not ended):
        return Estimate(float("nan"))
    kept = counts.time < tau
    width = np.diff(np.concatenate([counts.time[kept], [tau]]))
    std_error = float("nan") if variance_of_area is None else float(np.sqrt(variance_of_area))
    return Estimate(float(incidence[kept] @ width), std_error=std_error)
