"""Whether people differ: found where they do, not where one hazard holds for all."""

from __future__ import annotations

import numpy as np
import pytest

from sbrt_followup.arrays import Floats
from sbrt_followup.estimators import piecewise
from sbrt_followup.estimators.frailty import Frailty, frailty
from sbrt_followup.estimators.illness_death import Seen, seen


def cohort(variance: float, seed: int, n: int = 1500) -> Seen:
    rng = np.random.default_rng(seed)
    own: Floats = rng.gamma(1 / variance, variance, n) if variance else np.ones(n)
    onset = rng.exponential(1 / (0.04 * own))
    until = rng.uniform(20, 70, n)
    gap = rng.uniform(2, 4, n)
    last = gap * np.floor(np.minimum(onset, until) / gap)
    right = np.where(last + gap <= until, last + gap, np.inf)
    return seen(last, right, until, np.zeros(n, dtype=bool))


def fitted(data: Seen) -> Frailty:
    risk = piecewise.fit(piecewise.exposed(data.left, data.right, np.zeros(1)))
    return frailty(data, (0.0,), risk.hazard, risk.loglik)


def test_its_variance_is_recovered() -> None:
    found = fitted(cohort(1.0, 3))
    assert found.variance == pytest.approx(1.0, abs=0.25)
    assert found.p_value < 1e-6


def test_one_hazard_for_all_is_rejected_in_one_of_twenty() -> None:
    rejected = [fitted(cohort(0.0, 100 + k, 300)).p_value < 0.05 for k in range(40)]
    assert sum(rejected) <= 6


def test_the_likelihood_without_variance_is_the_usual_one() -> None:
    data = cohort(0.0, 1)
    found = fitted(data)
    assert found.ratio >= 0
    if found.variance == 0:
        assert found.p_value == 1.0
