"""A workbook (.xlsx, .ods, .xls) → a table of cells with row numbers: one shown sheet, whole.

Cells keep what the file stores (texts, numbers, dates, flags); what holds no value although something stands in it is a
Fault, and a number that its format pads with zeros is the text that people see.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .header import SEARCHED, Header, check_unnamed, find_header, names_of, shown_names
from .layout import Layout, Wanted, is_blank, refused
from .sheet_marks import Book, Marks, open_archive

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
LARGEST_FILE = 400_000_000
_OLD = "Open it in a spreadsheet program and save it as .xlsx."


def is_workbook(data: bytes) -> bool:
    """Tell a workbook by how its bytes begin."""
    return data.startswith((ZIP, OLE))


def read_workbook(
    data: bytes, file: str, layout: Layout, wanted: Wanted
) -> tuple[pd.DataFrame, tuple[str, ...], Layout, Marks, tuple[str, ...]]:
    """Read one sheet of a workbook: the frame, notes, where the table was found, the sheet's marks, all shown sheets.

    Raises InputRefused, never with a cell's content, where no sheet or several could be meant, and for damage.
    """
    if len(data) > LARGEST_FILE:
        raise refused(
            "too-large", "larger than 400 MB, which no clinic's workbook is", file, "Save it as Parquet or CSV."
        )
    book = _opened(data, file)
    shown = tuple(name for name, visible in book.sheets if visible)
    sheet, rows, notes = _chosen(book, shown, layout, wanted, file)
    place = f"{file}, sheet {shown_names([sheet])}"
    marks = book.marks(sheet)
    header = find_header(list(enumerate(rows[: SEARCHED + 10], 1)), layout, wanted, place)
    frame = _frame(rows, header, marks, layout, place)
    found = Layout(sheet, header.rows, layout.skip_rows, layout.unnamed)
    return frame, (*notes, *header.notes), found, marks, shown


def shown_sheets(data: bytes, file: str) -> list[tuple[str, list[list[Any]]]]:
    """Give every shown sheet that holds a cell, with its rows."""
    book = _opened(data, file)
    sheets = [(name, book.rows(name)) for name, visible in book.sheets if visible]
    return [(name, rows) for name, rows in sheets if any(_filled(row) for row in rows)]


def sheet_place(file: str, layout: Layout) -> str:
    """Name a file and its sheet, for problems."""
    return f"{file}, sheet {shown_names([layout.sheet])}" if layout.sheet else file


def _opened(data: bytes, file: str) -> Book:
    if data.startswith(OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise refused("locked", "the workbook is protected by a password", file, "Save it without one.")
        from .xls_book import xls_book

        return xls_book(data, file)
    with open_archive(data, file) as archive:
        names = {part.filename.lower() for part in archive.infolist()}
    if "content.xml" in names:
        from .ods_marks import hidden_tables, ods_marks

        return _by_calamine(data, file, hidden_tables(data, file), lambda sheet: ods_marks(data, sheet, file))
    if "xl/workbook.bin" in names:
        raise refused("not-a-workbook", "a binary workbook (.xlsb) is not read", file, _OLD)
    if "xl/workbook.xml" not in names:
        raise refused("not-a-workbook", "an archive, but no workbook", file, _OLD)
    from .xlsx_marks import xlsx_marks

    return _by_calamine(data, file, frozenset(), lambda sheet: xlsx_marks(data, sheet, file))


def _by_calamine(data: bytes, file: str, hidden: frozenset[str], look: Callable[[str], Marks]) -> Book:
    """Open a workbook with calamine; no sheet is handed to it before the second look has measured it."""
    try:
        import python_calamine as calamine
    except ImportError:
        hint = "pip install 'sbrt-followup[excel]'"
        raise refused("needs-extra", "reading a workbook needs python-calamine", file, hint) from None
    book = _guarded(lambda: calamine.load_workbook(io.BytesIO(data)), file)
    sheets = tuple(
        (s.name, s.visible == calamine.SheetVisibleEnum.Visible and s.name not in hidden)
        for s in book.sheets_metadata
        if s.typ == calamine.SheetTypeEnum.WorkSheet
    )
    seen: dict[str, Marks] = {}

    def marks(sheet: str) -> Marks:
        if sheet not in seen:
            seen[sheet] = look(sheet)
        return seen[sheet]

    def rows(sheet: str) -> list[list[Any]]:
        marks(sheet)
        cells: list[list[Any]] = _guarded(lambda: book.get_sheet_by_name(sheet).to_python(skip_empty_area=False), file)
        return cells

    return Book(sheets, rows, marks)


def _guarded(read: Callable[[], Any], file: str) -> Any:
    """Turn whatever the reader throws into our words; its own panics are no Exception."""
    try:
        return read()
    except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
        raise
    except BaseException:
        raise refused("not-a-workbook", "not readable as a workbook", file, "Open it and save it again.") from None


def _chosen(
    book: Book, shown: Sequence[str], layout: Layout, wanted: Wanted, file: str
) -> tuple[str, list[list[Any]], tuple[str, ...]]:
    """Choose the sheet: the one named, the only filled one, or the only one that holds our columns."""
    if layout.sheet:
        return layout.sheet, _named_sheet(book, shown, layout.sheet, file), ()
    filled = [(name, rows) for name in shown if (rows := book.rows(name)) and any(_filled(row) for row in rows)]
    if not filled:
        raise refused("empty-file", "no sheet that is shown holds a cell", file)
    hidden = len(book.sheets) - len(shown)
    note = (f"{file}: {hidden} hidden sheet(s) not read",) if hidden else ()
    if len(filled) == 1:
        return *filled[0], note
    ours = [(name, rows) for name, rows in filled if wanted.required and _holds(rows, layout, wanted)]
    names = shown_names([name for name, _ in filled])
    if len(ours) != 1:
        what = (
            "several sheets hold our columns"
            if ours
            else "several sheets, and none holds our columns in its first rows"
        )
        hint = "Name one with --sheet, or as `sheet:` in the map."
        raise refused("which-sheet", f"{what}: {names}", file, hint)
    others = shown_names([name for name, _ in filled if name != ours[0][0]])
    return *ours[0], (f"{file}: sheet {shown_names([ours[0][0]])} is read; not read: {others}", *note)


def _named_sheet(book: Book, shown: Sequence[str], sheet: str, file: str) -> list[list[Any]]:
    if sheet not in shown:
        hint = f"The sheets are {shown_names(shown)}."
        what = "is hidden" if any(name == sheet for name, _ in book.sheets) else "does not exist"
        raise refused("unknown-sheet", f"the sheet that was named {what}", file, hint)
    rows = book.rows(sheet)
    if not any(_filled(row) for row in rows):
        raise refused("empty-file", "the sheet is empty", f"{file}, sheet {shown_names([sheet])}")
    return rows


def _filled(row: Sequence[Any]) -> bool:
    return any(not is_blank(cell) for cell in row)


def _holds(rows: Sequence[Sequence[Any]], layout: Layout, wanted: Wanted) -> bool:
    head = [names_of(row) for row in rows[:SEARCHED]]
    if layout.header_row:
        return all(number <= len(head) for number in layout.header_row)
    return any(wanted.required <= set(names) for names in head)


def _frame(rows: list[list[Any]], header: Header, marks: Marks, layout: Layout, file: str) -> pd.DataFrame:
    """Lay the rows below the header out as columns; blank rows are no rows but keep their number."""
    import numpy as np
    import pandas as pd

    top = header.rows[-1]
    body = rows[top:]
    width = max(len(rows[0]) if rows else 0, len(header.names))
    cells = [list(column) for column in zip(*body, strict=True)] if body else []
    cells += [[None] * len(body) for _ in range(width - len(cells))]
    for place, value in (*marks.texts.items(), *marks.faults.items()):
        if top <= place[0] < len(rows) and place[1] < width:
            cells[place[1]][place[0] - top] = value
    columns = [_column(column) for column in cells]
    names = [*header.names, *[""] * (width - len(header.names))]
    beside = [(i, column) for i, (name, column) in enumerate(zip(names, columns, strict=True)) if not name]
    filled = [(_letters(i), sum(cell is not None for cell in column)) for i, column in beside]
    check_unnamed([(letters, count) for letters, count in filled if count], top, layout, file)
    named = {name: column for name, column in zip(names, columns, strict=True) if name}
    blank = np.arange(len(body))
    for column in named.values():
        blank = blank[np.array([cell is None for cell in column[blank]], dtype=bool)]
    frame = pd.DataFrame({"row": np.arange(top + 1, top + 1 + len(body)), **named})
    return frame.drop(index=blank.tolist()).reset_index(drop=True) if len(blank) else frame


def _column(cells: list[Any]) -> npt.NDArray[np.object_]:
    """Lay one column out; empty and blank texts become None."""
    import numpy as np

    blank = {cell for cell in set(cells) if type(cell) is str and not cell.strip()}
    kept = (None if cell in blank else cell for cell in cells) if blank else cells
    return np.fromiter(kept, dtype=object, count=len(cells))


def _letters(column: int) -> str:
    """Name a column as a spreadsheet does: A, B, … AA."""
    name, number = "", column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name
