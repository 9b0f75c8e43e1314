"""The list of the day: what a reading asks for stands first, in words, and nobody vanishes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

from sbrt_followup.rulebook.library import load
from sbrt_followup.tables.records import cohort_of, imaging_of
from sbrt_followup.visits.patterns import Request
from sbrt_followup.visits.schedule import Scheduled, schedule
from sbrt_followup.visits.worklist import status_counts, worklist

AS_OF = date(2025, 6, 15)
SITE = {"sbrt_date": "2025-01-31", "level": "T8", "site_id": "T8", "bilsky": "0", "paraspinal": "no", "sins": "5"}
BASE = {"site_id": "T8", "mri_date": "2025-01-20", "gtv_cc": "10", "bilsky": "0", "neuro_decline": "no"}
MAY = {**BASE, "mri_date": "2025-05-02"}
FINDINGS: dict[str, dict[str, str]] = {
    "deficit": {"neuro_decline": "yes", "bilsky": "2"},
    "shielded": {"gtv_cc": "14", "confined_to_vertebra": "yes"},
    "progression": {"gtv_cc": "20", "confined_to_vertebra": "no", "paraspinal": "yes"},
    "elsewhere": {"new_spine_metastasis": "yes"},
    "calm": {},
}
STATUS = {
    "deficit": "urgent",
    "shielded": "confirm",
    "progression": "awaiting_decision",
    "elsewhere": "awaiting_decision",
    "calm": "upcoming",
}


def made(patients: list[str], **of_site: str) -> tuple[pd.DataFrame, Scheduled]:
    rulebook = load()
    cohort = cohort_of([{"patient_id": p, **SITE, **of_site} for p in patients]).frame
    rows = [{"patient_id": p, **scan} for p in patients for scan in (BASE, {**MAY, **FINDINGS[p]})]
    return cohort, schedule(cohort, imaging_of(rows).frame, Request(rulebook, rulebook.plan, AS_OF, short=True))


def listed(patients: list[str], **of_site: str) -> pd.DataFrame:
    cohort, found = made(patients, **of_site)
    return worklist(found.visits, AS_OF, found.asked, cohort)


def test_what_a_reading_asks_for_stands_first_with_its_day() -> None:
    table = listed(sorted(FINDINGS))
    assert dict(zip(table["patient_id"], table["status"].astype(str), strict=True)) == STATUS
    assert table["status"].astype(str).tolist() == [
        "urgent",
        "confirm",
        "awaiting_decision",
        "awaiting_decision",
        "upcoming",
    ]
    pressing = table.loc[table["status"] != "upcoming"]
    assert set(pressing["since"].astype(str)) == {"2025-05-02"}
    urgent = table.iloc[0]
    assert urgent["why"].startswith("URGENT: clinical review, do not wait for a scheduled MRI (since 2025-05-02)")
    assert "new neurological deficit" in urgent["reason"]
    assert "response/urgent-neurology" in urgent["rule"]
    confirm = table.iloc[1]
    assert confirm["earliest"] <= confirm["next_due"] <= confirm["latest"]


@pytest.mark.parametrize("patient", sorted(FINDINGS))
def test_a_patient_alone_reads_as_in_company(patient: str) -> None:
    alone, company = listed([patient]), listed(sorted(FINDINGS))
    mine = company.loc[company["patient_id"] == patient].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone.astype(object), mine.astype(object))


def test_a_schedule_says_it_on_the_next_open_line() -> None:
    visits = made(["deficit", "progression"])[1].visits
    open_ = visits.loc[visits["status"].astype(str).isin(["due", "upcoming"])].drop_duplicates("patient_id")
    told = dict(zip(open_["patient_id"], open_["reason"].astype(str), strict=True))
    assert told["deficit"].startswith("URGENT: clinical review")
    assert told["progression"].startswith("awaiting treatment decision (since 2025-05-02)")


def test_a_recorded_progression_awaits_a_decision_without_any_mri() -> None:
    rulebook = load()
    cohort = cohort_of(
        [{"patient_id": "a", **SITE, "progression_date": "2025-04-02", "progression_site": "local"}]
    ).frame
    found = schedule(cohort, None, Request(rulebook, rulebook.plan, AS_OF, short=True))
    (line,) = worklist(found.visits, AS_OF, found.asked, cohort).itertuples()
    assert (line.status, str(line.since)[:10]) == ("awaiting_decision", "2025-04-02")


def test_nobody_who_stopped_is_asked_for_anything() -> None:
    table = listed(["deficit"], stop_reason="hospice", last_contact_date="2025-05-10")
    assert table["status"].astype(str).tolist() == ["stopped"]


def test_where_a_later_mri_is_unread_its_reading_is_asked_for_not_an_mri() -> None:
    rulebook = load()
    cohort = cohort_of([{"patient_id": "a", **SITE}]).frame
    rows = [{"patient_id": "a", **scan} for scan in (BASE, {**MAY, **FINDINGS["shielded"]})]
    rows.append({"patient_id": "a", "site_id": "T8", "mri_date": "2025-06-10"})
    found = schedule(cohort, imaging_of(rows).frame, Request(rulebook, rulebook.plan, AS_OF, short=True))
    assert not (found.visits["phase"] == "confirming").any()
    (line,) = worklist(found.visits, AS_OF, found.asked, cohort).itertuples()
    assert line.status == "confirm"
    assert line.why.startswith("ask for the reading of the MRI (since 2025-06-10)")
    assert line.earliest <= line.next_due <= line.latest


def test_bookings_own_columns_and_missed_visits_stand_in_the_line() -> None:
    rulebook = load()
    row = {"patient_id": "a", **SITE, "sbrt_date": "2024-06-01", "booked_date": "2025-07-01", "phone": "+49 89 1"}
    cohort = cohort_of([row]).frame
    imaging = imaging_of([{"patient_id": "b", "mri_date": "2025-01-01"}]).frame
    found = schedule(cohort, imaging, Request(rulebook, rulebook.plan, AS_OF, short=True))
    (line,) = worklist(found.visits, AS_OF, found.asked, cohort).itertuples()
    assert (str(line.booked_date)[:10], line.phone, line.open_sites) == ("2025-07-01", "+49 89 1", "T8")
    assert line.missed >= 3
    assert "booked 2025-07-01" in line.why


def test_overdue_patients_are_ordered_by_lateness_in_their_own_interval() -> None:
    rulebook = load()
    # Both windows closed long ago; the first MRI (3 months) is late by more of its interval than one 9 months after an MRI.
    cohort = cohort_of(
        [
            {"patient_id": "long", **SITE, "sbrt_date": "2022-01-31"},
            {"patient_id": "short", **SITE, "sbrt_date": "2025-02-01"},
        ]
    ).frame
    imaging = imaging_of([{"patient_id": "long", "site_id": "T8", "mri_date": "2024-12-20"}]).frame
    found = schedule(cohort, imaging, Request(rulebook, rulebook.plan, date(2025, 7, 15), short=True))
    table = worklist(found.visits, date(2025, 7, 15), found.asked, cohort)
    assert table["status"].astype(str).tolist() == ["overdue", "overdue"]
    assert table["patient_id"].tolist() == ["short", "long"]


def test_who_was_left_out_has_a_line_and_the_dead_stay_stopped() -> None:
    cohort, found = made(["calm"])
    left: dict[str, list[Any]] = {
        "patient_id": ["x", "y"],
        "site_ids": ["T8", "L3"],
        "rows": ["3", "4"],
        "reason": ["row 3: level", "row 4: bilsky"],
        "stopped": ["", "death"],
        "stop_date": [None, None],
    }
    table = worklist(found.visits, AS_OF, found.asked, cohort, pd.DataFrame(left))
    assert table["status"].astype(str).tolist() == ["upcoming", "left_out", "stopped"]
    assert status_counts(table)["left_out"] == 1
    assert table["reason"].iloc[2].startswith("follow-up stopped: death")


def test_an_appointment_of_the_imaging_table_is_the_booked_day():
    rulebook = load()
    cohort = cohort_of([{"patient_id": "a", **SITE}]).frame
    ahead = {**MAY, "mri_date": "2025-07-10", "completed": "no"}
    rows = [{"patient_id": "a", "completed": "yes", **scan} for scan in (BASE, {**MAY, "completed": "yes"}, ahead)]
    imaging = imaging_of(rows).frame
    found = schedule(cohort, imaging, Request(rulebook, rulebook.plan, AS_OF, short=True))
    line: Any = next(worklist(found.visits, AS_OF, found.asked, cohort, imaging=imaging).itertuples())
    assert (line.status, str(line.booked_date)[:10]) == ("booked", "2025-07-10")
    assert "booked 2025-07-10" in line.why
