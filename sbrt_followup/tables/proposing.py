"""A user's file → a proposal how to read it: where the table lies, which column is which, how dates and words are written.

Every proposal has its reason; what fits two answers is a Question. What an earlier map says is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..problems import InputRefused, Problem, Source
from .cells import texts_with_counts
from .column_proposals import WORD, Candidate, candidates, header_score, settle
from .columns import ColumnSpec
from .date_styles import StyleProposal, propose_styles
from .dates import DateStyle
from .guards import meant, plain_name
from .heads import Found, headers, heads
from .intake import read_raw
from .layout import Layout, Raw, Wanted, first_filled
from .mapping import TableMap, fold
from .word_proposals import WordProposal, fits, propose_words
from .words import words

if TYPE_CHECKING:
    import pandas as pd

LEAST_SCORE = 3
MOST_UNKNOWN, YES_OR_NO = 20, 2
"""Distinct words of a closed list that a person may be asked about when most are unknown; values of a yes or no."""
MOST_TOTALS, FOOT = 3, 5
"""Rows of totals at most, and how near to the last row they stand."""
MOST_WORDS = 200
"""Distinct words of one closed-list column that a map lists; a column with more is no closed list."""


@dataclass(frozen=True)
class Question:
    """What only a person can say: where the answer belongs in the map, and what may be answered."""

    part: str
    """columns, dates, values, decimal or sheet."""
    column: str
    text: str
    choices: tuple[str, ...] = ()
    word: str = ""


@dataclass
class Proposal:
    """How one table may be read, why, and what is still to be asked."""

    section: str
    file: str
    specs: tuple[ColumnSpec, ...]
    how: TableMap = field(default_factory=TableMap)
    reasons: dict[tuple[str, ...], str] = field(default_factory=dict)
    """(part, column, word) → why."""
    questions: list[Question] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What a person should know beside."""
    raw: Raw | None = None


def propose(path: str, section: str, specs: tuple[ColumnSpec, ...], before: TableMap) -> Proposal:
    """Look at one file and propose how to read it; raises InputRefused where it cannot be read at all."""
    proposal = Proposal(section, path, specs)
    layout = _located(path, proposal, before)
    proposal.raw = raw = _read(path, layout, proposal)
    columns = {str(name): texts_with_counts(raw.frame[name]) for name in raw.frame.columns[1:]}
    skip = _totals(raw, layout, proposal) if not layout.skip_rows else layout.skip_rows
    unnamed = "ignore" if ("unnamed",) in proposal.reasons else layout.unnamed
    found = replace(layout, skip_rows=skip, unnamed=unnamed)
    proposal.how = TableMap(
        layout=found, where=before.where, patient_rows=before.patient_rows, own=before.own, decimal=before.decimal
    )
    if skip or before.where:
        columns = {str(name): texts_with_counts(_table(raw, proposal.how)[name]) for name in raw.frame.columns[1:]}
    _name_columns(proposal, list(columns), columns, before)
    _write_dates(proposal, columns, raw, before)
    _write_words(proposal, columns, before)
    return proposal


def _table(raw: Raw, how: TableMap) -> pd.DataFrame:
    from .selecting import selected

    return selected(raw, how, {})[0]


# ---- where the table lies ----


def _located(path: str, proposal: Proposal, before: TableMap) -> Layout:
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
    from pathlib import Path

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


def _read(path: str, layout: Layout, proposal: Proposal) -> Raw:
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


def _totals(raw: Raw, layout: Layout, proposal: Proposal) -> tuple[int | str, ...]:
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


# ---- which column is which ----


def _name_columns(
    proposal: Proposal, names: list[str], columns: dict[str, list[tuple[str, int]]], before: TableMap
) -> None:
    kept = {ours: theirs for ours, theirs in before.columns.items() if theirs in names}
    for ours in before.columns.keys() - kept.keys():
        proposal.remarks.append(f"the column that the map gave for {ours} is not in the file any more")
    free = [name for name in names if name not in kept.values() and name not in before.own]
    by_name = {spec.name: spec for spec in proposal.specs}
    found = [c for c in candidates(free, proposal.specs) if c.ours not in kept]
    good = {(c.ours, c.theirs): _holds(c, columns[c.theirs], by_name[c.ours]) for c in found}
    taken, asked = settle(found, good)
    result = dict(kept)
    for ours, candidate in taken.items():
        result[ours] = candidate.theirs
        proposal.reasons["columns", ours] = candidate.reason
    for ours, rivals in asked.items():
        proposal.questions.append(
            Question(
                "columns", ours, f"which column is {ours} ({by_name[ours].help})?", tuple(c.theirs for c in rivals)
            )
        )
    for spec in proposal.specs:
        if spec.required and spec.name not in result and spec.name not in asked:
            choices = tuple(
                n
                for n in free
                if n not in result.values() and (spec.kind != "date" or (fits(columns[n], spec) and columns[n]))
            )
            proposal.questions.append(
                Question("columns", spec.name, f"which column is {spec.name} ({spec.help})?", choices[:20])
            )
    order = {spec.name: i for i, spec in enumerate(proposal.specs)}
    result = dict(sorted(result.items(), key=lambda item: order.get(item[0], 0)))
    own = [*before.own, *_near_but_own(proposal, names, result, found, before)]
    proposal.how = replace(proposal.how, columns=result, own=tuple(own))


def _holds(candidate: Candidate, texts: list[tuple[str, int]], spec: ColumnSpec) -> bool:
    """Tell whether a column can be what its name says: it can be read, or its few unknown words can be asked about."""
    if fits(texts, spec):
        return True
    return (
        spec.kind == "choice"
        and len(spec.levels) > YES_OR_NO
        and candidate.score >= WORD
        and len(texts) <= MOST_UNKNOWN
    )


def _near_but_own(
    proposal: Proposal, names: list[str], result: dict[str, str], found: list[Candidate], before: TableMap
) -> list[str]:
    """Columns whose names are near ours though they are not: kept as the user's own, and said."""
    from .words import declared_columns

    free = [our for our in declared_columns() if our not in result]
    mine = []
    for name in names:
        if name in result.values() or name in before.own:
            continue
        if (our := meant(name, free)) and our not in {q.column for q in proposal.questions}:
            mine.append(name)
            proposal.reasons["own", name] = (
                f"near {our}, but does not hold it"
                if our in {c.ours for c in found}
                else f"near {our}, which is not this table's"
            )
    return mine


# ---- how dates and words are written ----


def _write_dates(proposal: Proposal, columns: dict[str, list[tuple[str, int]]], raw: Raw, before: TableMap) -> None:
    empty = words().missing_words() | words().unsure_words() | {fold(w) for w in before.missing}
    dates: dict[str, tuple[DateStyle, ...]] = {}
    for spec in proposal.specs:
        theirs = proposal.how.columns.get(spec.name)
        if spec.kind != "date" or theirs is None:
            continue
        if spec.name in before.dates:
            dates[spec.name] = before.dates[spec.name]
            continue
        mapped = before.values.get(spec.name, {})
        texts = [(t, n) for t, n in columns[theirs] if fold(t) not in empty and t not in mapped]
        found = propose_styles(texts, spec.month_allowed)
        if (found.styles and tuple(s.text for s in found.styles) != ("YYYY-MM-DD",)) or _timed(texts):
            dates[spec.name] = found.styles
            proposal.reasons["dates", spec.name] = found.reason
        _ask_styles(proposal, spec, found)
    proposal.how = replace(proposal.how, dates={k: v for k, v in dates.items() if v})


def _timed(texts: list[tuple[str, int]]) -> bool:
    return any(len(text) > 10 for text, _ in texts)


def _ask_styles(proposal: Proposal, spec: ColumnSpec, found: StyleProposal) -> None:
    for styles in found.choices:
        text = f"{spec.name}: some cells fit {' and '.join(s.text for s in styles)}; in which style are they written?"
        proposal.questions.append(Question("dates", spec.name, text, tuple(s.text for s in styles)))
    if found.unread:
        proposal.remarks.append(
            f"{spec.name}: {found.unread} cell(s) are no date in any known style; `check` names their rows"
        )


def _write_words(proposal: Proposal, columns: dict[str, list[tuple[str, int]]], before: TableMap) -> None:
    values: dict[str, dict[str, str]] = {}
    missing = list(before.missing)
    comma = point = 0
    for spec in proposal.specs:
        theirs = proposal.how.columns.get(spec.name)
        if theirs is None:
            continue
        given = dict(before.values.get(spec.name, {}))
        texts = [
            (t, n)
            for t, n in columns[theirs]
            if before.meaning(spec.name, t) == t and fold(t) not in before.missing_words
        ]
        if spec.kind == "text":
            found = WordProposal()
        elif spec.kind == "date":
            found = _words_for_dates(texts, spec)
        else:
            found = propose_words(texts, spec)
        _take_words(proposal, spec, found, given)
        if given:
            values[spec.name] = given
        missing += [word for word in found.missing if fold(word) not in {fold(w) for w in missing}]
        comma, point = comma + found.comma, point + found.point
    decimal = before.decimal
    if comma and decimal == ".":
        decimal = ","
        proposal.reasons["decimal",] = f"{comma} numbers are written with a comma"
        if point:
            text = f"{comma} numbers have a comma and {point} a point; write them alike in the file"
            proposal.questions.append(Question("decimal", "", text))
    proposal.how = replace(proposal.how, values=values, missing=tuple(missing), decimal=decimal)


def _words_for_dates(texts: list[tuple[str, int]], spec: ColumnSpec) -> WordProposal:
    """Words in a date column that say nothing or not known; the latter are asked about where a death may hide."""
    from .left_out import VITAL

    found = WordProposal()
    for text, count in texts:
        if fold(text) in words().missing_words():
            found.missing.append(text)
        elif fold(text) in words().unsure_words():
            if spec.name in VITAL:
                found.unknown[text] = count
            else:
                found.missing.append(text)
    return found


def _take_words(proposal: Proposal, spec: ColumnSpec, found: WordProposal, given: dict[str, str]) -> None:
    for word, meaning in found.values.items():
        given[word] = meaning
        proposal.reasons["values", spec.name, word] = found.reasons[word]
    if len(found.unknown) > MOST_WORDS:
        proposal.remarks.append(f"{spec.name}: more than {MOST_WORDS} unknown words; is it another column?")
    for word, count in list(found.unknown.items())[:MOST_WORDS]:
        text = f"{spec.name}: what does {word!r} mean ({count} cells)?"
        proposal.questions.append(Question("values", spec.name, text, spec.levels, word))
    if found.unread:
        proposal.remarks.append(f"{spec.name}: {found.unread} cell(s) are no number; `check` names their rows")
