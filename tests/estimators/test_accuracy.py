import numpy as np
import pytest
from helpers.scored_cohorts import CASES, COHORTS, EXPECTED, TIED, people
from hypothesis import given
from hypothesis import strategies as st

from sbrt_followup.estimators.accuracy import auc, brier, weigh

CASE = pytest.mark.parametrize(("expected", "time", "status", "risk", "day"), CASES, ids=list(COHORTS))


@CASE
def test_auc_and_its_error_are_r_risk_regressions(expected, time, status, risk, day):
    found = auc(weigh(time, status, day), risk)
    assert found.estimate == pytest.approx(expected["auc"]["estimate"], abs=1e-12)
    assert found.std_error() == pytest.approx(expected["auc"]["se"], abs=1e-6)


@CASE
def test_brier_is_r_risk_regressions(expected, time, status, risk, day):
    people = weigh(time, status, day)
    found, null = brier(people, risk).estimate, brier(people, np.full(len(time), expected["observed"]["aj"])).estimate
    assert found == pytest.approx(expected["brier"]["model"], abs=1e-12)
    assert null == pytest.approx(expected["brier"]["null"], abs=1e-12)
    assert 1 - found / null == pytest.approx(expected["brier"]["ipa"], abs=1e-9)


@pytest.mark.parametrize("name", COHORTS)
def test_the_error_of_brier_is_r_risk_regressions(name):
    time, status, risk, day = COHORTS[name]
    # R takes tied times otherwise.
    tolerance = 0.015 if name in TIED else 1e-9
    error = brier(weigh(time, status, day), risk).std_error()
    assert error == pytest.approx(EXPECTED[name]["brier"]["se"], rel=tolerance)


@given(people(), st.integers(0, 1000))
def test_order_of_rows_and_a_monotone_change_of_the_score_alter_nothing(drawn, seed):
    time, status, risk = drawn
    order = np.random.default_rng(seed).permutation(len(time))
    plain = auc(weigh(time, status, 5.0), risk)
    shuffled = auc(weigh(time[order], status[order], 5.0), np.exp(3 * risk[order]))
    assert shuffled.estimate == pytest.approx(plain.estimate, nan_ok=True)
    assert shuffled.std_error() == pytest.approx(plain.std_error(), nan_ok=True)


def test_two_sites_of_one_patient_count_as_one():
    time, status, risk, day = COHORTS["tiers446_24"]
    once, twice = weigh(time, status, day), weigh(np.repeat(time, 2), np.repeat(status, 2), day)
    cluster = np.repeat(np.arange(len(time)), 2)
    for measure in (auc, brier):
        both = measure(twice, np.repeat(risk, 2))
        assert both.std_error(cluster) == pytest.approx(measure(once, risk).std_error(), rel=1e-9)
        assert both.std_error() < 0.75 * both.std_error(cluster)


def test_a_constant_risk_tells_nobody_apart():
    time, status, _, day = COHORTS["tiers446_24"]
    assert auc(weigh(time, status, day), np.full(len(time), 0.3)).estimate == 0.5


def test_without_a_case_there_is_no_area():
    time, status = np.array([1.0, 2.0]), np.array([0, 0])
    assert np.isnan(auc(weigh(time, status, 1.5), np.array([0.1, 0.2])).estimate)
