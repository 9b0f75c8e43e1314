from itertools import combinations

import numpy as np
import pytest
from helpers.scanned_cohorts import FORMS, HORIZON, RATES, SHARES, TIERS, planned

from sbrt_followup.surveillance.detection import Mixed, detect
from sbrt_followup.surveillance.hazards import Rates
from sbrt_followup.surveillance.optimum import Days, Limits, equal_yield, exact, price_for, square_root

OPTIMUM = FORMS["optimum_dp"]
PRICE, GAP = OPTIMUM["multiplier"], OPTIMUM["minimum_gap_days"]
WHOLE_DAYS = 1826 / 30.4375  # the oracle's horizon


def cost(visits, rates, price, horizon=HORIZON):
    given = detect(visits, rates, horizon)
    return given.undetected_to_horizon + price * given.mris


def budgeted(planner, mris, low=1e-3, high=1.0):
    def mixed(price):
        return Mixed(SHARES, tuple(detect(planner(RATES[tier], price), RATES[tier], HORIZON) for tier in TIERS))

    return mixed(price_for(lambda price: mixed(price).total("mris"), mris, low, high))


@pytest.mark.parametrize("tier", TIERS)
def test_the_optimum_is_the_oracles(tier):
    found = exact(Days(RATES[tier], WHOLE_DAYS), PRICE, Limits(GAP))
    assert found.visits == pytest.approx(OPTIMUM[tier]["visits"], abs=1 / 30.4375)
    # The oracle adds up trapezia of a day.
    assert found.cost == pytest.approx(OPTIMUM[tier]["objective"], abs=2e-5)
    assert found.cost == pytest.approx(cost(found.visits, RATES[tier], PRICE, WHOLE_DAYS), abs=1e-12)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("price", [0.02, 0.07387, 0.4])
def test_no_other_schedule_costs_less(tier, price):
    best = exact(Days(RATES[tier], HORIZON), price, Limits(GAP)).cost
    rates = RATES[tier]
    for visits in (
        planned("chen", tier),
        planned("review", tier),
        planned("every_6", tier),
        square_root(rates, price, HORIZON),
    ):
        whole = np.unique(np.round(np.array(visits) * 30.4375)) / 30.4375
        assert best <= cost(whole[whole <= HORIZON], rates, price) + 1e-12
    assert cost(square_root(rates, price, HORIZON), rates, price) < 1.03 * best


@pytest.mark.parametrize("rates", [RATES["high"], Rates((0.0, 1.5), (0.2, 0.03), 0.02, 0.2)])
@pytest.mark.parametrize("price", [0.01, 0.1, 0.5])
def test_among_all_schedules_of_twelve_weeks_it_is_the_best(rates, price):
    weeks = [7 * w / 30.4375 for w in range(1, 13)]
    horizon = weeks[-1]
    every = [s for k in range(len(weeks) + 1) for s in combinations(weeks, k)]
    best = min(cost(schedule, rates, price, horizon) for schedule in every)
    found = exact(Days(rates, horizon, 7), price, Limits(1))
    assert found.cost == pytest.approx(best, abs=1e-12)


def test_limits_are_kept():
    found = exact(Days(RATES["high"], HORIZON), 0.05, Limits(60, 120, 80))
    gaps = np.diff([0.0, *found.visits]) * 30.4375
    assert gaps[0] == pytest.approx(80) or (60 <= gaps[0] <= 80)
    assert gaps[1:].min() >= 60 - 1e-9 and gaps.max() <= 120 + 1e-9
    early = exact(Days(RATES["low"], HORIZON), 5.0, Limits(14, None, 90))
    assert 0 < early.visits[0] <= 90 / 30.4375 + 1e-9  # dear, yet the first is due


def test_a_higher_price_buys_fewer_mris_and_the_frontier_is_convex():
    days = Days(RATES["high"], HORIZON)
    points = []
    for price in np.geomspace(0.01, 1, 15):
        given = detect(exact(days, price, Limits(GAP)).visits, RATES["high"], HORIZON)
        points.append((given.mris, given.undetected_to_horizon))
    mris, months = np.array(points).T
    assert (np.diff(mris) < 0).all() and (np.diff(months) > 0).all()
    slopes = np.diff(months) / np.diff(mris)
    assert (np.diff(slopes) < 1e-9).all()


def test_the_square_root_rule_reaches_the_reference_table():
    chen = budgeted(lambda rates, price: square_root(rates, price, HORIZON), 9.0738)
    assert chen.total("mris") == pytest.approx(9.07, abs=0.005)
    assert chen.mean_delay == pytest.approx(1.73, abs=0.005)
    assert chen.total("found") == pytest.approx(0.385, abs=0.0005)
    review = budgeted(lambda rates, price: square_root(rates, price, HORIZON), 9.7586)
    assert review.mean_delay == pytest.approx(1.60, abs=0.005)
    even = budgeted(lambda rates, share: equal_yield(rates, share, HORIZON), 9.7586, high=0.5)
    assert even.mean_delay == pytest.approx(1.80, abs=0.005)


def test_equal_yield_yields_equally():
    visits = equal_yield(RATES["high"], 0.05, HORIZON)
    given = detect(visits, RATES["high"], HORIZON)
    assert given.found_at / given.done == pytest.approx(np.full(len(visits), 0.05))
    # Published intervals at 5 %: 1.3 months, then 5.9.
    assert np.diff(visits)[0] == pytest.approx(1.3, abs=0.001)
    assert np.diff(visits)[-1] == pytest.approx(5.9, abs=0.005)


def test_deaths_after_progression_move_the_optimum():
    deadly = Rates((0.0,), (0.02,), 0.01, 0.1)
    plain = Rates((0.0,), (0.02,), 0.01)
    one, other = (exact(Days(r, HORIZON), 0.1, Limits(GAP)) for r in (deadly, plain))
    assert one.visits[1] - one.visits[0] > other.visits[1] - other.visits[0]
    assert one.cost == pytest.approx(cost(one.visits, deadly, 0.1), abs=1e-12)
