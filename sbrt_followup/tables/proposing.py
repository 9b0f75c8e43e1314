"""A user's file → a proposal how to read it: where the table lies, which column is which, how dates and words are written.

Every proposal has its reason; what fits two answers is a Question. What an earlier map says is kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .cells import holds_dates, texts_with_counts
from .column_proposals import WORD, Candidate, candidates, settle
from .columns import ColumnSpec
from .date_styles import StyleProposal, propose_styles
from .dates import DateStyle
from .guards import meant
from .layout import Raw
from .locating import located, read_table, totals
from .mapping import TableMap, fold
from .questions import Proposal, Question
from .word_proposals import WordProposal, fits, propose_words
from .words import words

if TYPE_CHECKING:
    import pandas as pd

MOST_UNKNOWN, YES_OR_NO = 20, 2
"""Distinct words of a closed list that a person may be asked about when most are unknown; values of a yes or no."""
MOST_WORDS = 200
"""Distinct words of one closed-list column that a map lists; a column with more is no closed list."""


def propose(path: str, section: str, specs: tuple[ColumnSpec, ...], before: TableMap) -> Proposal:
    """Look at one file and propose how to read it; raises InputRefused where it cannot be read at all."""
    proposal = Proposal(section, path, specs)
    layout = located(path, proposal, before)
    proposal.raw = raw = read_table(path, layout, proposal)
    columns = {str(name): texts_with_counts(raw.frame[name]) for name in raw.frame.columns[1:]}
    proposal.dated = frozenset(str(name) for name in raw.frame.columns[1:] if holds_dates(raw.frame[name]))
    skip = totals(raw, layout, proposal) if not layout.skip_rows else layout.skip_rows
    unnamed = "ignore" if ("unnamed",) in proposal.reasons else layout.unnamed
    found = replace(layout, skip_rows=skip, unnamed=unnamed)
    proposal.how = TableMap(
        layout=found, where=before.where, patient_rows=before.patient_rows, own=before.own, decimal=before.decimal
    )
    if skip or before.where:
        own = _table(raw, proposal.how)
        columns = {str(name): texts_with_counts(own[name]) for name in own.columns[1:]}
    _name_columns(proposal, list(columns), columns, before)
    _write_dates(proposal, columns, raw, before)
    _write_words(proposal, columns, before)
    return proposal


def _table(raw: Raw, how: TableMap) -> pd.DataFrame:
    from .selecting import selected

    return selected(raw, how, {})[0]


# ---- which column is which ----


def _name_columns(
    proposal: Proposal, names: list[str], columns: dict[str, list[tuple[str, int]]], before: TableMap
) -> None:
    kept = {ours: theirs for ours, theirs in before.columns.items() if theirs in names}
    for ours in sorted(before.columns.keys() - kept.keys()):
        proposal.remarks.append(f"the column that the map gave for {ours} is not in the file any more")
    free = [name for name in names if name not in kept.values() and name not in before.own]
    by_name = {spec.name: spec for spec in proposal.specs}
    found = [c for c in candidates(free, proposal.specs) if c.ours not in kept]
    good = {(c.ours, c.theirs): _holds(c, columns[c.theirs], by_name[c.ours], proposal.dated) for c in found}
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
            choices = tuple(n for n in free if n not in result.values() and _may_be(n, spec, columns, proposal.dated))
            proposal.questions.append(
                Question("columns", spec.name, f"which column is {spec.name} ({spec.help})?", choices[:20])
            )
    order = {spec.name: i for i, spec in enumerate(proposal.specs)}
    result = dict(sorted(result.items(), key=lambda item: order.get(item[0], 0)))
    own = [*before.own, *_near_but_own(proposal, names, result, found, before)]
    proposal.how = replace(proposal.how, columns=result, own=tuple(own))


def _holds(candidate: Candidate, texts: list[tuple[str, int]], spec: ColumnSpec, dated: frozenset[str]) -> bool:
    """Tell whether a column can be what its name says: it can be read, or its few unknown words can be asked about."""
    if fits(texts, spec):
        return True
    return (
        spec.kind == "choice"
        and len(spec.levels) > YES_OR_NO
        and candidate.score >= WORD
        and len(texts) <= MOST_UNKNOWN
    )


def _may_be(name: str, spec: ColumnSpec, columns: dict[str, list[tuple[str, int]]], dated: frozenset[str]) -> bool:
    """Tell whether a column without a telling name may be offered for one of ours: an id is no date, a date is one."""
    if spec.kind == "date":
        return name in dated or bool(columns[name] and fits(columns[name], spec))
    return name not in dated


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
