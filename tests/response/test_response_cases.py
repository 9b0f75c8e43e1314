"""Every case of every response document: its facts decide the expected outcome by the expected rule; every rule is hit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sbrt_followup.rulebook.conditions import Column, Interval, Levels
from sbrt_followup.rulebook.deciding import decide
from sbrt_followup.rulebook.library import load, packaged_folder
from sbrt_followup.rulebook.parsing import plain, read_file
from sbrt_followup.vocabulary import FACTS

RULEBOOK = load()
FOLDER = packaged_folder() / "cases" / "response"


def column(name: str, text: str) -> Column:
    fact = FACTS[name]
    if fact.finite:
        return Levels(np.array([1 << fact.levels.index(text)], dtype=np.int64))
    return Interval(np.array([float(text)]), np.array([float(text)]))


def cases_of(path: Path) -> list[dict]:
    tree, problems = read_file(path, path.name)
    assert not problems and tree is not None
    body = plain(tree)
    assert body["document"] == f"response/{path.stem}"
    return body["cases"]


CASES = [(path.stem, case) for path in sorted(FOLDER.glob("*.yaml")) for case in cases_of(path)]


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{n}-{c['id']}" for n, c in CASES])
def test_a_case_is_decided_as_written(name: str, case: dict) -> None:
    table = next(c for c in RULEBOOK.criteria if c.id == name)
    decisions = decide(table, {k: column(k, v) for k, v in case["given"].items()}, 1)
    assert decisions.case_status[0] == "decided"
    assert table.outcomes[decisions.outcome[0]] == case["expect"]["outcome"]
    if "rule" in case["expect"]:
        assert decisions.rule_ids(0) == [case["expect"]["rule"]]


@pytest.mark.parametrize("criterion", RULEBOOK.criteria, ids=lambda c: c.id)
def test_every_rule_has_a_case_that_it_decides(criterion) -> None:
    hit = {case["expect"].get("rule") for name, case in CASES if name == criterion.id}
    assert {rule.id for rule in criterion.rules} <= hit
