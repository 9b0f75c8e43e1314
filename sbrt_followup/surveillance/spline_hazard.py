"""A flexible hazard by lifelines' spline (Royston and Parmar), guarded: its fit counts only where it can be a maximum.

Conventions. Knots are at the 5th, 50th and 95th centile of the days progression was found (months). A fit whose
log-likelihood exceeds the nonparametric curve's, or is positive, or whose hazard falls below 0, is refused. The result is a
list of MRIs of equal yield and the averages of years, not one interval.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Floats
from ..estimators.illness_death import Seen
from . import yields
from .hazard_models import ModelFit, Wanted, in_years, refused

KNOTS = (0.05, 0.5, 0.95)


def spline(data: Seen, wanted: Wanted, ceiling: float, knots: Floats | None = None) -> ModelFit:
    """Fit a spline of the log cumulative hazard; `knots` in months, the outer ones included."""
    import warnings

    from lifelines import SplineFitter

    at = np.quantile(data.right[data.found], KNOTS) if knots is None else knots
    fitter = SplineFitter(at.tolist())
    entry = np.asarray(data.entry)
    censored = ~data.found
    lower = np.where(data.left > 0, data.left, 0.0)
    upper = np.where(data.found, data.right, np.inf)
    # lifelines wants whoever is censored where they enter out of the way: they add nothing.
    used = ~(censored & (data.left <= entry))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitter.fit_interval_censoring(lower[used], upper[used], entry=entry[used] if entry.any() else None)
    except Exception:
        return refused("spline", "lifelines found no maximum")
    loglik = float(fitter.log_likelihood_)
    end = float(np.where(data.found, np.where(data.found, data.right, 0.0), data.left).max())
    begin = float(entry.min())

    def cumulative(months: Floats) -> Floats:
        return np.asarray(fitter.cumulative_hazard_at_times(np.maximum(months, 1e-6)).to_numpy(), dtype=np.float64)

    grid = np.linspace(max(begin, 1e-3), end, 2000)
    rise = cumulative(grid)
    top = 0.0 if np.isnan(ceiling) else ceiling
    if not np.isfinite(loglik) or loglik > min(top, 0.0) + 1e-6:
        return refused("spline", "its log-likelihood exceeds that of the nonparametric curve: not a maximum")
    if (np.diff(rise) < -1e-9).any() or not np.isfinite(rise).all():
        return refused("spline", "its hazard falls below 0")

    def reached(value: Floats) -> Floats:
        return np.interp(value, rise, grid, right=np.nan)

    visits = yields.equal_yield_visits(wanted.yield_share, cumulative, reached, begin, end)
    phases = in_years(data, wanted, cumulative, begin, end)
    shape = {f"knot_{k + 1}": float(v) for k, v in enumerate(at)}
    return ModelFit("spline", "fitted", "", loglik, len(at), phases, visits=tuple(visits.tolist()), shape=shape)
