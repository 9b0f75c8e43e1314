"""Equivocal growth asks for a confirming MRI within 8 weeks, whatever the plan; dates alone ask for nothing."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from sbrt_followup.rulebook.library import load
from sbrt_followup.rulebook.model import Plan
from sbrt_followup.tables.records import cohort_of, imaging_of
from sbrt_followup.visits.patterns import Request
from sbrt_followup.visits.schedule import schedule
from sbrt_followup.visits.worklist import worklist

COHORT = [
    {
        "patient_id": "Q",
        "sbrt_date": "2024-01-10",
        "histology": "breast",
        "bilsky": "0",
        "paraspinal": "no",
        "sins": "3",
    }
]
SCANS = [
    {"patient_id": "Q", "mri_date": "2024-01-05", "gtv_cc": "4.0", "bilsky": "0", "confined_to_vertebra": "yes"},
    {"patient_id": "Q", "mri_date": "2024-04-20", "gtv_cc": "5.9", "bilsky": "0", "confined_to_vertebra": "yes"},
]


def visits_of(
    cohort: list[dict[str, str]],
    scans: list[dict[str, str]],
    plan: str = "mri-review-2025",
    as_of: date = date(2024, 5, 1),
) -> pd.DataFrame:
    rulebook = load()
    return schedule(
        cohort_of(cohort).frame, imaging_of(scans).frame, Request(rulebook, rulebook.get(Plan, plan), as_of)
    ).visits


@pytest.mark.parametrize("plan", ["mri-review-2025", "mri-review-2025-tiered", "chen-2024"])
def test_shielded_growth_is_confirmed_within_eight_weeks_under_any_plan(plan: str) -> None:
    visits = visits_of(COHORT, SCANS, plan)
    (line,) = visits.loc[visits["phase"] == "confirming"].itertuples()
    # 20 April 2024 + 56 days.
    assert (str(line.due)[:10], line.status, line.basis) == ("2024-06-15", "due", "assumption")
    assert visits["visit"].dropna().tolist() == list(range(1, int(visits["due"].notna().sum()) + 1))
    dates = visits["due"].dropna().tolist()
    assert dates == sorted(dates)


def test_it_is_overdue_and_leads_the_worklist_once_its_day_has_passed() -> None:
    visits = visits_of(COHORT, SCANS, as_of=date(2024, 6, 20))
    listed = worklist(visits, date(2024, 6, 20))
    assert (listed["status"].iloc[0], str(listed["next_due"].iloc[0])[:10], listed["days_overdue"].iloc[0]) == (
        "overdue",
        "2024-06-15",
        5,
    )


def test_mris_without_readings_ask_for_nothing() -> None:
    dates = [{"patient_id": "Q", "mri_date": s["mri_date"]} for s in SCANS]
    assert not (visits_of(COHORT, dates)["phase"] == "confirming").any()


def test_a_patient_who_stopped_gets_none() -> None:
    stopped = [{**COHORT[0], "stop_reason": "hospice", "last_contact_date": "2024-04-25"}]
    assert not (visits_of(stopped, SCANS)["phase"] == "confirming").any()


def test_growth_that_went_away_asks_no_more() -> None:
    later = [
        *SCANS,
        {"patient_id": "Q", "mri_date": "2024-06-10", "gtv_cc": "4.0", "bilsky": "0", "confined_to_vertebra": "yes"},
    ]
    assert not (visits_of(COHORT, later, as_of=date(2024, 6, 20))["phase"] == "confirming").any()
