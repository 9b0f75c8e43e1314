"""lifelines asked for the same fits: constant, with a break, and Weibull, from intervals with late entry.

Conventions. Compared are log-likelihoods, relative to their size; lifelines counts neither a row censored where it enters nor
anything where no maximum exists, so that only models fitted here are asked for.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..estimators.illness_death import Seen
from .hazard_models import ModelFit

CHECKED = ("exponential", "break", "weibull")


@dataclass(frozen=True)
class CrossCheck:
    """How far the log-likelihoods lie apart, at most, relative to their size; NaN where lifelines found no fit."""

    model: str
    difference: float


def cross_check(data: Seen, fits: Sequence[ModelFit]) -> tuple[CrossCheck, ...]:
    """Compare every fitted usual model with lifelines'."""
    from lifelines import ExponentialFitter, PiecewiseExponentialFitter, WeibullFitter

    used = ~(~data.found & (data.left <= data.entry))
    lower, upper = data.left[used], data.right[used]
    entry = data.entry[used] if data.entry.any() else None
    found = []
    for fit in fits:
        if fit.model not in CHECKED or fit.status != "fitted":
            continue
        fitter = (
            ExponentialFitter()
            if fit.model == "exponential"
            else WeibullFitter()
            if fit.model == "weibull"
            else PiecewiseExponentialFitter([fit.starts[1]])
        )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fitter.fit_interval_censoring(lower, upper, entry=entry)
            theirs = float(fitter.log_likelihood_)
        except Exception:
            theirs = float("nan")
        found.append(CrossCheck(fit.model, abs(theirs - fit.loglik) / max(abs(fit.loglik), 1.0)))
    return tuple(c for c in found if np.isfinite(c.difference))
