"""The second look at an .ods: formulas without a value, errors, numbers shown with padded zeros, hidden tables, far cells."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from .layout import Fault, refused
from .sheet_marks import Marks, Place, attribute, check_extent, local, open_archive, padded, part_of, tree_of

_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!)|Err:[0-9]+")


def ods_marks(data: bytes, sheet: str, file: str) -> Marks:
    """Look at one table of an OpenDocument spreadsheet; raises InputRefused for a bomb, a stray cell or damage."""
    tree = _content(data, file)
    digits = _padding_styles(tree)
    faults: dict[Place, Fault] = {}
    texts: dict[Place, str] = {}
    table = next((e for e in tree.iter() if local(e.tag) == "table" and attribute(e, "name") == sheet), None)
    if table is None:
        raise refused(
            "not-a-workbook", "a part of the workbook is missing or damaged", file, "Open it and save it again."
        )
    row, widest, cells = 0, 0, 0
    for line in table.iter():
        if local(line.tag) != "table-row":
            continue
        times, column = _repeated(line, "number-rows-repeated"), 0
        filled = False
        for cell in line:
            if local(cell.tag) not in ("table-cell", "covered-table-cell"):
                continue
            repeated = _repeated(cell, "number-columns-repeated")
            if _is_filled(cell):
                filled, widest = True, max(widest, column + repeated)
                cells += repeated * times
                check_extent(row + times, widest, file)
                check_extent(1, cells, file)
                _look(cell, (row, column), repeated, digits, faults, texts)
            column += repeated
        row += times
        if filled:
            check_extent(row, widest, file)
    return Marks(faults, texts)


def hidden_tables(data: bytes, file: str) -> frozenset[str]:
    """Name the tables that the file hides."""
    tree = _content(data, file)
    unseen = {
        attribute(style, "name")
        for style in tree.iter()
        if local(style.tag) == "style"
        and any(local(p.tag) == "table-properties" and attribute(p, "display") == "false" for p in style)
    }
    return frozenset(
        attribute(e, "name") for e in tree.iter() if local(e.tag) == "table" and attribute(e, "style-name") in unseen
    )


def _content(data: bytes, file: str) -> ElementTree.Element:
    with open_archive(data, file) as archive:
        return tree_of(part_of(archive, "content.xml", file), file)


def _repeated(element: ElementTree.Element, name: str) -> int:
    given = attribute(element, name)
    return int(given) if given.isdigit() and len(given) < 10 else 1 if not given else 10**9


def _is_filled(cell: ElementTree.Element) -> bool:
    return bool(attribute(cell, "value-type") or attribute(cell, "formula") or "".join(cell.itertext()).strip())


def _padding_styles(tree: ElementTree.Element) -> dict[str, int]:
    """Give the cell styles that pad with zeros, with the number of digits."""
    numbers: dict[str, int] = {}
    for style in tree.iter():
        if local(style.tag) == "number-style":
            found = [attribute(n, "min-integer-digits") for n in style if local(n.tag) == "number"]
            if len(found) == 1 and found[0].isdigit() and 1 < int(found[0]) < 16:
                numbers[attribute(style, "name")] = int(found[0])
    return {
        attribute(style, "name"): numbers[attribute(style, "data-style-name")]
        for style in tree.iter()
        if local(style.tag) == "style" and attribute(style, "data-style-name") in numbers
    }


def _look(
    cell: ElementTree.Element,
    place: Place,
    repeated: int,
    digits: dict[str, int],
    faults: dict[Place, Fault],
    texts: dict[Place, str],
) -> None:
    kind = attribute(cell, "value-type")
    shown = "".join(cell.itertext()).strip()
    fault = None
    if _ERROR.fullmatch(shown) and attribute(cell, "formula"):
        fault = Fault.ERROR
    elif attribute(cell, "formula") and not kind:
        fault = Fault.FORMULA
    text = (
        padded(attribute(cell, "value"), digits[attribute(cell, "style-name")])
        if (kind == "float" and attribute(cell, "style-name") in digits)
        else None
    )
    for column in range(place[1], place[1] + repeated):
        if fault is not None:
            faults[place[0], column] = fault
        elif text is not None:
            texts[place[0], column] = text
