"""What was seen of everybody: ends of intervals, follow-up, entry, and who is left out and why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sbrt_followup.outcomes.accounts import scan_days
from sbrt_followup.outcomes.question import Question
from sbrt_followup.outcomes.study import Study, study
from sbrt_followup.surveillance.observed import MONTH, everything_seen, observe, second_mri
from sbrt_followup.tables.records import read_cohort, read_imaging

ROWS = """patient_id,sbrt_date,last_clear_mri_date,progression_date,death_date,last_followup_date
found,2020-01-01,2020-04-10,2020-07-19,2020-12-31,
exact,2020-01-01,2020-07-19,2020-07-19,,2021-01-01
never,2020-01-01,2020-10-27,,,2021-06-01
died,2020-01-01,2020-10-27,,2021-03-01,
unseen,2020-01-01,,,,2021-06-01
early,2020-01-01,,2020-03-01,,2021-06-01
"""


@pytest.fixture
def cohort(tmp_path) -> tuple[Study, pd.DataFrame]:  # type: ignore[no-untyped-def]
    path = tmp_path / "c.csv"
    path.write_text(ROWS)
    frame = read_cohort(str(path)).frame
    return study(frame, Question(30)), frame


def of(people: Study, name: str) -> int:
    return int(np.flatnonzero(people.patients[people.patient] == name)[0])


def test_the_ends_of_everybody_s_interval_and_follow_up(cohort: tuple[Study, pd.DataFrame]) -> None:
    people, _ = cohort
    whole = everything_seen(people)
    expected = {
        "found": (100.0, 200.0, 365.0, True),
        "exact": (199.0, 200.0, 366.0, False),
        "never": (300.0, np.inf, 517.0, False),
        "died": (300.0, np.inf, 425.0, True),
        "early": (0.0, 60.0, 517.0, False),
    }
    for name, (left, right, until, died) in expected.items():
        at = of(people, name)
        assert (whole.left[at], whole.right[at], whole.until[at], bool(whole.died[at])) == (left, right, until, died)


def test_without_any_mri_a_patient_is_listed_and_not_fitted(cohort: tuple[Study, pd.DataFrame]) -> None:
    people, frame = cohort
    seen = observe(people, frame, None)
    assert len(seen.groups[0].seen) == 5
    assert [(e.row, e.reason) for e in seen.excluded] == [(6, "no follow-up MRI: nothing is known of progression")]


def test_an_as_of_day_cuts_follow_up(cohort: tuple[Study, pd.DataFrame]) -> None:
    _, frame = cohort
    people = study(frame, Question(30, as_of=np.datetime64("2020-06-01")))
    whole = everything_seen(people)
    at = of(people, "found")
    assert (whole.left[at], whole.right[at], whole.until[at], bool(whole.died[at])) == (100.0, np.inf, 152.0, False)


def test_entry_conditions_on_being_clear_and_counts_what_lies_before(cohort: tuple[Study, pd.DataFrame]) -> None:
    people, frame = cohort
    entry = np.full(len(people.time), 150.0)
    entry[of(people, "died")] = np.nan
    seen = observe(people, frame, entry)
    (own,) = seen.groups
    assert own.before_entry == 1
    assert set(people.patients[own.patient]) == {"exact", "never"}
    assert own.seen.entry == pytest.approx(np.full(2, 150 / MONTH))
    reasons = {e.row: e.reason for e in seen.excluded}
    assert reasons[2] == "not known to be clear when observation began"
    assert reasons[5] == "the start of observation is not known"
    assert reasons[7] == "progression found before observation began"


def test_the_second_mri_is_the_second_day_with_one_after_sbrt(cohort: tuple[Study, pd.DataFrame], tmp_path) -> None:  # type: ignore[no-untyped-def]
    people, _ = cohort
    path = tmp_path / "m.csv"
    days = ["2019-12-20", "2020-04-10", "2020-07-19"]
    path.write_text("patient_id,mri_date\n" + "".join(f"found,{d}\n" for d in days) + "never,2020-10-27\n")
    found = second_mri(people, scan_days(people, read_imaging(str(path)).frame))
    assert found[of(people, "found")] == 200.0
    assert np.isnan(found[of(people, "never")])
