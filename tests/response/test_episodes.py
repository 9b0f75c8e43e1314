"""Serial MRIs → states, dates and next steps, as written in the course files by hand."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sbrt_followup.response.assessment import Assessment, assess, confirming_visits
from sbrt_followup.response.event_dates import cohort_table
from sbrt_followup.rulebook.library import load
from sbrt_followup.rulebook.parsing import plain, read_file
from sbrt_followup.tables.records import cohort_of, imaging_of

RULEBOOK = load()
ZERO = date(2020, 1, 1)
FOLDER = Path(__file__).parents[1] / "cases"


def courses() -> list[dict]:
    found = []
    for path in sorted(FOLDER.glob("courses-*.yaml")):
        tree, problems = read_file(path, path.name)
        assert not problems and tree is not None
        found += plain(tree)["courses"]
    return found


COURSES = courses()


def day(number: int) -> str:
    return (ZERO + timedelta(days=number)).isoformat()


def run(course: dict) -> Assessment:
    site = {"patient_id": "p", "sbrt_date": day(0), **course["site"]}
    if "died" in course:
        site["death_date"] = day(int(course["died"]))
    scans = [
        {"patient_id": "p", "mri_date": day(int(s["day"])), **{k: v for k, v in s.items() if k != "day"}}
        for s in course["scans"]
    ]
    as_of = int(np.datetime64(day(int(course.get("as_of", "6000")))).astype(np.int64))
    return assess(cohort_of([site]).frame, imaging_of(scans).frame, RULEBOOK, as_of)


def days_of(values: pd.Series) -> list[str]:
    return ["none" if pd.isna(v) else str((v.date() - ZERO).days) for v in values]


LISTS = {
    "called": "called", "states": "state", "growth": "growth", "place": "window_place", "urgent": "urgent",
    "possible": "possible_states", "elsewhere": "new_metastasis", "pain": "pain_response", "consensus": "pain_consensus",
    "requests": "requests", "contradiction": "contradiction",
}  # fmt: skip


@pytest.mark.parametrize("course", COURSES, ids=[c["id"] for c in COURSES])
def test_a_course_reads_as_written(course: dict) -> None:
    assessment = run(course)
    table = assessment.table
    after = table.loc[table["scan"] > 0]
    site = cohort_table(assessment, frozenset(), ()).iloc[0]
    expect = dict(course["expect"])
    for name, column in LISTS.items():
        if name in expect:
            cells = ["" if pd.isna(v) else str(v) for v in after[column]]
            assert cells == expect.pop(name), name
    if "next" in expect:
        assert days_of(after["next_date"]) == expect.pop("next")
    if "action" in expect:
        for said, word in zip(after["next_action"], expect.pop("action"), strict=True):
            assert word in said
    for name, column in (
        ("for", "signs_for"),
        ("against", "signs_against"),
        ("beside", "confounders"),
        ("caution", "cautions"),
    ):
        for said, word in zip(after[column].astype(object), expect.pop(name, [""] * len(after)), strict=True):
            assert word in ("" if pd.isna(said) else said), name
    for policy, when in expect.pop("events", {}).items():
        assert days_of(site[[f"progression_date_{policy}"]]) == [when], policy
    for policy, when in expect.pop("clear", {}).items():
        assert days_of(site[[f"last_clear_mri_date_{policy}"]]) == [when], policy
    if "fracture" in expect:
        assert days_of(site[["vcf_date"]]) == [expect.pop("fracture")]
    if "local" in expect:
        assert days_of(site[["local_progression_date_first_growth"]]) == [expect.pop("local")]
    if "where" in expect:
        assert site["progression_site"] == expect.pop("where")
    if "unresolved" in expect:
        assert site["unresolved"] == expect.pop("unresolved")
    if "visits" in expect:
        assert len(confirming_visits(assessment)) == int(expect.pop("visits"))
    assert not expect, f"not checked: {sorted(expect)}"


def test_there_are_enough_courses_with_different_names() -> None:
    names = [c["id"] for c in COURSES]
    assert len(set(names)) == len(names) >= 80


@pytest.mark.parametrize("course", COURSES, ids=[c["id"] for c in COURSES])
def test_what_was_called_does_not_depend_on_later_mris(course: dict) -> None:
    whole = run(course).table
    for number in range(1, len(course["scans"])):
        short = run({**course, "scans": course["scans"][: number + 1]}).table
        assert list(short["called"]) == list(whole["called"])[: len(short)]
        assert list(short["next_action"].astype(object)) == list(whole["next_action"].astype(object))[: len(short)]


def test_row_order_changes_nothing() -> None:
    for course in COURSES[:20]:
        turned = {**course, "scans": course["scans"][::-1]}
        a, b = run(course).table, run(turned).table
        pd.testing.assert_frame_equal(a.astype(object), b.astype(object))
