import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbrt_followup.outcomes.tiers import tier_of_rows
from sbrt_followup.rulebook.library import load
from sbrt_followup.sites.risk import by_patient, by_site, site_risk
from sbrt_followup.tables.columns import COHORT

RULES = load(None, None)
COURSE = int(RULES.risk.course.value)
LEVELS = {spec.name: spec.levels for spec in COHORT}

sites = st.lists(
    st.fixed_dictionaries(
        {
            "patient_id": st.sampled_from(["A", "B", "AA"]),
            "site_id": st.sampled_from(["T1", "T5", "L2"]),
            "start": st.integers(0, 4 * COURSE),
            "bilsky": st.sampled_from(["0", "1a", "1b", "3", None]),
            "paraspinal": st.sampled_from(["yes", "no", None]),
            "sins": st.sampled_from([3.0, 8.0, 14.0, None]),
        }
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda r: (r["patient_id"], r["site_id"], r["start"]),
)


def frame_of(rows):
    frame = pd.DataFrame(rows)
    for spec in COHORT:
        if spec.name not in frame:
            frame[spec.name] = None
        if spec.kind == "choice":
            frame[spec.name] = pd.Categorical(frame[spec.name], categories=list(spec.levels))
        elif spec.kind in ("integer", "number"):
            frame[spec.name] = frame[spec.name].astype(float)
    days = pd.to_timedelta(frame["start"], unit="D")
    frame["sbrt_date"] = (pd.Timestamp("2020-01-01") + days).astype("datetime64[s]")
    frame["row"] = range(2, len(frame) + 2)
    return frame


def texts(series):
    return [None if pd.isna(v) else str(v) for v in series]


@settings(max_examples=40, deadline=None)
@given(sites)
def test_a_row_has_its_courses_tier_and_a_later_course_never_changes_it(rows):
    frame = frame_of(rows)
    tiers = texts(tier_of_rows(frame, RULES, "patient"))
    for patient in frame["patient_id"].unique():
        mine = frame["patient_id"] == patient
        first = frame.loc[mine, "sbrt_date"].min()
        course = mine & (frame["sbrt_date"] <= first + pd.Timedelta(days=COURSE))
        alone = frame[course].reset_index(drop=True)
        expected = texts(by_patient(site_risk(alone, RULES), alone)["risk_group"])
        assert {tiers[i] for i in frame.index[course]} == set(expected)
        assert len(expected) == 1


@settings(max_examples=20, deadline=None)
@given(sites)
def test_a_site_has_its_own_tier(rows):
    frame = frame_of(rows)
    expected = texts(by_site(site_risk(frame, RULES), frame)["risk_group"])
    assert texts(tier_of_rows(frame, RULES, "site")) == expected


def test_tiers_keep_their_order():
    frame = frame_of([{"patient_id": "A", "site_id": "T1", "start": 0, "bilsky": "0", "paraspinal": "no", "sins": 3.0}])
    assert list(tier_of_rows(frame, RULES, "patient").dtype.categories) == ["low", "intermediate", "high"]
    with pytest.raises(KeyError):
        tier_of_rows(frame.drop(columns="sbrt_date"), RULES, "patient")
