"""One comparison at a time: true, false or unknown over every set of possible values, and Kleene's tables for the rest."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from helpers import rule_tables as tables
from hypothesis import given, settings

from sbrt_followup.rulebook import conditions
from sbrt_followup.rulebook.conditions import (
    OPERATORS,
    UNORDERED,
    Condition,
    Count,
    Facts,
    Interval,
    Levels,
    Operator,
    Test,
    evaluate,
    unknown_column,
)
from sbrt_followup.vocabulary import FACTS

TRUE, FALSE, UNKNOWN = "true", "false", "unknown"


def verdicts(condition: Condition, facts: Facts, rows: int, features: dict[str, Condition] | None = None) -> list[str]:
    true, unknown = evaluate(condition, features or {}, facts, rows)
    assert not (true & unknown).any()
    return [TRUE if t else UNKNOWN if u else FALSE for t, u in zip(true, unknown, strict=True)]


def meant(results: list[bool]) -> str:
    return TRUE if all(results) else UNKNOWN if any(results) else FALSE


def subsets(values: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [s for n in range(1, len(values) + 1) for s in itertools.combinations(values, n)]


@pytest.mark.parametrize("name", ["bilsky", "paraspinal", "lesion_type"])
@pytest.mark.parametrize("op", OPERATORS)
def test_levels_against_every_set_of_possible_labels(name: str, op: Operator) -> None:
    fact = FACTS[name]
    if not fact.ordered and op not in UNORDERED:
        pytest.skip("the fact has no order")
    operands: list[tuple[str, ...]] = [(level,) for level in fact.levels]
    if op == "between":
        operands = list(itertools.combinations_with_replacement(fact.levels, 2))
    elif op == "any_of":
        operands = subsets(fact.levels)
    sets = subsets(fact.levels)
    column = tables.column(name, [{name: s} for s in sets])
    for chosen in operands:
        test = Test(name, op, chosen, tables.HERE)
        expected = [meant([tables.meets(test, v) for v in s]) for s in sets]
        assert verdicts(Condition((test,), tables.HERE), {name: column}, len(sets)) == expected, str(test)


@pytest.mark.parametrize("op", OPERATORS)
def test_whole_numbers_against_every_range(op: Operator) -> None:
    ranges = list(itertools.combinations_with_replacement(range(19), 2))
    column = Interval(np.array([float(a) for a, _ in ranges]), np.array([float(b) for _, b in ranges]))
    chosen = [(Fraction(7),), (Fraction(0),), (Fraction(18),)]
    if op in ("any_of", "between"):
        chosen = [(Fraction(7), Fraction(12)), (Fraction(0), Fraction(18))]
    for operands in chosen:
        test = Test("sins", op, operands, tables.HERE)
        found = verdicts(Condition((test,), tables.HERE), {"sins": column}, len(ranges))
        for (low, high), verdict in zip(ranges, found, strict=True):
            expected = meant([tables.meets(test, n) for n in range(low, high + 1)])
            # A list of numbers is judged one range at a time; what it cannot tell it calls unknown, never wrong.
            assert verdict in ((expected, UNKNOWN) if op == "any_of" else (expected,)), (str(test), low, high)


def test_a_missing_fact_satisfies_nothing_and_fails_nothing() -> None:
    for op in OPERATORS:
        operands = ("1a", "2") if op == "between" else ("1b",)
        condition = Condition((Test("bilsky", op, operands, tables.HERE),), tables.HERE)
        assert verdicts(condition, {}, 3) == [UNKNOWN] * 3
    whole = Condition((Test("bilsky", "at_least", ("0",), tables.HERE),), tables.HERE)
    assert verdicts(whole, {}, 1) == [TRUE], "what every value satisfies is true without the value"


KNOWN = {TRUE: 0b10, FALSE: 0b01, UNKNOWN: 0b11}
AND = {
    (TRUE, TRUE): TRUE, (TRUE, FALSE): FALSE, (TRUE, UNKNOWN): UNKNOWN,
    (FALSE, TRUE): FALSE, (FALSE, FALSE): FALSE, (FALSE, UNKNOWN): FALSE,
    (UNKNOWN, TRUE): UNKNOWN, (UNKNOWN, FALSE): FALSE, (UNKNOWN, UNKNOWN): UNKNOWN,
}  # fmt: skip


def yes(name: str) -> Condition:
    return Condition((Test(name, "is", ("yes",), tables.HERE),), tables.HERE)


def flags(**columns: list[str]) -> Facts:
    return {name: Levels(np.array([KNOWN[v] for v in values])) for name, values in columns.items()}


def test_and_is_kleenes() -> None:
    pairs = list(AND)
    facts = flags(paraspinal=[a for a, _ in pairs], hardware=[b for _, b in pairs])
    both = Condition(yes("paraspinal").parts + yes("hardware").parts, tables.HERE)
    assert verdicts(both, facts, len(pairs)) == [AND[p] for p in pairs]


def test_no_parts_is_always() -> None:
    assert verdicts(Condition((), tables.HERE), {}, 2) == [TRUE, TRUE]
    assert str(Condition((), tables.HERE)) == "always"


@pytest.mark.parametrize(
    ("op", "n"), list(itertools.product(["is", "at_least", "at_most", "below", "above"], range(4)))
)
def test_counts_of_features_that_may_be_unknown(op: Operator, n: int) -> None:
    names = ("paraspinal", "hardware", "systemic_therapy")
    features = {name: yes(name) for name in names}
    cases = list(itertools.product(KNOWN, repeat=3))
    facts = flags(**{name: [case[i] for case in cases] for i, name in enumerate(names)})
    count = Condition((Count(names, op, (Fraction(n),), tables.HERE),), tables.HERE)
    for case, verdict in zip(cases, verdicts(count, facts, len(cases), features), strict=True):
        least, most = case.count(TRUE), case.count(TRUE) + case.count(UNKNOWN)
        assert verdict == meant([tables.counted(op, k, (Fraction(n),)) for k in range(least, most + 1)])


@settings(max_examples=60, deadline=None)
@given(tables.single_tests(), tables.rows())
def test_a_verdict_holds_for_every_value_a_row_could_have(test: Test, row: tables.Row) -> None:
    (verdict,) = verdicts(Condition((test,), tables.HERE), tables.columns([row]), 1)
    results = [tables.meets(test, v) for v in row[test.fact]]
    if verdict != UNKNOWN:
        assert all(results) if verdict == TRUE else not any(results)
    elif len(row[test.fact]) == 1 and FACTS[test.fact].finite:
        raise AssertionError("a known fact is never unknown")


def test_conditions_read_aloud() -> None:
    condition = Condition(
        (
            Test("bilsky", "at_least", ("1a",), tables.HERE),
            Test("dose_gy", "between", (Fraction(18), Fraction(49, 2)), tables.HERE),
            Count(("a", "b"), "is", (Fraction(1),), tables.HERE),
        ),
        tables.HERE,
    )
    assert str(condition) == "bilsky ≥ 1a and dose_gy between 18 and 24.5 Gy and number of (a, b) is 1"


def test_tests_are_found_through_features() -> None:
    features = {"a": yes("paraspinal"), "b": yes("hardware")}
    condition = Condition((Count(("a", "b"), "is", (Fraction(1),), tables.HERE),), tables.HERE)
    assert [t.fact for t in conditions.tests_in(condition, features)] == ["paraspinal", "hardware"]


def test_the_unknown_column_spans_what_the_fact_can_be() -> None:
    sins = unknown_column(FACTS["sins"], 2)
    assert isinstance(sins, Interval)
    assert (sins.low.tolist(), sins.high.tolist()) == ([0, 0], [18, 18])
    dose = unknown_column(FACTS["dose_gy"], 1)
    assert isinstance(dose, Interval)
    assert (dose.low.tolist(), dose.high.tolist()) == ([0], [np.inf])
    bilsky = unknown_column(FACTS["bilsky"], 1)
    assert isinstance(bilsky, Levels)
    assert bilsky.possible.tolist() == [0b111111]
