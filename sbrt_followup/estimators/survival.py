"""Kaplan–Meier on counts: curve, median, restricted mean and follow-up. The only module that imports lifelines.

Conventions. As R's `survfit`: S(t) = Π(1 − d/n), Greenwood's standard error, one row per distinct time (censoring times
too). A competing event censors here. Median: the first time S falls below one half; where S stays at exactly one half and
then falls, the middle of that stretch; limits likewise from the curve's limits; other quantiles by the same rule. Restricted mean: the area up to tau; its variance is
Σ A(t)² d/(n(n−d)) with A(t) the area beyond t, as `survival:::survmean`. Nothing is estimated beyond the last time
observed unless the curve has already reached its end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays import Floats
from .confidence import interval
from .counts import Counts

_CLOSE = float(np.sqrt(np.finfo(np.float64).eps))  # R compares with a quantile to this tolerance


@dataclass(frozen=True)
class Curve:
    """A step curve: the estimate from each time on, with its standard error and limits (NaN where there is none)."""

    time: Floats
    estimate: Floats
    std_error: Floats
    ci_low: Floats
    ci_high: Floats
    start: float  # the estimate before the first time: 1 for survival, 0 for incidence
    reach: float  # the last time up to which the curve is known

    def step(self, when: float) -> tuple[float, float, float, float]:
        """Give (estimate, standard error, low, high) of the last step at or before a time; NaN beyond the reach."""
        nan = float("nan")
        if when > self.reach:
            return nan, nan, nan, nan
        k = int(np.searchsorted(self.time, when, side="right")) - 1
        if k < 0:
            return self.start, 0.0, nan, nan
        return float(self.estimate[k]), float(self.std_error[k]), float(self.ci_low[k]), float(self.ci_high[k])


@dataclass(frozen=True)
class Estimate:
    """A number with its interval or standard error; NaN where not reached or not estimable."""

    estimate: float
    ci_low: float = float("nan")
    ci_high: float = float("nan")
    std_error: float = float("nan")


def product_limit(n_risk: npt.ArrayLike, n_event: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Give S and Greenwood's sum Σ d/(n(n−d)) at each time; the sum is infinite once all at risk have failed."""
    n: Floats = np.asarray(n_risk, np.float64)
    d: Floats = np.asarray(n_event, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        term = np.where(d > 0, d / (n * (n - d)), 0.0)
    hazard = np.divide(d, n, out=np.zeros_like(d), where=n > 0)
    return np.cumprod(1.0 - hazard, dtype=np.float64), np.cumsum(term)


def kaplan_meier(
    counts: Counts, *, ci_type: str = "log-log", level: float = 0.95, variance: Floats | None = None
) -> Curve:
    """Estimate survival free of the endpoint's own event; `variance` replaces Greenwood's (clustered data)."""
    survival, greenwood = product_limit(counts.n_risk, counts.n_event)
    with np.errstate(invalid="ignore"):
        std_error = survival * np.sqrt(greenwood) if variance is None else np.sqrt(variance)
    std_error = np.where(survival > 0, std_error, np.nan)
    low, high = interval(survival, std_error, ci_type, level)
    ended = bool(survival.size and survival[-1] <= 0)
    return Curve(counts.time, survival, std_error, low, high, 1.0, float("inf") if ended else counts.last)


def median(curve: Curve) -> Estimate:
    """Give the time by which half have failed, with its interval (by R's rule, module docstring)."""
    return quantile(curve, 0.5)


def quantile(curve: Curve, share: float) -> Estimate:
    """Give the time by which a share has failed, with its interval: where the curve and its limits fall below 1 − share."""
    level = 1.0 - share
    return Estimate(*(_crossing(curve.time, values, level) for values in (curve.estimate, curve.ci_low, curve.ci_high)))


def _crossing(time: Floats, values: Floats, level: float) -> float:
    below = np.flatnonzero(values < level + _CLOSE)  # NaN compares false
    if not below.size:
        return float("nan")
    first = below[0]
    if abs(values[first] - level) < _CLOSE:
        further = below[values[below] < values[first]]
        if further.size:
            return float(time[first] + time[further[0]]) / 2
    return float(time[first])


def restricted_mean(counts: Counts, tau: float, *, variance_of_area: float | None = None) -> Estimate:
    """Give the mean time free of the event up to tau days, with its standard error; NaN where tau is out of reach."""
    survival, _ = product_limit(counts.n_risk, counts.n_event)
    ended = bool(survival.size and survival[-1] <= 0)
    if not counts.n or (tau > counts.last and not ended):
        return Estimate(float("nan"))
    kept = counts.time < tau
    time = counts.time[kept]
    width = np.diff(np.concatenate([[0.0], time, [tau]]))
    area = width * np.concatenate([[1.0], survival[kept]])
    if variance_of_area is None:
        beyond = np.cumsum(area[:0:-1])[::-1]  # area to the right of each kept time
        n, d = counts.n_risk[kept].astype(np.float64), counts.n_event[kept].astype(np.float64)
        left = n - d
        term = np.divide(d, n * left, out=np.zeros_like(d), where=left > 0)
        variance_of_area = float(np.sum(beyond**2 * term))
    return Estimate(float(area.sum()), std_error=float(np.sqrt(variance_of_area)))


def follow_up(counts: Counts, *, ci_type: str = "log-log", level: float = 0.95) -> Estimate:
    """Give median follow-up by reverse Kaplan–Meier, from counts whose events are deaths: death censors."""
    reverse = Counts(
        counts.time,
        counts.n_censor,
        np.zeros_like(counts.n_event),
        counts.n_event + counts.n_competing,
        counts.entry_time,
        counts.n_entry,
    )
    return median(kaplan_meier(reverse, ci_type=ci_type, level=level))


def lifelines_survival(counts: Counts) -> Floats:
    """Fit lifelines' Kaplan–Meier on the same counts (no late entry) and give S at the same times, as a cross-check."""
    from lifelines import KaplanMeierFitter

    time = np.concatenate([counts.time, counts.time])
    observed = np.repeat([1, 0], len(counts.time))
    weight = np.concatenate([counts.n_event, counts.n_competing + counts.n_censor])
    used = weight > 0
    fitter = KaplanMeierFitter().fit(time[used], observed[used], weights=weight[used])
    fitted: Floats = fitter.survival_function_at_times(counts.time).to_numpy(dtype=np.float64)
    return fitted
