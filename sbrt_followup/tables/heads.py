"""The first rows of a file, sheet by sheet, and which of them is the header: what `map` looks at before it reads the table."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .columnar import MARK, read_columnar
from .delimited import open_text
from .header import SEARCHED, Row, looks_like_data, names_of
from .intake import check_text, read_bytes
from .layout import Layout, Wanted
from .workbook import is_workbook, shown_sheets

Score = Callable[[Sequence[str]], int]
"""How many of a row's names are known."""


@dataclass(frozen=True)
class Head:
    """The first rows of one sheet (or of a text file, whose sheet is empty)."""

    sheet: str
    rows: tuple[Row, ...]
    encoding: str = ""
    separator: str = ""


@dataclass(frozen=True)
class Found:
    """A header that was found: the rows that hold it, its names, and how many of them are known."""

    head: Head
    rows: tuple[int, ...]
    names: tuple[str, ...]
    score: int


def heads(path: str, layout: Layout) -> list[Head]:
    """Give the first rows of every shown sheet; raises InputRefused where the file cannot be read."""
    data = read_bytes(path)
    name = "stdin" if path == "-" else Path(path).name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if data.startswith(MARK):
            frame = read_columnar(data, name)
            return [Head("", ((1, [str(c) for c in frame.columns[1:]]),))]
        if is_workbook(data):
            sheets = shown_sheets(data, name)
            return [Head(sheet, tuple(enumerate(rows[: SEARCHED + 10], 1))) for sheet, rows in sheets]
        check_text(data, name, "" if path == "-" else Path(path).suffix.lower())
        text = open_text(data, name, layout, Wanted())
        return [Head("", tuple(text.first_rows()), text.encoding, text.separator)]


def headers(head: Head, score: Score) -> list[Found]:
    """List the rows of a sheet that could be its header, best first; two lines are joined where that knows more."""
    filled = [(number, names_of(cells)) for number, cells in head.rows if any(names_of(cells))]
    found = []
    for at, (number, names) in enumerate(filled[:SEARCHED]):
        if looks_like_data(names) or len([name for name in names if name]) < 2:
            continue
        best = Found(head, (number,), tuple(names), score(names))
        for below, more in filled[at + 1 : at + 2]:
            if below == number + 1 and not looks_like_data(more):
                joined = _joined(names, more)
                two = Found(head, (number, below), tuple(joined), score(joined))
                # A row of data below the names must not become part of them.
                if two.score > max(best.score, score(more)):
                    best = two
        found.append(best)
    return sorted(found, key=lambda f: (-f.score, f.rows))


def _joined(above: Sequence[str], below: Sequence[str]) -> list[str]:
    width = max(len(above), len(below))
    parts = [[row[i] for row in (above, below) if i < len(row) and row[i]] for i in range(width)]
    return [" ".join(words) for words in parts]
