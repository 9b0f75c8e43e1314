"""A result as an Excel workbook: the rows on one sheet, what they rest on on another.

Dates are real dates, status is a word and a symbol before it is a colour, and a text that Excel would run as a formula
is kept text. The file holds no clock: the same input gives the same bytes.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from ..problems import refuse
from .console import SYMBOLS

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
HEADER_FILL = "EDEDED"
WIDEST = 60
MOST_ROWS = 1_048_575
LONGEST = 32_767  # characters of a cell; Excel cuts what is longer
SAMPLED = 500
# Control characters that XML cannot hold; a cell keeps its place and shows that something stood there.
ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def workbook(frame: pd.DataFrame, manifest: Mapping[str, Any], notes: Sequence[str]) -> bytes:
    """Give the workbook; needs the extra `excel`."""
    try:
        from openpyxl import Workbook
        from openpyxl.styles import Alignment, Font, PatternFill
        from openpyxl.utils import get_column_letter
    except ImportError:
        raise refuse(
            "needs-extra", "a workbook needs the package openpyxl", hint="pip install 'sbrt-followup[excel]'"
        ) from None
    if len(frame) > MOST_ROWS:
        raise refuse("too-many-rows", f"an Excel sheet holds {MOST_ROWS} rows", hint="Write CSV or Parquet.")
    names = [str(name) for name in frame.columns]
    columns = [[_value(cell, name) for cell in frame.iloc[:, i].tolist()] for i, name in enumerate(names)]
    # Rows go straight into the file: a sheet of a million rows is never held as cells.
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Rows")
    sheet.freeze_panes = "B2" if names[:1] == ["patient_id"] else "A2"
    for number, (name, cells) in enumerate(zip(names, columns, strict=True), 1):
        longest = max([len(name), *(len(str(c)) for c in cells[:SAMPLED] if c is not None)])
        sheet.column_dimensions[get_column_letter(number)].width = min(longest + 4, WIDEST)
    if len(frame):
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(names))}{len(frame) + 1}"
    _for_print(sheet)
    bold = {"font": Font(bold=True), "fill": PatternFill("solid", fgColor=HEADER_FILL)}
    sheet.append([_cell(sheet, _text(name, name), **bold) for name in names])
    fills = {status: PatternFill("solid", fgColor=colour) for status, colour in FILLS.items()}
    place = names.index("status") if "status" in names else None
    for row in zip(*columns, strict=True):
        written = [_cell(sheet, value) if _reads_otherwise(value) else value for value in row]
        if place is not None and isinstance(row[place], str):
            status = row[place]
            told = f"{SYMBOLS.get(status, '')} {status}".strip()
            written[place] = _cell(sheet, told, **({"fill": fills[status]} if status in fills else {}))
        sheet.append(written)
    about = book.create_sheet("About")
    about.column_dimensions["A"].width, about.column_dimensions["B"].width = 16, 110
    _for_print(about)
    for name, text in _about(manifest, [*notes, *_replaced(frame)]):
        wrapped = {"alignment": Alignment(wrap_text=True, vertical="top")}
        about.append([_cell(about, name, **wrapped), _cell(about, text, **wrapped)])
    _left_out(book, manifest, bold)
    book.properties.creator = "sbrt-followup"
    day = datetime.fromisoformat(str(manifest.get("as_of") or "2000-01-01"))
    book.properties.created = day
    buffer = io.BytesIO()
    book.save(buffer)
    return _without_clock(buffer.getvalue(), day)


def _left_out(book: Any, manifest: Mapping[str, Any], bold: Mapping[str, Any]) -> None:
    """List every row that was not used on a sheet of its own; a cell of the other sheet could not hold them."""
    lines = [
        (str(entry.get("role", "")), line["row"], line["reason"])
        for entry in manifest.get("inputs", ())
        for line in entry.get("excluded", ())
    ]
    if not lines:
        return
    sheet = book.create_sheet("Left out")
    sheet.freeze_panes = "A2"
    sheet.column_dimensions["A"].width, sheet.column_dimensions["C"].width = 12, 90
    _for_print(sheet)
    sheet.append([_cell(sheet, name, **bold) for name in ("table", "row", "reason")])
    for role, row, reason in lines:
        sheet.append([_cell(sheet, role), row, _cell(sheet, _text(str(reason), "reason"))])


def _value(cell: Any, column: str) -> Any:
    """Give one cell as Excel keeps it: dates, numbers, safe texts, nothing."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(cell, "to_pydatetime"):
        return cell.to_pydatetime().date()
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    if isinstance(cell, bool | int | date):
        return cell
    return _text(str(cell), column)


def _text(text: str, column: str) -> str:
    if len(text) >= LONGEST:
        # The column's name is the user's own; no cell is quoted.
        raise refuse("cell-too-long", f"a cell of column {column[:40]} is longer than Excel can hold", hint="Write CSV or Parquet.")  # fmt: skip
    return ILLEGAL.sub("\ufffd", text)


def _cell(sheet: Any, value: Any, **style: Any) -> Any:
    """Make a cell whose text stays text, whatever it looks like."""
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        cell.data_type = "s"
    for name, setting in style.items():
        setattr(cell, name, setting)
    return cell


def _reads_otherwise(value: Any) -> bool:
    """Whether the library would write a text as a formula or as one of Excel's errors, such as #N/A."""
    return isinstance(value, str) and value.startswith(("=", "#"))


def _for_print(sheet: Any) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = _fit_to_page()
    sheet.print_title_rows = "1:1"
    sheet.oddFooter.center.text = "Page &P of &N"


def _fit_to_page() -> Any:
    from openpyxl.worksheet.properties import PageSetupProperties

    return PageSetupProperties(fitToPage=True)


def _replaced(frame: pd.DataFrame) -> list[str]:
    """Say how many cells hold characters that a workbook cannot hold."""
    count = 0
    for i in range(frame.shape[1]):
        count += sum(1 for cell in frame.iloc[:, i].tolist() if isinstance(cell, str) and ILLEGAL.search(cell))
    return [f"{count} cell(s) hold control characters, shown as \ufffd; CSV keeps them."] if count else []


def _about(manifest: Mapping[str, Any], notes: Sequence[str]) -> list[tuple[str, str]]:
    """List what the rows rest on."""
    rows = [("note", note) for note in notes]
    for name, value in manifest.items():
        if isinstance(value, list):
            # Rows that were left out stand on their own sheet.
            rows += [(name, "; ".join(f"{k}: {v}" for k, v in item.items() if k != "excluded")) for item in value]
        elif isinstance(value, Mapping):
            rows += [(name, f"{k}: {v}") for k, v in value.items()]
        else:
            rows.append((name, str(value)))
    return [(_text(name, "name"), _text(text[: LONGEST - 2], name)) for name, text in rows]


def _without_clock(data: bytes, day: datetime) -> bytes:
    """Write the archive anew with one fixed time: the library stamps its files with the clock."""
    stamp = f"{day:%Y-%m-%dT%H:%M:%S}Z".encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, content)
            new.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
