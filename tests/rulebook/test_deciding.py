"""The one evaluator against a plain-Python reading of the same tables, over every value an unknown could take."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from helpers import rule_tables as tables
from hypothesis import given, settings
from hypothesis import strategies as st

from sbrt_followup.rulebook.conditions import Condition, Interval, Test
from sbrt_followup.rulebook.deciding import Decisions, answers, decide
from sbrt_followup.rulebook.library import load
from sbrt_followup.rulebook.model import DecisionTable, Rule
from sbrt_followup.vocabulary import FACTS

SLOW = settings(max_examples=50, deadline=None)
Cohort = st.lists(tables.rows(), min_size=1, max_size=6)


def result(decisions: Decisions, row: int) -> dict[str, Any]:
    """Everything said of one row."""
    case = int(decisions.case[row])
    outcomes = decisions.table.outcomes
    return {
        "status": str(decisions.case_status[case]),
        "outcome": outcomes[decisions.outcome[row]] if decisions.outcome[row] >= 0 else None,
        "possible": {o for o, can in zip(outcomes, decisions.possible[case], strict=True) if can},
        "none": bool(decisions.no_match[case]),
        "conflict": bool(decisions.conflict[case]),
        "rules": set(decisions.rule_ids(case)),
        "missing": {f for f, m in zip(decisions.facts, decisions.missing[case], strict=True) if m},
        "decisive": {f for f, m in zip(decisions.facts, decisions.decisive[case], strict=True) if m},
    }


def decided(table: DecisionTable, rows: list[Any]) -> list[dict[str, Any]]:
    decisions = decide(table, tables.columns(rows), len(rows))
    return [result(decisions, i) for i in range(len(rows))]


def named(table: DecisionTable) -> tuple[str, ...]:
    return tuple(f for f in tables.FACTS_USED if f in {a.fact.name for a in answers(table).space.axes})


def meant(table: DecisionTable, row: tables.Row) -> set[tuple[str, str]]:
    """Outcome and rule of every patient the row could be."""
    names = named(table)
    return {tables.outcome_of(table, patient) for patient in tables.completions(row, names)}


@SLOW
@given(tables.decision_tables(), tables.rows())
def test_possible_outcomes_are_those_of_every_patient_the_row_could_be(table: DecisionTable, row: tables.Row) -> None:
    (found,) = decided(table, [row])
    every = meant(table, row)
    kinds = {outcome for outcome, _ in every}
    assert found["possible"] == kinds - {"none", "conflict"}
    assert found["none"] == ("none" in kinds)
    assert found["conflict"] == ("conflict" in kinds)
    assert found["rules"] == {rule for outcome, rule in every if outcome != "conflict"}
    if len(kinds) > 1:
        assert found["status"] == "indeterminate"
    else:
        assert found["status"] == {"none": "no_match", "conflict": "conflict"}.get(kinds.pop(), "decided")


@SLOW
@given(tables.decision_tables(), tables.rows(), st.data())
def test_supplying_a_missing_fact_only_narrows(table: DecisionTable, row: tables.Row, data: st.DataObject) -> None:
    unsettled = [name for name in tables.FACTS_USED if len(row[name]) > 1]
    if not unsettled:
        return
    name = data.draw(st.sampled_from(unsettled))
    value = data.draw(st.sampled_from(row[name]))
    before, after = decided(table, [row, {**row, name: (value,)}])
    assert after["possible"] <= before["possible"]
    assert after["rules"] <= before["rules"]
    if before["status"] == "decided":
        assert (after["status"], after["outcome"]) == ("decided", before["outcome"])
    assert after["missing"] <= before["missing"]


@SLOW
@given(tables.decision_tables(), tables.rows())
def test_a_decisive_fact_is_one_that_alone_can_change_the_outcome(table: DecisionTable, row: tables.Row) -> None:
    (found,) = decided(table, [row])
    names = named(table)
    decisive = set()
    for name in names:
        rest = tuple(n for n in names if n != name)
        for others in tables.completions(row, rest):
            if len({tables.outcome_of(table, {**others, name: v})[0] for v in row[name]}) > 1:
                decisive.add(name)
                break
    assert found["decisive"] == decisive
    if found["status"] == "indeterminate":
        assert decisive, "an undecided row names a fact to ask for"


@SLOW
@given(tables.decision_tables(), Cohort, st.randoms(use_true_random=False))
def test_order_splitting_and_company_do_not_matter(table: DecisionTable, cohort: list[Any], random: Any) -> None:
    whole = decided(table, cohort)
    assert [decided(table, [row])[0] for row in cohort] == whole
    order = list(range(len(cohort)))
    random.shuffle(order)
    shuffled = decided(table, [cohort[i] for i in order])
    assert shuffled == [whole[i] for i in order]


@SLOW
@given(tables.decision_tables())
def test_the_grid_and_the_cohort_share_one_meaning(table: DecisionTable) -> None:
    known = answers(table)
    decisions = decide(table, known.space.facts, known.space.size)
    outcome = np.where(decisions.outcome >= 0, decisions.outcome, -9)
    assert (outcome == np.where(known.outcome >= 0, known.outcome, -9)).all()


def test_no_rows_are_decided_to_nothing() -> None:
    table = load().risk
    decisions = decide(table, tables.columns([], ("bilsky", "paraspinal", "sins")), 0)
    assert len(decisions.outcome) == 0


def test_a_table_without_conditions_decides_everyone() -> None:
    rule = Rule(id="all", when=Condition((), tables.HERE), then="low", basis="local", source=tables.HERE)
    table = DecisionTable(
        id="t", version="1.0.0", kind="risk", title="t", basis="local", verified=(), rules=(rule,), outcomes=("low", "high"),
        otherwise="none",
    )  # fmt: skip
    decisions = decide(table, {}, 3)
    assert decisions.outcome.tolist() == [0, 0, 0]


@pytest.mark.parametrize("cuts", [10, 20, 28])
def test_many_cuts_of_a_number_do_not_run_into_each_other(cuts: int) -> None:
    """Cells are kept as bits; a table with many thresholds, or many rows, must not overflow them."""
    rules = tuple(
        Rule(
            id=f"r{i}", basis="local", source=tables.HERE, then="high" if i % 2 else "low",
            when=Condition((Test("dose_gy", "at_least", (Fraction(i),), tables.HERE), Test("dose_gy", "below", (Fraction(i + 1),), tables.HERE)), tables.HERE),
        )
        for i in range(cuts)
    )  # fmt: skip
    more = tuple(
        Rule(
            id=f"f{i}", basis="local", source=tables.HERE, then="high",
            when=Condition((Test("fractions", "is", (Fraction(i + 1),), tables.HERE), Test("dose_gy", "at_least", (Fraction(cuts),), tables.HERE)), tables.HERE),
        )
        for i in range(3)
    )  # fmt: skip
    table = DecisionTable(
        id="t", version="1.0.0", kind="risk", title="t", basis="local", verified=(), rules=(*rules, *more), outcomes=("low", "high"),
        otherwise="none",
    )  # fmt: skip
    dose = np.arange(2 * cuts + 2) / 2.0
    fractions = np.arange(len(dose)) % 4 + 1.0
    facts = {"dose_gy": Interval(dose, dose), "fractions": Interval(fractions, fractions)}
    decisions = decide(table, facts, len(dose))
    for row, (gray, number) in enumerate(zip(dose.tolist(), fractions.tolist(), strict=True)):
        expected = int(gray) % 2 if gray < cuts else 1 if number <= 3 else -1
        assert decisions.outcome[row] == expected


def test_the_shipped_table_decides_every_patient_by_counting() -> None:
    """The packaged split, written down again: 0, 1, 2 or more adverse features."""
    table = load().risk
    rows = [
        {"bilsky": (b,), "paraspinal": (p,), "sins": (s,)}
        for b in FACTS["bilsky"].levels
        for p in ("no", "yes")
        for s in range(19)
    ]
    decisions = decide(table, tables.columns(rows, ("bilsky", "paraspinal", "sins")), len(rows))
    for row, outcome in zip(rows, decisions.outcome, strict=True):
        adverse = (row["bilsky"][0] != "0") + (row["paraspinal"][0] == "yes") + (row["sins"][0] >= 7)
        assert table.outcomes[outcome] == ("low", "intermediate", "high", "high")[adverse]


@pytest.mark.parametrize(
    ("given_facts", "status", "possible", "missing"),
    [
        ({}, "indeterminate", "low intermediate high", "bilsky paraspinal sins"),
        ({"bilsky": "0"}, "indeterminate", "low intermediate high", "paraspinal sins"),
        ({"bilsky": "1a"}, "indeterminate", "intermediate high", "paraspinal sins"),
        ({"bilsky": "1a", "paraspinal": "yes"}, "decided", "high", "sins"),
        ({"bilsky": "3", "sins": 7}, "decided", "high", "paraspinal"),
        ({"bilsky": "0", "paraspinal": "no", "sins": 6}, "decided", "low", ""),
        ({"bilsky": "0", "paraspinal": "no", "sins": 7}, "decided", "intermediate", ""),
    ],
)
def test_what_is_missing_is_said(given_facts: dict[str, Any], status: str, possible: str, missing: str) -> None:
    names = ("bilsky", "paraspinal", "sins")
    row = {n: (given_facts[n],) if n in given_facts else tables.values_of(n) for n in names}
    decisions = decide(load().risk, tables.columns([row], names), 1)
    found = result(decisions, 0)
    assert found["status"] == status
    assert found["possible"] == set(possible.split())
    assert found["missing"] == set(missing.split())
