import numpy as np
import pytest
from helpers.scored_cohorts import CASES, COHORTS, people
from hypothesis import given
from hypothesis import strategies as st

from sbrt_followup.estimators.concordance import harrell, uno, wolbers

CASE = pytest.mark.parametrize(("expected", "time", "status", "risk", "day"), CASES, ids=list(COHORTS))


@CASE
def test_concordances_are_r_pecs_and_survivals(expected, time, status, risk, day):
    assert wolbers(time, status, risk, day) == pytest.approx(expected["wolbers_c"], abs=1e-9)
    own = expected["harrell_c_cause_specific"]["estimate"]
    assert harrell(time, status, risk, day) == pytest.approx(own, abs=1e-12)
    assert uno(time, status, risk, day) == pytest.approx(expected["uno_c_cause_specific"]["estimate"], abs=1e-12)


def slow(time, status, risk, day):
    """Compare every pair by the definitions."""
    free, g = {}, 1.0
    for t in np.unique(time):
        lost = ((time == t) & (status == 0)).sum()
        at_risk = (time > t).sum() + lost
        free[t] = (g, g * (1 - lost / at_risk) if at_risk else g)
        g = free[t][1]
    up = down = 0.0
    for i in np.flatnonzero((status == 1) & (time <= day)):
        for j in range(len(time)):
            later = time[j] > time[i] or (time[j] == time[i] and status[j] == 0)
            if later and free[time[i]][1] > 0:
                w = 1 / (free[time[i]][0] * free[time[i]][1])
            elif not later and status[j] == 2:
                w = 1 / (free[time[i]][0] * free[time[j]][0])
            else:
                continue
            down += w
            up += w * (1.0 if risk[i] > risk[j] else 0.5 if risk[i] == risk[j] else 0)
    return up / down if down else float("nan")


@given(people())
def test_wolbers_counts_every_pair(drawn):
    time, status, risk = drawn
    assert wolbers(time, status, risk, 6.0) == pytest.approx(slow(time, status, risk, 6.0), nan_ok=True)


@given(people(), st.integers(0, 1000))
def test_order_of_rows_and_a_monotone_change_of_the_score_alter_nothing(drawn, seed):
    time, status, risk = drawn
    order = np.random.default_rng(seed).permutation(len(time))
    for measure in (wolbers, harrell, uno):
        got = measure(time[order], status[order], np.exp(3 * risk[order]), 5.0)
        assert got == pytest.approx(measure(time, status, risk, 5.0), nan_ok=True)


def test_without_a_pair_there_is_no_concordance():
    time, status, risk = np.array([1.0, 2.0]), np.array([0, 0]), np.array([0.1, 0.2])
    assert all(np.isnan(measure(time, status, risk, 1.5)) for measure in (wolbers, harrell, uno))
