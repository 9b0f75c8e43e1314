"""The estimators beside an independent implementation (greenwood, MIT), on random cohorts with heavy ties."""

import numpy as np
import pandas as pd
import pytest
from helpers.reference_data import sites

from sbrt_followup.estimators.comparisons import gray, logrank
from sbrt_followup.estimators.counts import count
from sbrt_followup.estimators.incidence import aalen_johansen, swap
from sbrt_followup.estimators.survival import kaplan_meier

greenwood = pytest.importorskip("greenwood")
TIERS = ["low", "intermediate", "high"]


def made(seed, n=150, ties=12):
    rng = np.random.default_rng(seed)
    time = rng.integers(1, ties + 1, n).astype(float) * 30
    status = rng.choice([0, 1, 2], n, p=[0.3, 0.4, 0.3])
    return time, status, rng.integers(0, 3, n)


@pytest.mark.parametrize("seed", range(5))
def test_kaplan_meier(seed):
    time, status, _ = made(seed)
    ours = kaplan_meier(count(time, status))
    theirs = greenwood.KaplanMeier(conf_type="log-log").fit(greenwood.Surv(time, event=status == 1))
    np.testing.assert_allclose(ours.estimate, theirs.survival_, atol=1e-12)
    inside = (ours.estimate > 0) & (ours.estimate < 1)
    np.testing.assert_allclose(ours.ci_low[inside], np.asarray(theirs.conf_low_)[inside], atol=1e-9)
    np.testing.assert_allclose(ours.ci_high[inside], np.asarray(theirs.conf_high_)[inside], atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_incidence(seed):
    time, status, _ = made(seed)
    event = pd.Categorical.from_codes(status, categories=["censored", "event", "death"])
    frame = greenwood.AalenJohansen().fit(greenwood.Surv(time, event=event)).to_frame(format="pandas")
    counts = count(time, status)
    for one, name in ((counts, "event"), (swap(counts), "death")):
        theirs = frame[frame["cause"] == name]
        for t, estimate in zip(theirs["time"], theirs["estimate"], strict=True):
            assert aalen_johansen(one).step(t)[0] == pytest.approx(estimate, abs=1e-12)


@pytest.mark.parametrize(("rho", "gamma"), [(0, 0), (1, 0), (0, 1), (0.5, 2)])
@pytest.mark.parametrize("seed", range(3))
def test_weighted_logrank(seed, rho, gamma):
    time, status, group = made(seed)
    groups = [count(time[group == g], status[group == g]) for g in range(3)]
    surv = greenwood.Surv(time, event=status == 1)
    ours = logrank([groups], rho=rho, gamma=gamma)
    theirs = greenwood.logrank_test(surv, group, rho=rho, gamma=gamma)
    assert (ours.statistic, ours.df) == (pytest.approx(theirs.statistic, rel=1e-9), theirs.df)


def test_grays_test_with_ties():
    rows = sites()
    groups = [count(*(rows.loc[rows["tier"] == g, c] for c in ("time", "status"))) for g in TIERS]
    event = pd.Categorical.from_codes(rows["status"], categories=["censored", "event", "death"])
    surv = greenwood.Surv(rows["time"].to_numpy(), event=event)
    theirs = greenwood.grays_test(surv, rows["tier"].to_numpy(), cause="event")
    assert gray([groups]).statistic == pytest.approx(theirs.statistic, rel=1e-6)
