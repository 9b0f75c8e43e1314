"""The chance of a false alarm against a simulation of the same premise, and against the whole program."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import numpy as np

from sbrt_followup.arrays import NEVER
from sbrt_followup.response.assessment import assess
from sbrt_followup.response.event_dates import endpoints
from sbrt_followup.response.false_alarms import chances
from sbrt_followup.rulebook.library import load
from sbrt_followup.tables.records import cohort_of, imaging_of

RULEBOOK = load()
PREMISE = next(c.repeatability for c in RULEBOOK.criteria if c.repeatability is not None)
LIMIT = float(PREMISE.limit_percent) / 100
ERROR = LIMIT / (1.959963984540054 * np.sqrt(2))


def test_chances_agree_with_a_simulation() -> None:
    values = 1 + ERROR * np.random.default_rng(20250613).standard_normal((300_000, 9))
    smallest = np.minimum.accumulate(values, axis=1)[:, :-1]
    v_nadir = (values[:, 1:] >= smallest * (1 + LIMIT)).cumsum(axis=1) > 0
    v_baseline = (values[:, 1:] >= values[:, :1] * (1 + LIMIT)).cumsum(axis=1) > 0
    nadir, baseline = chances(PREMISE, 8)
    np.testing.assert_allclose(nadir[1:], 100 * v_nadir.mean(axis=0), atol=0.4)
    np.testing.assert_allclose(baseline[1:], 100 * v_baseline.mean(axis=0), atol=0.4)


def test_about_half_of_stable_courses_of_eight_mris_breach_the_nadir() -> None:
    nadir, baseline = chances(PREMISE, 8)
    assert 40 < nadir[8] < 50
    assert nadir[0] == baseline[0] == 0
    assert (np.diff(nadir) > 0).all()
    assert (nadir >= baseline).all()


def test_a_wider_limit_of_the_same_error_alarms_less() -> None:
    wider = replace(PREMISE, coverage_percent=Fraction(99))
    assert (chances(wider, 8)[0][1:] < chances(PREMISE, 8)[0][1:]).all()


def test_few_stable_courses_are_called_confirmed() -> None:
    """Breaches are called, but a chance low alone hardly ever ends as confirmed progression."""
    random = np.random.default_rng(7)
    start = date(2020, 1, 1)
    days = [-10, *(90 + 75 * k for k in range(8))]
    sites, scans = [], []
    for patient in range(1500):
        sites.append({"patient_id": f"p{patient}", "sbrt_date": "2020-01-01", "histology": "breast"})
        for day in days:
            volume = 5 * (1 + ERROR * random.standard_normal())
            when = (start + timedelta(days=day)).isoformat()
            scans.append({"patient_id": f"p{patient}", "mri_date": when, "gtv_cc": f"{volume:.4f}"})
    found = endpoints(assess(cohort_of(sites).frame, imaging_of(scans).frame, RULEBOOK, 30000))
    detected = (found.ends["detected"].progression != NEVER).mean()
    confirmed = (found.ends["first_growth"].progression != NEVER).mean()
    assert abs(100 * detected - chances(PREMISE, 8)[0][8]) < 4
    assert confirmed < 0.05
