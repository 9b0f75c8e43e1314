"""The header row of a table: found by our column names, checked, never echoed where it may be data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..problems import InputRefused, Problem, Source
from .layout import MOST_COLUMNS, Layout, Wanted, is_blank, refused

SEARCHED = 30
"""Rows looked through for the header."""
MOST_NAMES, LONGEST_NAME = 20, 40
# A number or a date where a column's name should stand.
_DATUM = re.compile(r"[-+]?\d[\d.,/:\sTZ-]*")
_OTHER_SEPARATORS = {"|": "bars", "^": "carets", "~": "tildes"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")

Row = tuple[int, Sequence[Any]]
"""A row's number in the file, and its cells."""


@dataclass(frozen=True)
class Header:
    """The rows that hold the names, and the names; an empty name is a column that is not read."""

    rows: tuple[int, ...]
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def shown_name(name: str) -> str:
    """Give a column's or sheet's name as a message may show it: one line, no control characters, cut."""
    clean = _CONTROL.sub("", name).strip()
    return clean if len(clean) <= LONGEST_NAME else clean[: LONGEST_NAME - 1] + "…"


def shown_names(names: Sequence[str]) -> str:
    """List names in quotes, at most MOST_NAMES of them."""
    shown = ", ".join(f"'{shown_name(name)}'" for name in names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def names_of(cells: Sequence[Any]) -> list[str]:
    """Read a row as names: each on one line, without spaces at its ends."""
    names = ["" if is_blank(cell) else re.sub(r"\s+", " ", str(cell)).strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names


def looks_like_data(names: Sequence[str]) -> bool:
    """Tell whether a number or a date stands where a name should."""
    return any(_DATUM.fullmatch(name) for name in names)


def find_header(rows: Sequence[Row], layout: Layout, wanted: Wanted, file: str) -> Header:
    """Find the header among a file's first rows; raises InputRefused where it cannot be one.

    Without `header_row` it is the first filled row, or, where that holds none of our names, the first one further down
    that holds all required ones (a title stands above it).
    """
    filled = [(number, names_of(cells)) for number, cells in rows if any(not is_blank(cell) for cell in cells)]
    if layout.header_row:
        return _said(filled, layout, file)
    number, names = filled[0]
    notes: tuple[str, ...] = ()
    if wanted.known and not wanted.known & set(names):
        further = [row for row in filled[1:SEARCHED] if wanted.required and wanted.required <= set(row[1])]
        if not further:
            raise _no_header(number, names, file)
        number, names = further[0]
        notes = (f"{file}: the header was found in row {number}; what stands above it is not read",)
    return Header((number,), _checked(names, number, file), notes)


def _said(filled: Sequence[tuple[int, list[str]]], layout: Layout, file: str) -> Header:
    """Take the header from the rows that the map names."""
    by_number = dict(filled)
    absent = [number for number in layout.header_row if number not in by_number]
    if absent:
        hint = "Correct header_row in the map."
        raise refused("no-header", f"row {absent[0]}, which the map calls the header, is empty", file, hint, absent[0])
    parts = [by_number[number] for number in layout.header_row]
    names = [
        " ".join(part[i] for part in parts if i < len(part) and part[i])
        for i in range(max(len(part) for part in parts))
    ]
    return Header(layout.header_row, _checked(names, layout.header_row[0], file))


def _no_header(number: int, names: Sequence[str], file: str) -> InputRefused:
    # The names are not shown: they may well be a patient's.
    if looks_like_data(names):
        hint = "Write the columns' names into the first row, e.g. patient_id, sbrt_date."
        return refused("no-header", "the first row holds data, not names", file, hint, number)
    if len(names) == 1 and (sign := next((s for s in _OTHER_SEPARATORS if s in names[0]), "")):
        hint = "Save the file with commas, semicolons or tabs."
        return refused("other-separator", f"the columns are separated by {_OTHER_SEPARATORS[sign]}", file, hint, number)
    message = f"row {number} holds none of our column names (or those of the map), nor does a row below it"
    hint = "Run `sbrt-followup map` on the file: it finds the header and proposes which column is which."
    return refused("no-header", message, file, hint, number)


def check_unnamed(filled: Sequence[tuple[str, int]], header_row: int, layout: Layout, file: str) -> None:
    """Refuse cells under no column name, given as column and number of its filled cells, unless the map ignores them."""
    if filled and layout.unnamed != "ignore":
        hint = "Name the column, or write `unnamed: ignore` into the map if it holds remarks."
        raise InputRefused(
            Problem(
                "unnamed-column",
                f"column {column} has no name in the header but holds {count} cell(s)",
                Source(file, header_row),
                example=(("cells", str(count)),),
                hint=hint,
            )
            for column, count in filled[:MOST_NAMES]
        )


def _checked(names: Sequence[str], number: int, file: str) -> tuple[str, ...]:
    if looks_like_data(names):
        raise _no_header(number, names, file)
    if len(names) > MOST_COLUMNS:
        raise refused("too-many-columns", f"the table has more than {MOST_COLUMNS} columns", file, line=number)
    place = Source(file, number)
    problems = []
    if "row" in names:
        hint = "Rename the column."
        problems.append(Problem("reserved-column", "the name 'row' stands for the row's number here", place, hint=hint))
    seen: set[str] = set()
    for name in names:
        if name and name in seen:
            message = f"the column '{shown_name(name)}' stands twice"
            problems.append(Problem("repeated-column", message, place))
        seen.add(name)
    if problems:
        raise InputRefused(problems[:MOST_NAMES])
    return tuple(names)
