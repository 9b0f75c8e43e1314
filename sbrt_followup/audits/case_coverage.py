"""How much of a document its cases reach: rules, and both sides of every boundary.

Rules are a table's rules, a plan's first visits and phases, a window, a score's points. Boundaries are a table's cells fact by
fact, a plan's phase ends (a visit on either side), a window's edges (the day on either side), a score's category edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..rulebook.deciding import answers, fact_space
from ..rulebook.library import Rulebook
from ..rulebook.model import DecisionTable, Document, Plan, PseudoprogressionWindow, SinsScore
from .cases import CaseFile, Result
from .conclusions import BESIDE, facts_of
from .fact_cells import member

TESTED = (DecisionTable, Plan, PseudoprogressionWindow, SinsScore)


@dataclass(frozen=True)
class Coverage:
    """What of a document the passing cases reach, and what they do not."""

    document: str
    cases: int
    rules: int
    rules_missing: tuple[str, ...]
    boundaries: int
    boundaries_missing: tuple[str, ...]

    @property
    def rule_share(self) -> float:
        """The share of rules reached."""
        return 1 - len(self.rules_missing) / self.rules if self.rules else 1.0

    @property
    def boundary_share(self) -> float:
        """The share of boundary sides reached."""
        return 1 - len(self.boundaries_missing) / self.boundaries if self.boundaries else 1.0


def coverage(book: Rulebook, document: Document, files: Sequence[CaseFile], results: Sequence[Result]) -> Coverage:
    """Measure one document against the results of its cases."""
    passed = [r for r in results if r.passed]
    if isinstance(document, DecisionTable):
        rules, edges = _of_table(book, document, passed)
    elif isinstance(document, Plan):
        rules, edges = _of_plan(document, passed)
    elif isinstance(document, PseudoprogressionWindow):
        rules, edges = _of_window(document, passed)
    else:
        assert isinstance(document, SinsScore)
        rules, edges = _of_score(document, passed)

    def missing(all_: dict[str, bool]) -> tuple[str, ...]:
        return tuple(name for name, reached in all_.items() if not reached)

    return Coverage(
        document.name, sum(len(f.cases) for f in files), len(rules), missing(rules), len(edges), missing(edges)
    )  # fmt: skip


Reached = dict[str, bool]


def _words(result: Result, name: str) -> tuple[str, ...]:
    word = result.actual.get(name, ())
    return (word,) if isinstance(word, str) else word


def _of_table(book: Rulebook, table: DecisionTable, passed: Sequence[Result]) -> tuple[Reached, Reached]:
    named = {n for r in passed for n in _words(r, "rule")}
    rules = {r.id: r.id in named for r in table.rules}
    known = answers(table)
    if (known.rule == len(table.rules)).any() and table.otherwise in table.outcomes:
        rules["otherwise"] = "otherwise" in named
    edges: Reached = {}
    cases = [r.case for r in passed]
    facts = facts_of(cases, book.sins, BESIDE)
    for axis in fact_space(table).axes:
        column = facts.get(axis.fact.name)
        for cell in range(len(axis)):
            edges[f"{axis.fact.name} {member(axis, cell)}"] = False
        if column is None:
            continue
        for bits in axis.cells(column).tolist():
            if bits and not bits & (bits - 1):
                edges[f"{axis.fact.name} {member(axis, bits.bit_length() - 1)}"] = True
    return rules, edges


def _of_plan(plan: Plan, passed: Sequence[Result]) -> tuple[Reached, Reached]:
    rules: Reached = {}
    edges: Reached = {}
    for schedule in plan.schedules:
        mine = [r for r in passed if r.case.given.words.get("tier", "any") in schedule.tiers]
        used = {n for r in mine for n in _words(r, "rule")}
        tier = ", ".join(schedule.tiers)
        for name in (schedule.first.id, *(p.id for p in schedule.phases)):
            rules[f"{tier}: {name}"] = name in used
        for before, after in zip(schedule.phases, schedule.phases[1:], strict=False):
            edges[f"{tier}: end of {before.id}"] = before.id in used
            edges[f"{tier}: start of {after.id}"] = after.id in used
    horizon = f"horizon {float(plan.horizon.value):g}"
    edges[horizon] = any("horizon" not in r.case.given.words and "sbrt_date" not in r.case.given.words for r in passed)
    return rules, edges


def _of_window(window: PseudoprogressionWindow, passed: Sequence[Result]) -> tuple[Reached, Reached]:
    inside = any(_words(r, "inside") == ("yes",) for r in passed)
    days = {int(str(r.case.given.words["day"])) for r in passed}
    first, last = window.window.from_, window.window.to
    # A day before the window may lie in the one it is united with; it is looked at all the same.
    return {"window": inside}, {f"day {d}": d in days for d in (first - 1, first, last, last + 1)}


def _of_score(sins: SinsScore, passed: Sequence[Result]) -> tuple[Reached, Reached]:
    given = {(name, word) for r in passed for name, word in r.case.given.words.items() if isinstance(word, str)}
    rules = {
        f"{item.fact} {label}": (item.fact, label) in given
        for item in sins.items
        for s in item.scores
        for label in s.any_of
    }
    totals = {_words(r, "total") for r in passed}
    edges = {f"total {n}": (str(n),) in totals for c in sins.categories for n in (c.from_, c.to)}
    return rules, edges
