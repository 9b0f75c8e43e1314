"""The card before an MRI: what each finding would mean; a finding named new or compression is never printed as calm."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from helpers.courses import day, rulebook

from sbrt_followup.report.response.card import as_text
from sbrt_followup.response.cards import cards
from sbrt_followup.tables.records import cohort_of, imaging_of


def made(site: dict[str, str], *scans: dict[str, Any], on: int = 330) -> dict[str, Any]:
    frame = cohort_of([{"patient_id": "p", "site_id": "T8", "sbrt_date": day(0), "level": "T8", **site}]).frame
    rows = [{"patient_id": "p", "site_id": "T8", **s, "mri_date": day(s["mri_date"])} for s in scans]
    found = cards(frame, imaging_of(rows).frame, rulebook(), date.fromisoformat(day(on)))
    assert len(found) == 1
    return found[0]


def finding(card: dict[str, Any], name: str) -> dict[str, Any]:
    return next(f for f in card["findings"] if f["finding"] == name)


@pytest.mark.parametrize("known", ["0", "1c", "2", "3", None])
def test_new_compression_is_urgent_whatever_was_there_before(known: str | None) -> None:
    site = {} if known is None else {"bilsky": known}
    grade = {} if known is None else {"bilsky": known}
    card = made(site, {"mri_date": -6, "gtv_cc": "5", **grade}, {"mri_date": 91, "gtv_cc": "5", **grade})
    found = finding(card, "new cord compression")
    assert found["urgent"] == "yes"
    assert found["state"] in ("equivocal", "progression")
    assert "do not wait for a scheduled MRI" in found["next_action"]
    assert "as planned" not in found["next_action"]


@pytest.mark.parametrize(("known", "state"), [("0", "progression"), ("2", "progression"), ("3", "equivocal")])
def test_progressive_epidural_disease_is_never_stable(known: str, state: str) -> None:
    card = made({"bilsky": known}, {"mri_date": -6, "gtv_cc": "5", "bilsky": known})
    assert finding(card, "new or progressive epidural disease")["state"] == state


def test_without_a_grade_progressive_disease_cannot_be_told() -> None:
    card = made({}, {"mri_date": -6, "gtv_cc": "5"})
    assert "no Bilsky grade" in finding(card, "new or progressive epidural disease")["next_action"]


def test_the_card_gives_the_size_from_which_growth_counts() -> None:
    card = made({"histology": "breast"}, {"mri_date": -6, "gtv_cc": "10"}, on=91)
    line = next(x for x in card["limits"] if x["against"] == "baseline")
    assert (line["growth_from"], line["threshold"], line["at_most_equivocal"]) == (11.09, "≥ 10.9 %", False)


def test_growth_inside_and_beyond_the_bone_are_told_apart() -> None:
    card = made({"histology": "breast"}, {"mri_date": -6, "gtv_cc": "10"}, on=91)
    assert finding(card, "growth inside the bone")["state"] == "equivocal"
    assert finding(card, "growth beyond the bone")["state"] == "progression"
    assert finding(card, "the same size as on the last MRI")["state"] == "stable"


def test_a_stopped_site_has_no_card() -> None:
    frame = cohort_of([{"patient_id": "p", "sbrt_date": day(0), "death_date": day(100)}]).frame
    rows = imaging_of([{"patient_id": "p", "mri_date": day(-6), "gtv_cc": "10"}]).frame
    assert cards(frame, rows, rulebook(), date.fromisoformat(day(330))) == []


def test_the_page_says_what_it_is_for() -> None:
    card = made({"bilsky": "3"}, {"mri_date": -6, "gtv_cc": "5", "bilsky": "3"})
    text = as_text([card], date.fromisoformat(day(330)))
    assert "BEFORE THE MRI OF" in text
    assert "URGENT" in text
    assert max(len(line) for line in text.splitlines()) <= 78 or "growth from" not in text
