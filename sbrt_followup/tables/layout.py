"""Where the table lies in a user's file, and what every reader hands on: texts and cells by column, with row numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..problems import InputRefused, Problem, Source

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

MOST_COLUMNS = 16_384
"""As many as a sheet of a workbook has."""


class Fault(Enum):
    """A cell that holds no value although something stands in it."""

    FORMULA = "formula-without-value"
    ERROR = "error-cell"
    LONG_ID = "long-number"


FAULTS: Mapping[Fault, tuple[str, str]] = {
    Fault.FORMULA: ("a formula without a stored value", "Open the file in a spreadsheet program and save it."),
    Fault.ERROR: ("an error of the spreadsheet, not a value", "Mend the formula or empty the cell."),
    Fault.LONG_ID: (
        "a number of more than 15 digits, of which a spreadsheet keeps 15",
        "Format the column as text and enter the numbers again.",
    ),
}


@dataclass(frozen=True)
class Layout:
    """Where a table lies in its file, as the user's map says; the default is found by the column names."""

    sheet: str = ""
    header_row: tuple[int, ...] = ()
    """Rows that hold the names; several are joined, word by word. Empty: the first row that holds our names."""
    skip_rows: tuple[int | str, ...] = ()
    """Row numbers, or the words that the first filled cell of a row begins with."""
    unnamed: str = "refuse"
    """What to do with cells under no column name: refuse, or ignore (remarks beside the table)."""
    encoding: str = ""
    separator: str = ""


@dataclass(frozen=True)
class Wanted:
    """The names by which a reader recognises the header row: the user's names of our columns."""

    required: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Raw:
    """A table as read: column `row` (number in the file), then texts, or values where the file stores values."""

    frame: pd.DataFrame
    content_hash: str
    name: str
    """The file's name (and the sheet's) for problems."""
    notes: tuple[str, ...] = ()
    epoch_1904: bool = False
    layout: Layout = field(default_factory=Layout)
    """Where the table was found."""
    sheets: tuple[str, ...] = ()


def refused(code: str, message: str, file: str, hint: str = "", line: int = 0) -> InputRefused:
    """Build the refusal of a whole file."""
    return InputRefused([Problem(code, message, Source(file, line), hint=hint)])


def is_blank(cell: Any) -> bool:
    """Tell whether nothing stands in a cell."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def skipped_rows(frame: pd.DataFrame, layout: Layout) -> npt.NDArray[np.bool_]:
    """Tell which rows the map leaves out: by number, or by the words their first filled cell begins with."""
    import numpy as np

    out = np.zeros(len(frame), dtype=bool)
    if not layout.skip_rows:
        return out
    numbers = [skip for skip in layout.skip_rows if isinstance(skip, int)]
    words = tuple(skip.casefold() for skip in layout.skip_rows if isinstance(skip, str))
    out |= np.isin(frame["row"].to_numpy(), numbers)
    if words:
        out |= np.array([text.casefold().startswith(words) for text in first_filled(frame)], dtype=bool)
    return out


def first_filled(frame: pd.DataFrame) -> list[str]:
    """Give each row's first filled cell, as text."""
    columns = [frame[name].astype(object).tolist() for name in frame.columns[1:]]
    return [
        next((str(cell).strip() for cell in row if not is_blank(cell) and cell == cell), "")
        for row in zip(*columns, strict=True)
    ]
