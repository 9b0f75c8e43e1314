import numpy as np
import pytest
from helpers.scanned_cohorts import HORIZON, RATES, SHARES, TIERS, planned

from sbrt_followup.surveillance.hazards import GroupHazards, Hazards
from sbrt_followup.surveillance.optimum import Limits
from sbrt_followup.surveillance.phased import Weeks
from sbrt_followup.surveillance.plan_comparison import (
    Best,
    Candidate,
    Setting,
    draw,
    every,
    in_weeks,
    score,
    stop_bound,
)

SETTING = Setting(TIERS, tuple(RATES.values()), SHARES, (1.0, 1.0, 1.0), HORIZON)
CANDIDATES = [
    Candidate(plan, "plan", {tier: tuple(planned(plan, tier)) for tier in TIERS})
    for plan in ("review", "chen", "every_6")
]
ERRORS = {"low": (0.11,), "intermediate": (0.09,), "high": (0.1, 0.3)}
HAZARDS = Hazards(
    tuple(GroupHazards(tier, RATES[tier], "fitted", "a cohort", std_error_log=ERRORS[tier]) for tier in TIERS)
)


@pytest.fixture(scope="module")
def best():
    return Best(SETTING, Limits(28), [Weeks(13, 5, 30, 3)] * 3)


def test_draws_carry_the_uncertainty_through():
    draws = draw(HAZARDS, TIERS, 100, seed=1)
    assert len(draws) == 100 and len(draws[0]) == 3
    found = score(SETTING, CANDIDATES, draws)
    for own in found:
        for name, value in (("mris", own.given.total("mris")), ("mean_delay", own.given.mean_delay)):
            spread = own.spread[name]
            assert spread.low < value < spread.high
    assert found[0].spread["undetected_difference"].low == found[0].spread["undetected_difference"].high == 0
    # A difference between plans is far more certain than each plan's own number.
    own, less = found[2].spread["undetected"], found[2].spread["undetected_difference"]
    assert less.high - less.low < 0.8 * (own.high - own.low) and less.low > 0


def test_known_hazards_have_no_limits():
    sure = Hazards(tuple(GroupHazards(tier, RATES[tier], "derived", "nobody") for tier in TIERS))
    assert draw(sure, TIERS, 100, seed=1) == ()
    assert score(SETTING, CANDIDATES[:1], ())[0].spread == {}
    assert draw(HAZARDS, TIERS, 0, seed=1) == ()


def test_the_same_seed_draws_the_same():
    assert draw(HAZARDS, TIERS, 5, seed=3) == draw(HAZARDS, TIERS, 5, seed=3)
    assert draw(HAZARDS, TIERS, 5, seed=3) != draw(HAZARDS, TIERS, 5, seed=4)


@pytest.mark.parametrize("budget", [7.5, 9.07, 11.0])
def test_the_optimum_is_the_best_of_all_for_its_mris(best, budget):
    optimum = best.for_budget(best.optimum_at, budget)
    others = [
        best.for_budget(best.square_root_at, budget),
        best.for_budget(best.equal_yield_at, budget, 0.9),
        best.phased(budget),
    ]
    assert optimum is not None and best.mris(optimum) <= budget
    least = SETTING.undetected(SETTING.scored(optimum.visits))
    for other in others:
        assert other is not None and best.mris(other) <= budget + 1e-9
        # At the price of the optimum nothing that keeps its limits costs less; the rules of thumb may scan a little sooner.
        cost = SETTING.undetected(SETTING.scored(other.visits)) + optimum.price * best.mris(other)
        assert cost >= least + optimum.price * best.mris(optimum) - 0.002


def test_more_mris_never_leave_more_undetected(best):
    found = best.frontier(7.0, 11.0)
    assert set(found) == {"optimum", "square_root", "phased"}
    for points in found.values():
        mris, months, _ = np.array(points).T
        assert mris.min() < 7.5 and mris.max() > 10.5
        if points is found["optimum"]:
            assert (np.diff(months) < 0).all()
            assert (np.diff(np.diff(months) / np.diff(mris)) > -1e-9).all()


def test_a_weight_moves_mris_to_the_group(best):
    heavy = Best(
        Setting(TIERS, tuple(RATES.values()), SHARES, (1.0, 1.0, 3.0), HORIZON), Limits(28), [Weeks(13, 5, 30, 3)] * 3
    )
    plain, moved = (b.for_budget(b.optimum_at, 9.07) for b in (best, heavy))
    assert len(moved.visits["high"]) > len(plain.visits["high"])
    assert len(moved.visits["low"]) < len(plain.visits["low"])


def test_a_budget_too_small_for_whole_weeks_is_none(best):
    assert best.phased(2.0) is None and best.fewest > 2


def test_the_first_mri_is_not_put_off():
    late = Best(SETTING, Limits(28), [Weeks(8, 5, 30, 3)] * 3)
    found = late.for_budget(late.optimum_at, 7.0)
    assert max(v[0] for v in found.visits.values()) <= 8 * 7 / 30.4375 + 1e-9


def test_small_helpers():
    assert every(6.0, 20.0) == (6.0, 12.0, 18.0)
    assert in_weeks(3.0) == 13
    assert stop_bound(0.074, 6.0) == pytest.approx(2 * 0.074 / 36)
