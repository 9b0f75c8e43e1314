"""What a rule asks of the facts, and the only code that compares a fact with a threshold.

A fact's column holds what each row could be: `Levels` a bit for every possible label, `Interval` the closed range of
possible numbers. One possible value is a known fact. A condition over columns gives `(true, unknown)` per row (Kleene):
true when every possible value satisfies it, unknown when some do and some do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..arrays import Flags
from ..problems import Source, nearest
from ..vocabulary import FACTS, Fact
from .parsing import Node, Scalar, Sequence, Table
from .structure import Notes, Unreadable, number, table, text

Operator = Literal["is", "any_of", "at_least", "at_most", "below", "above", "between"]
OPERATORS: tuple[Operator, ...] = ("is", "any_of", "at_least", "at_most", "below", "above", "between")
UNORDERED: tuple[Operator, ...] = ("is", "any_of")
IN_WORDS = {
    "is": "is",
    "any_of": "is one of",
    "at_least": "≥",
    "at_most": "≤",
    "below": "<",
    "above": ">",
    "between": "between",
}


@dataclass(frozen=True)
class Levels:
    """Possible labels per row: bit i stands for the fact's i-th level."""

    possible: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.possible)


@dataclass(frozen=True)
class Interval:
    """Possible numbers per row, closed; unknown is (-inf, inf)."""

    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.low)


Column: TypeAlias = Levels | Interval
Facts: TypeAlias = Mapping[str, Column]


@dataclass(frozen=True)
class Test:
    """One fact held against labels or numbers."""

    __test__: ClassVar[bool] = False  # no test case, whatever pytest thinks of the name

    fact: str
    op: Operator
    operands: tuple[str | Fraction, ...]
    source: Source

    def __str__(self) -> str:
        shown = [str(o) if isinstance(o, str) else decimal(o) for o in self.operands]
        joined = " and ".join(shown) if self.op == "between" else ", ".join(shown)
        unit = FACTS[self.fact].unit
        return f"{self.fact} {IN_WORDS[self.op]} {joined}" + (f" {unit}" if unit and unit != "points" else "")


@dataclass(frozen=True)
class Count:
    """How many of the named features hold, held against a number."""

    of: tuple[str, ...]
    op: Operator
    operands: tuple[Fraction, ...]
    source: Source

    def __str__(self) -> str:
        return f"number of ({', '.join(self.of)}) {IN_WORDS[self.op]} {' and '.join(decimal(o) for o in self.operands)}"


@dataclass(frozen=True)
class Condition:
    """All its parts must hold; no parts: always true."""

    parts: tuple[Test | Count, ...]
    source: Source

    def __str__(self) -> str:
        return " and ".join(str(part) for part in self.parts) or "always"

    @staticmethod
    def from_node(node: Node, notes: Notes) -> Condition:
        """Read `{fact: value, fact: {operator: value}, count: {of: […], operator: n}}`."""
        entries = table(node, notes, "a condition")
        parts: list[Test | Count] = []
        failed = False
        for name, child in entries.items.items():
            try:
                if name == "count":
                    parts.append(_count(child, notes))
                elif name in FACTS:
                    parts.extend(_tests(FACTS[name], child, notes))
                else:
                    raise notes.fail(
                        "unknown-fact", f"no fact is called '{name}'", entries.keys[name], nearest(name, FACTS)
                    )
            except Unreadable:
                failed = True
        if failed:
            raise Unreadable
        return Condition(tuple(parts), node.source)


def decimal(value: Fraction) -> str:
    """Write a number as in the documents: `2.5`, `3`."""
    return str(value.numerator) if value.denominator == 1 else str(float(value))


def _tests(fact: Fact, node: Node, notes: Notes) -> list[Test]:
    if not isinstance(node, Table):
        if fact.kind == "number" and fact.unit:
            raise notes.fail(
                "missing-unit", f"'{fact.name}' needs its unit", node.source, f"Write {{is: …, unit: {fact.unit}}}."
            )
        return [Test(fact.name, "is", (_operand(fact, node, notes),), node.source)]
    tests: list[Test] = []
    failed = not node.items
    if failed:
        notes.add("empty-condition", f"'{fact.name}' asks nothing", node.source, f"Operators: {', '.join(OPERATORS)}.")
    for op, child in node.items.items():
        if op == "unit":
            continue
        allowed = OPERATORS if fact.ordered else UNORDERED
        if op not in allowed:
            notes.add(
                "unknown-operator", f"'{op}' cannot be asked of '{fact.name}'", node.keys[op], nearest(op, allowed)
            )
            failed = True
            continue
        try:
            tests.append(Test(fact.name, op, _operands(fact, op, child, notes), child.source))
        except Unreadable:
            failed = True
    unit = node.items.get("unit")
    if unit is None and fact.kind == "number" and fact.unit:
        notes.add("missing-unit", f"'{fact.name}' needs its unit", node.source, f"Write unit: {fact.unit}.")
        failed = True
    if unit is not None and (not isinstance(unit, Scalar) or unit.text != fact.unit):
        notes.add("wrong-unit", f"'{fact.name}' is measured in {fact.unit or 'no unit'}", unit.source)
        failed = True
    if failed:
        raise Unreadable
    return tests


def _operands(fact: Fact, op: Operator, node: Node, notes: Notes) -> tuple[str | Fraction, ...]:
    if op not in ("any_of", "between"):
        return (_operand(fact, node, notes),)
    if not isinstance(node, Sequence) or not node.items:
        raise notes.fail("not-a-list", f"'{op}' takes a list", node.source, "Write [a, b].")
    values = tuple(_operand(fact, item, notes) for item in node.items)
    if len(set(values)) < len(values):
        raise notes.fail("repeated-value", f"'{op}' names a value twice", node.source)
    if op == "between" and len(values) != 2:
        raise notes.fail("not-a-range", "'between' takes a list of two, both ends included", node.source)
    if op == "between" and _rank(fact, values[0]) > _rank(fact, values[1]):
        raise notes.fail("range-reversed", "the range runs backwards", node.source, "Write the smaller end first.")
    return values


def _operand(fact: Fact, node: Node, notes: Notes) -> str | Fraction:
    if fact.finite:
        word = text(node, notes)
        if word not in fact.levels:
            hint = "write yes or no" if fact.kind == "yes_no" else nearest(word, fact.levels)
            raise notes.fail("unknown-level", f"'{word}' is not a level of '{fact.name}'", node.source, hint)
        return word
    value = number(node, notes)
    if fact.kind == "integer" and value.denominator != 1:
        raise notes.fail("not-an-integer", f"'{fact.name}' counts whole {fact.unit}", node.source)
    if (fact.low is not None and value < fact.low) or (fact.high is not None and value > fact.high):
        raise notes.fail(
            "out-of-range", f"{decimal(value)} lies outside what '{fact.name}' can be", node.source, _limits(fact)
        )
    return value


def _limits(fact: Fact) -> str:
    low = "" if fact.low is None else f"{fact.low:g}"
    return f"Allowed: {low} to {fact.high:g}." if fact.high is not None else f"Allowed: {low} or more."


def _rank(fact: Fact, value: str | Fraction) -> Fraction:
    return value if isinstance(value, Fraction) else Fraction(fact.levels.index(value))


def _count(node: Node, notes: Notes) -> Count:
    entries = table(node, notes, "'count'")
    of = entries.items.get("of")
    ops = [key for key in entries.items if key != "of"]
    if not isinstance(of, Sequence) or not of.items:
        raise notes.fail("missing-key", "'count' needs 'of', a list of features", node.source)
    names = tuple(text(item, notes) for item in of.items)
    if len(set(names)) < len(names):
        raise notes.fail("repeated-value", "'of' names a feature twice", of.source)
    if len(ops) != 1 or ops[0] not in OPERATORS:
        raise notes.fail(
            "unknown-operator", "'count' needs exactly one operator", node.source, f"Operators: {', '.join(OPERATORS)}."
        )
    op = next(o for o in OPERATORS if o == ops[0])
    child = entries.items[op]
    children = child.items if isinstance(child, Sequence) else (child,)
    if isinstance(child, Sequence) != (op in ("any_of", "between")) or (op == "between" and len(children) != 2):
        raise notes.fail(
            "not-a-range", f"'{op}' takes {'a list' if op in ('any_of', 'between') else 'one number'}", child.source
        )
    values = tuple(number(item, notes) for item in children)
    if any(v.denominator != 1 or not 0 <= v <= len(names) for v in values):
        raise notes.fail(
            "out-of-range", f"a count of {len(names)} features lies between 0 and {len(names)}", child.source
        )
    return Count(names, op, values, node.source)


# ---- comparing ----


def unknown_column(fact: Fact, rows: int) -> Column:
    """Give the column of a fact nobody supplied: every value is possible."""
    if fact.finite:
        return Levels(np.full(rows, (1 << len(fact.levels)) - 1, dtype=np.int64))
    low = -np.inf if fact.low is None else fact.low
    high = np.inf if fact.high is None else fact.high
    return Interval(np.full(rows, float(low)), np.full(rows, float(high)))


def satisfying_levels(fact: Fact, op: Operator, operands: tuple[str | Fraction, ...]) -> int:
    """Give the bits of the levels that satisfy a test."""
    ranks = [fact.levels.index(str(o)) for o in operands]
    first, last = ranks[0], ranks[-1]
    allowed: dict[str, range | list[int]] = {
        "is": ranks,
        "any_of": ranks,
        "at_least": range(first, len(fact.levels)),
        "at_most": range(first + 1),
        "below": range(first),
        "above": range(first + 1, len(fact.levels)),
        "between": range(first, last + 1),
    }
    return sum(1 << i for i in allowed[op])


def _number_test(
    op: Operator, operands: tuple[float, ...], low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]
) -> tuple[Flags, Flags]:
    """Give (true, false) of a numeric test on closed intervals."""
    a, z = operands[0], operands[-1]
    if op == "at_least":
        return low >= a, high < a
    if op == "above":
        return low > a, high <= a
    if op == "at_most":
        return high <= a, low > a
    if op == "below":
        return high < a, low >= a
    if op == "between":
        return (low >= a) & (high <= z), (high < a) | (low > z)
    hit = np.zeros(len(low), dtype=bool)
    clear = np.ones(len(low), dtype=bool)
    for value in operands:
        hit |= (low == value) & (high == value)
        clear &= (value < low) | (value > high)
    return hit, clear


def test_column(test: Test, column: Column) -> tuple[Flags, Flags]:
    """Evaluate one test on one column: (true, unknown) per row."""
    fact = FACTS[test.fact]
    if isinstance(column, Levels):
        bits = satisfying_levels(fact, test.op, test.operands)
        true = (column.possible & ~bits) == 0
        false = (column.possible & bits) == 0
    else:
        numbers = tuple(float(o) for o in test.operands)
        true, false = _number_test(test.op, numbers, column.low, column.high)
    return true & ~false, ~(true | false)


def evaluate(condition: Condition, features: Mapping[str, Condition], facts: Facts, rows: int) -> tuple[Flags, Flags]:
    """Evaluate a condition on columns: (true, unknown) per row. A fact without a column is unknown throughout."""
    true = np.ones(rows, dtype=bool)
    false = np.zeros(rows, dtype=bool)
    for part in condition.parts:
        part_true, part_unknown = evaluate_part(part, features, facts, rows)
        true &= part_true
        false |= ~(part_true | part_unknown)
    return true, ~(true | false)


def evaluate_part(
    part: Test | Count, features: Mapping[str, Condition], facts: Facts, rows: int
) -> tuple[Flags, Flags]:
    """Evaluate one part of a condition: (true, unknown) per row."""
    if isinstance(part, Test):
        column = facts.get(part.fact)
        return test_column(part, unknown_column(FACTS[part.fact], rows) if column is None else column)
    least = np.zeros(rows)
    most = np.zeros(rows)
    for name in part.of:
        feature_true, feature_unknown = evaluate(features[name], features, facts, rows)
        least += feature_true
        most += feature_true | feature_unknown
    true, false = _number_test(part.op, tuple(float(o) for o in part.operands), least, most)
    return true, ~(true | false)


def tests_in(condition: Condition, features: Mapping[str, Condition]) -> list[Test]:
    """List every test a condition rests on, through its features."""
    tests: list[Test] = []
    for part in condition.parts:
        if isinstance(part, Test):
            tests.append(part)
        else:
            for name in part.of:
                if name in features:
                    tests.extend(tests_in(features[name], {k: v for k, v in features.items() if k != name}))
    return tests
