"""Whether people of one group differ in hazard: the variance of a gamma frailty, from events between two scans.

Conventions. Given a factor with mean 1 and variance v that is a person's own, the hazard is that factor times one constant
in pieces; over all people S(t) = (1 + v·A(t))^(−1/v) (Vaupel 1979), so that those still clear are more and more the lucky
ones. With late entry the condition is to be clear then. The likelihood ratio against v = 0, on the edge of what is possible,
has half a χ²₁ as its distribution (Self and Liang 1987). A hazard that falls for all alike looks the same: no test of one
event each can tell them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Floats
from .illness_death import Seen

_LARGEST = 20.0


@dataclass(frozen=True)
class Frailty:
    """The variance with the likelihood ratio against none."""

    variance: float
    ratio: float
    p_value: float


def frailty(data: Seen, starts: Sequence[float], hazard: Floats, loglik: float) -> Frailty:
    """Fit the variance beside the hazards; `hazard` and `loglik` are those without it."""
    from scipy.optimize import minimize
    from scipy.special import chdtrc

    begin = np.array(starts, dtype=np.float64)
    stop = np.append(begin[1:], np.inf)

    def lived(until: Floats) -> Floats:
        return np.asarray(np.clip(np.minimum(until[:, None], stop) - begin, 0.0, None))

    found = data.found
    at = [lived(t) for t in (data.left, np.where(found, data.right, data.left), data.entry)]

    def less_likely(logs: Floats) -> float:
        rate, variance = np.exp(logs[:-1]), np.exp(logs[-1])
        left, right, entry = (-np.log1p(variance * (part @ rate)) / variance for part in at)
        with np.errstate(divide="ignore"):
            gone = np.log(-np.expm1(np.where(found, right - left, -1.0)))
        value = float((left - entry).sum() + gone[found].sum())
        return -value if np.isfinite(value) else 1e12

    best = min(
        (
            minimize(
                less_likely,
                np.append(np.log(hazard), np.log(first)),
                method="Nelder-Mead",
                bounds=[(None, None)] * len(hazard) + [(-12.0, float(np.log(_LARGEST)))],
                options={"xatol": 1e-5, "fatol": 1e-8, "maxfev": 2000},
            )
            for first in (0.05, 1.0)
        ),
        key=lambda fit: float(fit.fun),
    )
    ratio = max(2 * (-float(best.fun) - loglik), 0.0)
    variance = float(np.exp(best.x[-1])) if ratio > 1e-6 else 0.0
    return Frailty(variance, ratio, float(chdtrc(1, ratio)) / 2 if ratio > 0 else 1.0)
