"""Whole patients: every status, stop, booking and coverage; and that nothing but the facts decides."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbrt_followup.problems import InputRefused
from sbrt_followup.rulebook.library import load
from sbrt_followup.rulebook.model import Plan
from sbrt_followup.tables.records import cohort_of, imaging_of
from sbrt_followup.visits.patterns import Request
from sbrt_followup.visits.schedule import chunks, schedule
from sbrt_followup.visits.visit_words import HORIZON_REASON
from sbrt_followup.visits.worklist import status_counts, worklist

BOOK = load()
Cells = dict[str, str]
SITE = {"patient_id": "A", "sbrt_date": "2024-01-10"}


def request(as_of: str = "2024-06-01", plan: str = "mri-review-2025", **options: Any) -> Request:
    return Request(BOOK, BOOK.get(Plan, plan), date.fromisoformat(as_of), **options)


def frame_of(rows: list[Cells], what: Any = cohort_of) -> pd.DataFrame:
    names = list(dict.fromkeys(name for row in rows for name in row))
    frame: pd.DataFrame = what([{name: row.get(name, "") for name in names} for row in rows]).frame
    return frame


def scheduled(sites: list[Cells], scans: list[Cells] | None = None, **options: Any) -> pd.DataFrame:
    imaging = (
        None if scans is None else frame_of(scans or [{"patient_id": "nobody", "mri_date": "2024-01-01"}], imaging_of)
    )
    return schedule(frame_of(sites), imaging, request(**options)).visits


def scan(day: str, patient: str = "A", **cells: str) -> Cells:
    return {"patient_id": patient, "mri_date": day, **cells}


def statuses(visits: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(visits["status"].astype(str)))


def dues(visits: pd.DataFrame) -> list[str]:
    return [str(d)[:10] for d in visits["due"] if not pd.isna(d)]


# ---- statuses ----


def test_with_imaging_past_visits_are_overdue_the_open_one_due_the_rest_upcoming() -> None:
    visits = scheduled([SITE], [], as_of="2024-07-01")
    # Windows: 27 March–24 April, 10 June–10 July, …
    assert visits["status"].astype(str).tolist()[:3] == ["overdue", "due", "upcoming"]
    assert statuses(visits) == ["overdue", "due", "upcoming", "horizon"]


@pytest.mark.parametrize(
    ("as_of", "status"),
    [("2024-03-26", "upcoming"), ("2024-03-27", "due"), ("2024-04-24", "due"), ("2024-04-25", "overdue")],
)
def test_windows_are_closed_on_both_ends(as_of: str, status: str) -> None:
    assert scheduled([SITE], [], as_of=as_of)["status"].iloc[0] == status


def test_without_imaging_the_past_is_unknown_never_overdue() -> None:
    visits = scheduled([SITE], as_of="2026-01-01")
    assert "overdue" not in statuses(visits)
    assert visits["status"].iloc[0] == "unknown"
    assert "overdue" in statuses(scheduled([SITE], as_of="2026-01-01", assume_none_done=True))


def test_done_and_missed() -> None:
    visits = scheduled([SITE], [scan("2024-06-25")], as_of="2024-07-01")
    assert visits["status"].astype(str).tolist()[:3] == ["missed", "done", "upcoming"]
    assert str(visits["satisfied_by"].iloc[1])[:10] == "2024-06-25"
    assert "counted from the last MRI" in visits["reason"].iloc[2]


def test_a_scan_that_did_not_take_place_counts_for_nothing() -> None:
    planned = scheduled([SITE], [scan("2024-04-10", completed="no")], as_of="2024-07-01")
    assert "done" not in statuses(planned)
    # A planned one may lie ahead.
    scheduled([SITE], [scan("2024-09-10", completed="no")], as_of="2024-07-01")


def test_a_scan_before_or_on_time_zero_is_no_follow_up() -> None:
    visits = scheduled([SITE], [scan("2024-01-09"), scan("2024-01-10")], as_of="2024-02-01")
    assert statuses(visits) == ["upcoming", "horizon"]


def test_an_extra_scan_is_listed_in_its_place() -> None:
    visits = scheduled([SITE], [scan("2024-01-20")], as_of="2024-02-01")
    first = visits.iloc[0]
    assert (first["phase"], first["status"], str(first["satisfied_by"])[:10]) == ("extra", "done", "2024-01-20")
    assert pd.isna(first["due"])
    assert pd.isna(first["visit"])
    assert visits["visit"].iloc[1] == 1


# ---- stops ----


def stopped(**cells: str) -> pd.DataFrame:
    return scheduled([{**SITE, **cells}], [], as_of="2025-06-01")


@pytest.mark.parametrize("reason", ["withdrawn", "hospice", "transferred", "surgery", "mri_impossible"])
def test_a_stop_ends_the_schedule_with_its_reason(reason: str) -> None:
    visits = stopped(stop_reason=reason, last_contact_date="2024-08-01")
    assert visits["status"].iloc[-1] == "stopped"
    assert visits["reason"].iloc[-1] == f"follow-up stopped: {reason.replace('_', ' ')}"
    assert all(d <= "2024-08-01" for d in dues(visits))
    assert statuses(visits) == ["missed", "stopped"], "nobody is overdue after a stop"


@pytest.mark.parametrize("reason", ["withdrawn", "hospice", "transferred", "surgery", "mri_impossible"])
def test_all_but_surgery_stops_the_whole_patient(reason: str) -> None:
    sites = [
        {**SITE, "site_id": "x", "stop_reason": reason, "last_contact_date": "2024-05-01"},
        {**SITE, "site_id": "y"},
    ]
    visits = scheduled(sites, [], as_of="2024-06-01")
    ends = visits.loc[visits["status"] == "stopped", "site_ids"].tolist()
    assert ends == (["x"] if reason == "surgery" else ["x;y"])
    assert ("overdue" in statuses(visits)) == (reason == "surgery")


def test_who_is_treated_after_leaving_came_back() -> None:
    sites = [
        {**SITE, "site_id": "x", "stop_reason": "withdrawn", "last_contact_date": "2024-05-01"},
        {**SITE, "site_id": "y", "sbrt_date": "2024-05-20"},
    ]
    visits = scheduled(sites, [], as_of="2024-06-01")
    assert visits.loc[visits["status"] == "stopped", "site_ids"].tolist() == ["x"]
    assert visits.loc[visits["status"] == "upcoming", "site_ids"].eq("y").all()


def test_a_stop_ahead_stops_from_its_day() -> None:
    site = {**SITE, "stop_reason": "transferred", "last_contact_date": "2024-07-30"}
    before = scheduled([site], [], as_of="2024-06-20")
    assert before["status"].astype(str).tolist() == ["overdue", "due", "stopped"]
    assert before["reason"].iloc[-1] == "follow-up will stop: transferred"
    on_the_day = scheduled([site], [], as_of="2024-07-30")
    assert on_the_day["status"].astype(str).tolist() == ["missed", "missed", "stopped"]
    assert on_the_day["reason"].iloc[-1] == "follow-up stopped: transferred"


def test_a_booking_near_no_visit_books_none_and_is_told() -> None:
    visits = scheduled([{**SITE, "booked_date": "2052-06-20"}], [], as_of="2024-04-10")
    assert "booked" not in statuses(visits)
    assert visits["status"].iloc[0] == "due"
    assert visits["reason"].iloc[0].endswith("a booking on record lies near no visit: check its day")
    assert visits["reason"].str.contains("near no visit").sum() == 1


@pytest.mark.parametrize(
    ("done", "told"), [("2024-04-12", False), ("2024-04-08", False), ("2024-05-20", False), ("2024-03-20", True)]
)
def test_a_booked_day_that_an_mri_answered_has_not_lapsed(done: str, told: bool) -> None:
    visits = scheduled([{**SITE, "booked_date": "2024-04-12"}], [scan(done)], as_of="2024-06-01")
    assert visits["reason"].str.contains("the booked day has passed").any() == told


def test_an_mri_not_done_yet_is_a_booking_for_every_site_it_covers() -> None:
    sites = [{**SITE, "site_id": s, "level": s} for s in ("T8", "L3")]
    ahead = scan("2024-04-15", site_id="T8", completed="no", mri_coverage="whole_spine")
    visits = scheduled(sites, [ahead], as_of="2024-04-01", keys=True)
    first = visits.iloc[0]
    assert (first["site_ids"], first["status"], str(first["booked_date"])[:10]) == ("L3;T8", "booked", "2024-04-15")
    passed = scheduled(sites, [{**ahead, "mri_date": "2024-03-30"}], as_of="2024-04-01", keys=True)
    assert "booked" not in statuses(passed)


def test_death_stops_and_the_earlier_stop_counts() -> None:
    assert stopped(death_date="2024-05-01")["reason"].iloc[-1] == "follow-up stopped: death"
    both = stopped(death_date="2024-09-01", stop_reason="hospice", last_contact_date="2024-05-01")
    assert both["reason"].iloc[-1] == "follow-up stopped: hospice"


def test_last_contact_alone_is_no_stop() -> None:
    assert stopped(last_contact_date="2024-05-01")["status"].iloc[-1] == "horizon"


def test_progression_is_no_stop() -> None:
    visits = scheduled([{**SITE, "progression_date": "2024-05-01"}], [scan("2024-04-10")], as_of="2024-06-01")
    assert visits["status"].iloc[-1] == "horizon"
    after = visits.loc[visits["status"].astype(str).isin(["upcoming", "due"])]
    assert after["reason"].str.contains("progression on record: awaiting treatment decision").all()


def test_death_of_a_patient_stops_all_sites_in_one_line() -> None:
    sites = [{**SITE, "site_id": "x", "death_date": "2024-05-01"}, {**SITE, "site_id": "y"}]
    visits = scheduled(sites, [], as_of="2024-06-01")
    ends = visits.loc[visits["status"] == "stopped"]
    assert ends["site_ids"].tolist() == ["x;y"]


def test_a_renewed_treatment_is_a_new_course_and_ends_the_old_one_the_day_before() -> None:
    again = {**SITE, "sbrt_date": "2024-10-01"}
    visits = scheduled([SITE, again], [scan("2024-04-10"), scan("2024-12-30")], as_of="2025-01-10")
    stop = visits.loc[visits["status"] == "stopped"]
    assert "treated again" in stop["reason"].iloc[0]
    before = [d for d in dues(visits) if d < "2024-10-01"]
    assert before == ["2024-04-10", "2024-06-25", "2024-09-10"], "the old course, counted from its last MRI"
    done = visits.loc[visits["status"] == "done"]
    assert [str(d)[:10] for d in done["due"]] == ["2024-04-10", "2025-01-01"], "each MRI serves its own course"


def test_a_scan_after_a_stop_is_listed_and_one_after_a_renewed_treatment_is_the_new_courses() -> None:
    left = {**SITE, "stop_reason": "withdrawn", "last_contact_date": "2024-05-01"}
    visits = scheduled([left], [scan("2024-04-10"), scan("2024-09-01")], as_of="2024-10-01")
    assert visits["phase"].astype(str).tolist() == ["first-mri", "stop", "extra"]
    again = {**SITE, "sbrt_date": "2024-08-01"}
    visits = scheduled([left, again], [scan("2024-07-01"), scan("2024-10-30")], as_of="2024-12-01")
    extra = visits.loc[visits["phase"] == "extra"]
    assert [str(d)[:10] for d in extra["satisfied_by"]] == ["2024-07-01"]
    assert "2024-10-30" in [str(d)[:10] for d in visits.loc[visits["visit"].notna(), "satisfied_by"]]


# ---- bookings, contraindications, passed-through columns ----


def booked(day: str, as_of: str = "2024-04-01") -> pd.Series[Any]:
    visits = scheduled([{**SITE, "booked_date": day}], [], as_of=as_of)
    (row,) = (visits.loc[i] for i in visits.index if "booked" in str(visits["reason"].loc[i]))
    return row


def test_a_booking_inside_its_window() -> None:
    row = booked("2024-04-12")
    assert (row["visit"], row["status"]) == (1, "booked")
    assert row["reason"].endswith("; booked")


def test_a_booking_outside_the_window_says_so() -> None:
    row = booked("2024-05-02")
    assert (row["visit"], row["status"]) == (1, "booked")
    assert "booked outside its window" in row["reason"]


def test_a_booking_that_has_passed_hides_nothing() -> None:
    row = booked("2024-04-12", as_of="2024-05-01")
    assert (row["visit"], row["status"]) == (1, "overdue")
    assert "passed without a recorded MRI" in row["reason"]


def test_contraindications_are_said() -> None:
    visits = scheduled([{**SITE, "mri_contraindication": "yes", "gadolinium_contraindication": "yes"}])
    assert (
        visits["reason"].iloc[0].endswith("MRI contraindicated: the review's alternative is contrast CT; no gadolinium")
    )


def test_own_columns_pass_through_even_under_our_names() -> None:
    visits = scheduled([{**SITE, "ward": "7B", "status": "private", "due": "soon"}])
    assert set(visits["ward"]) == {"7B"}
    assert set(visits["cohort_status"]) == {"private"}
    assert set(visits["cohort_due"]) == {"soon"}
    assert "private" not in set(visits["status"].astype(str))


# ---- several sites and what a scan covers ----

TWO = [{**SITE, "site_id": "T10", "level": "T10"}, {**SITE, "site_id": "L2", "level": "L2"}]


def served(**cells: str) -> set[str]:
    visits = scheduled(TWO, [scan("2024-04-10", **cells)], as_of="2024-04-11")
    return set(";".join(visits.loc[visits["status"] == "done", "site_ids"]).split(";")) - {""}


def test_a_scan_satisfies_only_the_sites_it_covers() -> None:
    assert served(site_id="T10") == {"T10"}
    assert served(site_id="T10", mri_coverage="segment") == {"T10"}
    assert served(site_id="T10", mri_coverage="region") == {"T10"}
    assert served(site_id="T10", mri_coverage="whole_spine") == {"T10", "L2"}
    assert served(mri_coverage="whole_spine") == {"T10", "L2"}
    assert served() == set(), "without a site and with two of them nobody knows whose it is"


def test_a_regional_scan_covers_the_neighbours_in_its_region() -> None:
    sites = [*TWO, {**SITE, "site_id": "T4", "level": "T4"}, {**SITE, "site_id": "T12-L1", "level": "T12-L1"}]
    visits = scheduled(sites, [scan("2024-04-10", site_id="T10", mri_coverage="region")], as_of="2024-04-11")
    done = visits.loc[visits["status"] == "done", "site_ids"].tolist()
    assert done == ["T10;T4"]


def test_one_mri_serves_several_sites() -> None:
    visits = scheduled(TWO, as_of="2024-02-01")
    assert set(visits["site_ids"]) == {"L2;T10"}
    assert visits.loc[visits["visit"].notna(), "reason"].str.contains("one MRI for several sites").all()
    assert visits["visit"].dropna().tolist() == list(range(1, 16))


def test_the_window_of_a_shared_visit_is_what_the_sites_have_in_common() -> None:
    sites = [{**SITE, "site_id": "x"}, {**SITE, "site_id": "y", "sbrt_date": "2024-01-20"}]
    first = scheduled(sites, as_of="2024-02-01").iloc[0]
    assert first["site_ids"] == "x;y"
    assert [str(first[c])[:10] for c in ("earliest", "due", "latest")] == ["2024-04-06", "2024-04-10", "2024-04-24"]


# ---- tiers ----

KNOWN = {"bilsky": "0", "paraspinal": "no", "sins": "3"}


@pytest.mark.parametrize(
    ("facts", "tier", "second"),
    [
        (KNOWN, "low", "2024-10-10"),
        ({**KNOWN, "sins": "7"}, "intermediate", "2024-07-13"),
        ({**KNOWN, "sins": "7", "paraspinal": "yes"}, "high", "2024-03-28"),
    ],
)
def test_the_tier_decides_the_interval(facts: Cells, tier: str, second: str) -> None:
    visits = scheduled([{**SITE, **facts}], plan="chen-2024")
    assert visits["risk_group"].iloc[0] == tier
    # 3 + 6 months · 3 + 3.1 months (0.1 months are 3.04 days) · 1.3 + 1.3 months (0.6 months are 18.3 days)
    assert dues(visits)[1] == second
    assert visits["basis"].iloc[0] == "assumption"


def test_an_undecided_tier_follows_the_stand_in_and_is_never_high() -> None:
    result = schedule(frame_of([{**SITE, "bilsky": "0"}]), None, request(plan="chen-2024"))
    visits = result.visits
    assert visits["risk_group"].isna().all()
    ours = visits.loc[visits["visit"].notna()]
    assert set(ours["plan"].astype(str)) == {"mri-review-2025"}
    assert ours["reason"].str.contains("provisional").all()
    assert dues(visits) == dues(scheduled([SITE]))
    waiting = result.waiting.iloc[0]
    assert (waiting["possible_groups"], waiting["missing"]) == ("low;intermediate;high", "paraspinal;sins")


def test_a_later_course_never_changes_an_earlier_tier() -> None:
    mild = {**SITE, **KNOWN, "site_id": "x"}
    severe = {**SITE, "site_id": "y", "sbrt_date": "2024-12-01", "bilsky": "2", "paraspinal": "yes", "sins": "15"}
    alone = scheduled([mild], plan="chen-2024")
    both = scheduled([mild, severe], plan="chen-2024")
    before = dues(alone)[:2]
    assert [d for d in dues(both) if d < "2024-12-01"] == [d for d in before if d < "2024-12-01"]


# ---- always a next date or a reason; the horizon ----


def test_the_last_line_says_that_surveillance_does_not_end() -> None:
    visits = scheduled([SITE])
    last = visits.iloc[-1]
    assert (last["status"], last["reason"]) == ("horizon", HORIZON_REASON)
    assert pd.isna(last["due"])
    assert max(dues(visits)) <= "2029-01-10"


def test_a_short_horizon() -> None:
    assert dues(scheduled([SITE], horizon=Fraction(6))) == ["2024-04-10", "2024-06-25"]
    assert dues(scheduled([SITE], horizon=Fraction(1))) == []
    assert scheduled([SITE], horizon=Fraction(1))["status"].tolist() == ["horizon"]


def test_what_has_not_happened_yet_is_refused() -> None:
    for sites, scans in (
        ([{**SITE, "death_date": "2024-07-01"}], None),
        ([SITE], [scan("2024-07-01")]),
    ):
        with pytest.raises(InputRefused) as refused:
            scheduled(sites, scans, as_of="2024-06-01")
        (problem,) = refused.value.problems
        assert problem.code == "after-as-of"
        assert problem.message.startswith("row 2, column ")


# ---- properties ----

DAYS = st.dates(date(2022, 1, 1), date(2024, 6, 1)).map(str)


@st.composite
def cohorts(draw: st.DrawFn) -> tuple[list[Cells], list[Cells]]:
    sites: list[Cells] = []
    scans: list[Cells] = []
    for number in range(draw(st.integers(1, 4))):
        patient = f"P{number}"
        for site in range(draw(st.integers(1, 3))):
            cells = {"patient_id": patient, "site_id": f"x{site}", "sbrt_date": draw(DAYS)}
            for name, values in (
                ("bilsky", ["", "0", "1a", "3"]),
                ("paraspinal", ["", "yes", "no"]),
                ("sins", ["", "3", "9"]),
            ):
                cells[name] = draw(st.sampled_from(values))
            cells["level"] = draw(st.sampled_from(["", "T4", "T10", "L2"]))
            if draw(st.integers(0, 3)) == 0:
                cells |= {"stop_reason": "hospice", "last_contact_date": "2024-09-01"}
            if draw(st.integers(0, 3)) == 0:
                cells["booked_date"] = "2024-11-15"
            sites.append(cells)
            days = draw(st.lists(DAYS, max_size=4, unique=True))
            coverage = draw(st.sampled_from(["", "whole_spine", "region"]))
            scans += [{**scan(d, patient), "site_id": f"x{site}", "mri_coverage": coverage} for d in days]
    return sites, scans


PLANS = st.sampled_from(["mri-review-2025", "mri-review-2025-tiered", "chen-2024"])
MODEST = settings(max_examples=10, deadline=None)


def texts(visits: pd.DataFrame) -> list[tuple[str, ...]]:
    return [tuple(str(c) for c in row) for row in visits.itertuples(index=False)]


@MODEST
@given(cohorts(), PLANS, st.booleans())
def test_every_patient_gets_a_next_date_or_a_reason(cohort: Any, plan: str, with_imaging: bool) -> None:
    sites, scans = cohort
    visits = scheduled(sites, scans if with_imaging else None, as_of="2024-10-01", plan=plan)
    for patient in {s["patient_id"] for s in sites}:
        own = visits.loc[visits["patient_id"] == patient]
        ends = own["status"].astype(str).isin(["stopped", "horizon"])
        assert ends.any()
        served = {s for ids in own.loc[ends, "site_ids"] for s in ids.split(";")}
        assert served == {s["site_id"] for s in sites if s["patient_id"] == patient}
        numbers = own["visit"].dropna().astype(int).tolist()
        assert numbers == list(range(1, len(numbers) + 1))
    assert (visits["reason"].astype(str).str.len() > 0).all()
    real = visits.loc[visits["visit"].notna()]
    assert (real["due"] <= pd.Timestamp("2029-06-02")).all()
    assert (real["earliest"] <= real["due"]).all() or with_imaging
    assert set(real["basis"].astype(str)) <= {"published", "assumption", "interpretation"}
    assert sorted(worklist(visits, date(2024, 10, 1))["patient_id"]) == sorted({s["patient_id"] for s in sites})


@pytest.mark.slow
@MODEST
@given(cohorts(), PLANS, st.randoms(use_true_random=False))
def test_row_order_company_and_repetition_do_not_matter(cohort: Any, plan: str, random: Any) -> None:
    sites, scans = cohort
    whole = texts(scheduled(sites, scans, as_of="2024-10-01", plan=plan))
    assert texts(scheduled(sites, scans, as_of="2024-10-01", plan=plan)) == whole
    mixed_sites, mixed_scans = list(sites), list(scans)
    random.shuffle(mixed_sites)
    random.shuffle(mixed_scans)
    assert texts(scheduled(mixed_sites, mixed_scans, as_of="2024-10-01", plan=plan)) == whole
    alone: list[tuple[str, ...]] = []
    for patient in sorted({s["patient_id"] for s in sites}):
        own = [s for s in sites if s["patient_id"] == patient]
        theirs = [s for s in scans if s["patient_id"] == patient]
        alone += texts(scheduled(own, theirs, as_of="2024-10-01", plan=plan))
    assert alone == whole


@MODEST
@given(cohorts(), st.integers(1, 5))
def test_parts_of_whole_patients_make_the_same_schedule(cohort: Any, size: int) -> None:
    sites, _ = cohort
    frame = frame_of(sites)
    parts = list(chunks(frame, size))
    assert sum(len(p) for p in parts) == len(frame)
    assert all(len(set(p["patient_id"]) & set(q["patient_id"])) == 0 for p in parts for q in parts if p is not q)
    joined = [line for part in parts for line in texts(schedule(part, None, request(as_of="2024-10-01")).visits)]
    assert joined == texts(schedule(frame, None, request(as_of="2024-10-01")).visits)


@MODEST
@given(cohorts(), PLANS)
def test_no_completed_scan_is_lost(cohort: Any, plan: str) -> None:
    sites, scans = cohort
    visits = scheduled(sites, scans, as_of="2024-10-01", plan=plan)
    zero = {(s["patient_id"], s["site_id"]): s["sbrt_date"] for s in sites}
    shown = {
        (p, str(d)[:10]) for p, d in zip(visits["patient_id"], visits["satisfied_by"], strict=True) if not pd.isna(d)
    }
    for one in scans:
        if one["mri_date"] > zero[one["patient_id"], one["site_id"]]:
            assert (one["patient_id"], one["mri_date"]) in shown


# ---- the worklist ----


def test_the_worklist_is_sorted_by_urgency() -> None:
    sites = [
        {"patient_id": "late", "sbrt_date": "2024-01-10"},
        {"patient_id": "later", "sbrt_date": "2023-11-10"},
        {"patient_id": "due", "sbrt_date": "2024-02-28"},
        {"patient_id": "new", "sbrt_date": "2024-05-20"},
        {"patient_id": "gone", "sbrt_date": "2024-01-10", "stop_reason": "hospice", "last_contact_date": "2024-05-01"},
        {"patient_id": "booked", "sbrt_date": "2024-02-28", "booked_date": "2024-06-05"},
    ]
    listed = worklist(scheduled(sites, [], as_of="2024-06-01"), date(2024, 6, 1))
    assert listed["patient_id"].tolist() == ["later", "late", "due", "booked", "new", "gone"]
    # Latest days: 24 February and 24 April 2024.
    assert listed["days_overdue"].tolist()[:2] == [98, 38]
    assert listed["days_overdue"].isna().tolist()[2:] == [True] * 4
    counts = status_counts(listed)
    assert {k: n for k, n in counts.items() if n} == {"overdue": 2, "due": 1, "booked": 1, "upcoming": 1, "stopped": 1}
    assert listed["reason"].iloc[-1] == "follow-up stopped: hospice"
