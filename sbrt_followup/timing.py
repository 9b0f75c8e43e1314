"""Time zero, calendar months, analysis months and windows; nothing else adds dates.

Conventions. Time zero is the date of the last SBRT fraction. Days are `datetime64[D]`; an absent date is NaT.
A scheduled date is anchor + offset in one step: whole months by the calendar (the day clamped to the month's end),
the fractional part × 30.4375 days, rounded half up. An analysis month is 30.4375 days.
A window is half-open in code, [start, stop); printed windows are closed on both ends.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

Days = npt.NDArray[np.datetime64]

DAYS_PER_MONTH = Fraction(487, 16)  # 30.4375 = 365.25 / 12
DAY = np.timedelta64(1, "D")
NAT = np.datetime64("NaT", "D")


def as_days(values: Any) -> Days:
    """Turn dates of any kind (date, ISO text, pandas or numpy) into `datetime64[D]`."""
    return np.asarray(values, dtype="datetime64[D]")


def as_date(day: np.datetime64) -> date | None:
    """Give one day as a `date`; None when absent."""
    return None if np.isnat(day) else day.astype("datetime64[D]").item()


def add_months(anchor: Days, months: Fraction) -> Days:
    """Add an offset in months to each anchor, in one step (module docstring); NaT stays NaT."""
    whole = int(months // 1)
    fraction = months - whole
    extra = int((fraction * DAYS_PER_MONTH * 2 + 1) // 2)  # rounded half up, exactly
    anchor = as_days(anchor)
    month = anchor.astype("datetime64[M]")
    day_of_month = (anchor - month.astype("datetime64[D]")).astype(np.int64)
    target = month + np.timedelta64(whole, "M")
    last = (((target + np.timedelta64(1, "M")).astype("datetime64[D]")) - DAY - target.astype("datetime64[D]")).astype(
        np.int64
    )
    clamped = np.minimum(day_of_month, last)
    result: Days = target.astype("datetime64[D]") + clamped.astype("timedelta64[D]") + np.timedelta64(extra, "D")
    return np.where(np.isnat(anchor), NAT, result)


def days_between(start: Days, stop: Days) -> npt.NDArray[np.float64]:
    """Count whole days from start to stop; NaN where either is absent."""
    gap = as_days(stop) - as_days(start)
    return np.where(np.isnat(gap), np.nan, gap.astype("timedelta64[D]").astype(np.float64))


def analysis_days(months: Fraction | float | int) -> float:
    """Convert analysis months to days, unrounded."""
    return float(Fraction(months) * DAYS_PER_MONTH) if not isinstance(months, float) else months * 30.4375
