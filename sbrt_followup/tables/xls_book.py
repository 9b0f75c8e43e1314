"""The old .xls: values, formats, errors and hidden sheets by xlrd; formulas without a stored value by their own records."""

from __future__ import annotations

import io
import struct
from typing import Any

from .layout import Fault, refused
from .sheet_marks import Book, Marks, Place, check_extent, padded, padding

_FORMULA, _BOUND_SHEET, _END = 0x0006, 0x0085, 0x000A
_NOT_CALCULATED = 0x0002
"""A flag that spreadsheet programs leave out and report generators set: the result is still to be worked out."""
_NO_RESULT = 0xFFFF000000000003
"""An empty result; in this old format it cannot be told from one that was never worked out."""


def xls_book(data: bytes, file: str) -> Book:
    """Open an .xls; raises InputRefused where it is damaged or locked."""
    try:
        import xlrd
    except ImportError:
        hint = "pip install 'sbrt-followup[excel]', or save the file as .xlsx."
        raise refused("needs-extra", "reading an .xls needs xlrd", file, hint) from None
    try:
        book = xlrd.open_workbook(file_contents=data, formatting_info=True, logfile=io.StringIO(), ragged_rows=True)
    except xlrd.XLRDError as error:
        if "encrypted" in str(error):
            raise refused("locked", "the workbook is protected by a password", file, "Save it without one.") from None
        raise _damaged(file) from None
    except Exception:
        raise _damaged(file) from None
    shown = tuple((name, book.sheet_by_index(i).visibility == 0) for i, name in enumerate(book.sheet_names()))
    pending = _uncalculated(data, file)
    return Book(
        shown,
        lambda name: _rows(book, name, file),
        lambda name: _marks(book, name, pending[list(book.sheet_names()).index(name)] if pending else {}),
    )


def _damaged(file: str) -> Exception:
    return refused("not-a-workbook", "not readable as a workbook", file, "Open it and save it again.")


def _rows(book: Any, name: str, file: str) -> list[list[Any]]:
    import xlrd

    sheet = book.sheet_by_name(name)
    check_extent(sheet.nrows, sheet.ncols, file)
    rows = []
    for r in range(sheet.nrows):
        cells: list[Any] = []
        for cell in sheet.row(r):
            if cell.ctype == xlrd.XL_CELL_DATE:
                cells.append(_date(cell.value, book.datemode))
            elif cell.ctype == xlrd.XL_CELL_BOOLEAN:
                cells.append(bool(cell.value))
            elif cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK, xlrd.XL_CELL_ERROR):
                cells.append(None)
            else:
                cells.append(cell.value)
        rows.append(cells + [None] * (sheet.ncols - len(cells)))
    return rows


def _date(value: float, datemode: int) -> Any:
    import xlrd

    try:
        return xlrd.xldate_as_datetime(value, datemode) if value >= 1 else value
    except (ValueError, OverflowError, xlrd.XLDateError):
        return value


def _marks(book: Any, name: str, pending: dict[Place, Fault]) -> Marks:
    import xlrd

    sheet = book.sheet_by_name(name)
    faults, texts = dict(pending), dict[Place, str]()
    digits = {}
    for index, xf in enumerate(book.xf_list):
        known = book.format_map.get(xf.format_key)
        digits[index] = padding(known.format_str) if known is not None else 0
    for r in range(sheet.nrows):
        for c, cell in enumerate(sheet.row(r)):
            if cell.ctype == xlrd.XL_CELL_ERROR:
                faults[r, c] = Fault.ERROR
            elif cell.ctype == xlrd.XL_CELL_NUMBER and digits.get(cell.xf_index, 0):
                shown = padded(cell.value, digits[cell.xf_index])
                if shown is not None:
                    texts[r, c] = shown
    return Marks(faults, texts, epoch_1904=bool(book.datemode))


def _uncalculated(data: bytes, file: str) -> list[dict[Place, Fault]]:
    """Find, sheet by sheet, formulas whose result was never worked out (flagged so, or empty)."""
    import xlrd

    try:
        mem, base, length = _stream(xlrd, data)
        starts = [
            struct.unpack_from("<I", mem, at)[0]
            for kind, at, _ in _records(mem, base, base + length)
            if kind == _BOUND_SHEET
        ]
        found = []
        for start in starts:
            pending: dict[Place, Fault] = {}
            for kind, at, size in _records(mem, base + start, base + length):
                if kind == _FORMULA and size >= 16:
                    row, column, _, result, flags = struct.unpack_from("<HHHQH", mem, at)
                    if result == _NO_RESULT or (flags & _NOT_CALCULATED and result == 0):
                        pending[row, column] = Fault.FORMULA
            found.append(pending)
    except Exception:
        raise _damaged(file) from None
    return found


def _stream(xlrd: Any, data: bytes) -> tuple[Any, int, int]:
    """Give the workbook stream inside the file's container."""
    book = xlrd.book.Book()
    book.biff2_8_load(file_contents=data, logfile=io.StringIO(), use_mmap=False)
    return book.mem, book.base, book.stream_len


def _records(mem: Any, start: int, stop: int) -> Any:
    """Walk over the records of one substream: kind, place and size of each."""
    at = start
    while at + 4 <= stop:
        kind, size = struct.unpack_from("<HH", mem, at)
        yield kind, at + 4, size
        if kind == _END:
            return
        at += 4 + size
