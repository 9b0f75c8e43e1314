"""What each kind of document concludes for cases, all of them at once, through the clinic's own code.

Keys a case may give and expect, by kind:
tables: facts → outcome, status, rule, possible, missing; a risk table also robust, and same_course for days_after_first_site
plan: tier, horizon, after (months of the last scan) → offsets; sbrt_date, scans → due, earliest, latest; rule in order of use
pseudoprogression: facts, day, previous (day of the MRI before) → inside, place · sins: components → total, low, high, category
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from ..arrays import NEVER, Flags
from ..problems import InputRefused, Problem, nearest
from ..rulebook.conditions import Column, Facts, Interval, Levels, decimal, unknown_column
from ..rulebook.deciding import Decisions, decide
from ..rulebook.library import Rulebook
from ..rulebook.model import DecisionTable, Document, Plan, PseudoprogressionWindow, RiskTable, SinsScore
from ..rulebook.offsets import visit_offsets
from ..rulebook.robustness import sensitivity
from ..rulebook.sins import categories, total_range
from ..sites.facts import level_column
from ..sites.windows import INSIDE, windows_of
from ..visits.patterns import Request, patterns_of
from ..visits.series import OPEN, VISIT, planned_grid, site_lines
from ..vocabulary import FACTS, TIERS, WINDOW_PLACES
from .cases import Case, CaseFile, Result, Word, compared

Actual = dict[str, Word]


def run(book: Rulebook, file: CaseFile, document: Document | None = None) -> list[Result]:
    """Run the cases of one file; `document` stands in for the rulebook's own one (a mutant)."""
    chosen = document or book.document(file.document)
    if document is not None:
        book = Rulebook({**book.documents, file.document: document}, book.profile, book.folder)
    conclude = next((f for kind, f in CONCLUDE.items() if isinstance(chosen, kind)), None)
    if conclude is None:
        raise InputRefused([Problem("no-cases-possible", f"{file.document} decides nothing", file.source)])
    actual = conclude(book, chosen, file.cases)
    return [compared(file, case, found) for case, found in zip(file.cases, actual, strict=True)]


def facts_of(cases: Sequence[Case], sins: SinsScore, beside: Sequence[str] = ()) -> Facts:
    """Give the facts of cases as columns; a list stands for what a fact could be, SINS follows from its components."""
    names = dict.fromkeys(n for c in cases for n in c.given.words if n not in beside)
    for case in cases:
        for name in case.given.words:
            if name not in FACTS and name not in beside:
                raise InputRefused(
                    [Problem("unknown-fact", f"no fact is called '{name}'", case.source, hint=nearest(name, FACTS))]
                )
    columns: dict[str, Column] = {name: _column(name, cases) for name in names}
    components = [item.fact for item in sins.items]
    if any(name in columns for name in components):
        _, together = _levels(cases)
        low, high = total_range(sins, columns, together)
        given = columns.get("sins")
        known = np.array(["sins" in c.given.words for c in cases])
        if isinstance(given, Interval):
            low, high = np.where(known, given.low, low), np.where(known, given.high, high)
        columns["sins"] = Interval(low, high)
    return columns


def _levels(cases: Sequence[Case]) -> tuple[Levels, Flags]:
    import pandas as pd

    return level_column(pd.Series([_one(c.given.words.get("level")) for c in cases], dtype=object))


def _one(word: Word | None) -> str | None:
    return word if isinstance(word, str) else None


def _column(name: str, cases: Sequence[Case]) -> Column:
    fact = FACTS[name]
    if name == "level":
        return _levels(cases)[0]
    column = unknown_column(fact, len(cases))
    for row, case in enumerate(cases):
        word = case.given.words.get(name)
        if word is None:
            continue
        values = (word,) if isinstance(word, str) else word
        try:
            if isinstance(column, Levels):
                column.possible[row] = sum(1 << fact.levels.index(v) for v in values)
            else:
                numbers = [float(Fraction(v)) for v in values]
                column.low[row], column.high[row] = min(numbers), max(numbers)
        except ValueError:
            raise InputRefused(
                [
                    Problem(
                        "unknown-level",
                        f"this is no value of '{name}'",
                        case.source,
                        hint=nearest(str(values[0]), fact.levels),
                    )
                ]
            ) from None
    return column


# ---- decision tables ----


def _table(book: Rulebook, table: DecisionTable, cases: Sequence[Case]) -> list[Actual]:
    facts = facts_of(cases, book.sins, BESIDE)
    decisions = decide(table, facts, len(cases))
    result = [_decided(decisions, row) for row in range(len(cases))]
    if isinstance(table, RiskTable):
        _robust(table, cases, facts, decisions, result)
        _courses(table, cases, result)
    return result


BESIDE = ("days_after_first_site",)


def _decided(decisions: Decisions, row: int) -> Actual:
    case, table = int(decisions.case[row]), decisions.table
    status = str(decisions.case_status[case])
    outcome = int(decisions.case_outcome[case])
    return {
        "outcome": table.outcomes[outcome] if outcome >= 0 else "",
        "status": status,
        "rule": tuple(decisions.rule_ids(case)) if status == "decided" else "",
        "possible": tuple(o for o, can in zip(table.outcomes, decisions.possible[case], strict=True) if can),
        "missing": tuple(f for f, can in zip(decisions.facts, decisions.decisive[case], strict=True) if can),
    }


def _robust(table: RiskTable, cases: Sequence[Case], facts: Facts, decisions: Decisions, result: list[Actual]) -> None:
    if any("robust" in c.expect.words for c in cases):
        found = sensitivity(table).of(facts, len(cases))
        for row, actual in enumerate(result):
            holds = found.robust[found.cover.case[row]] and decisions.outcome[row] >= 0
            actual["robust"] = "yes" if holds else "no"


def _courses(table: RiskTable, cases: Sequence[Case], result: list[Actual]) -> None:
    """Tell whether a site treated so many days after a course's first one belongs to that course."""
    asked = [(row, c) for row, c in enumerate(cases) if "days_after_first_site" in c.given.words]
    if not asked:
        return
    import pandas as pd

    from ..sites.risk import courses

    for row, case in asked:
        days = int(str(case.given.words["days_after_first_site"]))
        start = pd.Timestamp("2024-01-01")
        frame = pd.DataFrame({"patient_id": ["1", "1"], "sbrt_date": [start, start + pd.Timedelta(days=days)]})
        first, second = courses(frame, int(table.course.value))
        result[row]["same_course"] = "yes" if first == second else "no"


# ---- plans ----


def _plan(book: Rulebook, plan: Plan, cases: Sequence[Case]) -> list[Actual]:
    return [_visits(book, plan, case) for case in cases]


def _visits(book: Rulebook, plan: Plan, case: Case) -> Actual:
    from datetime import date

    words = case.given.words
    tier = str(words.get("tier", "any"))
    if plan.tiered and tier not in (*TIERS, "undecided"):
        raise InputRefused(
            [Problem("missing-tier", "a tiered plan needs a tier: low, intermediate, high or undecided", case.source)]
        )
    horizon = Fraction(str(words["horizon"])) if "horizon" in words else None
    request = Request(book, plan, date(2000, 1, 1), horizon)
    tiers = np.array([TIERS.index(tier) if tier in TIERS else -1], dtype=np.int64)
    patterns, which = patterns_of(request, tiers)
    pattern = patterns[int(which[0])]
    if "sbrt_date" not in words:
        after = Fraction(str(words["after"])) if "after" in words else None
        offsets = visit_offsets(pattern.schedule, pattern.horizon, after)
        rules = [pattern.schedule.first.id if v.phase is None else v.phase.id for v in offsets]
        return {
            "offsets": tuple(decimal(v.months) for v in offsets),
            "rule": tuple(dict.fromkeys(rules)),
            "plan": pattern.plan.id,
        }
    zero = np.array([str(words["sbrt_date"])], dtype="datetime64[D]").astype(np.int64)
    scans = _days(words.get("scans", ()))
    grid = planned_grid(zero, which, patterns)
    lines = site_lines(zero, which, patterns, scans, grid)
    shown = lines.take((lines.kind == VISIT) & (lines.state == OPEN))
    shown = shown.take(np.argsort(shown.due, kind="stable"))
    phases = [pattern.schedule.first.id if k < 0 else pattern.schedule.phases[k].id for k in shown.phase.tolist()]
    dates = {
        n: tuple(str(np.datetime64(int(d), "D")) for d in getattr(shown, n)) for n in ("due", "earliest", "latest")
    }
    return {**dates, "rule": tuple(dict.fromkeys(phases)), "plan": pattern.plan.id}


def _days(word: Word) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    days = [word] if isinstance(word, str) else list(word)
    numbers = sorted(int(np.datetime64(d, "D").astype(np.int64)) for d in days)
    return np.array([numbers or [NEVER]], dtype=np.int64)


# ---- windows and scores ----


def _window(book: Rulebook, window: PseudoprogressionWindow, cases: Sequence[Case]) -> list[Actual]:
    alone = Rulebook(book.documents, replace(book.profile, pseudoprogression=(window.id,)), book.folder)
    facts = facts_of(cases, book.sins, ("day", "previous"))
    rows = len(cases)
    days = np.array([int(str(c.given.words["day"])) for c in cases], dtype=np.int64)
    before = np.array([int(str(c.given.words.get("previous", "0"))) for c in cases], dtype=np.int64)
    places = windows_of(alone, facts, rows).places(np.arange(rows, dtype=np.int64), days, before)
    result: list[Actual] = []
    for bits in places.possible.tolist():
        inside = "yes" if bits == 1 << INSIDE else "unknown" if bits >> INSIDE & 1 else "no"
        result.append({"inside": inside, "place": tuple(w for i, w in enumerate(WINDOW_PLACES) if bits >> i & 1)})
    return result


def _sins(book: Rulebook, sins: SinsScore, cases: Sequence[Case]) -> list[Actual]:
    facts = facts_of(cases, sins, ())
    total = facts.get("sins")
    if not isinstance(total, Interval):
        total = Interval(*total_range(sins, facts, np.zeros(len(cases), dtype=bool)))
    found = categories(sins, total.low, total.high)
    names = [c.id for c in sins.categories]
    return [
        {
            "total": f"{low:g}" if low == high else "",
            "low": f"{low:g}",
            "high": f"{high:g}",
            "category": names[c] if c >= 0 else "",
        }
        for low, high, c in zip(total.low, total.high, found.tolist(), strict=True)
    ]


CONCLUDE: Mapping[type[Document], Callable[[Rulebook, Any, Sequence[Case]], list[Actual]]] = {
    DecisionTable: _table,
    Plan: _plan,
    PseudoprogressionWindow: _window,
    SinsScore: _sins,
}
