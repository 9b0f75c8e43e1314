"""What a second look at a workbook gives beside its values: hidden sheets, cells without a value, padded numbers, extents."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from .layout import Fault, refused

Place = tuple[int, int]
"""Row and column of a cell, from 0."""

LARGEST_PART = 1_500_000_000
"""Bytes of one part of a workbook, unpacked."""
MOST_CELLS = 40_000_000
"""Rows × columns of the rectangle that a sheet's cells span."""


@dataclass(frozen=True)
class Marks:
    """What stands at single cells of one sheet."""

    faults: Mapping[Place, Fault] = field(default_factory=dict)
    texts: Mapping[Place, str] = field(default_factory=dict)
    """Numbers as their number format shows them, where it pads with zeros."""
    epoch_1904: bool = False


@dataclass(frozen=True)
class Book:
    """An open workbook: its sheets in order, each with whether it is shown; their cells and marks on demand."""

    sheets: tuple[tuple[str, bool], ...]
    rows: Callable[[str], list[list[Any]]]
    """All cells of a sheet from A1 on, rows of equal width, None or an empty text where nothing stands."""
    marks: Callable[[str], Marks]


def open_archive(data: bytes, file: str) -> zipfile.ZipFile:
    """Open a workbook's archive; refuses what is damaged, locked, or would unpack beyond all measure."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        parts = archive.infolist()
    except Exception:
        raise refused("not-a-workbook", "not readable as a workbook", file, "Open it and save it again.") from None
    if any(part.flag_bits & 1 for part in parts):
        raise refused("locked", "the workbook is protected by a password", file, "Save it without one.")
    if any(part.file_size > LARGEST_PART for part in parts):
        raise refused("too-large", "the workbook unpacks to more than any clinic's table holds", file)
    return archive


def part_of(archive: zipfile.ZipFile, name: str, file: str) -> bytes:
    """Unpack one part, bounded; raises InputRefused where it is missing or damaged."""
    try:
        with archive.open(name) as stream:
            data = stream.read(LARGEST_PART + 1)
    except Exception:
        hint = "Open it and save it again."
        raise refused("not-a-workbook", "a part of the workbook is missing or damaged", file, hint) from None
    if b"<!DOCTYPE" in data[:4096] or b"<!ENTITY" in data[:65536]:
        raise refused("not-a-workbook", "the workbook declares XML entities, which no spreadsheet program writes", file)
    return data


def tree_of(data: bytes, file: str) -> ElementTree.Element:
    """Parse a small part of a workbook."""
    try:
        return ElementTree.fromstring(data)
    except (ElementTree.ParseError, LookupError, ValueError):
        hint = "Open it and save it again."
        raise refused("not-a-workbook", "a part of the workbook is not readable as XML", file, hint) from None


def local(tag: str) -> str:
    """Give an XML name without its namespace."""
    return tag.rpartition("}")[2]


def attribute(element: ElementTree.Element, name: str) -> str:
    """Give an attribute by its local name."""
    return next((value for key, value in element.attrib.items() if local(key) == name), "")


def place_of(reference: str) -> Place | None:
    """Read a reference such as AB12."""
    found = re.fullmatch(r"([A-Z]{1,3})([0-9]{1,7})", reference)
    if not found:
        return None
    return int(found[2]) - 1, column_of(found[1])


def column_of(letters: str) -> int:
    """Give a column's number, from 0."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def padding(number_format: str) -> int:
    """Give to how many digits a number format pads a whole number with zeros; 0 where it does not."""
    plain = number_format.split(";")[0]
    return len(plain) if re.fullmatch(r"0{2,}", plain) else 0


def padded(value: Any, digits: int) -> str | None:
    """Write a whole number as a padding format shows it."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return f"{int(number):0{digits}d}" if number.is_integer() and 0 <= number < 1e15 else None


def check_extent(rows: int, columns: int, file: str) -> None:
    """Refuse a sheet whose cells span more than memory should hold: a stray cell far away."""
    if rows * columns > MOST_CELLS:
        message = f"its cells reach to row {rows} and column {columns}: a stray cell stands far from the table"
        raise refused("stray-cell", message, file, "Delete the empty rows and columns below and beside the table.")
