"""Each kind of document: the type that holds it, and what must be true of it before it may be used."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..problems import Problem, Source, nearest
from ..vocabulary import FACTS, TIERS
from .conditions import Condition, Count, decimal, tests_in
from .criteria import Criterion, Protocol, check_criterion
from .deciding import MOST_CELLS, MOST_CELLS_OF_A_FACT, answers, fact_space
from .model import (
    DecisionTable,
    Document,
    Evidence,
    Plan,
    Profile,
    PseudoprogressionWindow,
    Quantity,
    RiskTable,
    SinsScore,
)
from .parsing import Table
from .robustness import MOST_FEATURES
from .simulation import Simulation, check_simulation
from .structure import INTEGER, Notes, Unreadable, build_dataclass

KINDS: dict[str, type[Document]] = {
    "risk": RiskTable,
    "plan": Plan,
    "pseudoprogression": PseudoprogressionWindow,
    "response": Criterion,
    "sins": SinsScore,
    "protocol": Protocol,
    "simulation": Simulation,
    "profile": Profile,
    "evidence": Evidence,
}


def build_document(tree: Table, content_hash: str) -> tuple[Document | None, list[Problem]]:
    """Turn one tree into its typed document; None when it cannot be used, with every problem."""
    notes = Notes()
    kind = tree.items.get("kind")
    word = getattr(kind, "text", None)
    if word not in KINDS:
        source = kind.source if kind else tree.source
        notes.add("unknown-kind", "the document's kind is missing or not known", source, nearest(word or "", KINDS))
        return None, notes.problems
    try:
        document = build_dataclass(KINDS[word], tree, notes, f"a {word} document")
    except Unreadable:
        return None, notes.problems
    object.__setattr__(document, "content_hash", content_hash)
    for check in CHECKS.get(type(document), ()):
        check(document, notes)
    _check_uses(document, notes)
    return (None if notes.problems else document), notes.problems


def _unique(things: Iterable[Any], what: str, notes: Notes, key: str = "id") -> None:
    seen: dict[str, Source] = {}
    for thing in things:
        name = getattr(thing, key)
        if name in seen:
            notes.add("repeated-id", f"{what} '{name}' stands twice (first in line {seen[name].line})", thing.source)
        seen.setdefault(name, thing.source)


def _check_uses(document: Document, notes: Notes) -> None:
    _unique(document.citations, "citation", notes, "key")


def _check_table(table: DecisionTable, notes: Notes) -> None:
    before = len(notes.problems)
    _unique(table.features, "feature", notes)
    _unique(table.rules, "rule", notes)
    if len(set(table.outcomes)) < len(table.outcomes) or not table.outcomes:
        notes.add("repeated-value", "outcomes are a list of different names", table.source)
    if not table.rules:
        notes.add("no-rules", "a decision table needs at least one rule", table.source)
    names = [f.id for f in table.features]
    for rule in table.rules:
        if rule.then not in table.outcomes:
            notes.add(
                "unknown-outcome",
                f"'{rule.then}' is not one of the outcomes",
                rule.source,
                nearest(rule.then, table.outcomes),
            )
        _check_features(rule.when, names, notes)
    for feature in table.features:
        if any(isinstance(part, Count) for part in feature.when.parts):
            notes.add("nested-count", "a feature cannot count features", feature.source)
    if table.otherwise not in (*table.outcomes, "none"):
        notes.add(
            "unknown-outcome",
            f"otherwise: '{table.otherwise}' is not an outcome",
            table.source,
            "Write one of the outcomes, or none.",
        )
    if len(notes.problems) == before and table.rules and table.outcomes:
        _check_overlap(table, notes)


def _check_features(condition: Condition, names: Sequence[str], notes: Notes) -> None:
    for part in condition.parts:
        if isinstance(part, Count):
            for name in part.of:
                if name not in names:
                    notes.add("unknown-feature", f"no feature is called '{name}'", part.source, nearest(name, names))


def _check_overlap(table: DecisionTable, notes: Notes) -> None:
    """Refuse two rules that hit the same patient: hits must be unique."""
    axes = fact_space(table).axes
    if crowded := next((a for a in axes if len(a) > MOST_CELLS_OF_A_FACT), None):
        notes.add("too-many-cells", f"'{crowded.fact.name}' is cut at too many places to be checked", table.source)
        return
    if math.prod(len(a) for a in axes) > MOST_CELLS:
        names = ", ".join(a.fact.name for a in axes)
        notes.add("too-many-cells", f"too many different patients to check, by {names}", table.source)
        return
    known = answers(table)
    reported: set[tuple[int, int]] = set()
    for cell in (known.hit.sum(axis=1) > 1).nonzero()[0]:
        a, b = known.hit[cell].nonzero()[0][:2]
        if (a, b) in reported:
            continue
        reported.add((a, b))
        first, second = table.rules[a], table.rules[b]
        patient = known.space.describe(int(cell))
        shown = ", ".join(f"{k} {v}" for k, v in patient.items())
        notes.problems.append(
            Problem(
                "overlapping-rules",
                f"the rules '{first.id}' (line {first.source.line}) and '{second.id}' both hit: {shown}",
                second.source,
                hint="Narrow one of them.",
                example=tuple(patient.items()),
            )
        )


def _check_risk(table: RiskTable, notes: Notes) -> None:
    if table.outcomes != TIERS:
        notes.add(
            "wrong-outcomes",
            "a risk table gives the tiers, mildest first",
            table.source,
            f"Write [{', '.join(TIERS)}].",
        )
    _check_quantity(table.course, "days", notes)
    if len(table.features) > MOST_FEATURES:
        notes.add(
            "too-many-features",
            f"more than {MOST_FEATURES} features cannot be tried under every split",
            table.features[MOST_FEATURES].source,
        )
    _unique(table.sensitivity.cuts, "the cut of", notes, "feature")
    for cut in table.sensitivity.cuts:
        feature = next((f for f in table.features if f.id == cut.feature), None)
        if feature is None:
            notes.add(
                "unknown-feature",
                f"no feature is called '{cut.feature}'",
                cut.source,
                nearest(cut.feature, [f.id for f in table.features]),
            )
            continue
        tests = tests_in(feature.when, {})
        if len(tests) != 1 or tests[0].op != "at_least":
            notes.add("cut-not-possible", f"'{cut.feature}' has no single 'at_least' to cut elsewhere", cut.source)
            continue
        fact = FACTS[tests[0].fact]
        for label in cut.at_least:
            if fact.finite and label not in fact.levels:
                notes.add(
                    "unknown-level",
                    f"'{label}' is not a level of '{fact.name}'",
                    cut.source,
                    nearest(label, fact.levels),
                )
            elif not fact.finite and not INTEGER.fullmatch(label):
                notes.add("not-a-number", f"'{label}' is not a whole number", cut.source)
            elif not fact.finite and not (fact.low or 0) <= int(label) <= (fact.high or int(label)):
                notes.add("out-of-range", f"{label} lies outside what '{fact.name}' can be", cut.source)
        own = tests[0].operands[0]
        if (own if isinstance(own, str) else decimal(own)) not in cut.at_least:
            notes.add(
                "cut-without-own",
                f"the cuts leave out the document's own, {own if isinstance(own, str) else decimal(own)}",
                cut.source,
                "List it as well.",
            )


def _check_sins(document: SinsScore, notes: Notes) -> None:
    _unique(document.items, "item", notes)
    for number, item in enumerate(document.items):
        if item.fact in [other.fact for other in document.items[:number]]:
            notes.add("repeated-value", f"'{item.fact}' is scored by two items", item.source)
    before = len(notes.problems)
    for item in document.items:
        fact = FACTS.get(item.fact)
        if fact is None or not fact.finite:
            notes.add(
                "unknown-fact", f"no fact with levels is called '{item.fact}'", item.source, nearest(item.fact, FACTS)
            )
            continue
        seen: set[str] = set()
        for score in item.scores:
            if score.points < 0:
                notes.add("out-of-range", "points are 0 or more", score.source)
            for label in score.any_of:
                if label not in fact.levels:
                    notes.add(
                        "unknown-level",
                        f"'{label}' is not a level of '{fact.name}'",
                        score.source,
                        nearest(label, fact.levels),
                    )
                if label in seen:
                    notes.add("repeated-value", f"'{label}' is scored twice", score.source)
                seen.add(label)
        if unscored := [label for label in fact.levels if label not in seen]:
            notes.add("unscored-level", f"item '{item.id}' gives no points to: {', '.join(unscored)}", item.source)
    if len(notes.problems) > before or len({i.fact for i in document.items}) < len(document.items):
        return  # the sum of a broken item would only confuse
    top = sum(max((s.points for s in item.scores), default=0) for item in document.items)
    expected = 0
    for category in document.categories:
        if category.from_ != expected or category.to < category.from_:
            notes.add("categories-not-joined", f"category '{category.id}' should start at {expected}", category.source)
        expected = category.to + 1
    if expected != top + 1:
        notes.add(
            "categories-not-joined", f"the categories end at {expected - 1}, the items add up to {top}", document.source
        )
    if top != FACTS["sins"].high:
        notes.add("out-of-range", f"the items add up to {top}, SINS ends at {FACTS['sins'].high:g}", document.source)


def _check_plan(plan: Plan, notes: Notes) -> None:
    seen: set[str] = set()
    if not plan.schedules:
        notes.add("no-schedules", "a plan needs at least one schedule", plan.source)
        return
    for schedule in plan.schedules:
        for tier in schedule.tiers:
            if tier in seen or (tier == "any" and len(plan.schedules) > 1):
                notes.add("repeated-value", f"tier '{tier}' has two schedules", schedule.source)
            seen.add(tier)
        if not schedule.phases:
            notes.add("no-phases", "a schedule needs at least one phase", schedule.source)
            continue
        first = schedule.first
        if (first.at is None) == (first.no_later_than is None):
            notes.add("missing-key", "the first visit needs either 'at' or 'no_later_than'", first.source)
        for month in (first.at, first.no_later_than):
            if month is not None and month <= 0:
                notes.add("out-of-range", "the first visit comes after month 0", first.source)
        start = None
        for phase in schedule.phases:
            for span, pick, name in (
                (phase.every, phase.every_pick, "every"),
                (phase.until, phase.until_pick, "until"),
            ):
                if span is not None and span.ranged and pick is None:
                    notes.add("missing-key", f"the range in '{name}' needs a written pick, '{name}_pick'", span.source)
                if pick is not None and (span is None or not span.ranged):
                    notes.add("unknown-key", f"'{name}_pick' has no range to pick from", phase.source)
            if (phase.every_pick or phase.until_pick) and phase.pick_basis is None:
                notes.add("missing-key", "a pick needs its 'pick_basis'", phase.source)
            if phase.until is not None and start is not None and phase.end is not None and phase.end <= start:
                notes.add("phases-out-of-order", f"phase '{phase.id}' ends before it starts", phase.source)
            percent = phase.target_yield_percent
            if percent is not None and not 0 < percent < 100:
                notes.add("out-of-range", "a yield lies between 0 and 100 percent", phase.source)
            last = phase is schedule.phases[-1]
            if last and phase.until is not None:
                notes.add(
                    "phases-not-joined",
                    f"nothing follows phase '{phase.id}'",
                    phase.source,
                    "Leave out 'until' in the last phase.",
                )
            if not last and phase.until is None:
                notes.add(
                    "phases-not-joined", f"phase '{phase.id}' never ends, so the next one never starts", phase.source
                )
            start = phase.end
        _unique(schedule.phases, "phase", notes)
    if plan.tiered and "any" not in seen and seen != {"low", "intermediate", "high"}:
        gone = {"low", "intermediate", "high"} - seen
        notes.add("tier-without-schedule", f"no schedule for: {', '.join(sorted(gone))}", plan.source)
    if not plan.tiered and seen != {"any"}:
        notes.add("missing-key", "a plan with tiers needs 'risk', the document they come from", plan.source)
    if plan.tiered and not plan.undecided:
        notes.add("missing-key", "a tiered plan needs 'undecided', the plan followed meanwhile", plan.source)
    _check_quantity(plan.tolerance, "days", notes)
    _check_quantity(plan.horizon, "months", notes)


def _check_quantity(quantity: Quantity, unit: str, notes: Notes) -> None:
    if quantity.unit != unit:
        notes.add("wrong-unit", f"this is counted in {unit}", quantity.source)
    elif quantity.value <= 0:
        notes.add("out-of-range", "this is above 0", quantity.source)
    elif unit == "days" and quantity.value.denominator != 1:
        notes.add("not-an-integer", "days are whole numbers", quantity.source)


def _check_evidence(document: Evidence, notes: Notes) -> None:
    _unique(document.sources, "source", notes, "key")
    _unique(document.not_found, "entry", notes)
    for reference in document.sources:
        _unique(reference.findings, "finding", notes)


def _check_window(document: PseudoprogressionWindow, notes: Notes) -> None:
    if document.window.from_ < 0:
        notes.add("out-of-range", "a window opens on day 0 or later", document.window.source)
    elif document.window.from_ > document.window.to:
        notes.add("range-reversed", "the window ends before it opens", document.window.source)


CHECKS: dict[type[Document], tuple[Callable[..., None], ...]] = {
    DecisionTable: (_check_table,),
    Criterion: (_check_table, check_criterion),
    RiskTable: (_check_table, _check_risk),
    SinsScore: (_check_sins,),
    Plan: (_check_plan,),
    PseudoprogressionWindow: (_check_window,),
    Evidence: (_check_evidence,),
    Simulation: (check_simulation,),
}
