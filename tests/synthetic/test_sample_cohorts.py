"""The hand-checked cohort: dates worked out by hand from the rules, never copied from the program's output."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from sbrt_followup.rulebook.library import load
from sbrt_followup.sites.risk import by_site, site_risk
from sbrt_followup.tables.records import read_cohort, read_imaging
from sbrt_followup.visits.patterns import Request
from sbrt_followup.visits.schedule import schedule
from sbrt_followup.visits.worklist import worklist

SAMPLES = Path(__file__).parents[2] / "sample_cohorts"
AS_OF = date(2025, 6, 15)


@pytest.fixture(scope="module")
def visits() -> pd.DataFrame:
    cohort, imaging = read_cohort(SAMPLES / "clinic.csv"), read_imaging(SAMPLES / "clinic_imaging.csv")
    rulebook = load()
    return schedule(cohort.frame, imaging.frame, Request(rulebook, rulebook.plan, AS_OF)).visits


@pytest.fixture(scope="module")
def tiers() -> pd.DataFrame:
    cohort = read_cohort(SAMPLES / "clinic.csv")
    return by_site(site_risk(cohort.frame, load()), cohort.frame)


def of(visits: pd.DataFrame, patient: str) -> pd.DataFrame:
    return visits.loc[visits["patient_id"] == patient].reset_index(drop=True)


def day(cell: object) -> str:
    return str(cell)[:10]


def test_a_course_from_31_january_is_clamped_and_counted_from_the_last_mri(visits: pd.DataFrame) -> None:
    lines = of(visits, "P01")
    # 31 January + 3 months = 30 April; done on 2 May; 2 May + 2 months = 2 July, + 15 days (half of 30.4375) = 17 July.
    assert [day(d) for d in lines["due"][:2]] == ["2025-04-30", "2025-07-17"]
    assert [day(d) for d in lines["planned_due"][:2]] == ["2025-04-30", "2025-07-15"]
    assert day(lines["satisfied_by"][0]) == "2025-05-02"
    assert [day(lines["earliest"][1]), day(lines["latest"][1])] == ["2025-07-02", "2025-08-02"]
    assert lines["status"].tolist()[:2] == ["done", "upcoming"]


@pytest.mark.parametrize(
    ("patient", "status", "due"),
    [
        ("P02", "overdue", "2025-06-05"),  # equivocal on 10 April: a confirming MRI within 56 days
        ("P03", "booked", "2025-06-30"),  # 31 March + 3 months, clamped
        ("P06", "overdue", "2025-05-28"),  # 28 February + 3 months
        ("P09", "due", "2025-06-22"),  # 7 April + 2 months + 15 days
        ("P15", "due", "2025-06-03"),
        ("P18", "upcoming", "2025-08-20"),
        ("P20", "due", "2025-06-11"),  # 27 March + 2 months + 15 days
        ("P21", "upcoming", "2025-07-01"),
        ("P22", "overdue", "2025-01-31"),
    ],
)
def test_the_next_step_of_a_patient(visits: pd.DataFrame, patient: str, status: str, due: str) -> None:
    lines = of(visits, patient)
    following = lines.loc[lines["status"].isin(["overdue", "due", "booked", "upcoming"])].iloc[0]
    assert (following["status"], day(following["due"])) == (status, due)


def test_an_mri_outside_its_window_is_unscheduled(visits: pd.DataFrame) -> None:
    second = of(visits, "P04").iloc[1]
    # Window 27 April to 27 May (27 February + 2 and + 3 months); the MRI of 5 April is 37 days early, half an interval is 37.
    assert (second["status"], day(second["satisfied_by"])) == ("done", "2025-04-05")
    assert "unscheduled" in second["reason"]


def test_a_visit_before_a_done_one_is_missed(visits: pd.DataFrame) -> None:
    lines = of(visits, "P05")
    assert lines["status"].tolist()[:3] == ["done", "missed", "done"]
    assert day(lines["due"][1]) == "2025-02-13"  # 29 November + 2 months + 15 days


def test_one_mri_serves_sites_treated_days_apart(visits: pd.DataFrame) -> None:
    lines = of(visits, "P07")
    assert (lines["site_ids"][:2] == "A;B").all()
    assert lines["status"].tolist()[0] == "done"


def test_a_whole_spine_mri_serves_a_site_it_was_not_booked_for(visits: pd.DataFrame) -> None:
    lines = of(visits, "P08")
    done = lines.loc[lines["status"] == "done"]
    assert [(s, day(d)) for s, d in zip(done["site_ids"], done["satisfied_by"], strict=True)] == [
        ("A", "2024-09-03"),
        ("A;B", "2025-04-05"),
    ]


@pytest.mark.parametrize(("patient", "why"), [("P11", "death"), ("P12", "withdrawn")])
def test_a_stop_has_a_reason_and_nothing_after_it(visits: pd.DataFrame, patient: str, why: str) -> None:
    lines = of(visits, patient)
    assert lines["status"].iloc[-1] == "stopped"
    assert why in lines["reason"].iloc[-1]
    assert not lines["status"].isin(["overdue", "due", "upcoming", "booked"]).any()


def test_progression_is_no_stop(visits: pd.DataFrame) -> None:
    lines = of(visits, "P13")
    ahead = lines.loc[lines["status"].isin(["due", "upcoming", "overdue"])]
    assert len(ahead) and ahead["reason"].str.contains("awaiting treatment decision").all()


def test_a_site_treated_again_has_two_courses(visits: pd.DataFrame) -> None:
    lines = of(visits, "P14")
    stop = lines.index[lines["status"] == "stopped"][0]
    assert "treated again" in lines["reason"][stop]
    assert [day(d) for d in lines["due"][stop + 1 : stop + 3]] == ["2025-07-30", "2025-10-15"]
    assert (lines["due"][:stop] < pd.Timestamp("2025-04-30")).all()


def test_bookings(visits: pd.DataFrame) -> None:
    assert of(visits, "P03").query("status == 'booked'")["reason"].str.endswith("booked").all()
    assert of(visits, "P10").query("status == 'booked'")["reason"].str.contains("booked outside its window").all()
    assert of(visits, "P16")["reason"].str.contains("the booked day has passed").sum() == 1


def test_hospice_stops_and_what_was_not_done_by_then_was_missed(visits: pd.DataFrame) -> None:
    lines = of(visits, "P19")
    assert lines["status"].tolist() == ["missed", "stopped"]
    assert day(lines["due"][0]) == "2025-04-20"
    assert "hospice" in lines["reason"][1]


def test_a_course_from_29_february_of_a_leap_year(visits: pd.DataFrame) -> None:
    # Each + 2 months + 15 days from the MRI before; all before month 15 (29 May 2025).
    lines = of(visits, "P20")
    due = ["2024-05-29", "2024-08-13", "2024-10-28", "2025-01-12", "2025-03-27", "2025-06-11"]
    assert [day(d) for d in lines["due"][:6]] == due
    assert lines["status"].tolist()[:6] == ["done"] * 5 + ["due"]
    assert [day(lines["earliest"][5]), day(lines["latest"][5])] == ["2025-05-27", "2025-06-27"]


def test_without_any_mri_every_past_window_is_overdue(visits: pd.DataFrame) -> None:
    lines = of(visits, "P22")
    # 31 October + 3 months; + 5 months + 15 days; + 8 months, clamped to 30 June.
    assert [day(d) for d in lines["due"][:3]] == ["2025-01-31", "2025-04-15", "2025-06-30"]
    assert lines["status"].tolist()[:3] == ["overdue", "overdue", "due"]
    # The third window opens at 7.5 months: 31 May + 15 days = the as-of day itself.
    assert [day(lines["earliest"][2]), day(lines["latest"][2])] == ["2025-06-15", "2025-07-15"]


def test_an_mri_of_a_region_serves_the_sites_of_that_region(visits: pd.DataFrame) -> None:
    lines = of(visits, "P23")
    first = lines.loc[lines["planned_due"] == pd.Timestamp("2025-05-03")]
    assert dict(zip(first["site_ids"], first["status"], strict=True)) == {"A;B": "done", "C": "overdue"}
    assert day(first.loc[first["site_ids"] == "C", "latest"].iloc[0]) == "2025-05-17"


def test_a_clinic_lays_its_own_plan_over_the_packaged_one() -> None:
    cohort = read_cohort(SAMPLES / "clinic.csv")
    ours = load(SAMPLES / "clinic_rules")
    lines = of(schedule(cohort.frame, None, Request(ours, ours.plan, AS_OF)).visits, "P01")
    # 30 April ± 7 days instead of ± 14; the date itself stays.
    assert [day(lines[c][0]) for c in ("earliest", "due", "latest")] == ["2025-04-23", "2025-04-30", "2025-05-07"]
    (deviation,) = ours.plan.deviations
    assert (deviation.at, bool(deviation.why), bool(deviation.approved_by)) == ("tolerance.value", True, True)


def test_a_spreadsheet_with_its_own_columns_words_and_dates() -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "sbrt_followup", "schedule", str(SAMPLES / "odd_columns.csv"),
            "--map", str(SAMPLES / "odd_columns_map.yaml"), "--date-format", "%d.%m.%Y", "--as-of", "2025-06-15", "-q",
        ],
        capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first = [line for line in csv.DictReader(io.StringIO(done.stdout)) if line["visit"] == "1"]
    # 31 January, 15 March, 28 February + 3 months; ids keep their zeros, the clinic's remark stays.
    assert [(f["patient_id"], f["due"], f["Bemerkung"]) for f in first] == [
        ("0017", "2025-04-30", "links"), ("0018", "2025-06-15", ""), ("0019", "2025-05-28", "Termin offen"),
    ]  # fmt: skip


def test_everyone_has_a_next_date_or_a_reason(visits: pd.DataFrame) -> None:
    listed = worklist(visits, AS_OF)
    assert sorted(listed["patient_id"]) == [f"P{n:02d}" for n in range(1, 24)]
    assert (listed["next_due"].notna() | (listed["reason"].astype(str) != "")).all()


@pytest.mark.parametrize(
    ("patient", "group", "possible", "robust", "sins"),
    [
        ("P01", "low", "low", "yes", (3, 3)),
        ("P02", "high", "high", "no", (13, 13)),
        ("P04", None, "intermediate;high", "no", (9, 9)),
        ("P05", "low", "low", "yes", (4, 4)),  # L1 junctional 3 + mixed 1
        ("P06", "high", "high", "no", (14, 14)),
        ("P20", "high", "high", "yes", (15, 15)),
        # semirigid 1 + deformity 2 + collapse 3 + bilateral 3 = 9, pain up to 3: never below 7, never 13.
        ("P21", "intermediate", "intermediate", "no", (9, 12)),
        ("P18", None, "low;intermediate;high", "no", (5, 18)),  # C7 junctional 3 + lytic 2, the rest up to 13
    ],
)
def test_tiers(
    tiers: pd.DataFrame, patient: str, group: str | None, possible: str, robust: str, sins: tuple[int, int]
) -> None:
    row = tiers.loc[tiers["patient_id"] == patient].iloc[0]
    assert (row["risk_group"] if isinstance(row["risk_group"], str) else None) == group
    assert (row["possible_groups"], row["robust"]) == (possible, robust)
    assert (row["sins_low"], row["sins_high"]) == sins
