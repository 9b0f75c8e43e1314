import numpy as np
import pytest
from helpers.scored_cohorts import CASES, COHORTS

from sbrt_followup.estimators.net_benefit import known, net_benefit

CASE = pytest.mark.parametrize(("expected", "time", "status", "risk", "day"), CASES, ids=list(COHORTS))


@CASE
def test_the_decision_curve_is_r_s(expected, time, status, risk, day):
    decision = expected["decision"]
    found = net_benefit(time, status, risk, day, decision["threshold"])
    assert [b.model for b in found] == pytest.approx(decision["model"], abs=1e-12)
    assert [b.all for b in found] == pytest.approx(decision["all"], abs=1e-12)


def test_acting_on_nobody_has_no_benefit():
    time, status, risk, day = COHORTS["tiers446_24"]
    assert net_benefit(time, status, risk, day, [0.99])[0].model == 0


def test_beyond_follow_up_nothing_is_known():
    time, status = np.array([1.0, 2.0, 3.0]), np.array([1, 2, 0])
    assert known(time, status, 3.0) and not known(time, status, 3.5)
    assert known(time, np.array([1, 0, 2]), 3.5)  # nobody is left
    assert np.isnan(net_benefit(time, status, np.full(3, 0.5), 9.0, [0.1])[0].all)
