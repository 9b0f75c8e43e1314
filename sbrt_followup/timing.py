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


def add_months(anchor: Days, months: Fraction | npt.NDArray[np.int64], per_month: int = 1) -> Days:
    """Add an offset in months to each anchor, in one step (module docstring); NaT stays NaT.

    Many offsets at once are whole numbers of 1/`per_month` months, broadcast against the anchors.
    """
    count: npt.NDArray[np.int64]
    if isinstance(months, Fraction):
        count, per_month = np.array(months.numerator, dtype=np.int64), months.denominator
    else:
        count = months
    whole = count // per_month
    parts = count % per_month
    # parts / per_month × 487/16 days, rounded half up, in whole numbers throughout.
    above, below = DAYS_PER_MONTH.numerator, DAYS_PER_MONTH.denominator * per_month
    extra = (2 * parts * above + below) // (2 * below)
    anchor = as_days(anchor)
    month = anchor.astype("datetime64[M]")
    day_of_month = anchor - month.astype("datetime64[D]")
    target = month + whole.astype("timedelta64[M]")
    first = target.astype("datetime64[D]")
    length = (target + np.timedelta64(1, "M")).astype("datetime64[D]") - first
    result: Days = first + np.minimum(day_of_month, length - DAY) + extra.astype("timedelta64[D]")
    return result


def months_since(start: Days, day: Days) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Count whole calendar months from start to day, and the days left over; undo `add_months` for whole months."""
    start, day = as_days(start), as_days(day)
    whole = (day.astype("datetime64[M]") - start.astype("datetime64[M]")).astype(np.int64)
    whole = np.where(add_months(start, whole) > day, whole - 1, whole)
    return whole, (day - add_months(start, whole)).astype(np.int64)


def days_between(start: Days, stop: Days) -> npt.NDArray[np.float64]:
    """Count whole days from start to stop; NaN where either is absent."""
    gap = as_days(stop) - as_days(start)
    return np.where(np.isnat(gap), np.nan, gap.astype("timedelta64[D]").astype(np.float64))


def analysis_days(months: Fraction | float | int) -> float:
    """Convert analysis months to days, unrounded."""
    return float(Fraction(months) * DAYS_PER_MONTH) if not isinstance(months, float) else months * 30.4375
