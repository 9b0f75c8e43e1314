"""Facts through a decision table to outcomes: the one evaluator, for a cohort, one patient and the audit's grid.

A table cuts the facts it names into cells in which no condition changes (its fact space, a finite grid). Each fully
known cell has one answer: the outcome of its only hit, `otherwise` when nothing hits. A row is the set of cells it
could be; its possible outcomes are theirs. So an unknown decides nothing unless every value it could take agrees,
and supplying a missing fact can only narrow the set.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from ..arrays import Flags
from ..vocabulary import FACTS, Fact
from .conditions import Column, Condition, Facts, Interval, Levels, Test, evaluate, satisfying_levels, tests_in
from .model import DecisionTable

NO_MATCH = -1
CONFLICT = -2
OTHERWISE = "otherwise"
# Cells of one fact are bits of a 64-bit number; more cells in all than this cannot be checked in reasonable time.
MOST_CELLS_OF_A_FACT = 60
MOST_CELLS = 200_000


@dataclass(frozen=True)
class Axis:
    """One fact cut into cells: bits of levels, or elementary ranges of numbers [low, high]."""

    fact: Fact
    level_bits: tuple[int, ...] = ()
    ranges: tuple[tuple[float, float], ...] = ()

    def __len__(self) -> int:
        return len(self.level_bits) or len(self.ranges)

    @cached_property
    def column(self) -> Column:
        """The cells as a column of facts, one row per cell."""
        if self.level_bits:
            return Levels(np.array(self.level_bits, dtype=np.int64))
        low, high = zip(*self.ranges, strict=True)
        return Interval(np.array(low, dtype=float), np.array(high, dtype=float))

    def cells(self, column: Column) -> npt.NDArray[np.int64]:
        """Give each row's possible cells as bits."""
        if isinstance(column, Levels):
            result = np.zeros(len(column), dtype=np.int64)
            for i, bits in enumerate(self.level_bits):
                result |= np.where((column.possible & bits) != 0, 1 << i, 0)
            return result
        result = np.zeros(len(column), dtype=np.int64)
        for i, (low, high) in enumerate(self.ranges):
            result |= np.where((column.low <= high) & (column.high >= low), 1 << i, 0)
        return result

    def describe(self, cell: int) -> str:
        """Name a cell by its smallest member: a level, or a number."""
        if self.level_bits:
            bits = self.level_bits[cell]
            return "|".join(label for i, label in enumerate(self.fact.levels) if bits >> i & 1)
        low, high = self.ranges[cell]
        if low == high:
            return f"{low:g}"
        if np.isinf(low):
            return f"below {np.nextafter(high, np.inf):g}"
        return f"above {np.nextafter(low, -np.inf):g}" if np.isinf(high) else f"{low:g} to {high:g}"


def axis(fact: Fact, tests: Sequence[Test], whole: bool = False) -> Axis:
    """Cut a fact where the tests can tell values apart; `whole` keeps every level a cell of its own."""
    if fact.finite:
        signatures: dict[tuple[bool, ...], int] = {}
        masks = [satisfying_levels(fact, t.op, t.operands) for t in tests]
        for i in range(len(fact.levels)):
            key = (*(bool(mask >> i & 1) for mask in masks), *((i,) if whole else ()))
            signatures[key] = signatures.get(key, 0) | 1 << i
        return Axis(fact, level_bits=tuple(signatures.values()))
    points = sorted({float(o) for t in tests for o in t.operands if isinstance(o, Fraction)})
    low = -np.inf if fact.low is None else fact.low
    high = np.inf if fact.high is None else fact.high
    if fact.kind == "integer":
        edges = sorted({p for point in points for p in (point, point + 1)} | {low})
        edges = [e for e in edges if low <= e <= high]
        stops = [*(e - 1 for e in edges[1:]), high]
        return Axis(fact, ranges=tuple(zip(edges, stops, strict=True)))
    ranges: list[tuple[float, float]] = []
    start = low
    for point in points:
        if start < point:
            ranges.append((start, float(np.nextafter(point, -np.inf))))
        ranges.append((point, point))
        start = float(np.nextafter(point, np.inf))
    if start <= high:
        ranges.append((start, high))
    return Axis(fact, ranges=tuple(ranges))


@dataclass(frozen=True)
class FactSpace:
    """The grid of cells of the facts a table names."""

    axes: tuple[Axis, ...]

    @cached_property
    def size(self) -> int:
        """Number of fully known cells."""
        return int(np.prod([len(a) for a in self.axes], dtype=np.int64))

    @cached_property
    def coordinates(self) -> npt.NDArray[np.int64]:
        """Each cell's index along every axis, shape (size, facts)."""
        grid = list(itertools.product(*(range(len(a)) for a in self.axes)))
        return np.array(grid, dtype=np.int64).reshape(self.size, len(self.axes))

    @cached_property
    def facts(self) -> Facts:
        """The grid as columns of facts."""
        columns: dict[str, Column] = {}
        for k, one in enumerate(self.axes):
            at = self.coordinates[:, k]
            column = one.column
            columns[one.fact.name] = (
                Levels(column.possible[at]) if isinstance(column, Levels) else Interval(column.low[at], column.high[at])
            )
        return columns

    def describe(self, cell: int) -> dict[str, str]:
        """Name a cell, fact by fact."""
        return {a.fact.name: a.describe(int(self.coordinates[cell, k])) for k, a in enumerate(self.axes)}


def fact_space(table: DecisionTable, extra: Sequence[Test] = (), whole: bool = False) -> FactSpace:
    """Build the grid that a table's conditions (and extra tests) span."""
    features = table.feature_conditions
    tests = [t for rule in table.rules for t in tests_in(rule.when, features)]
    tests += [t for condition in features.values() for t in tests_in(condition, features)] + list(extra)
    names = list(dict.fromkeys(t.fact for t in tests))
    return FactSpace(tuple(axis(FACTS[n], [t for t in tests if t.fact == n], whole) for n in names))


def hits(table: DecisionTable, facts: Facts, rows: int) -> tuple[Flags, Flags]:
    """Evaluate every rule on columns: (true, unknown), each of shape (rows, rules)."""
    features = table.feature_conditions
    pairs = [evaluate(rule.when, features, facts, rows) for rule in table.rules]
    return np.stack([p[0] for p in pairs], axis=1), np.stack([p[1] for p in pairs], axis=1)


@dataclass(frozen=True)
class Answers:
    """The answer of every fully known cell: outcome index (or NO_MATCH, CONFLICT) and rule index (len(rules): otherwise)."""

    space: FactSpace
    outcome: npt.NDArray[np.int64]
    rule: npt.NDArray[np.int64]
    hit: Flags


def answers(table: DecisionTable, extra: Sequence[Test] = (), whole: bool = False) -> Answers:
    """Answer every cell of the table's fact space."""
    space = fact_space(table, extra, whole)
    true, _ = hits(table, space.facts, space.size)
    count = true.sum(axis=1)
    rule = np.where(count == 1, true.argmax(axis=1), len(table.rules))
    otherwise = table.outcomes.index(table.otherwise) if table.otherwise in table.outcomes else NO_MATCH
    then = np.array([*(table.outcomes.index(r.then) for r in table.rules), otherwise], dtype=np.int64)
    return Answers(space, np.where(count > 1, CONFLICT, then[rule]), rule, true)


@lru_cache(maxsize=256)
def _answers_once(table: DecisionTable) -> Answers:
    return answers(table)


@dataclass(frozen=True)
class Cover:
    """Rows as sets of cells. Rows with the same set share a case: `case[row]` indexes the other arrays."""

    case: npt.NDArray[np.int64]
    allowed: Flags
    """(cases, cells): the cell is attainable."""
    missing: Flags
    """(cases, facts): the fact is not settled."""


def cover(space: FactSpace, facts: Facts, rows: int) -> Cover:
    """Find which cells of a fact space each row could be; a fact without a column is unknown throughout."""
    key = np.zeros(rows, dtype=np.int64)
    width = 0
    per_axis: list[npt.NDArray[np.int64]] = []
    for one in space.axes:
        column = facts.get(one.fact.name)
        bits = np.full(rows, (1 << len(one)) - 1, dtype=np.int64) if column is None else one.cells(column)
        short, size = bits, len(one)
        if width + size > MOST_CELLS_OF_A_FACT:
            # Number what occurs instead: never more than there are rows.
            key, short = (np.unique(k, return_inverse=True)[1].astype(np.int64) for k in (key, bits))
            width = size = int(rows).bit_length()
        key, width = key << size | short, width + size
        per_axis.append(bits)
    first, case = _distinct(key, width)
    allowed = np.ones((len(first), space.size), dtype=bool)
    for k, bits in enumerate(per_axis):
        allowed &= (bits[first][:, None] >> space.coordinates[:, k][None, :] & 1).astype(bool)
    missing = np.zeros((len(first), len(space.axes)), dtype=bool)
    for k, bits in enumerate(per_axis):
        missing[:, k] = bits[first] & (bits[first] - 1) != 0
    return Cover(case, allowed, missing)


@dataclass(frozen=True)
class Decisions:
    """What follows for each row. Rows with the same possibilities share a case: `case[row]` indexes the case arrays."""

    table: DecisionTable
    space: FactSpace
    cover: Cover
    possible: Flags
    """(cases, outcomes): the outcome is attainable."""
    rules: Flags
    """(cases, rules + 1): the rule (last: otherwise) can be the one that hits."""
    no_match: Flags
    conflict: Flags
    decisive: Flags
    """(cases, facts): not settled, and its value could change the outcome."""

    @property
    def case(self) -> npt.NDArray[np.int64]:
        """Each row's case."""
        return self.cover.case

    @property
    def missing(self) -> Flags:
        """(cases, facts): the fact is not settled."""
        return self.cover.missing

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts the table rests on."""
        return tuple(one.fact.name for one in self.space.axes)

    @cached_property
    def case_status(self) -> npt.NDArray[np.str_]:
        """decided | indeterminate | no_match | conflict, per case."""
        kinds = self.possible.sum(axis=1) + self.no_match + self.conflict
        return np.select(
            [kinds > 1, self.no_match, self.conflict], ["indeterminate", "no_match", "conflict"], "decided"
        ).astype("U13")

    @cached_property
    def case_outcome(self) -> npt.NDArray[np.int64]:
        """The decided outcome's index per case, -1 where not decided."""
        return np.where(self.case_status == "decided", self.possible.argmax(axis=1), -1)

    @property
    def outcome(self) -> npt.NDArray[np.int64]:
        """The decided outcome's index per row, -1 where not decided."""
        return self.case_outcome[self.case]

    def rule_ids(self, case: int) -> list[str]:
        """The rules that can be the one that hits, by id."""
        ids = [*(r.id for r in self.table.rules), OTHERWISE]
        return [name for name, can in zip(ids, self.rules[case], strict=True) if can]


def decide(table: DecisionTable, facts: Facts, rows: int) -> Decisions:
    """Decide every row of columns of facts; a fact without a column is unknown throughout."""
    known = _answers_once(table)
    space = known.space
    covered = cover(space, facts, rows)
    allowed, missing = covered.allowed, covered.missing
    possible = np.stack([(allowed & (known.outcome == i)).any(axis=1) for i in range(len(table.outcomes))], axis=1)
    by_rule = [
        (allowed & (known.rule == i) & (known.outcome != CONFLICT)).any(axis=1) for i in range(len(table.rules) + 1)
    ]
    return Decisions(
        table=table,
        space=space,
        cover=covered,
        possible=possible,
        rules=np.stack(by_rule, axis=1),
        no_match=(allowed & (known.outcome == NO_MATCH)).any(axis=1),
        conflict=(allowed & (known.outcome == CONFLICT)).any(axis=1),
        decisive=_decisive(space, known.outcome, allowed, missing),
    )


def _distinct(key: npt.NDArray[np.int64], width: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give the first row of every distinct key, and each row's place among them."""
    if width > 20:
        _, first, case = np.unique(key, return_index=True, return_inverse=True)
        return first.astype(np.int64), case.astype(np.int64)
    # Short keys index a table: no sorting of a million rows.
    where = np.full(1 << width, -1, dtype=np.int64)
    where[key[::-1]] = np.arange(len(key) - 1, -1, -1)
    used = (where >= 0).nonzero()[0]
    number = np.zeros(1 << width, dtype=np.int64)
    number[used] = np.arange(len(used))
    return where[used], number[key]


def _decisive(space: FactSpace, outcome: npt.NDArray[np.int64], allowed: Flags, missing: Flags) -> Flags:
    """Find, per case, the unsettled facts of which two values give different outcomes, all else equal."""
    shape = tuple(len(a) for a in space.axes)
    result = np.zeros_like(missing)
    highest = np.iinfo(np.int64).max
    for k in range(len(shape)):
        cube = (len(allowed), *shape)
        most = np.where(allowed, outcome, -highest).reshape(cube).max(axis=k + 1)
        least = np.where(allowed, outcome, highest).reshape(cube).min(axis=k + 1)
        differs = (most > least) & (most != -highest)
        result[:, k] = missing[:, k] & differs.any(axis=tuple(range(1, differs.ndim)))
    return result


def holds(condition: Condition | None, facts: Facts, rows: int) -> tuple[Flags, Flags]:
    """Evaluate a lone condition (true, unknown); no condition is always true."""
    if condition is None:
        return np.ones(rows, dtype=bool), np.zeros(rows, dtype=bool)
    return evaluate(condition, {}, facts, rows)
