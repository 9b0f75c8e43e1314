"""The second look at an .xlsx: the value reader says nothing of formulas without a stored value, errors and number formats.

The sheet's XML is searched for what only few sheets hold; where such a thing stands, it is walked through cell by cell.
"""

from __future__ import annotations

import io
import re
import zipfile
from xml.etree import ElementTree

from .layout import Fault, refused
from .sheet_marks import (
    Marks,
    Place,
    attribute,
    check_extent,
    column_of,
    local,
    open_archive,
    padded,
    padding,
    part_of,
    place_of,
    tree_of,
)

_FAR_COLUMN = re.compile(rb' r="(?:[A-Z]{3}|[B-Z][A-Z])[0-9]')
_COLUMNS = re.compile(rb' r="([A-Z]{1,3})[0-9]')
_ROWS = re.compile(rb'<row [^>]*?r="([0-9]+)"')
_PREFIXED_ROWS = re.compile(rb':row [^>]*?r="([0-9]+)"')
_TWO_LETTERS = 52
"""Columns A to AZ."""


def xlsx_marks(data: bytes, sheet: str, file: str) -> Marks:
    """Look at one sheet of a workbook; raises InputRefused for a bomb, a stray cell or damage."""
    with open_archive(data, file) as archive:
        names = {part.filename.lower().lstrip("/"): part.filename for part in archive.infolist()}
        book = tree_of(part_of(archive, _named(names, "xl/workbook.xml", file), file), file)
        body = part_of(archive, _sheet_part(archive, names, book, sheet, file), file)
        _check_extent(body, file)
        formats = _padding_styles(archive, names, file)
    epoch = any(local(e.tag) == "workbookPr" and attribute(e, "date1904") in ("1", "true") for e in book.iter())
    if not _is_suspect(body, formats):
        return Marks(epoch_1904=epoch)
    faults, texts = _walked(body, formats, file)
    return Marks(faults, texts, epoch)


def _named(names: dict[str, str], name: str, file: str) -> str:
    if name not in names:
        raise refused(
            "not-a-workbook", "a part of the workbook is missing or damaged", file, "Open it and save it again."
        )
    return names[name]


def _sheet_part(
    archive: zipfile.ZipFile, names: dict[str, str], book: ElementTree.Element, sheet: str, file: str
) -> str:
    """Find the part that holds a sheet, by the workbook's relations."""
    relation = next(
        (attribute(e, "id") for e in book.iter() if local(e.tag) == "sheet" and attribute(e, "name") == sheet), ""
    )
    links = tree_of(part_of(archive, _named(names, "xl/_rels/workbook.xml.rels", file), file), file)
    target = next((attribute(e, "Target") for e in links.iter() if attribute(e, "Id") == relation), "")
    path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return _named(names, path.lower(), file)


def _check_extent(body: bytes, file: str) -> None:
    """Measure the rectangle of the cells themselves; what the sheet claims of its size is not believed."""
    numbers = (_PREFIXED_ROWS if _is_prefixed(body) else _ROWS).findall(body)
    rows = max(max(map(int, numbers), default=0), len(numbers))
    if _FAR_COLUMN.search(body) is None:
        check_extent(rows, _TWO_LETTERS, file)
        return
    columns = max((column_of(letters.decode()) for letters in set(_COLUMNS.findall(body))), default=0) + 1
    check_extent(rows, columns, file)


def _padding_styles(archive: zipfile.ZipFile, names: dict[str, str], file: str) -> dict[str, int]:
    """Give the cell styles whose number format pads with zeros, with the number of digits."""
    if "xl/styles.xml" not in names:
        return {}
    styles = tree_of(part_of(archive, names["xl/styles.xml"], file), file)
    formats = {
        attribute(e, "numFmtId"): padding(attribute(e, "formatCode")) for e in styles.iter() if local(e.tag) == "numFmt"
    }
    cells = next((e for e in styles.iter() if local(e.tag) == "cellXfs"), None)
    if cells is None:
        return {}
    digits = {str(i): formats.get(attribute(xf, "numFmtId"), 0) for i, xf in enumerate(cells)}
    return {style: number for style, number in digits.items() if number}


def _is_prefixed(body: bytes) -> bool:
    """Tell whether the sheet's elements bear a prefix, as some report generators write them."""
    return b":sheetData" in body


def _is_suspect(body: bytes, formats: dict[str, int]) -> bool:
    signs = [b't="e"', *(f's="{style}"'.encode() for style in formats)]
    return _has_formula(body) or any(sign in body for sign in signs)


def _has_formula(body: bytes) -> bool:
    """Look for an element f; others begin with that letter too (formula1 of a data check)."""
    sign = b":f" if _is_prefixed(body) else b"<f"
    at = body.find(sign)
    while at >= 0:
        if body[at + 2 : at + 3] in (b">", b" ", b"/"):
            return True
        at = body.find(sign, at + 2)
    return False


def _walked(body: bytes, formats: dict[str, int], file: str) -> tuple[dict[Place, Fault], dict[Place, str]]:
    """Go through a sheet cell by cell."""
    faults: dict[Place, Fault] = {}
    texts: dict[Place, str] = {}
    row = column = -1
    try:
        for event, element in ElementTree.iterparse(io.BytesIO(body), ("start", "end")):
            name = local(element.tag)
            if name == "row" and event == "start":
                given = attribute(element, "r")
                row, column = (int(given) - 1 if given.isdigit() else row + 1), -1
            elif name == "c" and event == "end":
                place = place_of(attribute(element, "r")) or (row, column + 1)
                column = place[1]
                _look(element, place, formats, faults, texts)
            elif name == "row":
                element.clear()
    except (ElementTree.ParseError, LookupError, ValueError):
        hint = "Open it and save it again."
        raise refused("not-a-workbook", "a sheet of the workbook is not readable as XML", file, hint) from None
    return faults, texts


def _look(
    cell: ElementTree.Element,
    place: Place,
    formats: dict[str, int],
    faults: dict[Place, Fault],
    texts: dict[Place, str],
) -> None:
    inner = {local(child.tag): child for child in cell}
    kind = cell.get("t", "n")
    value = inner["v"].text if "v" in inner else None
    if kind == "e":
        faults[place] = Fault.ERROR
    elif "f" in inner and not value and kind != "str":
        faults[place] = Fault.FORMULA
    elif kind == "n" and value and cell.get("s", "") in formats:
        shown = padded(value, formats[cell.get("s", "")])
        if shown is not None:
            texts[place] = shown
