"""Which rows make up each patient or site, and the group, stratum and entry of each; every other row has its reason.

Conventions. A patient is the sites of the first course; a site is its own first course. A group or stratum belongs to
the whole unit: where a patient's rows disagree, or one is missing, the patient has none and is excluded. Days are day
numbers since 1970 as floats, NaN where absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Flags, Floats, Ints, Texts
from ..problems import InputRefused, Problem, Source
from ..sites.risk import courses
from ..tables.records import Exclusion

if TYPE_CHECKING:
    import pandas as pd


class Ledger:
    """The cohort's rows while they are sorted into units and exclusions."""

    def __init__(self, frame: pd.DataFrame, file: str) -> None:
        self.frame, self.file = frame, file
        self.row = frame["row"].to_numpy(dtype=np.int64)
        self.kept: Flags = np.ones(len(frame), dtype=bool)
        self._reason: Texts = np.full(len(frame), None, dtype=object)

    def exclude(self, rows: Flags, reason: str) -> None:
        """Leave rows out; the first reason stays."""
        new = rows & self.kept
        self._reason[new] = reason
        self.kept = self.kept & ~new

    def refuse(self, rows: Flags, column: str, message: str, on_error: str, code: str = "impossible-dates") -> None:
        """Refuse the file naming each row, or with on_error="exclude" leave those rows out."""
        bad = rows & self.kept
        if not bad.any():
            return
        if on_error == "exclude":
            self.exclude(bad, f"{column} {message}")
            return
        named = self.row[bad]
        text = ", ".join(str(n) for n in named[:10]) + (f" and {len(named) - 10} more" if len(named) > 10 else "")
        raise InputRefused([Problem(code, f"row {text}, column {column}: {message}", Source(self.file))])

    def day(self, column: str) -> Floats:
        """Give a date column as day numbers; a frame made otherwise than by the reader may lack it."""
        return day_numbers(self.frame[column]) if column in self.frame else np.full(len(self.frame), np.nan)

    @property
    def excluded(self) -> tuple[Exclusion, ...]:
        """The rows left out, in the file's order."""
        out = np.flatnonzero(~self.kept)
        return tuple(Exclusion(int(self.row[i]), str(self._reason[i])) for i in out[np.argsort(self.row[out])])


def day_numbers(column: pd.Series[Any]) -> Floats:
    """Give dates as day numbers; NaN where absent."""
    days = column.to_numpy(dtype="datetime64[D]")
    return np.where(np.isnat(days), np.nan, days.astype(np.int64).astype(np.float64))


def codes(values: pd.Series[Any]) -> Ints:
    """Number distinct values from 0 in order of appearance; -1 where missing."""
    import pandas as pd

    return np.asarray(pd.factorize(values)[0], dtype=np.int64)


def earliest(code: Ints, values: Floats, size: int) -> Floats:
    """Give each code's least value; NaN where it has none."""
    result = np.full(size, np.inf)
    known = np.isfinite(values)
    np.minimum.at(result, code[known], values[known])
    return np.where(np.isfinite(result), result, np.nan)


def latest(code: Ints, values: Floats, size: int) -> Floats:
    """Give each code's greatest value; NaN where it has none."""
    return -earliest(code, -values, size)


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key in which `t2` comes before `t10`."""
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in re.split(r"(\d+)", text))


def form_units(ledger: Ledger, unit: str, course_days: int) -> tuple[Ints, Ints, Floats]:
    """Give each row's patient and unit, and the day its site was next treated; later courses are excluded."""
    frame = ledger.frame
    patient = codes(frame["patient_id"])
    site = codes(frame["patient_id"].astype(str) + "\x1f" + frame["site_id"].astype(str))
    start = ledger.day("sbrt_date")
    first_of_site = earliest(site, start, site.max() + 1 if site.size else 0)[site]
    repeated = start > first_of_site
    again = earliest(site[repeated], start[repeated], site.max() + 1 if site.size else 0)[site]
    if unit == "site":
        ledger.exclude(repeated, "re-treatment: the site entered at its first course")
        return patient, site, again
    ledger.exclude(courses(frame, course_days) > 0, "a later course: the patient entered at the first")
    ledger.exclude(repeated, "re-treatment within the first course: the site entered at its first treatment")
    return patient, patient, again


def shared_value(
    ledger: Ledger, unit: Ints, values: Sequence[Any] | pd.Series[Any], name: str, absent: str = "is missing"
) -> Texts:
    """Give each row its unit's one value as text, excluding units whose rows lack one or disagree."""
    import pandas as pd

    text = pd.Series(values, dtype=object).reset_index(drop=True)
    kept = ledger.kept
    code = codes(text.where(text.notna()))
    missing = unit_any(unit, kept & (code < 0))
    shown = code.astype(np.float64)
    shown[~kept | (code < 0)] = np.nan
    size = int(unit.max()) + 1 if unit.size else 0
    low, high = earliest(unit, shown, size)[unit], latest(unit, shown, size)[unit]
    ledger.exclude(kept & (code < 0), f"{name} {absent}")
    ledger.exclude(missing, f"{name} {absent} for another site of this patient")
    ledger.exclude(low != high, f"{name} differs between the sites of this patient")
    return np.array([label(v) if ok else None for v, ok in zip(text, code >= 0, strict=True)], dtype=object)


def label(value: Any) -> str:
    """Write a group's value as text: 2 for the number 2.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def unit_any(unit: Ints, rows: Flags) -> Flags:
    """Tell of each row whether any row of its unit is marked."""
    marked = np.zeros(int(unit.max()) + 1 if unit.size else 0, dtype=bool)
    marked[unit[rows]] = True
    return np.asarray(marked[unit], dtype=bool)


def ordered_labels(values: Any, present: Iterable[str]) -> tuple[str, ...]:
    """Order group labels: a category's own order, else naturally."""
    names = set(present)
    categories = getattr(getattr(values, "dtype", None), "categories", None)
    if categories is not None:
        return tuple(label(c) for c in categories if label(c) in names)
    return tuple(sorted(names, key=natural))


def entry_days(ledger: Ledger, column: str, unit: Ints, zero: Floats, on_error: str) -> Floats:
    """Give each row the days from its unit's time zero (`zero`, per row) to the start of observation.

    The column holds dates, or days since time zero; the unit is under observation from the earliest on.
    """
    import pandas as pd

    values = ledger.frame[column]
    if pd.api.types.is_datetime64_any_dtype(values):
        days = day_numbers(values) - zero
    else:
        number = pd.to_numeric(values, errors="coerce")
        date = pd.to_datetime(values.where(number.isna()), format="%Y-%m-%d", errors="coerce")
        unread = (values.notna() & number.isna() & date.isna()).to_numpy()
        ledger.refuse(unread, column, "is neither a date YYYY-MM-DD nor a number of days", on_error, "entry-value")
        days = number.to_numpy(dtype=np.float64)
        days = np.where(np.isnan(days), day_numbers(date) - zero, days)
    ledger.exclude(np.isnan(days), f"{column} is missing: the start of observation is not known")
    days[~ledger.kept] = np.nan
    first = earliest(unit, days, int(unit.max()) + 1 if unit.size else 0)
    return np.maximum(first[unit], 0.0)
