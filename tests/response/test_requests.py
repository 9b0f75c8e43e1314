"""What the readings ask for, as codes: the last read MRI decides, what stands stands, the dead are asked nothing."""

from __future__ import annotations

from typing import Any

import pandas as pd
from helpers.courses import course, courses, day

from sbrt_followup.response.requests import requests
from sbrt_followup.vocabulary import REQUESTS

BASE = {"day": -5, "gtv_cc": 5, "bilsky": "0", "neuro_decline": "no"}
QUIET = {"gtv_cc": 5, "bilsky": "0", "neuro_decline": "no"}


def asked(*scans: dict[str, Any], as_of: int = 1500, **site: Any) -> pd.DataFrame:
    return requests(course(site, BASE, *scans, as_of=as_of))


def codes(table: pd.DataFrame) -> list[str]:
    return table["request"].tolist()


def text(table: pd.DataFrame, name: str) -> list[str]:
    return [str(v)[:10] for v in table[name]]


def test_a_quiet_mri_asks_for_nothing() -> None:
    assert codes(asked({"day": 90, **QUIET})) == []


def test_compression_with_a_deficit_is_urgent_on_its_day_and_a_decision() -> None:
    found = asked({"day": 90, **QUIET, "bilsky": "2", "neuro_decline": "yes"})
    assert codes(found) == ["urgent", "awaiting_decision"]
    assert text(found, "by") == [day(90), "NaT"]
    assert "Bilsky" in found["reason"][0] and "neurological" in found["reason"][0]
    assert found["rule"][0] == "response/urgent-neurology#new-deficit;response/urgent-epidural#new-high-grade"


def test_a_question_has_a_last_day_counted_from_its_mri() -> None:
    found = asked({"day": 100, "gtv_cc": 6, "confined_to_vertebra": "yes", "bilsky": "0", "neuro_decline": "no"})
    assert codes(found) == ["confirm"]
    assert text(found, "by") == [day(156)]
    assert found["basis"].notna().all()


def test_the_first_mri_of_an_unbroken_run_is_since_when() -> None:
    grown = {"gtv_cc": 5, "bilsky": "1c", "neuro_decline": "no"}
    found = asked({"day": 90, **QUIET}, {"day": 180, **grown}, {"day": 270}, {"day": 360, **grown})
    assert codes(found) == ["awaiting_decision"]
    assert text(found, "since") == [day(180)]
    assert text(found, "mri_date") == [day(360)]


def test_a_later_mri_without_a_reading_settles_no_urgent_finding_and_asks_for_its_reading() -> None:
    found = asked({"day": 90, **QUIET, "bilsky": "3"}, {"day": 97})
    assert codes(found) == ["urgent", "awaiting_decision", "read_mri"]
    assert text(found, "mri_date") == [day(90), day(90), day(97)]


def test_a_later_mri_without_a_reading_is_asked_for_in_place_of_another_mri() -> None:
    assert codes(asked({"day": 100, "gtv_cc": 6, "confined_to_vertebra": "yes"}, {"day": 150})) == ["read_mri"]


def test_pain_alone_is_no_reading() -> None:
    assert codes(asked({"day": 90, "pain_score": 3})) == ["read_mri"]


def test_pet_alone_is_a_reading() -> None:
    assert codes(asked({"day": 90, "pet": "positive"})) == ["confirm"]


def test_a_new_metastasis_and_closer_follow_up_are_asked_for_beside_a_stable_site() -> None:
    found = asked({"day": 90, **QUIET, "new_spine_metastasis": "yes", "t2_pattern": "no_change"})
    assert codes(found) == ["new_metastasis", "closer_followup"]


def test_the_dead_and_the_stopped_are_asked_nothing() -> None:
    scan = {"day": 90, **QUIET, "bilsky": "3"}
    assert codes(asked(scan, death_date=120)) == []
    assert codes(asked(scan, stop_reason="hospice", last_contact_date=120)) == []
    assert codes(asked(scan, stop_reason="hospice", last_contact_date=120, as_of=110)) != []


def test_each_site_has_its_own_lines_in_the_order_of_the_cohort() -> None:
    found = requests(
        courses({"b": ({}, [BASE, {"day": 90, "pet": "positive"}]), "a": ({}, [BASE, {"day": 90, **QUIET, "bilsky": "3"}])})
    )  # fmt: skip
    assert found["patient_id"].tolist() == ["b", "a", "a"]
    assert set(found["request"]) <= set(REQUESTS)
    assert found["site"].tolist() == [0, 1, 1]


def test_nothing_read_is_no_error() -> None:
    assert len(requests(course({}, {"day": 90, "completed": "no"}))) == 0
    assert len(requests(course({}, BASE))) == 0
