"""Do the cases notice when a document changes? Every mutant through loader, proof of equivalence, and cases.

A mutant is refused (the loader does not take it), equivalent (no cell and no date changes: proved, and left out), killed
(a case fails) or survives. The kill rate is killed / (killed + survived).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from ..problems import InputRefused
from ..rulebook.conditions import Condition, Test, tests_in
from ..rulebook.deciding import FactSpace, fact_space, hits, holds
from ..rulebook.kinds import build_document
from ..rulebook.library import Rulebook
from ..rulebook.model import DecisionTable, Document, Plan, PseudoprogressionWindow, RiskTable, Schedule, SinsScore
from ..rulebook.parsing import Table, read_file
from ..rulebook.robustness import sensitivity
from ..sites.windows import unite
from ..vocabulary import FACTS, TIERS
from .cases import Case, CaseFile, Said, Word
from .conclusions import run
from .fact_cells import patient
from .mutants import Mutant, mutants
from .window_checks import with_partners

Fate = Literal["refused", "equivalent", "killed", "survived"]
FATES: tuple[Fate, ...] = ("killed", "survived", "equivalent", "refused")


@dataclass(frozen=True)
class Tried:
    """A mutant, what became of it, and for a survivor the case that would kill it."""

    mutant: Mutant
    fate: Fate
    killer: Mapping[str, Any] | None = None


def tree_of(book: Rulebook, document: Document) -> Table | None:
    """Read a document's own tree again; None for an overlay, which has no tree of its own."""
    if document.extends is not None:
        return None
    shown = document.source.file
    path = book.folder if book.folder.is_file() else book.folder.joinpath(*shown.split("/")[1:])
    tree, _ = read_file(path, shown)
    return tree


def try_mutants(book: Rulebook, document: Document, files: Sequence[CaseFile]) -> Iterator[Tried]:
    """Try every mutant of one document against its cases."""
    tree = tree_of(book, document)
    if tree is None:
        return
    same = EQUIVALENT[next(kind for kind in EQUIVALENT if isinstance(document, kind))]
    for mutant in mutants(document, tree):
        changed, problems = build_document(mutant.tree, "")
        if changed is None or problems:
            yield Tried(mutant, "refused")
        elif same(book, document, changed):
            yield Tried(mutant, "equivalent")
        elif any(_killed(book, file, changed) for file in files):
            yield Tried(mutant, "killed")
        else:
            yield Tried(mutant, "survived", killer_of(book, document, changed))


def _killed(book: Rulebook, file: CaseFile, changed: Document) -> bool:
    try:
        return not all(r.passed for r in run(book, file, changed))
    except InputRefused:
        return True


# ---- equivalence ----


def common_space(one: DecisionTable, other: DecisionTable) -> FactSpace:
    """Give a fact space that tells the cells of both tables apart."""
    return fact_space(one, all_tests(other))


def all_tests(table: DecisionTable) -> list[Test]:
    """List every test a table rests on."""
    features = table.feature_conditions
    tests = [t for rule in table.rules for t in tests_in(rule.when, features)]
    return tests + [t for condition in features.values() for t in tests_in(condition, features)]


def conclusions_on(table: DecisionTable, space: FactSpace) -> list[tuple[str, str]]:
    """Give outcome and rule of every cell of a space that is at least as fine as the table's own."""
    true, _ = hits(table, space.facts, space.size)
    count, rule = true.sum(axis=1), true.argmax(axis=1)
    otherwise = (table.otherwise if table.otherwise in table.outcomes else "", "otherwise")
    named = [(r.then, r.id) for r in table.rules]
    return [
        ("conflict", "") if n > 1 else named[k] if n else otherwise
        for n, k in zip(count.tolist(), rule.tolist(), strict=True)
    ]


def _same_table(book: Rulebook, one: Any, other: Any) -> bool:
    if isinstance(one, RiskTable) and not _same_doubt(one, other):
        return False
    space = common_space(one, other)
    return conclusions_on(one, space) == conclusions_on(other, space)


def _same_doubt(one: RiskTable, other: RiskTable) -> bool:
    """Whether two risk tables have the same courses, and call the same cells robust: other rows are sets of cells."""
    if one.course.value != other.course.value:
        return False
    first, second = sensitivity(one), sensitivity(other)
    space = fact_space(one, [*first.tests, *second.tests, *all_tests(other)])
    found = [s.of(space.facts, space.size) for s in (first, second)]
    return all(
        (getattr(found[0], name)[found[0].cover.case] == getattr(found[1], name)[found[1].cover.case]).all()
        for name in ("robust", "tier")
    )


def _same_plan(book: Rulebook, one: Any, other: Any) -> bool:
    def meaning(plan: Plan) -> tuple[object, ...]:
        return (plan.tolerance.value, plan.horizon.value, plan.anchor.from_, plan.undecided, *(
            (s.tiers, s.first_offset, tuple((p.interval, p.every.low, p.every.high, p.end) for p in s.phases))
            for s in plan.schedules
        ))  # fmt: skip

    return meaning(one) == meaning(other)


def _same_window(book: Rulebook, one: Any, other: Any) -> bool:
    def meaning(window: PseudoprogressionWindow) -> tuple[object, ...]:
        by_id = {d.id: d for d in book.documents.values() if isinstance(d, PseudoprogressionWindow)}
        united = unite(with_partners(window, {**by_id, window.id: window}))
        return tuple((s.start, s.stop) for s in united), _who(window.when)

    return meaning(one) == meaning(other)


def _who(condition: Condition | None) -> object:
    """Say whom a condition chooses: the labels that satisfy it, or its words where it names several facts."""
    names = {t.fact for t in tests_in(condition, {})} if condition else set()
    if len(names) != 1 or condition is None:
        return str(condition)
    fact = FACTS[names.pop()]
    if not fact.finite:
        return str(condition)
    from ..rulebook.conditions import Levels

    column = Levels(np.array([1 << i for i in range(len(fact.levels))], dtype=np.int64))
    return tuple(holds(condition, {fact.name: column}, len(fact.levels))[0].tolist())


def _same_score(book: Rulebook, one: Any, other: Any) -> bool:
    def meaning(sins: SinsScore) -> tuple[object, ...]:
        points = {(i.fact, label): s.points for i in sins.items for s in i.scores for label in s.any_of}
        return points, tuple((c.id, c.from_, c.to) for c in sins.categories)

    return meaning(one) == meaning(other)


EQUIVALENT: dict[type[Document], Callable[[Rulebook, Any, Any], bool]] = {
    DecisionTable: _same_table,
    Plan: _same_plan,
    PseudoprogressionWindow: _same_window,
    SinsScore: _same_score,
}


# ---- the case that would kill a survivor ----


def killer_of(book: Rulebook, document: Document, changed: Document) -> Mapping[str, Any] | None:
    """Find a case that the document passes and its mutant fails, with no more facts than it needs."""
    for given in _candidates(document, changed):
        expect = _told_apart(book, document, changed, given)
        if not expect:
            continue
        for name in list(given) if isinstance(document, DecisionTable) else []:
            fewer = {k: v for k, v in given.items() if k != name}
            still = _told_apart(book, document, changed, fewer)
            if still.get("rule") == expect.get("rule") and still:
                given, expect = fewer, still
        return {"given": given, "expect": expect}
    return None


def _told_apart(book: Rulebook, document: Document, changed: Document, given: Mapping[str, Word]) -> dict[str, Word]:
    """Give what the document concludes for these facts where its mutant concludes otherwise; nothing if it does not."""
    case = Case(id="killer", why="", given=Said(given), expect=Said({}), source=document.source)
    file = CaseFile(document.name, (case,), document.source)
    try:
        one = run(book, file)[0].actual
        other = run(book, file, changed)[0].actual
    except InputRefused:
        return {}
    keys = [k for k in one if one[k] != other.get(k) and k not in ("possible", "missing", "place", "status")]
    if not keys or one.get("status", "decided") != "decided":
        return {}
    rest = ["outcome", "rule"] if "outcome" in one else []
    return {k: one[k] for k in dict.fromkeys([*keys, *rest]) if one[k]}


def _candidates(document: Document, changed: Document) -> Iterator[Mapping[str, Word]]:
    if isinstance(document, DecisionTable) and isinstance(changed, DecisionTable):
        space = common_space(document, changed)
        one, other = conclusions_on(document, space), conclusions_on(changed, space)
        for cell, (a, b) in enumerate(zip(one, other, strict=True)):
            if a != b:
                yield dict(patient(space, cell))
                break
        if isinstance(document, RiskTable) and isinstance(changed, RiskTable):
            for days in {int(document.course.value), int(changed.course.value)}:
                yield {"days_after_first_site": str(days)}
    elif isinstance(document, Plan) and isinstance(changed, Plan):
        yield from _plan_candidates(document, changed)
    elif isinstance(document, PseudoprogressionWindow) and isinstance(changed, PseudoprogressionWindow):
        edges = {d + n for w in (document.window, changed.window) for d in (w.from_, w.to) for n in (-1, 0, 1)}
        for histology in FACTS["histology"].levels:
            yield from ({"histology": histology, "day": str(day)} for day in sorted(edges) if day > 0)
    elif isinstance(document, SinsScore):
        base = {i.fact: min(i.scores, key=lambda s: s.points).any_of[0] for i in document.items}
        for item in document.items:
            yield from ({**base, item.fact: label} for score in item.scores for label in score.any_of)


def _plan_candidates(plan: Plan, changed: Plan) -> Iterator[dict[str, Word]]:
    tiers: Iterable[str] = TIERS if plan.tiered else ("any",)
    for tier in tiers:
        own: dict[str, Word] = {"tier": tier} if plan.tiered else {}
        for horizon in ("4", "7", "13", "19", "25", "60"):
            yield {**own, "horizon": horizon}
        for months in sorted(_edges(plan, tier) | _edges(changed, tier)):
            yield {**own, "after": str(float(months)), "horizon": str(float(months + 12))}
            yield {**own, "after": str(float(months))}
        yield {**own, "sbrt_date": "2024-01-01", "horizon": "13"}
        yield {**own, "sbrt_date": "2024-01-01", "horizon": "25"}
        yield {**own, "sbrt_date": "2024-01-01", "scans": "2024-04-10", "horizon": "13"}


def _edges(plan: Plan, tier: str) -> set[Fraction]:
    schedule: Schedule | None = plan.schedule_for(tier)
    if schedule is None:
        return set()
    ends = {p.end for p in schedule.phases if p.end is not None}
    last = schedule.phases[-1].interval
    return {n for n in {*ends, plan.horizon.value - last} if n > 0}


def score(tried: Iterable[Tried]) -> dict[str, int]:
    """Count mutants by what became of them."""
    counts: dict[str, int] = dict.fromkeys(FATES, 0)
    for one in tried:
        counts[one.fate] += 1
    return counts


def rate(counts: Mapping[str, int]) -> float | None:
    """Give the share of killed among those that change something, None when none does."""
    total = counts["killed"] + counts["survived"]
    return counts["killed"] / total if total else None
