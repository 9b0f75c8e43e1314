"""A text file (comma, semicolon or tab between cells) → a table of texts with row numbers.

Only the empty cell is missing. Blank rows are no rows but keep their number; a row too short or too long is refused.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..problems import InputRefused, Problem, Source
from .encodings import decoded
from .header import SEARCHED, Row, check_unnamed, find_header
from .layout import Layout, Wanted, refused

if TYPE_CHECKING:
    import pandas as pd

MOST_NAMED = 10
SEPARATORS = (";", ",", "\t")
_SEP_LINE = re.compile(r"\s*\"?sep=(.)\"?[ \t]*\n", re.IGNORECASE)
_LINE_END = re.compile(r"\r\n?")
_LONGEST_CELL = 10_000_000
_HEAD = 4_000_000
"""Letters in which the first rows stand."""

Read = tuple["pd.DataFrame", tuple[str, ...], Layout]
"""The frame, notes, and where the table was found."""


@dataclass(frozen=True)
class OpenText:
    """A text file made into lines: from its first filled line on."""

    body: str
    blank: int
    """Blank lines above."""
    separator: str
    encoding: str
    note: str

    def first_rows(self, most: int = SEARCHED + 10) -> list[Row]:
        """Give the first rows, with their numbers in the file."""
        reader = csv.reader(io.StringIO(self.body[:_HEAD]), delimiter=self.separator)
        return [(self.blank + number, cells) for number, cells in enumerate(itertools.islice(reader, most), 1)]


def open_text(data: bytes, file: str, layout: Layout, wanted: Wanted) -> OpenText:
    """Turn a file's bytes into lines and settle their separator; raises InputRefused."""
    text, encoding, note = decoded(data, file, layout.encoding)
    if "\0" in text:
        raise refused("not-text", "the file holds NUL bytes; it is not a text file", file)
    text = _LINE_END.sub("\n", text) if "\r" in text else text
    separator = layout.separator
    if (said := _SEP_LINE.match(text)) is not None:
        # A spreadsheet program does not show this line: row 1 is the next one.
        separator, text = separator or said[1], text[said.end() :]
    body = text.lstrip("\n")
    if not body.strip():
        raise refused("empty-file", "the file is empty", file)
    csv.field_size_limit(_LONGEST_CELL)
    return OpenText(body, len(text) - len(body), separator or _separator(body, wanted), encoding, note)


def read_delimited(data: bytes, file: str, layout: Layout, wanted: Wanted) -> Read:
    """Read a text file; raises InputRefused, never with a cell's content."""
    text = open_text(data, file, layout, wanted)
    try:
        header = find_header(text.first_rows(), layout, wanted, file)
        frame = _frame(text.body, text.separator, text.blank, header.rows[-1], list(header.names), file, layout)
    except csv.Error:
        raise refused("not-csv", "not readable as CSV", file, "Check the quotes.") from None
    notes = (*((text.note,) if text.note else ()), *header.notes)
    found = Layout("", header.rows, layout.skip_rows, layout.unnamed, text.encoding, text.separator)
    return frame, notes, found


def _separator(body: str, wanted: Wanted) -> str:
    """Choose the sign under which one of the first rows holds our names, else under which most rows are equally wide."""
    head = "\n".join(body.split("\n", SEARCHED)[:SEARCHED]) + "\n"
    best, best_score = ",", (-1, -1, -1)
    for sign in SEPARATORS:
        try:
            widths = [(len(row), set(row)) for row in csv.reader(io.StringIO(head), delimiter=sign)]
        except csv.Error:
            continue
        known = max((len(wanted.known & {c.strip() for c in cells}) for width, cells in widths if width > 1), default=0)
        sizes = [width for width, _ in widths if width > 1]
        common = max(set(sizes), key=lambda size: (sizes.count(size), size)) if sizes else 0
        score = (known, sizes.count(common), common)
        if score > best_score:
            best, best_score = sign, score
    return best


def _frame(
    body: str, separator: str, blank: int, header_row: int, names: list[str], file: str, layout: Layout
) -> pd.DataFrame:
    """Read the rows below the header."""
    import pandas as pd

    start = _after_header(body, separator, header_row - blank)
    table = body[start:].encode("utf-8", "replace")
    width = _width(body[:start], separator, len(names))
    _check_widths(table, separator, width, file, header_row)
    columns = [name or f"\0{i}" for i, name in enumerate(names)] + [f"\0{i}" for i in range(len(names), width)]
    if not table.strip():
        frame = pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    else:
        try:
            frame = pd.read_csv(
                io.BytesIO(table),
                sep=separator,
                dtype=str,
                keep_default_na=False,
                na_values=[""],
                header=None,
                names=columns,
                index_col=False,
                skip_blank_lines=False,
            )
        except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError):
            raise refused("not-csv", "not readable as CSV", file, "Check the quotes.") from None
    filled = [(str(i), int(frame[name].notna().sum())) for i, name in enumerate(columns, 1) if name.startswith("\0")]
    check_unnamed([(column, count) for column, count in filled if count], header_row, layout, file)
    named = [name for name in columns if not name.startswith("\0")]
    if len(named) < len(columns):
        frame = frame[named].copy()
    frame.insert(0, "row", range(header_row + 1, header_row + 1 + len(frame)))
    # Only a row whose first cell is empty can be blank.
    at = frame[named[0]].isna().to_numpy().nonzero()[0]
    empty = at[frame[named].iloc[at].isna().all(axis=1).to_numpy()]
    return frame.drop(index=empty.tolist()).reset_index(drop=True) if len(empty) else frame


def _after_header(body: str, separator: str, lines: int) -> int:
    """Give where the text below the header begins; a quoted name may hold line ends."""
    if '"' not in "\n".join(body.split("\n", lines)[:lines]):
        at = 0
        for _ in range(lines):
            at = body.find("\n", at) + 1 or len(body)
        return at
    source = io.StringIO(body)
    reader = csv.reader(iter(source.readline, ""), delimiter=separator)
    for _ in range(lines):
        next(reader)
    return source.tell() if source.tell() <= len(body) else len(body)


def _width(above: str, separator: str, named: int) -> int:
    """Give how many cells a row has: as many as the header's line, empty names at its end included."""
    last = list(csv.reader(io.StringIO(above), delimiter=separator))[-1]
    return max(len(last), named)


def _check_widths(text: bytes, separator: str, width: int, file: str, above: int) -> None:
    """Refuse rows with more or fewer cells than the header; blank lines are no rows."""
    import numpy as np

    raw = np.frombuffer(text + b"\n", dtype=np.uint8)
    ends, marks = (raw == 10).nonzero()[0], (raw == ord(separator)).nonzero()[0]
    closed = True
    if b'"' in text:
        # What stands between quotes ends no cell and no row.
        quotes = (raw == 34).nonzero()[0]
        closed = len(quotes) % 2 == 0
        ends, marks = (at[np.searchsorted(quotes, at) % 2 == 0] for at in (ends, marks))
    cells = np.diff(np.searchsorted(marks, ends), prepend=0) + 1
    sizes = np.diff(ends, prepend=-1) - 1
    wrong = [int(i) + 1 for i in ((cells != width) & (sizes > 0)).nonzero()[0]]
    if (wrong or not closed) and b'"' in text:
        # A quote inside an unquoted cell (5" screw): count as the reader of CSV does.
        counts = [len(row) for row in csv.reader(io.StringIO(text.decode()), delimiter=separator)]
        wrong = [i for i, n in enumerate(counts, 1) if n not in (0, width)]
    if wrong:
        message = f"does not have the header's {width} cells"
        more = f" ({len(wrong)} such rows in all)" if len(wrong) > MOST_NAMED else ""
        raise InputRefused(
            Problem("ragged-row", f"row {above + row} {message}{more}", Source(file, above + row))
            for row in wrong[:MOST_NAMED]
        )
