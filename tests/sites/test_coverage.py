"""Whom an MRI serves has one answer: held against the sentence of the contract written as plain loops, and across commands."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sbrt_followup.sites.coverage import coverage, own_site, scans_after_stop
from sbrt_followup.sites.history import course_of
from sbrt_followup.sites.last_clear import with_last_clear
from sbrt_followup.tables.records import cohort_of, imaging_of

REGIONS = {"C5": "C", "T8": "T", "T10": "T", "L2": "L", "T12-L1": "TL"}


def served_by_hand(site: dict[str, str], scan: dict[str, str], cohort: list[dict[str, str]]) -> bool:
    """The contract's sentence, for one site and one MRI."""
    if scan["patient_id"] != site["patient_id"] or scan["completed"] == "no":
        return False
    ids = {row["site_id"] for row in cohort if row["patient_id"] == site["patient_id"]}
    named = scan["site_id"] or (next(iter(ids)) if len(ids) == 1 else "")
    if named == site["site_id"] or scan["mri_coverage"] == "whole_spine":
        return True
    levels = [row["level"] for row in cohort if (row["patient_id"], row["site_id"]) == (site["patient_id"], named)]
    if scan["mri_coverage"] != "region" or not levels:
        return False
    return set(REGIONS[site["level"]]) <= set(REGIONS[levels[0]])


sites = st.lists(
    st.tuples(st.sampled_from("AB"), st.sampled_from(list(REGIONS))), min_size=1, max_size=6, unique=True
).map(
    lambda pairs: [
        {"patient_id": p, "site_id": level, "sbrt_date": "2024-01-10", "level": level, "stop_reason": ""}
        for p, level in pairs
    ]
)
scans = st.lists(
    st.builds(
        lambda p, s, day, done, cover: {
            "patient_id": p, "site_id": s, "mri_date": f"2024-{day:02d}-05", "completed": done, "mri_coverage": cover
        },
        st.sampled_from("AB"),
        st.sampled_from(["", *REGIONS]),
        st.integers(2, 12),
        st.sampled_from(["", "yes", "no"]),
        st.sampled_from(["", "segment", "region", "whole_spine"]),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda scan: (scan["patient_id"], scan["mri_date"]),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(sites, scans)
def test_pairs_are_those_of_the_sentence(cohort, imaging):
    pairs = coverage(cohort_of(cohort).frame, imaging_of(imaging).frame)
    wanted = {(i, k) for i, s in enumerate(cohort) for k, m in enumerate(imaging) if served_by_hand(s, m, cohort)}
    assert set(zip(pairs.site.tolist(), pairs.scan.tolist(), strict=True)) == wanted
    assert len(pairs) == len(wanted)


def test_an_mri_is_read_for_the_site_it_names_or_the_only_one():
    cohort = [{"patient_id": p, "site_id": s, "sbrt_date": "2024-01-10"} for p, s in ("AT", "AL", "BT")]
    imaging = [{"patient_id": p, "site_id": s, "mri_date": "2024-05-05"} for p, s in (("A", "L"), ("A", ""), ("B", ""))]
    own = own_site(cohort_of(cohort).frame, imaging_of(imaging).frame)
    assert own.fillna("-").tolist() == ["L", "-", "T"]


def test_a_whole_spine_mri_keeps_every_site_of_the_patient_in_sight():
    # Sites T10 and L2, both MRIs named for T10: the curves had kept L2 at risk to last contact, without a scan.
    cohort = [
        {"patient_id": "A", "site_id": s, "sbrt_date": "2024-01-10", "level": s, "last_followup_date": "2024-12-01"}
        for s in ("T10", "L2")
    ]
    imaging = [
        {"patient_id": "A", "site_id": "T10", "mri_date": day, "mri_coverage": "whole_spine"}
        for day in ("2024-04-10", "2024-07-10")
    ]
    frame = with_last_clear(cohort_of(cohort).frame, imaging_of(imaging).frame)
    assert frame["last_clear_mri_date"].dt.strftime("%Y-%m-%d").tolist() == ["2024-07-10", "2024-07-10"]


def test_an_mri_is_clear_only_before_the_progression_and_after_treatment():
    cohort = [{"patient_id": "A", "site_id": "T8", "sbrt_date": "2024-01-10", "progression_date": "2024-07-10"}]
    days = ("2024-01-10", "2024-04-10", "2024-07-10", "2024-10-10")
    imaging = [{"patient_id": "A", "site_id": "", "mri_date": day} for day in days]
    frame = with_last_clear(cohort_of(cohort).frame, imaging_of(imaging).frame)
    assert str(frame["last_clear_mri_date"].iloc[0])[:10] == "2024-04-10"


def test_an_mri_after_a_stop_belongs_to_the_stopped_site_until_it_is_treated_again():
    rows = [
        {"patient_id": "A", "site_id": "T8", "sbrt_date": "2024-01-10", "stop_reason": "surgery", "last_contact_date": "2024-03-01"},
        {"patient_id": "A", "site_id": "T8", "sbrt_date": "2024-08-01", "stop_reason": "", "last_contact_date": ""},
    ]  # fmt: skip
    imaging = [{"patient_id": "A", "site_id": "T8", "mri_date": day} for day in ("2024-05-05", "2024-10-05")]
    frame = cohort_of(rows).frame
    site, day = scans_after_stop(frame, coverage(frame, imaging_of(imaging).frame), course_of(frame))
    assert site.tolist() == [0] and day.astype("datetime64[D]").tolist() == [np.datetime64("2024-05-05").astype(object)]
