"""Windows, thresholds, comparisons and scans: properties that hold for any numbers."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbrt_followup.arrays import NEVER
from sbrt_followup.response.answers import criteria_of, highest
from sbrt_followup.response.assessment import assess, confirming_visits
from sbrt_followup.response.event_dates import endpoints
from sbrt_followup.response.measures import change
from sbrt_followup.response.thresholds import growth_thresholds
from sbrt_followup.rulebook.conditions import Interval, Levels
from sbrt_followup.rulebook.library import load
from sbrt_followup.sites.scans import gather
from sbrt_followup.sites.windows import INSIDE, place, unite
from sbrt_followup.tables.records import cohort_of, imaging_of
from sbrt_followup.vocabulary import FACTS, POLICIES, SIZE_SIGNS

RULEBOOK = load()
ZERO = date(2020, 1, 1)
FAR = 30_000


def day(number: int) -> str:
    return (ZERO + timedelta(days=number)).isoformat()


def cohort(**site: str):
    return cohort_of([{"patient_id": "p", "sbrt_date": day(0), **site}]).frame


def imaging(*scans: dict):
    return imaging_of([{"patient_id": "p", **s, "mri_date": day(s["mri_date"])} for s in scans]).frame


# ---- windows ----


def test_a_window_united_with_the_default_never_shortens_it() -> None:
    days = np.arange(0, 800)
    never = np.full(800, -10_000)
    default = [w for w in RULEBOOK.windows if w.when is None]
    plain = place(unite(default), days, never)
    for extra in (w for w in RULEBOOK.windows if w.when is not None):
        both = place(unite([*default, extra]), days, never)
        assert ((plain == INSIDE) <= (both == INSIDE)).all()


def test_touching_windows_become_one_stretch() -> None:
    by_id = {w.id: w for w in RULEBOOK.windows}
    renal = unite([by_id["default"], by_id["renal-cell"]])
    assert [(s.start, s.stop) for s in renal] == [(68, 505)]
    prostate = unite([by_id["default"], by_id["prostate"]])
    assert [(s.start, s.stop) for s in prostate] == [(68, 172), (183, 297)]


# ---- comparisons ----


@given(st.integers(1, 2000), st.integers(1, 4000))
def test_a_change_by_hundredths_of_a_cc_is_exact(before: int, now: int) -> None:
    """Volumes are written with two decimals: the percentage is that of the written numbers, not of their binary images."""
    found = change("gtv_cc", np.array([now / 100]), np.array([before / 100]))[0]
    assert found == pytest.approx((now - before) * 100 / before, abs=1e-9)
    exact = (now - before) * 100 * 10 == 109 * before
    assert (found == 10.9) == exact


@given(st.lists(st.sets(st.integers(0, 4), min_size=1), min_size=1, max_size=4))
def test_the_highest_of_several_unknowns_is_every_attainable_maximum(sets: list[set[int]]) -> None:
    import itertools

    columns = [Levels(np.array([sum(1 << i for i in s)], dtype=np.int64)) for s in sets]
    expected = sum(1 << i for i in {max(choice) for choice in itertools.product(*sets)})
    assert highest(columns, 1).possible[0] == expected


# ---- thresholds ----


@pytest.mark.parametrize(
    ("pair", "volume", "expected"),
    [
        ("baseline_first", 1.0, 42.0), ("baseline_second", 1.0, 71.3), ("first_second", 1.0, 37.2),
        ("baseline_first", 2.0, 10.9), ("baseline_second", 8.3, 10.9), ("first_second", 5.0, 10.9),
        ("baseline_first", 9.0, 10.9), ("baseline_second", 9.0, 13.3), ("first_second", 9.0, 11.8), ("other", 1.0, 37.2), ("other", 2.0, 10.9),
    ],
)  # fmt: skip
def test_the_threshold_read_from_the_document_is_the_published_one(pair: str, volume: float, expected: float) -> None:
    """Jabehdar Maralani 2021, abstract."""
    volumes = next(c for c in criteria_of(RULEBOOK).sizes if c.measure == "gtv_cc")
    facts = {
        "scan_pair": Levels(np.array([1 << FACTS["scan_pair"].levels.index(pair)], dtype=np.int64)),
        "gtv_baseline_cc": Interval(np.array([volume]), np.array([volume])),
    }
    found = growth_thresholds(volumes, facts, 1)
    assert (found.low[0], found.high[0], bool(found.above[0])) == (expected, expected, False)


def test_a_threshold_that_does_not_count_itself_says_so() -> None:
    linear = next(c for c in criteria_of(RULEBOOK).sizes if c.measure == "diameter_mm")
    facts = {"compared_with": Levels(np.array([1], dtype=np.int64))}
    assert growth_thresholds(linear, facts, 1).texts() == ["> 3 mm"]


def test_an_unknown_size_class_gives_the_range_of_thresholds() -> None:
    volumes = next(c for c in criteria_of(RULEBOOK).sizes if c.measure == "gtv_cc")
    facts = {"scan_pair": Levels(np.array([1], dtype=np.int64))}
    assert growth_thresholds(volumes, facts, 1).texts() == ["≥ 10.9 to 42 % (depends on what is not recorded)"]


# ---- scans ----


def test_each_mri_belongs_to_the_course_it_followed() -> None:
    frame = cohort_of(
        [{"patient_id": "p", "site_id": "a", "sbrt_date": day(0)}, {"patient_id": "p", "site_id": "a", "sbrt_date": day(400)}]
    ).frame  # fmt: skip
    scans = imaging_of(
        [{"patient_id": "p", "site_id": "a", "mri_date": day(d)} for d in (-10, 90, 399, 400, 500)]
    ).frame
    found = gather(frame, scans, FAR)
    told = list(zip(found.site.tolist(), found.since.tolist(), found.baseline.tolist(), strict=True))
    assert told == [(0, -10, True), (0, 90, False), (0, 399, False), (1, 0, True), (1, 100, False)]


def test_what_is_not_read_is_listed_with_the_reason() -> None:
    frame = cohort(death_date=day(300))
    scans = imaging(
        {"mri_date": -50}, {"mri_date": -10}, {"mri_date": 90, "completed": "no"}, {"mri_date": 350}, {"mri_date": 200}
    )
    until = int(np.datetime64(day(400)).astype(np.int64))
    found = gather(frame, scans, until)
    assert len(found) == 2
    assert found.unused == {
        2: "before treatment, and another MRI is nearer to it", 4: "not done", 5: "after the patient's death",
    }  # fmt: skip


def test_nothing_to_read_is_no_error() -> None:
    found = assess(cohort(), imaging({"mri_date": 90, "completed": "no"}), RULEBOOK, FAR)
    assert len(found.table) == 0
    assert len(confirming_visits(found)) == 0


def test_a_users_own_column_named_like_a_fact_is_left_alone() -> None:
    frame = cohort_of([{"patient_id": "p", "sbrt_date": day(0), "biopsy": "pending", "pet": "2020-03-01"}]).frame
    found = assess(frame, imaging({"mri_date": -5, "gtv_cc": "5"}, {"mri_date": 90, "gtv_cc": "5"}), RULEBOOK, FAR)
    assert list(found.table["state"]) == ["baseline", "stable"]


# ---- whole courses ----


volumes = st.lists(st.one_of(st.none(), st.integers(1, 2000)), min_size=2, max_size=8)
gaps = st.lists(st.integers(20, 200), min_size=8, max_size=8)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(volumes, gaps, st.sampled_from(["breast", "renal_cell", "prostate", None]))
def test_every_course_is_accounted_for(sizes: list, steps: list, histology: str | None) -> None:
    days = [-5, *np.cumsum(steps).tolist()][: len(sizes)]
    scans = [
        {"mri_date": d, **({} if v is None else {"gtv_cc": f"{v / 100:.2f}"})} for d, v in zip(days, sizes, strict=True)
    ]
    found = assess(cohort(**({"histology": histology} if histology else {})), imaging(*scans), RULEBOOK, FAR)
    table, end = found.table, endpoints(found)
    assert len(table) == len(sizes)
    assert table["state"].notna().all()
    assert table["rule"].iloc[1:].notna().any() or table["called"].iloc[1:].eq("indeterminate").all()
    # Pseudo-progression only in retrospect, never on the last MRI.
    assert "pseudoprogression" not in set(table["called"].astype(str))
    assert str(table["state"].iloc[-1]) != "pseudoprogression"
    first, confirmed, detected = (int(end.ends[p].progression[0]) for p in POLICIES)
    assert (first == NEVER) == (confirmed == NEVER)
    if first != NEVER:
        assert detected <= first <= confirmed
        assert end.unresolved[0] == NEVER
        for p in POLICIES:
            assert end.ends[p].last_clear[0] < end.ends[p].progression[0]
    # An equivocal or incomplete last MRI asks for another one; nothing else does.
    last = str(table["called"].iloc[-1])
    assert len(confirming_visits(found)) == (last in ("equivocal", "indeterminate"))


def test_size_signs_are_ordered_from_nothing_to_growth() -> None:
    assert SIZE_SIGNS.index("unchanged") < SIZE_SIGNS.index("decreased") < SIZE_SIGNS.index("growth")
