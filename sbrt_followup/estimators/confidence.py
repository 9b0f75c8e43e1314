"""Pointwise confidence limits of a probability, and the p-value of a quadratic form.

Conventions. The four kinds are R `survfit`'s: log-log (default), log, plain, arcsine, each from the standard error of
the probability itself. For an incidence the log-log limits are p ** exp(± z s / (p log p)), as R and tidycmprsk write
them. Where the estimate is 0 or 1 its standard error says nothing and there is no interval: NaN, `null` in a file.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, ndtri

from ..arrays import Floats

CI_TYPES = ("log-log", "log", "plain", "arcsine")
_DEGENERATE = 1e-10  # a variance of counts below this is rounding


def interval(estimate: Floats, std_error: Floats, kind: str = "log-log", level: float = 0.95) -> tuple[Floats, Floats]:
    """Give the lower and upper limits of probabilities with these standard errors."""
    inside = (estimate > 0) & (estimate < 1) & (std_error > 0)
    p = np.where(inside, estimate, 0.5)
    half = float(ndtri(0.5 + level / 2)) * np.where(inside, std_error, 0.0)
    if kind == "log-log":
        spread = half / (p * np.log(p))
        with np.errstate(over="ignore"):  # next to 1 the lower limit's exponent is beyond all numbers: the limit is 0
            low, high = p ** np.exp(-spread), p ** np.exp(spread)
    elif kind == "log":
        low, high = p * np.exp(-half / p), p * np.exp(half / p)
    elif kind == "plain":
        low, high = p - half, p + half
    elif kind == "arcsine":
        centre, spread = np.arcsin(np.sqrt(p)), half / (2 * np.sqrt(p * (1 - p)))
        low = np.sin(np.maximum(0, centre - spread)) ** 2
        high = np.sin(np.minimum(np.pi / 2, centre + spread)) ** 2
    else:
        raise ValueError(f"a confidence interval is one of {', '.join(CI_TYPES)}")
    return np.where(inside, np.maximum(low, 0.0), np.nan), np.where(inside, np.minimum(high, 1.0), np.nan)


def quadratic(score: Floats, variance: Floats) -> tuple[float, int]:
    """Give score' variance⁻¹ score and its degrees of freedom; (NaN, 0) unless the variance is positive definite."""
    spread = np.diag(variance)
    if not score.size or not np.isfinite(variance).all() or (spread <= _DEGENERATE).any():
        return float("nan"), 0
    scale = np.sqrt(spread)
    correlation = variance / np.outer(scale, scale)
    if np.linalg.eigvalsh(correlation)[0] <= _DEGENERATE:
        return float("nan"), 0
    standard = score / scale
    return float(standard @ np.linalg.solve(correlation, standard)), len(score)


def chi_squared_p(statistic: float, df: int) -> float:
    """Give the upper tail of chi-squared; NaN where the statistic is not defined."""
    return float(chdtrc(df, statistic)) if df > 0 and np.isfinite(statistic) else float("nan")


def holm(p_values: npt.ArrayLike) -> Floats:
    """Adjust p-values by Holm's step-down method over those that are defined."""
    p = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(p.shape, np.nan)
    defined = np.flatnonzero(np.isfinite(p))
    order = defined[np.argsort(p[defined], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return adjusted
