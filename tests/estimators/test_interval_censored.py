"""The estimate from (left, right]: R's numbers, its certificate, and what must hold of any data."""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from helpers.reference_data import FOLDER, MONTH, array, close, numbers
from hypothesis import given, settings
from hypothesis import strategies as st

from sbrt_followup.estimators.counts import count
from sbrt_followup.estimators.interval_censored import innermost, npmle
from sbrt_followup.estimators.survival import kaplan_meier

SETS = ("grid", "jittered", "mixed", "few", "censored", "exact")


@cache
def made() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "interval_censored.csv")


def observed(name: str) -> tuple[np.ndarray, np.ndarray]:
    rows = made()[made()["set"] == name]
    return rows["left"].to_numpy(float), rows["right"].fillna(np.inf).to_numpy(float)


def bcdeter(arm: str) -> tuple[np.ndarray, np.ndarray]:
    dates = ["sbrt_date", "last_clear_mri_date", "progression_date"]
    frame = pd.read_csv(FOLDER / "bcdeter.csv", parse_dates=dates)
    frame = frame[frame["arm"] == arm]
    left, right = ((frame[c] - frame["sbrt_date"]).dt.days.to_numpy(float) for c in dates[1:])
    return left, np.where(np.isnan(right), np.inf, right)


@pytest.mark.parametrize("name", SETS)
def test_agrees_with_npsurv(name: str) -> None:
    estimate, r = npmle(*observed(name)), numbers("interval_censored")[name]
    assert estimate.loglik == pytest.approx(r["loglik"], abs=1e-9)
    np.testing.assert_array_equal(estimate.left_days, r["left"])
    np.testing.assert_array_equal(estimate.right_days, np.where(np.isnan(array(r["right"])), np.inf, array(r["right"])))
    close(estimate.mass, r["mass"])


@pytest.mark.parametrize("arm", ["t1", "t2"])
def test_agrees_with_the_breast_cosmesis_reference(arm: str) -> None:
    estimate, r = npmle(*bcdeter(arm)), json.loads((FOLDER / "bcdeter.json").read_text())[arm]
    assert estimate.n == r["n"]
    assert estimate.loglik == pytest.approx(r["loglik"], abs=1e-9)
    close(estimate.mass, r["p"])
    low, high = estimate.bounds(np.array(r["months"]) * MONTH)
    close(low, r["surv_lower"])
    close(high, r["surv_upper"])


def self_consistent(left: np.ndarray, right: np.ndarray, rounds: int = 20000) -> float:
    """Turnbull's own algorithm with a dense matrix: another way to the same likelihood."""
    runs = innermost(left, right)
    places = np.arange(runs.size)
    inside = (runs.first[:, None] <= places) & (places <= runs.last[:, None])
    mass = np.full(runs.size, 1 / runs.size)
    for _ in range(rounds):
        mass = mass * (inside.T @ (runs.weight / (inside @ mass))) / runs.weight.sum()
    return float(runs.weight @ np.log(inside @ mass))


ends = st.tuples(st.integers(0, 30), st.integers(0, 12), st.sampled_from(["interval", "exact", "censored"]))
cohorts = st.lists(ends, min_size=1, max_size=25).map(
    lambda rows: (
        np.array([float(a + (kind == "exact")) for a, _, kind in rows]),
        np.array(
            [np.inf if kind == "censored" else float(a + (1 if kind == "exact" else b + 1)) for a, b, kind in rows]
        ),
    )
)


@given(cohorts)
@settings(max_examples=200, deadline=None)
def test_certificate_holds(cohort: tuple[np.ndarray, np.ndarray]) -> None:
    left, right = cohort
    estimate = npmle(left, right)
    assert estimate.mass.sum() == pytest.approx(1, abs=1e-12)
    assert (estimate.mass > 0).all()
    assert 0 <= estimate.kkt_gap <= 1e-8
    # The gap computed from scratch on every day, from the definition.
    days = np.unique(np.concatenate([left, right[np.isfinite(right)]]))
    probes = np.concatenate([days, days + 0.5])

    def holds(day: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        exact = low == high
        return np.where(exact, low == day, (low < day) & (day <= high))

    middle = np.where(np.isfinite(estimate.right_days), estimate.right_days, estimate.left_days + 0.5)
    covered = np.array([estimate.mass @ holds(middle, a, b) for a, b in zip(left, right, strict=True)])
    slope = [float(np.sum(holds(np.full(len(left), t), left, right) / covered)) for t in probes]
    assert max(slope) <= len(left) + 1e-7
    assert estimate.loglik == pytest.approx(float(np.log(covered).sum()), abs=1e-9)


@given(cohorts)
@settings(max_examples=15, deadline=None)
def test_no_less_likely_than_self_consistency(cohort: tuple[np.ndarray, np.ndarray]) -> None:
    assert npmle(*cohort).loglik >= self_consistent(*cohort, rounds=2000) - 1e-9


@given(cohorts)
@settings(max_examples=60, deadline=None)
def test_order_and_weights(cohort: tuple[np.ndarray, np.ndarray]) -> None:
    left, right = cohort
    whole = npmle(left, right)
    order = np.random.default_rng(len(left)).permutation(len(left))
    shuffled = npmle(left[order], right[order])
    assert shuffled.loglik == pytest.approx(whole.loglik, abs=1e-9)
    times = np.arange(len(left)) % 3
    weighted, repeated = npmle(left, right, weights=times + 1), npmle(left.repeat(times + 1), right.repeat(times + 1))
    assert weighted.loglik == pytest.approx(repeated.loglik, abs=1e-9)
    dropped = npmle(left, right, weights=np.where(times == 1, 0.0, 1.0))
    assert dropped.loglik == pytest.approx(npmle(left[times != 1], right[times != 1]).loglik, abs=1e-9)


def test_days_known_give_kaplan_meier() -> None:
    rng = np.random.default_rng(3)
    time, event = rng.integers(1, 400, 300).astype(float), rng.random(300) < 0.6
    estimate = npmle(time, np.where(event, time, np.inf))
    curve = kaplan_meier(count(time, event.astype(int)))
    when = np.arange(0.0, curve.time[-1])
    low, high = estimate.bounds(when)
    close(low, [curve.step(t)[0] for t in when])
    close(high, low)


def test_nobody() -> None:
    estimate = npmle([], [])
    assert (estimate.n, estimate.loglik, estimate.kkt_gap, len(estimate.mass)) == (0, 0, 0, 0)
    assert np.isnan(estimate.bounds(12.0)).all()


def test_nobody_progressed() -> None:
    estimate = npmle([0.0, 90.0, 40.0], [np.inf] * 3)
    assert (estimate.left_days.tolist(), estimate.right_days.tolist()) == ([90.0], [np.inf])
    assert estimate.loglik == 0
    low, high = estimate.bounds([90.0, 91.0])
    assert (low.tolist(), high.tolist()) == ([1, 0], [1, 1])


def test_one_event() -> None:
    estimate = npmle([30.0], [90.0])
    low, high = estimate.bounds([0, 30, 31, 90, 91])
    assert low.tolist() == [1, 1, 0, 0, 0]
    assert high.tolist() == [1, 1, 1, 0, 0]


def test_an_exact_day_counts_on_that_day() -> None:
    low, high = npmle([10.0, 10.0], [10.0, 20.0]).bounds([9, 10, 11, 20])
    assert low.tolist() == [1, 0.5, 0, 0]
    assert high.tolist() == [1, 0.5, 0.5, 0]


@pytest.mark.parametrize(
    ("left", "right", "weights"),
    [([5], [3], None), ([-1], [3], None), ([np.nan], [3], None), ([1], [np.nan], None), ([np.inf], [np.inf], None), ([1], [2], [-1])],
)  # fmt: skip
def test_refuses_what_cannot_be(left: list[float], right: list[float], weights: list[float] | None) -> None:
    with pytest.raises(ValueError):
        npmle(left, right, weights=weights)


def test_large_cohorts_converge() -> None:
    rng = np.random.default_rng(1)
    visits = np.sort(np.maximum(np.round(np.arange(1, 21) * 91.3 + rng.normal(0, 12, (20000, 20))), 1), axis=1)
    event, end = rng.exponential(1500, 20000), rng.exponential(1500, 20000)
    seen = visits <= end[:, None]
    left = np.where(seen & (visits < event[:, None]), visits, 0).max(axis=1)
    right = np.where(seen & (visits >= event[:, None]), visits, np.inf).min(axis=1)
    estimate = npmle(left, right)
    assert estimate.kkt_gap <= 1e-6
    low, high = estimate.bounds([365.0, 730.0])
    truth = np.exp(-np.array([365.0, 730.0]) / 1500)
    assert (low - 0.03 <= truth).all()
    assert (truth <= high + 0.03).all()
