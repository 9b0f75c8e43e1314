"""A rulebook as the decisions it makes: cells with their conclusions, visits with their months, windows with their days.

This is what a clinician can sign instead of YAML text, one line each. `given` is written so that another rulebook can be
asked the same question: levels joined by `|`, numbers as `low..high`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..rulebook.conditions import Column, Condition, Facts, Interval, Levels, decimal, tests_in
from ..rulebook.criteria import Criterion
from ..rulebook.deciding import Axis, FactSpace, answers, decide
from ..rulebook.library import Rulebook
from ..rulebook.model import DecisionTable, Document, Plan, PseudoprogressionWindow, RiskTable, SinsScore
from ..rulebook.offsets import visit_offsets
from ..sites.windows import unite
from ..vocabulary import FACTS
from .window_checks import with_partners


@dataclass(frozen=True)
class Decision:
    """One question and what a document concludes."""

    document: str
    given: str
    conclusion: str
    rule: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What the decision is about."""
        return self.document, self.given


def decisions(book: Rulebook, document: Document) -> Iterator[Decision]:
    """Give every decision of a document; none for documents that decide nothing."""
    if isinstance(document, DecisionTable):
        yield from _of_table(document)
    elif isinstance(document, Plan):
        yield from _of_plan(document)
    elif isinstance(document, PseudoprogressionWindow):
        yield Decision(document.name, whom(document.when), days_of(book, document), document.name)
    elif isinstance(document, SinsScore):
        yield from _of_score(document)


# ---- tables ----


def cell_text(axis: Axis, cell: int) -> str:
    """Write a cell of an axis: every level in it, or its range of numbers."""
    if axis.level_bits:
        bits = axis.level_bits[cell]
        return "|".join(label for i, label in enumerate(axis.fact.levels) if bits >> i & 1)
    low, high = axis.ranges[cell]
    return _number(low) if low == high else f"{_number(low)}..{_number(high)}"


def _number(value: float) -> str:
    return str(int(value)) if np.isfinite(value) and value == int(value) else repr(float(value))


def given_text(space: FactSpace, cell: int) -> str:
    """Write a cell of a fact space."""
    return "; ".join(
        f"{axis.fact.name}={cell_text(axis, int(space.coordinates[cell, k]))}" for k, axis in enumerate(space.axes)
    )


def facts_from(given: str) -> Facts:
    """Read a written cell as columns of one row; unknown facts and labels are left out."""
    columns: dict[str, Column] = {}
    for part in given.split("; "):
        name, _, value = part.partition("=")
        fact = FACTS.get(name)
        if fact is None:
            continue
        if fact.finite:
            bits = sum(1 << fact.levels.index(w) for w in value.split("|") if w in fact.levels)
            columns[name] = Levels(np.array([bits or (1 << len(fact.levels)) - 1], dtype=np.int64))
        else:
            low, _, high = value.partition("..")
            columns[name] = Interval(np.array([float(low)]), np.array([float(high or low)]))
    return columns


def conclusion_of(table: DecisionTable, given: str) -> Decision:
    """Ask a table for a written cell."""
    found = decide(table, facts_from(given), 1)
    case, outcome = int(found.case[0]), int(found.outcome[0])
    text = table.outcomes[outcome] if outcome >= 0 else str(found.case_status[case])
    return Decision(table.name, given, text, ";".join(found.rule_ids(case)) if outcome >= 0 else "")


def _of_table(table: DecisionTable) -> Iterator[Decision]:
    known = answers(table)
    ids = [*(r.id for r in table.rules), "otherwise"]
    for cell in range(known.space.size):
        outcome = int(known.outcome[cell])
        text = table.outcomes[outcome] if outcome >= 0 else "no_match"
        yield Decision(table.name, given_text(known.space, cell), text, ids[int(known.rule[cell])])
    yield from beside(table)


def beside(table: DecisionTable) -> Iterator[Decision]:
    """Give what a table decides beside its cells: courses and cuts of a risk table, what an outcome of a criterion means."""
    if isinstance(table, RiskTable):
        yield Decision(table.name, "course", f"{decimal(table.course.value)} days")
        for cut in table.sensitivity.cuts:
            yield Decision(table.name, f"cuts of {cut.feature}", ", ".join(cut.at_least))
    if isinstance(table, Criterion):
        for meaning in table.meanings:
            words = [f"sign {meaning.sign}", f"level {meaning.level or meaning.outcome}"]
            words += ["weighs"] * meaning.weighs + ["urgent"] * meaning.urgent
            if meaning.within is not None:
                words.append(f"within {decimal(meaning.within.value)} {meaning.within.unit}")
            yield Decision(table.name, f"meaning of {meaning.outcome}", ", ".join(words))


# ---- plans, windows, scores ----


def _of_plan(plan: Plan) -> Iterator[Decision]:
    for schedule in plan.schedules:
        for number, visit in enumerate(visit_offsets(schedule, plan.horizon.value), 1):
            rule = schedule.first.id if visit.phase is None else visit.phase.id
            window = f"{decimal(visit.earliest)} to {decimal(visit.latest)}"
            for tier in schedule.tiers:
                text = f"month {decimal(visit.months)} (window {window})"
                yield Decision(plan.name, f"tier={tier}; visit={number}", text, rule)
        for tier in schedule.tiers:
            for phase in schedule.phases:
                end = "" if phase.end is None else f" until month {decimal(phase.end)}"
                text = f"every {decimal(phase.interval)} months{end} (range {decimal(phase.every.low)} to {decimal(phase.every.high)})"
                yield Decision(plan.name, f"tier={tier}; phase={phase.id}", text, phase.id)
    yield Decision(plan.name, "anchor", plan.anchor.from_)
    yield Decision(plan.name, "tolerance", f"{decimal(plan.tolerance.value)} days")
    yield Decision(plan.name, "horizon", f"{decimal(plan.horizon.value)} months")
    if plan.undecided:
        yield Decision(plan.name, "tier=undecided", f"plan/{plan.undecided}")


def months_of(conclusion: str) -> Fraction | None:
    """Read the month of a visit's conclusion again."""
    words = conclusion.split(" ")
    return Fraction(words[1]) if words[0] == "month" else None


def whom(condition: Condition | None) -> str:
    """Say whom a window is for."""
    return "anybody" if condition is None or not tests_in(condition, {}) else str(condition)


def days_of(book: Rulebook, window: PseudoprogressionWindow) -> str:
    """Write the days of a window united with its partners."""
    by_id = {d.id: d for d in book.documents.values() if isinstance(d, PseudoprogressionWindow)}
    united = unite(with_partners(window, {**by_id, window.id: window}))
    return "days " + " and ".join(f"{s.start} to {s.stop - 1}" for s in united)


def _of_score(sins: SinsScore) -> Iterator[Decision]:
    for item in sins.items:
        for score in item.scores:
            for label in score.any_of:
                yield Decision(sins.name, f"{item.fact}={label}", f"{score.points} points", item.id)
    for category in sins.categories:
        for total in range(category.from_, category.to + 1):
            yield Decision(sins.name, f"total={total}", category.id, category.id)
