"""A user's table → checked, typed records; every row is used, or listed with why not.

A row is named by its number in the file. Problems name file, sheet, row and column, never a value. What happens to a row
with a problem is the caller's choice: `refuse` the file, `exclude` the row, or `keep` it with the cell unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..problems import InputRefused, Problem, Source, nearest
from .cells import nothing, own_texts, typed
from .checks import Check, check_cohort, check_imaging
from .columns import COHORT, IMAGING, ColumnSpec
from .dates import DateStyle, style_of
from .guards import check_names, meant
from .header import shown_name, shown_names
from .intake import read_raw, texts_of
from .layout import Raw, Wanted
from .left_out import VITAL, carry_stops, left_out, nobody, rows_of
from .mapping import ColumnMap, TableMap
from .row_problems import Kind, RowProblems
from .selecting import selected

if TYPE_CHECKING:
    import pandas as pd

ON_ERROR = ("refuse", "exclude", "keep")
IDENTIFYING = ("patient_id", "site_id", "sbrt_date", "mri_date")
"""Columns without which a row means nothing: their cells are never taken as unknown."""
_VITAL_CODES = frozenset(
    {"not-a-date", "two-dates", "not-allowed", "no-day", "formula-without-value", "error-cell", "impossible-dates"}
)


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
    cautions: tuple[Problem, ...] = ()
    """Cells taken as unknown, by kind."""
    notes: tuple[str, ...] = ()
    """What a reader must know of how the file was read."""
    left_out: pd.DataFrame | None = None
    """Patients of whom no row is used: `left_out.COLUMNS`; none for an imaging table."""
    months: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Column → rows whose date is the first day of a month of which no more is known."""
    name: str = ""
    """The file's name, and the sheet's, for problems."""
    theirs: Mapping[str, str] = field(default_factory=dict)
    """Our column → how the file calls it."""


@dataclass(frozen=True)
class Reader:
    """How a caller wants a table read; the default refuses whatever is wrong."""

    how: TableMap = field(default_factory=TableMap)
    date_format: DateStyle | None = None
    on_error: str = "refuse"
    unasked: frozenset[str] = frozenset()
    """Facts that no rule of this question asks: a cell that cannot be used is unknown, and never stops the work."""


@dataclass(frozen=True)
class _Table:
    """What is declared of one of the two tables."""

    specs: tuple[ColumnSpec, ...]
    check: Check


_COHORT, _IMAGING = _Table(COHORT, check_cohort), _Table(IMAGING, check_imaging)
_ALL_NAMES = tuple(dict.fromkeys(spec.name for spec in (*COHORT, *IMAGING)))


def read_cohort(
    path: str | Path,
    *,
    column_map: TableMap | None = None,
    date_format: str | None = None,
    on_error: str = "refuse",
    unasked: frozenset[str] = frozenset(),
) -> Records:
    """Read a cohort table, one row per treated site; `column_map` tells how the file names and writes things.

    Raises InputRefused with every problem; with on_error="exclude" rows with problems are left out and listed, with
    "keep" the cell is unknown.
    """
    return _read_file(path, _COHORT, _reader(column_map, date_format, on_error, unasked))


def read_imaging(
    path: str | Path,
    *,
    column_map: TableMap | None = None,
    date_format: str | None = None,
    on_error: str = "refuse",
    unasked: frozenset[str] = frozenset(),
) -> Records:
    """Read an imaging table, one row per MRI per site; as `read_cohort`."""
    return _read_file(path, _IMAGING, _reader(column_map, date_format, on_error, unasked))


def cohort_of(rows: list[dict[str, str]], date_format: str | None = None) -> Records:
    """Check and type a cohort given as texts, one mapping per site: one patient is a cohort of one."""
    return _read(texts_of(rows), _COHORT, _reader(None, date_format, "refuse", frozenset()))


def imaging_of(rows: list[dict[str, str]], date_format: str | None = None) -> Records:
    """Check and type MRIs given as texts, one mapping per MRI."""
    return _read(texts_of(rows), _IMAGING, _reader(None, date_format, "refuse", frozenset()))


def _reader(how: TableMap | None, date_format: str | None, on_error: str, unasked: frozenset[str]) -> Reader:
    style = None if date_format is None else style_of(date_format)
    return Reader(how or TableMap(), style, on_error, unasked)


def wanted_names(specs: tuple[ColumnSpec, ...], how: TableMap) -> Wanted:
    """Say by which names a table's header is known: the user's names of our columns."""
    theirs = {spec.name: how.columns.get(spec.name, spec.name) for spec in specs}
    required = frozenset(theirs[spec.name] for spec in specs if spec.required)
    return Wanted(required, frozenset(theirs.values()))


def _read_file(path: str | Path, table: _Table, reader: Reader) -> Records:
    return _read(read_raw(str(path), reader.how.layout, wanted_names(table.specs, reader.how)), table, reader)


def _read(raw: Raw, table: _Table, reader: Reader) -> Records:
    how = reader.how
    theirs = _renamed(raw, how, table.specs)
    cells, skipped, notes = selected(raw, how, theirs)
    found = RowProblems(raw.name, theirs)
    frame, months, own_notes = _typed(cells, raw, table, reader, theirs, found)
    table.check(frame, found, months)
    extra = tuple(_own_name(str(c), table.specs) for c in cells.columns if c != "row" and c not in theirs.values())
    kept, out, reasons, cautions = _settled(frame, found, reader)
    everybody_listed = left_out(kept, out, reasons) if table is _COHORT and len(out) else nobody()
    if table is _COHORT and len(out):
        kept = carry_stops(kept, out)
    excluded = sorted([*skipped, *reasons.items()])
    return Records(
        kept,
        tuple(Exclusion(row, reason) for row, reason in excluded),
        extra,
        raw.content_hash,
        frozenset(theirs),
        tuple(cautions),
        (*raw.notes, *notes, *own_notes),
        everybody_listed if table is _COHORT else None,
        {column: frozenset(rows.tolist()) for column, rows in months.items()},
        raw.name,
        theirs,
    )


def _typed(
    cells: pd.DataFrame, raw: Raw, table: _Table, reader: Reader, theirs: Mapping[str, str], found: RowProblems
) -> tuple[pd.DataFrame, dict[str, Any], list[str]]:
    """Type every declared column, and the user's own as texts."""
    import pandas as pd

    rows = cells["row"].to_numpy(dtype="int64")
    columns: dict[str, Any] = {"row": rows}
    months: dict[str, Any] = {}
    notes: list[str] = []
    for spec in table.specs:
        name = theirs.get(spec.name)
        if name is None:
            columns[spec.name] = nothing(spec, len(cells))
            continue
        values, monthly = typed(cells[name], spec, rows, found, reader.how, reader.date_format, raw.epoch_1904)
        columns[spec.name] = values
        if len(monthly):
            months[spec.name] = monthly
    for name in cells.columns[1:]:
        if name not in theirs.values():
            columns[_own_name(str(name), table.specs)], faulty = own_texts(cells[name])
            if faulty:
                message = f"column '{shown_name(str(name))}' holds {faulty} formula(s) without a value; left empty"
                notes.append(f"{raw.name}: {message}")
    return pd.DataFrame(columns), months, notes


def _own_name(name: str, specs: tuple[ColumnSpec, ...]) -> str:
    """Name a column of the user's own, apart from ours of the same name that the map fills from another one."""
    return f"{name} (own)" if any(name == spec.name for spec in specs) else name


def _settled(
    frame: pd.DataFrame, found: RowProblems, reader: Reader
) -> tuple[pd.DataFrame, pd.DataFrame, dict[int, str], list[Problem]]:
    """Decide what becomes of each row with a problem: the kept rows, those left out, why, and cells taken as unknown."""
    unknown = [kind for kind in found.kinds if kind.column in reader.unasked]
    strict = [kind for kind in found.kinds if kind not in unknown]
    if reader.on_error == "keep":
        unknown += [kind for kind in strict if not _leaves_out(kind)]
        strict = [kind for kind in strict if _leaves_out(kind)]
    elif strict and reader.on_error == "refuse":
        raise InputRefused(found.problems(strict))
    reasons = found.reasons(strict)
    gone = frame["row"].isin(list(reasons))
    # A death or a stop that cannot be read: nobody may be called as if nothing stood there.
    vital = {row for kind in strict if kind.column in VITAL and kind.code in _VITAL_CODES for row in found.kinds[kind]}
    if vital:
        everywhere = rows_of(frame, vital)
        message = "a death or stop of this patient, in another row, cannot be read"
        reasons |= {int(row): message for row in frame.loc[everywhere & ~gone, "row"]}
        gone |= everywhere
    cautions = [found.caution(kind) for kind in unknown]
    frame = _without(frame, found, unknown)
    if not gone.any():
        return frame, frame.iloc[:0], {}, cautions
    return frame.loc[~gone].reset_index(drop=True), frame.loc[gone], dict(sorted(reasons.items())), cautions


def _leaves_out(kind: Kind) -> bool:
    return kind.column in IDENTIFYING or kind.column in VITAL or kind.code in ("repeated-site", "repeated-scan")


def _without(frame: pd.DataFrame, found: RowProblems, kinds: list[Kind]) -> pd.DataFrame:
    """Empty the cells that are taken as unknown."""
    for kind in kinds:
        frame[kind.column] = frame[kind.column].mask(frame["row"].isin(found.kinds[kind]))
    return frame


def _renamed(raw: Raw, how: TableMap, specs: tuple[ColumnSpec, ...]) -> dict[str, str]:
    """Say which of the user's columns holds which declared one; refuses what a map names and the file lacks."""
    names = [str(c) for c in raw.frame.columns if c != "row"]
    place = Source(raw.name)
    declared = [spec.name for spec in specs]
    problems: list[Problem] = []
    columns = how.columns if not how.old else _of_this_file(how.columns, names, specs)
    for ours, their in columns.items():
        if their not in names:
            message = f"the map names a column '{shown_name(their)}' that the file does not have"
            problems.append(Problem("unknown-column", message, place, hint=nearest(their, names)))
        if ours in names and their != ours and ours not in how.own:
            message = f"the map fills '{ours}', which the file has as well"
            problems.append(Problem("repeated-column", message, place, hint=f"Add `own: [{ours}]` to the map."))
    theirs = {
        d: how.columns.get(d, d)
        for d in declared
        if how.columns.get(d, d) in names and (d in how.columns or d not in how.own)
    }
    for what, listed in (("values", how.values), ("dates", how.dates)):
        problems += [
            Problem(
                "unknown-column",
                f"the map gives {what} for '{ours}', which the file does not have",
                place,
                hint=f"Say which column it is: `columns: {{{ours}: …}}`.",
            )
            for ours in listed
            if ours not in theirs
        ]
    if problems:
        raise InputRefused(problems)
    _require(names, theirs, specs, raw.name)
    extra = [name for name in names if name not in theirs.values()]
    free = [our for our in _ALL_NAMES if our not in theirs or our not in declared]
    check_names(extra, [our for our in free if our not in extra], how.own, raw.name)
    return theirs


def _of_this_file(columns: Mapping[str, str], names: list[str], specs: tuple[ColumnSpec, ...]) -> dict[str, str]:
    """An old map serves both tables: what the cohort has too may be called otherwise in the imaging table."""
    shared = {spec.name for spec in COHORT} & {spec.name for spec in IMAGING} if specs is IMAGING else set()
    return {ours: their for ours, their in columns.items() if not (ours in shared and their not in names)}


def _require(names: list[str], theirs: Mapping[str, str], specs: tuple[ColumnSpec, ...], file: str) -> None:
    missing = [spec.name for spec in specs if spec.required and spec.name not in theirs]
    if not missing:
        return
    ours = {spec.name for spec in specs}
    # The names may be a patient's where none of ours stands among them.
    shown = f" (the file has {shown_names(names)})" if theirs or any(meant(name, ours) for name in names) else ""
    raise InputRefused(
        Problem(
            "missing-column",
            f"the column '{column}' is missing{shown}",
            Source(file, 1),
            hint="Run `sbrt-followup map` on the file, or say which column it is with --map FILE.yaml.",
        )
        for column in missing
    )


__all__ = ["ColumnMap", "Exclusion", "Reader", "Records", "cohort_of", "imaging_of", "read_cohort", "read_imaging"]
