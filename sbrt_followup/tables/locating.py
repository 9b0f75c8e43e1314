"""Where a table lies in its file: sheet, header row, remarks beside it, rows of totals; found by the names that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..problems import InputRefused, Problem, Source
from .column_proposals import header_score
from .guards import meant, plain_name
from .heads import Found, headers, heads
from .intake import read_raw
from .layout import Layout, Raw, Wanted, first_filled
from .mapping import TableMap, fold
from .questions import Proposal, Question
from .words import words

LEAST_SCORE = 3
MOST_TOTALS, FOOT = 3, 5
"""Rows of totals at most, and how near to the last row they stand."""


def located(path: str, proposal: Proposal, before: TableMap) -> Layout:
    """Find sheet and header row by how many names of a row are known."""
    weight = header_score(proposal.specs)
    theirs = {fold(name) for name in before.columns.values()}

    def score(names: Sequence[str]) -> int:
        plain = {plain_name(name) for name in names if name}
        bare = {plain_name(name.split("(")[0]) for name in names if name}
        near = sum(
            2
            for name in names
            if name and plain_name(name) not in weight and meant(name, [s.name for s in proposal.specs])
        )
        return sum(weight.get(name, 0) for name in plain | bare) + near + 3 * len({fold(n) for n in names} & theirs)

    listed = heads(path, before.layout)
    if before.layout.sheet:
        listed = [head for head in listed if head.sheet == before.layout.sheet] or listed
    found = [best for head in listed if (best := next(iter(headers(head, score)), None)) is not None]
    if not found:
        raise _no_header(path)
    best = max(found, key=lambda f: f.score)
    if best.score < LEAST_SCORE and not before.layout.header_row:
        # No name is known: the first row is taken, and the columns are asked about.
        best = min((f for f in found if f.head is best.head), key=lambda f: f.rows)
    rivals = [
        f
        for f in found
        if f.head.sheet != best.head.sheet and f.score * 10 >= best.score * 8 and f.score >= LEAST_SCORE
    ]
    if rivals and not before.layout.sheet:
        sheets = tuple(f.head.sheet for f in (best, *rivals))
        proposal.questions.append(
            Question("sheet", "", "several sheets look like this table; which one is it?", sheets)
        )
    return _layout(best, listed, proposal, before)


def _no_header(path: str) -> InputRefused:
    hint = "Write the columns' names into a row above the data."
    return InputRefused(
        [
            Problem(
                "no-header",
                "no row looks like a header: data stand where names should",
                Source(Path(path).name),
                hint=hint,
            )
        ]
    )


def _layout(best: Found, listed: Sequence[Any], proposal: Proposal, before: TableMap) -> Layout:
    head = best.head
    rows = before.layout.header_row or best.rows
    if not before.layout.header_row and (len(best.rows) > 1 or best.rows[0] != next(n for n, c in head.rows if any(c))):
        proposal.reasons["header_row",] = "the row that holds most known names"
    if len(listed) > 1 and head.sheet:
        proposal.reasons["sheet",] = f"of {len(listed)} sheets the one that looks like this table"
    return replace(
        before.layout,
        sheet=head.sheet,
        header_row=rows,
        encoding=before.layout.encoding or head.encoding,
        separator=before.layout.separator or head.separator,
    )


def read_table(path: str, layout: Layout, proposal: Proposal) -> Raw:
    """Read the table; a few cells under no column name are remarks beside it, many are a question."""
    try:
        return read_raw(path, layout, Wanted())
    except InputRefused as refused:
        if any(problem.code != "unnamed-column" for problem in refused.problems):
            raise
        unnamed = refused.problems
    raw = read_raw(path, replace(layout, unnamed="ignore"), Wanted())
    cells = sum(int(problem.example[0][1]) for problem in unnamed)
    if cells * 5 > len(raw.frame):
        raise InputRefused(unnamed)
    proposal.reasons["unnamed",] = f"{cells} cell(s) stand under no column name: remarks beside the table"
    return raw


def totals(raw: Raw, layout: Layout, proposal: Proposal) -> tuple[int | str, ...]:
    """Find rows of totals at the foot, and lines of units under the header."""
    import pandas as pd

    frame = raw.frame
    skip: list[int | str] = []
    if not len(frame):
        return ()
    first = pd.Series([fold(text) for text in first_filled(frame)], index=frame.index)
    for word in words().total_words():
        hit = first.map(lambda text, word=word: text == word or text.startswith((word + " ", word + ":")))
        rows = frame.loc[hit, "row"].tolist()
        if 0 < len(rows) <= MOST_TOTALS and rows[0] > frame["row"].iloc[-1] - FOOT:
            skip.append(word)
            proposal.reasons["skip_rows", word] = f"row {rows[0]} looks like a row of totals"
    return tuple(dict.fromkeys(skip))
