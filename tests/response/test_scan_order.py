"""Which MRIs are the published first and second scan, whatever other MRIs there are."""

from __future__ import annotations

import pytest
from helpers.courses import course

from sbrt_followup.vocabulary import FACTS

NAMES = FACTS["scan_order"].levels


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([91, 183], ["first", "second"]),
        ([20, 91, 183], ["other", "first", "second"]),
        ([40, 79, 119, 158, 198], ["other", "first", "other", "second", "second"]),
        ([80, 95], ["first", "first"]),
        ([88, 94], ["first", "other"]),
        ([280], ["other"]),
    ],
)
def test_the_mri_nearest_so_far_is_the_published_one(days: list[int], expected: list[str]) -> None:
    found = course({}, {"day": -5, "gtv_cc": 5}, *({"day": d, "gtv_cc": 5} for d in days))
    order = found.reading.answer("scan_order")
    assert [order.criterion.outcomes[i] for i in order.outcome[1:]] == expected


def test_the_second_scan_is_held_against_the_first_even_with_mris_in_between() -> None:
    scans = [
        {"day": -5, "gtv_cc": 1.0},
        {"day": 91, "gtv_cc": 1.0},
        {"day": 140, "gtv_cc": 1.3},
        {"day": 183, "gtv_cc": 1.38},
    ]
    table = course({"histology": "breast"}, *scans).table
    assert "v first scan" in table["threshold"].iloc[-1]
    assert "37.2" in table["threshold"].iloc[-1]


def test_an_mri_without_a_volume_is_no_published_scan_of_volumes() -> None:
    scans = [{"day": -5, "gtv_cc": 1.0}, {"day": 91, "bilsky": "0"}, {"day": 110, "gtv_cc": 1.3}]
    assert "≥ 42 %" in course({"histology": "breast"}, *scans).table["threshold"].iloc[-1]
