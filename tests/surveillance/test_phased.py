from itertools import product

import numpy as np
import pytest
from helpers.scanned_cohorts import HORIZON, RATES, SHARES, TIERS

from sbrt_followup.surveillance.detection import detect
from sbrt_followup.surveillance.optimum import Days, Limits, exact
from sbrt_followup.surveillance.phased import Phased, Search, Stretch, Weeks, together, visits_of

PRICES = np.geomspace(0.01, 1, 20).tolist()


def every_plan(search, allowed):
    """All plans of one and two phases, each of two gaps at least."""
    for gap in allowed.gaps:
        yield (Stretch(gap, None),)
        until = allowed.first + 2 * gap
        while until < search.n:
            for other in allowed.gaps:
                if other != gap:
                    yield Stretch(gap, until), Stretch(other, None)
            until += gap


@pytest.mark.parametrize("price", [0.02, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("tier", ["low", "high"])
def test_no_other_plan_of_two_phases_costs_less(tier, price):
    allowed = Weeks(4, 3, 9, 2)
    search = Search(RATES[tier], 14.0, allowed)
    scored = [search.plan(4, stretches) for stretches in every_plan(search, allowed)]
    best = min(p.undetected + price * p.mris for p in scored)
    found = search.best(price)
    assert found[-1].undetected + price * found[-1].mris == pytest.approx(best, abs=1e-12)
    single = min(p.undetected + price * p.mris for p in scored if len(p.stretches) == 1)
    assert found[0].undetected + price * found[0].mris == pytest.approx(single, abs=1e-12)


def test_phases_are_followed_as_a_plan_follows_them():
    visits = np.array(visits_of(13, (Stretch(8, 29), Stretch(26, None)), 24.0)) * 30.4375 / 7
    assert visits == pytest.approx([13, 21, 29, 55, 81])


def test_simplicity_costs_little_against_the_optimum():
    search = Search(RATES["high"], HORIZON, Weeks(8, 4, 52, 3))
    for price in (0.03, 0.07387, 0.2):
        plan = search.best(price)[-1]
        best = exact(Days(RATES["high"], HORIZON), price, Limits(14)).cost
        assert best <= plan.undetected + price * plan.mris < 1.03 * best


def test_a_plan_gives_what_its_visits_give():
    plan = Search(RATES["low"], HORIZON, Weeks(13, 6, 40, 3)).best(0.1)[1]
    given = detect(plan.visits, RATES["low"], HORIZON)
    assert (plan.mris, plan.undetected) == pytest.approx((given.mris, given.undetected_to_horizon))


@pytest.fixture(scope="module")
def choices():
    return [Search(RATES[tier], HORIZON, Weeks(13, 4, 40, 3)).sweep(PRICES) for tier in TIERS]


@pytest.mark.parametrize("budget", [7.0, 9.07, 12.0])
def test_together_they_keep_to_the_budget_and_none_is_much_better(choices, budget):
    chosen = together(choices, SHARES, (1, 1, 1), budget)
    assert chosen is not None

    def total(plans, name):
        return sum(s * getattr(p, name) for s, p in zip(SHARES, plans, strict=True))

    assert total(chosen, "mris") <= budget
    fits = [p for p in product(*choices) if total(p, "mris") <= budget]
    least = min(total(p, "undetected") for p in fits)
    assert total(chosen, "undetected") <= 1.01 * least + 1e-12
    phases = sum(len(p.stretches) for p in chosen)
    near = [p for p in fits if total(p, "undetected") <= 1.01 * least]
    assert phases == min(sum(len(q.stretches) for q in p) for p in near)


def test_weight_in_a_group_moves_its_mris_there(choices):
    plain = together(choices, SHARES, (1, 1, 1), 9.07)
    heavy = together(choices, SHARES, (1, 1, 3), 9.07)
    assert plain is not None and heavy is not None
    assert heavy[2].mris > plain[2].mris and heavy[0].mris < plain[0].mris


def test_a_budget_that_nothing_keeps_is_said(choices):
    assert together(choices, SHARES, (1, 1, 1), 1.0) is None
    assert isinstance(choices[0][0], Phased)
