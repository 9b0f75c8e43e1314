"""Small decision tables and rows for tests, and a plain-Python meaning of a condition to hold the program's against."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from sbrt_followup.problems import Source
from sbrt_followup.rulebook.conditions import OPERATORS, UNORDERED, Column, Condition, Count, Interval, Levels, Test
from sbrt_followup.rulebook.model import DecisionTable, Feature, Rule
from sbrt_followup.vocabulary import FACTS

HERE = Source("test.yaml", 1, 1)
FACTS_USED = ("bilsky", "paraspinal", "histology", "sins", "dose_gy")
"""An ordered list, a yes/no, an unordered list, whole numbers with both ends, numbers without an upper end."""

Row = Mapping[str, tuple[Any, ...]]
"""What each fact could be: the values themselves, one value when it is known."""


def values_of(name: str) -> tuple[Any, ...]:
    """Every value a fact could take; of an unbounded number enough to fall on, between and beyond every threshold used."""
    fact = FACTS[name]
    if fact.finite:
        return fact.levels
    return tuple(range(19)) if name == "sins" else (0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 1e9)


DOSES = (Fraction(10), Fraction(20))


def meets(test: Test, value: Any) -> bool:
    """Whether one value satisfies one test, in the plainest words."""
    fact = FACTS[test.fact]

    def rank(v: Any) -> Any:
        return fact.levels.index(v) if fact.finite else Fraction(v)

    x, given = rank(value), [rank(o) for o in test.operands]
    match test.op:
        case "is" | "any_of":
            return x in given
        case "at_least":
            return bool(x >= given[0])
        case "at_most":
            return bool(x <= given[0])
        case "below":
            return bool(x < given[0])
        case "above":
            return bool(x > given[0])
        case "between":
            return bool(given[0] <= x <= given[1])
    raise AssertionError(test.op)


def counted(op: str, n: int, operands: tuple[Fraction, ...]) -> bool:
    a, z = operands[0], operands[-1]
    return {
        "is": n == a, "any_of": n in operands, "at_least": n >= a, "at_most": n <= a, "below": n < a, "above": n > a,
        "between": a <= n <= z,
    }[op]  # fmt: skip


def holds_for(condition: Condition, features: Mapping[str, Condition], patient: Mapping[str, Any]) -> bool:
    """Whether a fully known patient meets a condition."""
    for part in condition.parts:
        if isinstance(part, Test):
            if not meets(part, patient[part.fact]):
                return False
        elif not counted(part.op, sum(holds_for(features[f], features, patient) for f in part.of), part.operands):
            return False
    return True


def completions(row: Row, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Every fully known patient that a row could be."""
    return [dict(zip(names, values, strict=True)) for values in itertools.product(*(row[n] for n in names))]


def outcome_of(table: DecisionTable, patient: Mapping[str, Any]) -> tuple[str, str]:
    """The outcome and the rule of a fully known patient: `conflict` when several hit, `none` when nothing does."""
    hits = [r for r in table.rules if holds_for(r.when, table.feature_conditions, patient)]
    if len(hits) > 1:
        return "conflict", "conflict"
    return (hits[0].then, hits[0].id) if hits else (table.otherwise, "otherwise")


def column(name: str, rows: list[Row]) -> Column:
    """The program's column for what a fact could be in each row."""
    fact = FACTS[name]
    if fact.finite:
        return Levels(np.array([sum(1 << fact.levels.index(v) for v in row[name]) for row in rows], dtype=np.int64))
    low = [float(min(row[name])) for row in rows]
    high = [float("inf") if name == "dose_gy" and max(row[name]) == 1e9 else float(max(row[name])) for row in rows]
    return Interval(np.array(low), np.array(high))


def columns(rows: list[Row], names: tuple[str, ...] = FACTS_USED) -> dict[str, Column]:
    return {name: column(name, rows) for name in names}


# ---- hypothesis ----


@st.composite
def single_tests(draw: st.DrawFn) -> Test:
    name = draw(st.sampled_from(FACTS_USED))
    fact = FACTS[name]
    op = draw(st.sampled_from(OPERATORS if fact.ordered else UNORDERED))
    numbers = [Fraction(n) for n in range(19)] if name == "sins" else list(DOSES)
    pool: list[Any] = list(fact.levels) if fact.finite else numbers
    if op == "any_of":
        chosen = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3, unique=True))
    elif op == "between":
        chosen = sorted(draw(st.lists(st.sampled_from(pool), min_size=2, max_size=2)), key=pool.index)
    else:
        chosen = [draw(st.sampled_from(pool))]
    return Test(name, op, tuple(chosen), HERE)


@st.composite
def decision_tables(draw: st.DrawFn) -> DecisionTable:
    features = tuple(
        Feature(id=f"f{i}", when=Condition((draw(single_tests()),), HERE), basis="local", source=HERE) for i in range(2)
    )
    rules = []
    for i in range(draw(st.integers(1, 3))):
        parts: list[Test | Count] = list(draw(st.lists(single_tests(), max_size=2)))
        if draw(st.booleans()):
            op = draw(st.sampled_from(["is", "at_least", "below"]))
            parts.append(Count(("f0", "f1"), op, (Fraction(draw(st.integers(0, 2))),), HERE))
        then = draw(st.sampled_from(["low", "intermediate", "high"]))
        rules.append(Rule(id=f"r{i}", when=Condition(tuple(parts), HERE), then=then, basis="local", source=HERE))
    return DecisionTable(
        id="table", version="1.0.0", kind="risk", title="test", basis="local", verified=(), features=features, rules=tuple(rules),
        outcomes=("low", "intermediate", "high"), otherwise=draw(st.sampled_from(["none", "low", "high"])),
    )  # fmt: skip


@st.composite
def rows(draw: st.DrawFn) -> dict[str, tuple[Any, ...]]:
    row: dict[str, tuple[Any, ...]] = {}
    for name in FACTS_USED:
        values = values_of(name)
        kind = draw(st.sampled_from(["known", "known", "unknown", "some"]))
        if kind == "known":
            row[name] = (draw(st.sampled_from(values)),)
        elif kind == "unknown":
            # A few histologies stand for all: those a test can name must stay among them, so all are kept.
            row[name] = values
        elif FACTS[name].finite:
            row[name] = tuple(draw(st.lists(st.sampled_from(values), min_size=1, max_size=4, unique=True)))
        else:
            low, high = sorted(draw(st.lists(st.sampled_from(range(len(values))), min_size=2, max_size=2)))
            row[name] = values[low : high + 1]
    return row
