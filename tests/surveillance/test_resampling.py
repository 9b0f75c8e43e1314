"""Samples of patients and the test of a break: limits that hold patients together, a p-value that is fair without a break."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers.loop_reference import months

from sbrt_followup.estimators import illness_death, piecewise
from sbrt_followup.outcomes.question import Question
from sbrt_followup.outcomes.study import study
from sbrt_followup.surveillance.observed import observe
from sbrt_followup.surveillance.resampling import break_test, sample
from sbrt_followup.surveillance.yields import needed


def nothing() -> None:
    """Step without a bar."""


def test_samples_spread_as_the_standard_error_says_and_twins_widen_them() -> None:
    data = months("exp300")
    error = float(piecewise.std_error_log(piecewise.fit(piecewise.exposed(data.left, data.right, np.zeros(1))))[0])
    alone = sample(data, np.arange(len(data)), 300, 1, starts=(0.0,), grid=None, ties=None, step=nothing)
    assert np.log(alone.hazard[:, 0]).std() == pytest.approx(error, rel=0.15)
    twice = data.chosen(np.tile(np.arange(len(data)), 2))
    pairs = sample(twice, np.tile(np.arange(len(data)), 2), 300, 1, starts=(0.0,), grid=None, ties=None, step=nothing)
    # Two like sites a patient say no more than one.
    assert np.log(pairs.hazard[:, 0]).std() == pytest.approx(np.log(alone.hazard[:, 0]).std(), rel=1e-6)
    low, high = alone.limits(0, needed(0.05), 0.95)
    assert low < needed(0.05) / np.median(alone.hazard) < high


def test_samples_of_illness_death_rates_hold_mortality_too() -> None:
    data = months("high400")
    ties = illness_death.constant_deaths(2)
    drawn = sample(
        data, np.arange(len(data)), 20, 1, starts=(0.0, 14.6), grid=np.arange(10.0, 20.0), ties=ties, step=nothing
    )
    assert drawn.hazard.shape == (20, 2)
    assert (np.abs(drawn.at - 14.6) < 8).all()
    assert np.median(drawn.death_after / drawn.death_clear) == pytest.approx(1.43, abs=0.4)


def cohort(seed: int, n: int = 120) -> pd.DataFrame:
    """Draw patients with one hazard, scanned about every three months."""
    rng = np.random.default_rng(seed)
    zero = pd.Timestamp("2015-01-01")
    rows = []
    for k in range(n):
        onset, until = rng.exponential(700), rng.integers(500, 1500)
        scans = np.cumsum(rng.integers(75, 110, 20))
        scans = scans[scans <= until]
        hit = scans[scans >= onset]
        clear = scans[scans < onset]
        day = [clear.max() if len(clear) else None, hit[0] if len(hit) else None, until]
        rows.append([f"P{k}", zero, *(None if d is None else zero + pd.Timedelta(days=int(d)) for d in day)])
    names = ["patient_id", "sbrt_date", "last_clear_mri_date", "progression_date", "last_followup_date"]
    frame = pd.DataFrame(rows, columns=names).assign(site_id="1", row=np.arange(2, n + 2))
    return frame.assign(
        death_date=pd.NaT, last_contact_date=pd.NaT, vcf_date=pd.NaT, stop_reason=None, progression_site=None
    )


@pytest.mark.slow
def test_without_a_break_the_test_rejects_about_one_in_twenty() -> None:
    p_values = []
    for seed in range(30):
        frame = cohort(seed)
        people = study(frame, Question(30))
        (own,) = observe(people, frame, None).groups
        test = break_test(people, own.unit, own.seen, None, np.arange(5.0, 25.0), 39, seed, nothing)
        p_values.append(test.p_value if test.simulations else 1.0)
    assert sum(p <= 0.05 for p in p_values) <= 5
