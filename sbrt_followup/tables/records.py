"""A user's table of texts → a checked, typed one.

Only the empty cell is missing. A row is named by its number in the file (the header is row 1). Problems name row and
column, never a value. Dates become `datetime64[s]`, closed lists categories, numbers floats, everything else text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..problems import InputRefused, Problem, Source, nearest, refuse
from .columns import COHORT, IMAGING, ColumnSpec
from .intake import read_raw, texts_of
from .spine_levels import level_name, spine_range

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

MOST_ROWS_NAMED = 10
EARLIEST_YEAR, LATEST_YEAR = 1900, 2200


@dataclass(frozen=True)
class ColumnMap:
    """How the user's file names things: declared column → their column, and per column their value → ours."""

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Exclusion:
    """A row not used, and why."""

    row: int
    reason: str


@dataclass(frozen=True)
class Records:
    """A typed table; `frame` has `row` (number in the file), every declared column, then the user's own."""

    frame: pd.DataFrame
    excluded: tuple[Exclusion, ...] = ()
    extra_columns: tuple[str, ...] = ()
    content_hash: str = ""
    given: frozenset[str] = frozenset()
    """Declared columns that the file has."""


@dataclass
class _Findings:
    """Rows with something wrong, by message, while a table is checked."""

    file: str
    rows: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)

    def add(self, code: str, column: str, message: str, rows: Iterable[int]) -> None:
        found = [int(r) for r in rows]
        if found:
            self.rows.setdefault((code, column, message), []).extend(found)

    def name_columns(self, theirs: Mapping[str, str]) -> None:
        """Call every column as the user's file does."""
        renamed: dict[tuple[str, str, str], list[int]] = {}
        for (code, column, message), rows in self.rows.items():
            words = (
                " ".join(theirs.get(word, word) for word in message.split(" "))
                if code == "impossible-dates"
                else message
            )
            renamed.setdefault((code, theirs.get(column, column), words), []).extend(rows)
        self.rows = renamed

    def problems(self) -> list[Problem]:
        result: list[Problem] = []
        for (code, column, message), rows in self.rows.items():
            shown = ", ".join(str(r) for r in rows[:MOST_ROWS_NAMED])
            more = f" and {len(rows) - MOST_ROWS_NAMED} more" if len(rows) > MOST_ROWS_NAMED else ""
            word = "row" if len(rows) == 1 else "rows"
            result.append(Problem(code, f"{word} {shown}{more}, column {column}: {message}", Source(self.file)))
        return result

    def exclusions(self) -> dict[int, str]:
        reasons: dict[int, list[str]] = {}
        for (_, column, message), rows in self.rows.items():
            for row in rows:
                reasons.setdefault(row, []).append(f"column {column}: {message}")
        return {row: "; ".join(texts) for row, texts in sorted(reasons.items())}


# ---- typing columns ----


def _texts(column: pd.Series[Any]) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Code a column by its distinct trimmed texts; -1 is missing."""
    import numpy as np
    import pandas as pd

    codes, values = pd.factorize(column)
    raw = list(values)
    texts = [v.strip() if type(v) is str else _text(v) for v in raw]
    if texts == raw and "" not in texts:
        return codes.astype(np.int64), texts
    merged: dict[str, int] = {}
    to = [-1 if not t else merged.setdefault(t, len(merged)) for t in texts]
    return _array([*to, -1])[codes], list(merged)


def _text(cell: Any) -> str:
    if type(cell).__name__ in ("bool", "bool_"):
        return "yes" if cell else "no"
    return re.sub(r"\.0+$", "", str(cell)) if isinstance(cell, float) else str(cell).strip()


def _nothing(spec: ColumnSpec, rows: int) -> Any:
    """Give a declared column that the file does not have: all missing, of its own type."""
    import numpy as np
    import pandas as pd

    if spec.kind == "date":
        return np.full(rows, "NaT", dtype="datetime64[s]")
    if spec.kind == "choice":
        codes = np.full(rows, -1, dtype=np.int8)
        return pd.Categorical.from_codes(
            codes, dtype=pd.CategoricalDtype(list(spec.levels), ordered=True), validate=False
        )
    return np.full(rows, np.nan) if spec.kind in ("number", "integer") else np.full(rows, None, dtype=object)


def _array(values: list[int]) -> npt.NDArray[np.int64]:
    import numpy as np

    return np.array(values, dtype=np.int64)


def _typed(column: pd.Series[Any], spec: ColumnSpec, rows: npt.NDArray[np.int64], date_format: str | None,
           found: _Findings, source_name: str) -> Any:  # fmt: skip
    import numpy as np
    import pandas as pd

    if np.issubdtype(_dtype(column), np.datetime64):
        if spec.kind == "date":
            return _typed_dates(column, spec, rows, found, source_name)
        column = column.dt.strftime("%Y-%m-%d")
    if (
        spec.kind in ("number", "integer")
        and pd.api.types.is_numeric_dtype(column)
        and not isinstance(column.dtype, pd.CategoricalDtype)
    ):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        _check_range(values, spec, rows, found, source_name)
        return values
    codes, texts = _texts(column)
    missing = codes < 0
    if spec.required:
        found.add("missing-value", source_name, "must not be empty", rows[missing])
    if spec.kind == "choice":
        place = {level: i for i, level in enumerate(spec.levels)}
        to = _array([*(place.get(t, -2) for t in texts), -1])[codes]
        found.add("not-allowed", source_name, f"not one of the allowed values ({spec.allowed})", rows[to == -2])
        levels = pd.CategoricalDtype(list(spec.levels), ordered=True)
        return pd.Categorical.from_codes(np.maximum(to, -1), dtype=levels)
    if spec.kind == "level":
        ok = np.array([*(spine_range(t) is not None for t in texts), True], dtype=bool)
        found.add("not-a-level", source_name, f"not {spec.allowed}", rows[~ok[codes] & ~missing])
    if spec.kind == "level":
        texts = [level_name(t) for t in texts]
    if spec.kind in ("text", "level"):
        return np.array([*texts, None], dtype=object)[codes]
    if spec.kind == "date":
        days = np.array([*(_parse_date(t, date_format) for t in texts), "NaT"], dtype="datetime64[D]")[codes]
        found.add("not-a-date", source_name, f"not {spec.allowed}", rows[np.isnat(days) & ~missing])
        return days.astype("datetime64[s]")
    numbers = np.array([*(_parse_number(t) for t in texts), np.nan])[codes]
    found.add("not-a-number", source_name, f"not {spec.allowed}", rows[np.isnan(numbers) & ~missing])
    _check_range(numbers, spec, rows, found, source_name)
    return numbers


def _typed_dates(column: pd.Series[Any], spec: ColumnSpec, rows: npt.NDArray[np.int64], found: _Findings,
                 source_name: str) -> Any:  # fmt: skip
    """Take dates that a file stores as such."""
    missing = column.isna().to_numpy()
    if spec.required:
        found.add("missing-value", source_name, "must not be empty", rows[missing])
    year = column.dt.year
    strange = ((year < EARLIEST_YEAR) | (year > LATEST_YEAR)).to_numpy() & ~missing
    found.add("not-a-date", source_name, f"not {spec.allowed}", rows[strange])
    return column.dt.tz_localize(None).dt.normalize().astype("datetime64[s]").to_numpy()


def _dtype(column: pd.Series[Any]) -> Any:
    import numpy as np

    return column.dtype if isinstance(column.dtype, np.dtype) else np.dtype(object)


def _check_range(values: npt.NDArray[np.float64], spec: ColumnSpec, rows: npt.NDArray[np.int64], found: _Findings,
                 source_name: str) -> None:  # fmt: skip
    import numpy as np

    bad = np.isinf(values)
    if spec.low is not None:
        bad |= values < spec.low
    if spec.high is not None:
        bad |= values > spec.high
    if spec.kind == "integer":
        bad |= ~np.isnan(values) & (values != np.floor(values))
    found.add("out-of-range", source_name, f"must be {spec.allowed}", rows[bad])


def _parse_number(text: str) -> float:
    return float(text) if re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", text) else float("nan")


def _parse_date(text: str, date_format: str | None) -> str:
    from datetime import date, datetime

    try:
        if date_format:
            day = datetime.strptime(text, date_format).date()
        elif re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            day = date.fromisoformat(text)
        else:
            return "NaT"
    except ValueError:
        return "NaT"
    # A two-digit year or a slip of the keyboard lands outside any treatment's lifetime.
    return day.isoformat() if EARLIEST_YEAR <= day.year <= LATEST_YEAR else "NaT"


def check_date_format(date_format: str | None) -> None:
    """Refuse a --date-format that does not give day, month and year."""
    if date_format is None:
        return
    from datetime import date

    days = date(2001, 2, 3), date(2003, 11, 24)
    if any(_parse_date(day.strftime(date_format), date_format) != day.isoformat() for day in days):
        raise refuse("bad-date-format", "--date-format must name day, month and year, e.g. %d.%m.%Y or %m/%d/%Y")


# ---- whole tables ----


def _read(
    source: tuple[pd.DataFrame, str, str],
    specs: tuple[ColumnSpec, ...],
    column_map: ColumnMap | None,
    date_format: str | None,
    on_error: str,
    checks: Callable[[pd.DataFrame, _Findings], None],
) -> Records:
    import pandas as pd

    check_date_format(date_format)
    raw, digest, name = source
    column_map = column_map or ColumnMap()
    renamed = _renamed(raw, column_map.columns, specs, name)
    declared = {spec.name: spec for spec in specs}
    _require_columns(list(raw.columns), renamed, declared, name)
    rows = raw["row"].to_numpy(dtype="int64")
    found = _Findings(name)
    typed: dict[str, Any] = {"row": rows}
    for spec in specs:
        theirs = renamed.get(spec.name)
        if theirs is None:
            typed[spec.name] = _nothing(spec, len(raw))
            continue
        series = raw[theirs]
        if spec.name in column_map.values:
            translated = column_map.values[spec.name]
            series = series.map(lambda cell, words=translated: words.get(str(cell).strip(), cell), na_action="ignore")
        typed[spec.name] = _typed(series, spec, rows, date_format, found, theirs)
    extra = [str(c) for c in raw.columns if c != "row" and c not in renamed.values()]
    for other in extra:
        typed[other] = _typed(raw[other], ColumnSpec(other, "text"), rows, None, found, other)
    frame = pd.DataFrame(typed)
    checks(frame, found)
    found.name_columns(renamed)
    problems = found.problems()
    if problems and on_error != "exclude":
        raise InputRefused(problems)
    reasons = found.exclusions()
    kept = frame.loc[~frame["row"].isin(list(reasons))].reset_index(drop=True)
    excluded = tuple(Exclusion(row, reason) for row, reason in reasons.items())
    return Records(kept, excluded, tuple(extra), digest, frozenset(renamed))


def _renamed(raw: pd.DataFrame, columns: Mapping[str, str], specs: tuple[ColumnSpec, ...], name: str) -> dict[str, str]:
    """Say which of the user's columns holds which declared one."""
    problems: list[Problem] = []
    names = [str(c) for c in raw.columns if c != "row"]
    declared = [spec.name for spec in specs]
    # One map serves both tables: what the cohort has too may be called otherwise in the imaging table.
    shared = {spec.name for spec in COHORT} & {spec.name for spec in IMAGING} if specs is IMAGING else set()
    columns = {o: t for o, t in columns.items() if o in declared and not (o in shared and t not in names)}
    for ours, theirs in columns.items():
        if theirs not in names:
            problems.append(
                Problem(
                    "unknown-column",
                    f"the map names a column '{theirs}' that the file does not have",
                    Source(name),
                    hint=nearest(theirs, names),
                )
            )
        if ours in names and theirs != ours:
            problems.append(
                Problem("repeated-column", f"the map fills '{ours}', which the file has as well", Source(name))
            )
    if problems:
        raise InputRefused(problems)
    return {d: columns.get(d, d) for d in declared if columns.get(d, d) in names}


def _require_columns(
    names: list[str], renamed: Mapping[str, str], declared: Mapping[str, ColumnSpec], file: str
) -> None:
    missing = [spec.name for spec in declared.values() if spec.required and spec.name not in renamed]
    if not missing:
        return
    shown = ", ".join(f"'{n}'" for n in names if n != "row")
    raise InputRefused(
        Problem(
            "missing-column",
            f"the column '{column}' is missing (the file has {shown})",
            Source(file, 1),
            hint="Rename it, or say which column it is with --map FILE.yaml.",
        )
        for column in missing
    )


def read_cohort(
    path: str | Path,
    *,
    column_map: ColumnMap | None = None,
    date_format: str | None = None,
    on_error: str = "refuse",
) -> Records:
    """Read a cohort table, one row per treated site; `column_map` tells how the file names them.

    Raises InputRefused with every problem; with on_error="exclude" rows with problems are left out and listed.
    """
    return _read(read_raw(str(path)), COHORT, column_map, date_format, on_error, _check_cohort)


def read_imaging(
    path: str | Path,
    *,
    column_map: ColumnMap | None = None,
    date_format: str | None = None,
    on_error: str = "refuse",
) -> Records:
    """Read an imaging table, one row per MRI per site; as `read_cohort`."""
    return _read(read_raw(str(path)), IMAGING, column_map, date_format, on_error, _check_imaging)


def cohort_of(rows: list[dict[str, str]], date_format: str | None = None) -> Records:
    """Check and type a cohort given as texts, one mapping per site: one patient is a cohort of one."""
    return _read(texts_of(rows), COHORT, None, date_format, "refuse", _check_cohort)


def imaging_of(rows: list[dict[str, str]], date_format: str | None = None) -> Records:
    """Check and type MRIs given as texts, one mapping per MRI."""
    return _read(texts_of(rows), IMAGING, None, date_format, "refuse", _check_imaging)


_ORDER = (
    # later column, earlier column, may fall on the same day
    ("progression_date", "sbrt_date", False),
    ("death_date", "sbrt_date", False),
    ("vcf_date", "sbrt_date", False),
    ("last_clear_mri_date", "sbrt_date", True),
    ("last_followup_date", "sbrt_date", True),
    ("progression_date", "last_clear_mri_date", True),
    ("last_followup_date", "progression_date", True),
    ("last_followup_date", "last_clear_mri_date", True),
    ("death_date", "progression_date", True),
    ("death_date", "last_clear_mri_date", True),
    ("death_date", "last_followup_date", True),
    ("death_date", "last_contact_date", True),
    ("death_date", "vcf_date", True),
    ("booked_date", "sbrt_date", False),
    ("last_contact_date", "sbrt_date", True),
)


def _check_cohort(frame: pd.DataFrame, found: _Findings) -> None:
    """Refuse what cannot have happened, and fill the declared default of `site_id`."""
    rows = frame["row"].to_numpy()
    default = frame["level"].where(frame["level"].notna(), "1")
    frame["site_id"] = frame["site_id"].where(frame["site_id"].notna(), default)
    for later, earlier, same_day in _ORDER:
        bad = frame[later] < frame[earlier] if same_day else frame[later] <= frame[earlier]
        word = "before" if same_day else "on or before"
        found.add("impossible-dates", later, f"lies {word} {earlier}", rows[bad.to_numpy()])
    if frame["last_clear_mri_date"].notna().any():
        after = frame["last_clear_mri_date"] > frame["progression_date"]
        found.add("impossible-dates", "last_clear_mri_date", "lies after progression_date", rows[after.to_numpy()])
    undated = frame["stop_reason"].notna() & frame["last_contact_date"].isna()
    found.add("missing-value", "last_contact_date", "a stop_reason needs its date here", rows[undated.to_numpy()])
    unplaced = frame["progression_site"].notna() & frame["progression_date"].isna()
    found.add("missing-value", "progression_date", "a progression_site needs its date here", rows[unplaced.to_numpy()])
    keys = ["patient_id", "site_id", "sbrt_date"]
    if frame["death_date"].notna().any():
        deaths = frame.groupby("patient_id", observed=True)["death_date"].transform("nunique") > 1
        found.add("impossible-dates", "death_date", "differs between rows of one patient", rows[deaths.to_numpy()])
        died = frame.groupby("patient_id", observed=True)["death_date"].transform("min")
        treated = frame["death_date"].isna() & (died <= frame["sbrt_date"])
        found.add(
            "impossible-dates", "sbrt_date", "lies on or after the patient's death_date", rows[treated.to_numpy()]
        )
    twice = frame.duplicated(keys, keep=False) & frame[keys].notna().all(axis=1)
    found.add("repeated-site", "site_id", "two rows for one site and course", rows[twice.to_numpy()])


def _check_imaging(frame: pd.DataFrame, found: _Findings) -> None:
    rows = frame["row"].to_numpy()
    keys = ["patient_id", "site_id", "mri_date"]
    twice = frame.duplicated(keys, keep=False) & frame[["patient_id", "mri_date"]].notna().all(axis=1)
    found.add("repeated-scan", "mri_date", "two rows for one site and MRI", rows[twice.to_numpy()])
