"""The interval at which an MRI finds progression in a given share of those clear before it.

Conventions. Months, rates a month. Where death is as frequent after progression as before, the yield of an MRI after an
interval is 1 − exp(−hazard·interval), so that the interval is −log(1 − yield)/hazard (as published by Chen 2024). Otherwise
the yield is P₀₁/(P₀₀ + P₀₁) of the illness–death model: of those alive and scanned.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..arrays import Floats

LONGEST = 24.0
"""Months beyond which an interval counts as not reached (a convention of the search, not of care)."""


def needed(share: float) -> float:
    """Give the cumulative hazard between two MRIs at which the second finds this share."""
    return float(-np.log1p(-share))


def interval(share: float, hazard: float) -> float:
    """Give the months after which an MRI finds this share, death apart."""
    return needed(share) / hazard


def yield_after(months: float, hazard: float, death_clear: float, death_after: float) -> float:
    """Give the share found at an MRI so many months after a clear one, among those alive and scanned."""
    clear = np.exp(-(hazard + death_clear) * months)
    k = hazard + death_clear - death_after
    gone = -np.expm1(-k * months) / k if abs(k) > 1e-12 else months
    progressed = hazard * np.exp(-death_after * months) * gone
    return float(progressed / (progressed + clear))


def interval_with_deaths(share: float, hazard: float, death_clear: float, death_after: float) -> float:
    """Give the months after which an MRI finds this share of those alive and scanned; NaN where 24 months do not reach it."""
    from scipy.optimize import brentq

    def short(months: float) -> float:
        return yield_after(months, hazard, death_clear, death_after) - share

    if short(LONGEST) < 0:
        return float("nan")
    return float(brentq(short, 1e-9, LONGEST, xtol=1e-12))


def equal_yield_visits(
    share: float, cumulative: Callable[[Floats], Floats], reached: Callable[[Floats], Floats], begin: float, end: float
) -> Floats:
    """Give the months of MRIs that each find this share, from one at `begin` on, up to `end`."""
    first = float(cumulative(np.array([begin]))[0])
    number = int((float(cumulative(np.array([end]))[0]) - first) / needed(share) + 1e-9)
    return reached(np.array([first + needed(share) * (k + 1) for k in range(number)]))
