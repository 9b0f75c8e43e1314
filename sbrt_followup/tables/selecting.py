"""Which rows of a file are this table's: skipped rows, `where:` for files that hold several tables, rows of the patient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..problems import InputRefused, Problem, Source, nearest
from .cells import typed
from .columns import COHORT, IMAGING
from .header import shown_name
from .layout import Raw, skipped_rows
from .mapping import TableMap, fold
from .row_problems import RowProblems, rows_named

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Flags = npt.NDArray[np.bool_]


def selected(
    raw: Raw, how: TableMap, theirs: Mapping[str, str]
) -> tuple[pd.DataFrame, tuple[tuple[int, str], ...], tuple[str, ...]]:
    """Give the table's own rows, the rows left out by the map (number, reason), and notes.

    Raises InputRefused where `skip_rows` names a row that looks like a patient's.
    """
    frame = raw.frame
    skip = skipped_rows(frame, how.layout)
    _check_skipped(frame, skip, raw, how, theirs)
    reason = "left out by skip_rows of the map"
    gone = tuple((int(row), reason) for row in frame["row"].to_numpy()[skip])
    if skip.any():
        frame = frame.loc[~skip].reset_index(drop=True)
    if not how.where:
        return frame, gone, ()
    own = _holding(frame, how.where, raw.name)
    table = frame.loc[own].reset_index(drop=True)
    notes = [f"{raw.name}: {len(table)} rows are this table's, {int((~own).sum())} are not (`where:` of the map)"]
    if how.patient_rows:
        table = _filled(table, frame.loc[_holding(frame, how.patient_rows, raw.name)], theirs)
    return table, gone, tuple(notes)


def _check_skipped(frame: pd.DataFrame, skip: Flags, raw: Raw, how: TableMap, theirs: Mapping[str, str]) -> None:
    """A skipped row with an id and a date would be a patient lost without a word."""
    dates = [spec for spec in (*COHORT, *IMAGING) if spec.required and spec.kind == "date" and spec.name in theirs]
    if not skip.any() or "patient_id" not in theirs or not dates:
        return
    # A word names a kind of row on purpose; a number is right for one file only.
    skip = skip & frame["row"].isin([n for n in how.layout.skip_rows if isinstance(n, int)]).to_numpy()
    rows = frame.loc[skip & frame[theirs["patient_id"]].notna().to_numpy()]
    numbers = rows["row"].to_numpy(dtype="int64")
    aside = RowProblems(raw.name)
    days, _ = typed(rows[theirs[dates[0].name]], dates[0], numbers, aside, how, epoch_1904=raw.epoch_1904)
    patients = numbers[days == days]
    if len(patients):
        hint = "Correct skip_rows in the map."
        message = f"{rows_named(patients.tolist())}: an id and a date, and the map leaves it out"
        raise InputRefused(
            [Problem("skips-a-patient", message, Source(raw.name), hint=hint, rows=tuple(patients.tolist()))]
        )


def _holding(frame: pd.DataFrame, where: Mapping[str, tuple[str, ...]], file: str) -> Flags:
    """Tell which rows hold, in each named column, one of the values."""
    import numpy as np

    absent = [column for column in where if column not in frame.columns]
    if absent:
        raise InputRefused(
            Problem(
                "unknown-column",
                f"the map's `where` names a column '{shown_name(column)}' that the file does not have",
                Source(file),
                hint=nearest(column, [str(name) for name in frame.columns[1:]]),
            )
            for column in absent
        )
    held = np.ones(len(frame), dtype=bool)
    for column, values in where.items():
        allowed = {fold(value) for value in values}
        cells = frame[column].astype(object)
        texts = cells.where(cells.notna(), "").map(
            lambda cell: fold(str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell))
        )
        held &= texts.isin(allowed).to_numpy()
    return held


def _filled(table: pd.DataFrame, patient: pd.DataFrame, theirs: Mapping[str, str]) -> pd.DataFrame:
    """Fill empty cells of our columns from the rows that hold what is the patient's."""
    key = theirs.get("patient_id", "")
    if key not in table.columns:
        return table
    first = patient.drop_duplicates(key).set_index(key)
    table = table.copy()
    for column in theirs.values():
        if column != key:
            table[column] = (
                table[column].astype(object).where(table[column].notna(), table[key].map(first[column].astype(object)))
            )
    return table
