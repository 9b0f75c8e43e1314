"""What MRIs find year by year: exact limits, an alarm that seldom rings for nothing, power said plainly."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from helpers.scanned_cohorts import as_tables

from sbrt_followup.outcomes.accounts import scan_days
from sbrt_followup.outcomes.question import Question
from sbrt_followup.outcomes.study import study
from sbrt_followup.surveillance.hazards import GroupHazards, Hazards, Rates
from sbrt_followup.surveillance.yield_monitor import Monitored, cusum, monitor, power, scores
from sbrt_followup.tables.records import read_cohort, read_imaging


@pytest.mark.parametrize(("mris", "expected"), [(100, 0.34), (300, 0.80), (500, 0.93)])
def test_the_power_to_see_a_doubling_at_a_yield_of_375_percent(mris: int, expected: float) -> None:
    assert power(0.0375 * mris) == pytest.approx(expected, abs=0.005)


def test_the_cusum_never_falls_below_nothing_and_is_the_recursion() -> None:
    rng = np.random.default_rng(1)
    score = rng.normal(-0.1, 1.0, 200)
    by_hand, total = [], 0.0
    for s in score:
        total = max(0.0, total + s)
        by_hand.append(total)
    assert cusum(score) == pytest.approx(np.array(by_hand))


def test_scores_are_log_likelihood_ratios_of_a_doubled_hazard() -> None:
    p = np.array([0.1])
    assert scores(p, np.array([1.0]))[0] == pytest.approx(math.log((1 - 0.9**2) / 0.1))
    assert scores(p, np.array([0.0]))[0] == pytest.approx(math.log(0.9))


def monitored(tmp_path_factory: pytest.TempPathFactory, factor: float) -> Monitored:
    folder = tmp_path_factory.mktemp("monitor")
    patients, scans = as_tables(1500, seed=8)
    patients.to_csv(folder / "c.csv", index=False)
    scans.to_csv(folder / "m.csv", index=False)
    frame = read_cohort(str(folder / "c.csv")).frame
    people = study(frame, Question(30), by=frame["tier"])
    true = {
        "low": ((0.0,), (0.00637,)),
        "intermediate": ((0.0,), (0.01233,)),
        "high": ((0.0, 13.2), (0.03946, 0.00869)),
    }
    known = tuple(
        GroupHazards(g, Rates(b, tuple(r / factor for r in rates), 0.0066), "assumed", "the truth")
        for g, (b, rates) in true.items()
    )
    return monitor(people, scan_days(people, read_imaging(str(folder / "m.csv")).frame), Hazards(known))


def test_true_hazards_expect_what_is_found_and_half_of_them_ring(tmp_path_factory: pytest.TempPathFactory) -> None:
    fair, half = (monitored(tmp_path_factory, factor) for factor in (1.0, 2.0))
    for row in fair.years:
        if row.year is None:
            assert row.ci_low < 1 < row.ci_high
    whole = next(row for row in fair.years if row.year is None and row.group == "high")
    assert sum(r.mris for r in fair.years if r.group == "high" and r.year is not None) == whole.mris
    assert sum(r.found for r in fair.years if r.group == "high" and r.year is not None) == whole.found
    assert all(alarm.first_alarm is not None for alarm in half.alarms if alarm.group in ("low", "high"))
    assert all(alarm.run_length > 50 for alarm in half.alarms)
    for alarm in half.alarms:
        if alarm.first_alarm is not None:
            pd.Timestamp(alarm.first_alarm)
            assert alarm.highest > alarm.limit
