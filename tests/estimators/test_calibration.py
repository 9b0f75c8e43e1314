import numpy as np
import pytest
from helpers.scored_cohorts import CASES, COHORTS, EXPECTED, MONTH, people, tiers446
from hypothesis import given

from sbrt_followup.estimators.calibration import (
    cloglog,
    intercept,
    jackknife_error,
    observed,
    pseudo_values,
    slope,
    smooth,
)

CASE = pytest.mark.parametrize(("expected", "time", "status", "risk", "day"), CASES, ids=list(COHORTS))


@CASE
def test_observed_risk_and_its_error_are_r_survfits(expected, time, status, risk, day):
    found = observed(time, status, day)
    assert found.estimate == pytest.approx(expected["observed"]["aj"], abs=1e-12)
    assert jackknife_error(found) == pytest.approx(expected["observed"]["se"], abs=1e-12)


def test_observed_risk_by_tier_is_r_survfits():
    for tier, own in tiers446().groupby("tier"):
        expected = EXPECTED["tiers446_48_by_tier"][tier]
        found = observed(own["time"].to_numpy(), own["status"].to_numpy(), 48 * MONTH)
        assert found.estimate == pytest.approx(expected["aj"], abs=1e-12)
        assert jackknife_error(found) == pytest.approx(expected["se"], abs=1e-12)


def test_two_sites_of_one_patient_count_as_one():
    time, status, _, day = COHORTS["tiers446_24"]
    once, cluster = observed(time, status, day), np.repeat(np.arange(len(time)), 2)
    twice = observed(np.repeat(time, 2), np.repeat(status, 2), day)
    assert jackknife_error(twice, cluster) == pytest.approx(jackknife_error(once), rel=1e-9)


@CASE
def test_pseudo_values_are_r_prodlims(expected, time, status, risk, day):
    found = pseudo_values(time, status, day)
    np.testing.assert_allclose(found[:10], expected["pseudo_first10"], atol=1e-9)
    assert found.mean() == pytest.approx(expected["pseudo_mean"], abs=1e-9)


@given(people())
def test_pseudo_values_leave_each_row_out(drawn):
    time, status, _ = drawn
    whole, n = observed(time, status, 5.0).estimate, len(time)
    kept = [np.arange(n) != i for i in range(n)]
    slow = [n * whole - (n - 1) * observed(time[k], status[k], 5.0).estimate for k in kept]
    np.testing.assert_allclose(pseudo_values(time, status, 5.0), slow, atol=1e-9)


@CASE
def test_calibration_intercept_and_slope_are_r_geepacks(expected, time, status, risk, day):
    pseudo = pseudo_values(time, status, day)
    for found, key in ((intercept(pseudo, risk), "calibration_intercept"), (slope(pseudo, risk), "calibration_slope")):
        # R stops when a step is below 1e-4.
        assert found.estimate == pytest.approx(expected[key]["estimate"], abs=2e-5)
        assert found.std_error == pytest.approx(expected[key]["se"], abs=2e-5)


@CASE
def test_the_intercept_solves_its_equation(expected, time, status, risk, day):
    pseudo = pseudo_values(time, status, day)
    rise = np.exp(cloglog(risk) + intercept(pseudo, risk).estimate)
    assert np.sum(rise * np.exp(-rise) * (pseudo - 1 + np.exp(-rise))) == pytest.approx(0, abs=1e-8)


def test_a_constant_risk_has_no_slope():
    time, status, _, day = COHORTS["tiers446_24"]
    pseudo = pseudo_values(time, status, day)
    constant = np.full(len(time), observed(time, status, day).estimate)
    assert intercept(pseudo, constant).estimate == pytest.approx(0, abs=1e-9)
    assert np.isnan(slope(pseudo, constant).estimate)


def test_few_risks_are_smoothed_by_their_own_means():
    time, status, risk, day = COHORTS["tiers446_48"]
    pseudo = pseudo_values(time, status, day)
    found = smooth(pseudo, risk)
    assert found is not None
    np.testing.assert_allclose(found.observed, [pseudo[risk == r].mean() for r in found.risk], atol=1e-9)
    assert found.ici == pytest.approx(np.average(np.abs(found.observed - found.risk), weights=[227, 81, 138]))


def test_a_smooth_curve_of_calibrated_risks_lies_near_the_diagonal():
    rng = np.random.default_rng(5)
    risk = rng.uniform(0.05, 0.6, 20_000)
    status = np.where(rng.random(20_000) < risk, 1, 0)
    time = np.where(status == 1, rng.integers(1, 300, 20_000), 400).astype(float)
    found = smooth(pseudo_values(time, status, 365.0), risk)
    assert found is not None
    assert found.ici < 0.012 and found.centile(0.5) <= found.centile(0.9)
    assert (found.ci_low <= found.observed).all() and (found.observed <= found.ci_high).all()


def test_a_smooth_curve_finds_risks_that_are_twice_too_high():
    rng = np.random.default_rng(6)
    risk = rng.uniform(0.1, 0.8, 20_000)
    status = np.where(rng.random(20_000) < risk / 2, 1, 0)
    time = np.where(status == 1, rng.integers(1, 300, 20_000), 400).astype(float)
    found = smooth(pseudo_values(time, status, 365.0), risk)
    assert found is not None
    np.testing.assert_allclose(found.observed, found.risk / 2, atol=0.03)
    assert found.ici == pytest.approx(np.mean(risk / 2), abs=0.02)
