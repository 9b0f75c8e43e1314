"""One column of cells → typed values; what cannot be used is noted by row and left missing.

Work is done once per distinct cell. Dates become `datetime64[s]`, closed lists categories, numbers floats, all else text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from .columns import ColumnSpec
from .dates import EARLIEST_YEAR, ISO, LATEST_YEAR, DateStyle, Day
from .layout import FAULTS, Fault
from .mapping import TableMap
from .row_problems import RowProblems
from .spine_levels import level_name, spine_range

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

MOST_LOOKED_AT = 10_000
LONG_NUMBER = 1e15
"""Whole numbers from here on have more digits than a spreadsheet keeps."""
_NUMBERS = {".": re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?"), ",": re.compile(r"[-+]?[0-9]+(?:,[0-9]+)?")}
_ISO = DateStyle(ISO, strict=True)

Cell = str | date | Fault


@dataclass
class Column:
    """A column coded by its distinct cells; code -1 is missing."""

    spec: ColumnSpec
    codes: npt.NDArray[np.int64]
    cells: list[Cell]
    rows: npt.NDArray[np.int64]
    found: RowProblems
    how: TableMap = field(default_factory=TableMap)
    styles: tuple[DateStyle, ...] = ()
    epoch_1904: bool = False

    def note(self, code: str, message: str, wrong: list[bool], hint: str = "") -> None:
        """Note the rows whose distinct cell is wrong."""
        if any(wrong):
            mask = _flags([*wrong, False])[self.codes]
            self.found.add(code, self.spec.name, message, self.rows[mask], hint)


def typed(
    series: pd.Series[Any],
    spec: ColumnSpec,
    rows: npt.NDArray[np.int64],
    found: RowProblems,
    how: TableMap,
    date_format: DateStyle | None = None,
    epoch_1904: bool = False,
) -> tuple[Any, npt.NDArray[np.int64]]:
    """Type one column; gives the values and the rows where a date is known to the month only."""
    import numpy as np
    import pandas as pd

    none = np.zeros(0, dtype=np.int64)
    if pd.api.types.is_datetime64_any_dtype(series):
        if spec.kind == "date":
            return _stored_dates(series, spec, rows, found), none
        series = series.dt.strftime("%Y-%m-%d")
    numeric = pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series)
    if spec.kind in ("number", "integer") and numeric and not how.values.get(spec.name):
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        _check_range(values, spec, rows, found)
        return values, none
    if spec.kind == "text" and spec.name not in _SITES and (plain := _plain_texts(series, spec, how)) is not None:
        return plain, none
    styles = how.dates.get(spec.name) or ((date_format,) if date_format else (_ISO,))
    codes, cells = _distinct(series, spec, how)
    column = Column(spec, codes, cells, rows, found, how, styles, epoch_1904)
    if spec.required:
        found.add("missing-value", spec.name, "must not be empty", rows[codes < 0])
    for fault, (message, hint) in FAULTS.items():
        column.note(fault.value, message, [cell is fault for cell in cells], hint)
    if spec.kind == "date":
        return _dates(column)
    return _VALUES[spec.kind](column), none


def own_texts(series: pd.Series[Any]) -> tuple[Any, int]:
    """Give a column of the user's own as texts, and how many cells hold a fault and so stay empty."""
    import numpy as np

    spec = ColumnSpec("", "text")
    if (plain := _plain_texts(series, spec, TableMap())) is not None:
        return plain, 0
    codes, cells = _distinct(series, spec, TableMap())
    kept = [*(cell if isinstance(cell, str) else None for cell in cells), None]
    texts = np.fromiter(kept, dtype=object, count=len(kept))
    faulty = _flags([*(isinstance(cell, Fault) for cell in cells), False])[codes]
    return texts[codes], int(faulty.sum())


def texts_with_counts(series: pd.Series[Any]) -> list[tuple[str, int]]:
    """Give the distinct texts of a column, most frequent first; true dates and faults are left out."""
    import numpy as np

    codes, cells = _distinct(series, ColumnSpec("", "date"), TableMap())
    counts = np.bincount(codes[codes >= 0], minlength=len(cells))
    texts = [(cell, int(n)) for cell, n in zip(cells, counts, strict=True) if isinstance(cell, str)]
    return sorted(texts, key=lambda item: (-item[1], item[0]))


def holds_dates(series: pd.Series[Any]) -> bool:
    """Tell whether a file stores dates in a column, as such."""
    return any(isinstance(value, date) for value in series.dropna().unique()[:MOST_LOOKED_AT])


def nothing(spec: ColumnSpec, rows: int) -> Any:
    """Give a declared column that the file does not have: all missing, of its own type."""
    import numpy as np
    import pandas as pd

    if spec.kind == "date":
        return np.full(rows, "NaT", dtype="datetime64[s]")
    if spec.kind == "choice":
        codes = np.full(rows, -1, dtype=np.int8)
        levels = pd.CategoricalDtype(list(spec.levels), ordered=True)
        return pd.Categorical.from_codes(codes, dtype=levels, validate=False)
    return np.full(rows, np.nan) if spec.kind in ("number", "integer") else np.full(rows, None, dtype=object)


def _plain_texts(series: pd.Series[Any], spec: ColumnSpec, how: TableMap) -> Any:
    """Give a column that holds texts only, none empty, none to be said otherwise, as it is; None where it is not so."""
    import numpy as np

    if series.dtype != object or how.missing or spec.name in how.values:
        return None
    cells = series.to_numpy(dtype=object)
    if set(map(type, cells)) != {str}:
        return None
    texts = np.fromiter(map(str.strip, cells), dtype=object, count=len(cells))
    return texts if texts.all() else None


def _distinct(series: pd.Series[Any], spec: ColumnSpec, how: TableMap) -> tuple[npt.NDArray[np.int64], list[Cell]]:
    """Code a column by its distinct cells, trimmed and in our words; -1 is missing."""
    import numpy as np
    import pandas as pd

    # True equals 1 for a hash table: flags beside numbers are told apart first.
    mixed = series.dtype == object and pd.api.types.infer_dtype(series, skipna=True) in (
        "boolean",
        "mixed",
        "mixed-integer",
    )
    if mixed and series.map(type).isin([bool]).any():
        series = series.map(lambda cell: _flag_text(cell, spec) if isinstance(cell, bool) else cell)
    codes, values = pd.factorize(series)
    raw = list(values)
    speaks = bool(how.missing) or spec.name in how.values
    if not speaks and set(map(type, raw)) <= {str}:
        cells: list[Cell] = list(map(str.strip, raw))
    else:
        cells = [_cell(value, spec, how if speaks else None) for value in raw]
    if cells == raw and "" not in cells:
        return codes.astype(np.int64), cells
    merged: dict[Cell, int] = {}
    to = [-1 if cell == "" else merged.setdefault(cell, len(merged)) for cell in cells]
    return _ints([*to, -1])[codes], list(merged)


def _cell(value: Any, spec: ColumnSpec, how: TableMap | None) -> Cell:
    """Give one distinct cell as text, date or fault."""
    if isinstance(value, Fault):
        return value
    if isinstance(value, date):
        return _date_cell(value, spec)
    if type(value).__name__ in ("bool", "bool_"):
        value = _flag_text(bool(value), spec)
    elif isinstance(value, float):
        if spec.kind in ("text", "level") and abs(value) >= LONG_NUMBER and value.is_integer():
            return Fault.LONG_ID
        value = str(int(value)) if value.is_integer() else repr(value)
    text = value.strip() if type(value) is str else str(value).strip()
    if how is None or not text or text in spec.levels:
        return text
    return how.meaning(spec.name, text)


def _flag_text(value: bool, spec: ColumnSpec) -> str:
    if spec.kind == "text":
        return "TRUE" if value else "FALSE"
    return "yes" if value else "no"


def _date_cell(value: date, spec: ColumnSpec) -> Cell:
    if spec.kind == "date":
        return value.date() if isinstance(value, datetime) else value
    if isinstance(value, datetime) and value.time() != datetime.min.time():
        return value.isoformat()
    return value.date().isoformat() if isinstance(value, datetime) else value.isoformat()


# ---- one function a kind ----


def _choices(column: Column) -> Any:
    import numpy as np
    import pandas as pd

    spec = column.spec
    place = {level: i for i, level in enumerate(spec.levels)}
    to = [place.get(cell, -2) if isinstance(cell, str) else -1 for cell in column.cells]
    hint = "" if len(spec.levels) < 3 else "Say in a map what other words mean; `sbrt-followup map` lists them."
    column.note("not-allowed", f"not one of the allowed values ({spec.allowed})", [t == -2 for t in to], hint)
    levels = pd.CategoricalDtype(list(spec.levels), ordered=True)
    return pd.Categorical.from_codes(np.maximum(_ints([*to, -1])[column.codes], -1), dtype=levels)


def _levels(column: Column) -> Any:
    wrong = [isinstance(cell, str) and spine_range(cell) is None for cell in column.cells]
    column.note("not-a-level", f"not {column.spec.allowed}", wrong)
    return _texts(column, keep=[not bad for bad in wrong])


def _texts(column: Column, keep: list[bool] | None = None) -> Any:
    import numpy as np

    cells: list[Any] = column.cells
    if column.spec.name in _SITES:
        # A site called by its level is that level, however it is written.
        cells = [level_name(cell) if isinstance(cell, str) else None for cell in cells]
    elif set(map(type, cells)) - {str}:
        cells = [cell if isinstance(cell, str) else None for cell in cells]
    if keep is not None:
        cells = [cell if kept else None for cell, kept in zip(cells, keep, strict=True)]
    return np.fromiter((*cells, None), dtype=object, count=len(cells) + 1)[column.codes]


_SITES = ("site_id", "level")


def _numbers(column: Column) -> Any:
    import numpy as np

    pattern = _NUMBERS[column.how.decimal]
    values = [
        float(cell.replace(",", ".")) if isinstance(cell, str) and pattern.fullmatch(cell) else float("nan")
        for cell in column.cells
    ]
    wrong = [isinstance(cell, str) and value != value for cell, value in zip(column.cells, values, strict=True)]
    comma = any(isinstance(cell, str) and _NUMBERS[","].fullmatch(cell) for cell in column.cells)
    hint = 'Write `decimal: ","` into a map if your numbers have a decimal comma.' if comma and any(wrong) else ""
    column.note("not-a-number", f"not {column.spec.allowed}", wrong, hint)
    numbers = np.array([*values, np.nan])[column.codes]
    _check_range(numbers, column.spec, column.rows, column.found)
    return numbers


def _dates(column: Column) -> tuple[Any, npt.NDArray[np.int64]]:
    import numpy as np

    spec = column.spec
    read = [_read_date(cell, column) for cell in column.cells]
    two = [len({day.day for day in days}) > 1 for days in read]
    wrong = [isinstance(cell, str) and not days for cell, days in zip(column.cells, read, strict=True)]
    monthly = [len(days) > 0 and all(day.month_only for day in days) for days in read]
    shown = " or ".join(style.text for style in column.styles)
    allowed = spec.allowed if column.styles == (_ISO,) else f"a date written {shown}"
    column.note("not-a-date", f"not {allowed}", wrong)
    column.note("two-dates", f"reads as two different days under {shown}", two, "Write the year first: YYYY-MM-DD.")
    no_day = [m and not spec.month_allowed for m in monthly]
    column.note("no-day", "names a month, and the day is needed here", no_day)
    usable = [
        days[0].day.isoformat() if days and not t and not n else "NaT"
        for days, t, n in zip(read, two, no_day, strict=True)
    ]
    days = np.array([*usable, "NaT"], dtype="datetime64[D]")[column.codes].astype("datetime64[s]")
    of_month = _flags([*(m and not n for m, n in zip(monthly, no_day, strict=True)), False])[column.codes]
    return days, column.rows[of_month]


def _read_date(cell: Cell, column: Column) -> list[Day]:
    if isinstance(cell, Fault):
        return []
    if isinstance(cell, date):
        return [Day(cell)] if EARLIEST_YEAR <= cell.year <= LATEST_YEAR else []
    read = [style.read(cell, column.epoch_1904) for style in column.styles]
    return [day for day in read if day is not None]


_VALUES = {
    "choice": _choices,
    "level": _levels,
    "text": _texts,
    "number": _numbers,
    "integer": _numbers,
}


def _stored_dates(series: pd.Series[Any], spec: ColumnSpec, rows: npt.NDArray[np.int64], found: RowProblems) -> Any:
    """Take dates that a file stores as such."""
    missing = series.isna().to_numpy()
    if spec.required:
        found.add("missing-value", spec.name, "must not be empty", rows[missing])
    year = series.dt.year
    strange = ((year < EARLIEST_YEAR) | (year > LATEST_YEAR)).to_numpy() & ~missing
    found.add("not-a-date", spec.name, f"not {spec.allowed}", rows[strange])
    days = series.dt.tz_localize(None).dt.normalize().astype("datetime64[s]")
    return days.mask(strange).to_numpy()


def _check_range(
    values: npt.NDArray[np.float64], spec: ColumnSpec, rows: npt.NDArray[np.int64], found: RowProblems
) -> None:
    import numpy as np

    bad = np.isinf(values)
    if spec.low is not None:
        bad |= values < spec.low
    if spec.high is not None:
        bad |= values > spec.high
    if spec.kind == "integer":
        bad |= ~np.isnan(values) & (values != np.floor(values))
    found.add("out-of-range", spec.name, f"must be {spec.allowed}", rows[bad])


def _ints(values: list[int]) -> npt.NDArray[np.int64]:
    import numpy as np

    return np.array(values, dtype=np.int64)


def _flags(values: list[bool]) -> npt.NDArray[np.bool_]:
    import numpy as np

    return np.array(values, dtype=bool)
