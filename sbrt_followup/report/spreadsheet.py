"""A result as an Excel workbook: the rows on one sheet, what they rest on on another.

Dates are real dates, status is a word before it is a colour, and a text that Excel would run as a formula is kept text.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..problems import refuse
from .console import SYMBOLS
from .files import escape

if TYPE_CHECKING:
    import pandas as pd

FILLS = {
    "overdue": "F8CBAD",
    "due": "FFE699",
    "booked": "BDD7EE",
    "done": "C6E0B4",
    "missed": "E4C6F0",
    "stopped": "D9D9D9",
}
WIDEST = 60
MOST_ROWS = 1_048_575
SAMPLED = 500


def workbook(frame: pd.DataFrame, manifest: Mapping[str, Any], notes: Sequence[str]) -> bytes:
    """Give the workbook; needs the extra `excel`."""
    try:
        from openpyxl import Workbook
        from openpyxl.styles import Font, PatternFill
        from openpyxl.utils import get_column_letter
    except ImportError:
        raise refuse(
            "needs-extra", "a workbook needs the package openpyxl", hint="pip install 'sbrt-followup[excel]'"
        ) from None
    if len(frame) > MOST_ROWS:
        raise refuse("too-many-rows", f"an Excel sheet holds {MOST_ROWS} rows", hint="Write CSV or Parquet.")
    book = Workbook()
    sheet = book.active
    sheet.title = "Rows"
    names = [str(name) for name in frame.columns]
    sheet.append(names)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    fills = {status: PatternFill("solid", fgColor=colour) for status, colour in FILLS.items()}
    columns = [frame[name].tolist() for name in frame.columns]
    place = names.index("status") if "status" in names else -1
    for number, cells in enumerate(zip(*columns, strict=True), 2):
        for column, cell in enumerate(cells, 1):
            value = _value(cell)
            target = sheet.cell(number, column)
            if column - 1 == place and isinstance(value, str):
                target.value = f"{SYMBOLS.get(value, '')} {value}".strip()
                if value in fills:
                    target.fill = fills[value]
            else:
                target.value = value
                if hasattr(value, "year"):
                    target.number_format = "yyyy-mm-dd"
    sheet.freeze_panes = "A2"
    if len(frame):
        sheet.auto_filter.ref = sheet.dimensions
    for column, (name, listed) in enumerate(zip(names, columns, strict=True), 1):
        longest = max([len(name), *(len(_shown(c)) for c in listed[:SAMPLED])])
        sheet.column_dimensions[get_column_letter(column)].width = min(longest + 2, WIDEST)
    _about(book.create_sheet("About"), manifest, notes)
    # The same input gives the same file: no clock in its properties.
    from datetime import datetime

    stamp = datetime.fromisoformat(str(manifest.get("as_of") or "2000-01-01"))
    book.properties.created = book.properties.modified = stamp
    book.properties.creator = "sbrt-followup"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _value(cell: Any) -> Any:
    """Give one cell as Excel keeps it: dates, numbers, safe texts, nothing."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType") or cell != cell:
        return None
    if hasattr(cell, "to_pydatetime"):
        return cell.to_pydatetime().date()
    return escape(cell) if isinstance(cell, str) else cell


def _shown(cell: Any) -> str:
    value = _value(cell)
    return "" if value is None else str(value)


def _about(sheet: Any, manifest: Mapping[str, Any], notes: Sequence[str]) -> None:
    """Write what the rows rest on."""
    rows: list[tuple[str, str]] = [("note", escape(note)) for note in notes]
    for name, value in manifest.items():
        if isinstance(value, list):
            rows += [(name, "; ".join(f"{k}: {v}" for k, v in item.items())) for item in value]
        elif isinstance(value, Mapping):
            rows += [(name, f"{k}: {v}") for k, v in value.items()]
        else:
            rows.append((name, str(value)))
    for name, text in rows:
        sheet.append([escape(name), escape(text)])
    sheet.column_dimensions["A"].width = 16
    sheet.column_dimensions["B"].width = 110
