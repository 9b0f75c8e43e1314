import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbrt_followup.estimators.accuracy import auc, brier, weigh
from sbrt_followup.estimators.calibration import (
    cloglog,
    intercept,
    jackknife_error,
    observed,
    pseudo_values,
    slope,
    smooth,
)
from sbrt_followup.estimators.concordance import harrell, uno, wolbers
from sbrt_followup.estimators.net_benefit import net_benefit

LOOP = Path(__file__).parents[1] / "reference" / "loop"
EXPECTED = json.loads((LOOP / "validate.json").read_text(encoding="utf-8"))
MONTH = 30.4375


def cohorts():
    tiers = pd.read_csv(LOOP / "tiers446.csv")
    time, status = tiers["time"].to_numpy(), tiers["status"].to_numpy()
    for months in (12, 24, 48):
        yield f"tiers446_{months}", (time, status, tiers[f"risk{months}"].to_numpy(), months * MONTH)
    marker = 1 - np.exp(-np.exp(-1.8 + 0.7 * tiers["marker"].to_numpy()))
    yield "tiers446_marker_24", (time, status, marker, 24 * MONTH)
    skin = pd.read_csv(LOOP / "melanoma_risk.csv")
    for days in (1095, 1826):
        own = skin["time"].to_numpy(dtype=float), skin["status"].to_numpy(), skin["risk"].to_numpy(), float(days)
        yield f"melanoma_{days}", own


COHORTS = dict(cohorts())
TIED = [name for name in COHORTS if name.startswith("tiers")]


@pytest.fixture(params=list(COHORTS))
def case(request):
    return request.param, EXPECTED[request.param], *COHORTS[request.param]


def test_auc_and_its_error_are_r_risk_regressions(case):
    _, expected, time, status, risk, day = case
    found = auc(weigh(time, status, day), risk)
    assert found.estimate == pytest.approx(expected["auc"]["estimate"], abs=1e-12)
    assert found.std_error() == pytest.approx(expected["auc"]["se"], abs=1e-6)


def test_brier_and_its_error_are_r_risk_regressions(case):
    name, expected, time, status, risk, day = case
    found = brier(weigh(time, status, day), risk)
    assert found.estimate == pytest.approx(expected["brier"]["model"], abs=1e-12)
    # R takes tied times otherwise.
    assert found.std_error() == pytest.approx(expected["brier"]["se"], rel=0.015 if name in TIED else 1e-9)
    null = brier(weigh(time, status, day), np.full(len(time), expected["observed"]["aj"]))
    assert null.estimate == pytest.approx(expected["brier"]["null"], abs=1e-12)
    assert 1 - found.estimate / null.estimate == pytest.approx(expected["brier"]["ipa"], abs=1e-9)


def test_concordances_are_r_pecs_and_survivals(case):
    _, expected, time, status, risk, day = case
    assert wolbers(time, status, risk, day) == pytest.approx(expected["wolbers_c"], abs=1e-9)
    own = expected["harrell_c_cause_specific"]["estimate"]
    assert harrell(time, status, risk, day) == pytest.approx(own, abs=1e-12)
    assert uno(time, status, risk, day) == pytest.approx(expected["uno_c_cause_specific"]["estimate"], abs=1e-12)


def test_observed_risk_and_its_error_are_r_survfits(case):
    _, expected, time, status, _, day = case
    found = observed(time, status, day)
    assert found.estimate == pytest.approx(expected["observed"]["aj"], abs=1e-12)
    assert jackknife_error(found) == pytest.approx(expected["observed"]["se"], abs=1e-12)


def test_pseudo_values_are_r_prodlims(case):
    _, expected, time, status, _, day = case
    found = pseudo_values(time, status, day)
    np.testing.assert_allclose(found[:10], expected["pseudo_first10"], atol=1e-9)
    assert found.mean() == pytest.approx(expected["pseudo_mean"], abs=1e-9)


def test_calibration_intercept_and_slope_are_r_geepacks(case):
    _, expected, time, status, risk, day = case
    pseudo = pseudo_values(time, status, day)
    for found, key in ((intercept(pseudo, risk), "calibration_intercept"), (slope(pseudo, risk), "calibration_slope")):
        # R stops when a step is below 1e-4.
        assert found.estimate == pytest.approx(expected[key]["estimate"], abs=2e-5)
        assert found.std_error == pytest.approx(expected[key]["se"], abs=2e-5)


def test_the_intercept_solves_its_equation(case):
    _, _, time, status, risk, day = case
    pseudo = pseudo_values(time, status, day)
    rise = np.exp(cloglog(risk) + intercept(pseudo, risk).estimate)
    assert np.sum(rise * np.exp(-rise) * (pseudo - 1 + np.exp(-rise))) == pytest.approx(0, abs=1e-8)


def test_the_decision_curve_is_r_s(case):
    _, expected, time, status, risk, day = case
    decision = expected["decision"]
    found = net_benefit(time, status, risk, day, decision["threshold"])
    assert [b.model for b in found] == pytest.approx(decision["model"], abs=1e-12)
    assert [b.all for b in found] == pytest.approx(decision["all"], abs=1e-12)


def test_observed_risk_by_tier_is_r_s():
    tiers = pd.read_csv(LOOP / "tiers446.csv")
    for tier, own in tiers.groupby("tier"):
        expected = EXPECTED["tiers446_48_by_tier"][tier]
        found = observed(own["time"].to_numpy(), own["status"].to_numpy(), 48 * MONTH)
        assert found.estimate == pytest.approx(expected["aj"], abs=1e-12)
        assert jackknife_error(found) == pytest.approx(expected["se"], abs=1e-12)


def test_few_risks_are_smoothed_by_their_own_means():
    time, status, risk, day = COHORTS["tiers446_48"]
    found = smooth(pseudo_values(time, status, day), risk)
    assert found is not None
    own = [observed(time[risk == r], status[risk == r], day).estimate for r in found.risk]
    # Pseudo-values of the whole average near, not at, each tier's own incidence.
    np.testing.assert_allclose(found.observed, own, atol=0.02)
    assert found.ici == pytest.approx(np.average(np.abs(found.observed - found.risk), weights=[227, 81, 138]))


def test_a_smooth_curve_of_calibrated_risks_lies_near_the_diagonal():
    rng = np.random.default_rng(5)
    risk = rng.uniform(0.05, 0.6, 20_000)
    status = np.where(rng.random(20_000) < risk, 1, 0)
    time = np.where(status == 1, rng.integers(1, 300, 20_000), 400).astype(float)
    found = smooth(pseudo_values(time, status, 365.0), risk)
    assert found is not None and found.ici < 0.012
    assert (found.ci_low <= found.observed).all() and (found.observed <= found.ci_high).all()


@st.composite
def people(draw):
    n = draw(st.integers(8, 40))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    return rng.integers(1, 9, n).astype(float), rng.choice(3, n, p=[0.3, 0.5, 0.2]), rng.integers(0, 5, n) / 5 + 0.05


def slow_pairs(time, status, risk, day):
    """Compare every pair by the definitions."""
    free = {}
    at_risk = g = 1.0
    for t in np.unique(time):
        before = g
        at_risk = (time > t).sum() + ((time == t) & (status == 0)).sum()
        g *= 1 - ((time == t) & (status == 0)).sum() / at_risk if at_risk else 1
        free[t] = (before, g)
    up = down = 0.0
    for i in np.flatnonzero((status == 1) & (time <= day)):
        for j in range(len(time)):
            if j == i:
                continue
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


@settings(max_examples=60, deadline=None)
@given(people())
def test_wolbers_counts_every_pair(drawn):
    time, status, risk = drawn
    assert wolbers(time, status, risk, 6.0) == pytest.approx(slow_pairs(time, status, risk, 6.0), nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(people())
def test_pseudo_values_leave_each_row_out(drawn):
    time, status, _ = drawn
    whole, n = observed(time, status, 5.0).estimate, len(time)
    kept = [np.arange(n) != i for i in range(n)]
    slow = [n * whole - (n - 1) * observed(time[k], status[k], 5.0).estimate for k in kept]
    np.testing.assert_allclose(pseudo_values(time, status, 5.0), slow, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(people(), st.integers(0, 1000))
def test_order_of_rows_and_monotone_change_of_score_alter_nothing(drawn, seed):
    time, status, risk = drawn
    order = np.random.default_rng(seed).permutation(len(time))
    before, after = weigh(time, status, 5.0), weigh(time[order], status[order], 5.0)
    plain, shuffled = auc(before, risk), auc(after, np.exp(3 * risk[order]))
    assert shuffled.estimate == pytest.approx(plain.estimate, nan_ok=True)
    assert shuffled.std_error() == pytest.approx(plain.std_error(), nan_ok=True)
    for measure in (wolbers, harrell, uno):
        got = measure(time[order], status[order], np.exp(3 * risk[order]), 5.0)
        assert got == pytest.approx(measure(time, status, risk, 5.0), nan_ok=True)


def test_a_risk_equal_to_the_observed_one_explains_nothing():
    time, status, _, day = COHORTS["tiers446_24"]
    constant = np.full(len(time), observed(time, status, day).estimate)
    assert auc(weigh(time, status, day), constant).estimate == 0.5
    assert intercept(pseudo_values(time, status, day), constant).estimate == pytest.approx(0, abs=1e-9)
    assert np.isnan(slope(pseudo_values(time, status, day), constant).estimate)


def test_two_sites_of_one_patient_count_as_one():
    time, status, risk, day = COHORTS["tiers446_24"]
    twice = [np.repeat(x, 2) for x in (time, status, risk)]
    cluster = np.repeat(np.arange(len(time)), 2)
    once, both = weigh(time, status, day), weigh(twice[0], twice[1], day)
    for measure in (auc, brier):
        own = measure(once, risk)
        assert measure(both, twice[2]).std_error(cluster) == pytest.approx(own.std_error(), rel=1e-9)
    own = jackknife_error(observed(time, status, day))
    assert jackknife_error(observed(twice[0], twice[1], day), cluster) == pytest.approx(own, rel=1e-9)


def test_nobody_to_compare_gives_no_number():
    time, status, risk = np.array([1.0, 2.0]), np.array([0, 0]), np.array([0.1, 0.2])
    assert np.isnan(auc(weigh(time, status, 1.5), risk).estimate)
    assert np.isnan(wolbers(time, status, risk, 1.5))
    assert all(np.isnan(b.all) for b in net_benefit(time, status, risk, 5.0, [0.1]))
