"""Hazards as one value, written as JSON and read back."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from sbrt_followup.problems import InputRefused
from sbrt_followup.surveillance.hazards import GroupHazards, Hazards, Rates, from_json, to_json

HIGH = Rates((0.0, 13.2), (0.03946, 0.00869), 0.0066, 0.02)


def hazards() -> Hazards:
    high = GroupHazards(
        "high", HIGH, "fitted", "this cohort", 120, (50, 7), (0.14, 0.38), (HIGH, Rates((0.0,), (0.02,)))
    )
    return Hazards((GroupHazards("low", Rates((0.0,), (0.00637,), 0.0066), "derived", "derived2024"), high))


def test_json_reads_back_unchanged_alone_and_inside_a_larger_document() -> None:
    text = json.dumps(to_json(hazards()))
    assert from_json(json.loads(text)) == hazards()
    assert from_json({"schema_version": 1, "hazards": json.loads(text)}) == hazards()


def test_the_cumulative_hazard_and_its_inverse() -> None:
    assert HIGH.cumulative([0, 13.2, 23.2]) == pytest.approx([0, 13.2 * 0.03946, 13.2 * 0.03946 + 0.0869])
    months = np.array([0.0, 1.0, 13.2, 13.3, 60.0])
    assert HIGH.reached(HIGH.cumulative(months)) == pytest.approx(months)
    assert Rates((0.0, 12.0), (0.1, 0.0)).reached([1.2, 1.3])[1] == math.inf


def test_uncertainty_comes_from_draws_else_from_standard_errors_else_is_none() -> None:
    rng = np.random.default_rng(1)
    low, high = hazards().groups
    assert set(low.sampled(3, rng)) == {low.rates}
    assert set(high.sampled(50, rng)) == set(high.draws)
    spread = GroupHazards("x", HIGH, "fitted", "", None, (), (0.1, 0.4)).sampled(4000, rng)
    logs = np.log([draw.progression for draw in spread])
    assert logs.std(axis=0) == pytest.approx([0.1, 0.4], rel=0.1)
    assert {draw.death_after for draw in spread} == {0.02}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"known": "guessed"}, "groups[0].known"),
        ({"from_months": [1.0]}, "groups[0]"),
        ({"from_months": [0.0, 5.0]}, "groups[0]"),
        ({"progression_per_month": [-0.1]}, "groups[0].progression_per_month[0]"),
        ({"progression_per_month": "0.1"}, "progression_per_month"),
        ({"death_clear_per_month": None}, "groups[0].death_clear_per_month"),
        ({"death_after_per_month": math.inf}, "groups[0].death_after_per_month"),
        ({"std_error_log": [0.1, 0.2]}, "groups[0].std_error_log"),
        ({"group": "high"}, "groups"),
    ],
)
def test_a_document_that_does_not_hold_together_is_refused_with_its_place(change: dict[str, object], said: str) -> None:
    document = to_json(hazards())
    document["groups"][0].update(change)
    with pytest.raises(InputRefused) as refused:
        from_json(document)
    assert any(f"'{said}'" in str(problem) for problem in refused.value.problems)


@pytest.mark.parametrize(
    "document", [None, [], {}, {"kind": "curves"}, {"kind": "hazards", "unit": "patient", "groups": []}]
)
def test_what_is_no_hazards_is_refused(document: object) -> None:
    with pytest.raises(InputRefused):
        from_json(document)


def test_an_unknown_group_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputRefused) as refused:
        hazards().of("hihg")
    assert "did you mean 'high'?" in str(refused.value.problems[0])
