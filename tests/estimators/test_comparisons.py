from itertools import combinations

import numpy as np
import pytest
from helpers.reference_data import close, cohort, numbers, sites
from hypothesis import given
from hypothesis import strategies as st
from test_counts import split

from sbrt_followup.estimators import clustering
from sbrt_followup.estimators.comparisons import (
    choose,
    from_score,
    gray,
    gray_competing,
    logrank,
    logrank_score,
    trend,
    with_pairs,
)
from sbrt_followup.estimators.confidence import holm
from sbrt_followup.estimators.counts import count, pool

TIERS = ["low", "intermediate", "high"]


def by_group(name):
    rows = cohort(name)
    labels = list(numbers(name)["groups"])
    return labels, [count(*(rows.loc[rows["group"] == g, c] for c in ("time", "status"))) for g in labels]


def by_tier(stratum=None):
    rows = sites() if stratum is None else sites()[sites()["stratum"] == stratum]
    return [count(*(rows.loc[rows["tier"] == g, c] for c in ("time", "status"))) for g in TIERS]


def members(late):
    rows = sites()
    parts = [rows[rows["tier"] == g] for g in TIERS]
    return [
        clustering.Members(
            p["time"].to_numpy(float),
            p["status"].to_numpy(),
            p["patient"].to_numpy(),
            p["entry"].to_numpy(float) if late else None,
        )
        for p in parts
    ]


def result(test):
    return [test.statistic, test.df, test.p_value]


@pytest.mark.parametrize("name", ["colon", "bmt"])
def test_overall_tests_are_rs(name):
    expected = numbers(name)
    _, groups = by_group(name)
    test = logrank([groups])
    close(result(test), [expected["logrank"][k] for k in ("chisq", "df", "p")])
    for test, key in ((gray([groups]), "gray_progression"), (gray_competing([groups]), "gray_death")):
        close([test.statistic, test.p_value, test.df], expected[key])


@pytest.mark.parametrize("name", ["colon", "bmt"])
def test_pairs_with_holm_are_rs(name):
    expected = numbers(name)["pairwise_logrank"]
    labels, groups = by_group(name)
    overall, *pairs = with_pairs(labels, logrank([groups]), lambda i, j: logrank(choose([groups], i, j)))
    assert overall.groups is None
    found = {frozenset(p.groups): p for p in pairs}
    ordered = [found[frozenset(pair.split(" vs "))] for pair in expected["pairs"]]
    close([p.p_value for p in ordered], expected["p"])
    close([p.p_adjusted for p in ordered], expected["holm"])


def test_two_groups_need_no_pairs():
    _, groups = by_group("bmt")
    two = choose([groups], 0, 1)
    assert with_pairs(["a", "b"], logrank(two), lambda i, j: pytest.fail("no pair asked for")) == [logrank(two)]


def test_weighted_stratified_and_trend_tests_are_rs():
    expected = numbers("estimators")
    strata = [by_tier("a"), by_tier("b")]
    close(result(logrank([by_tier()])), expected["logrank"])
    close(result(logrank([by_tier()], rho=1)), expected["logrank_rho1"])
    close(result(logrank(strata)), expected["logrank_strata"])
    close(result(trend(*logrank_score([by_tier()]))), expected["trend"])
    close(result(gray([by_tier()])), expected["gray"])
    close(result(gray_competing([by_tier()])), expected["gray_competing"])
    close(result(gray(strata)), expected["gray_strata"])


@pytest.mark.parametrize(("late", "key"), [(False, "logrank_cluster"), (True, "logrank_entry_cluster")])
def test_the_cluster_robust_logrank_is_coxphs(late, key):
    groups = members(late)
    score, covariance = clustering.logrank_score([groups])
    strata = [[group.counts() for group in groups]]
    close(result(from_score("logrank", score, covariance, strata)), numbers("estimators")[key])
    np.testing.assert_allclose(score, logrank_score(strata)[0], atol=1e-9)


def test_late_weights_give_late_differences_more_pull():
    early = [count([1, 2, 3, 30, 31], [1, 1, 1, 0, 0]), count([9, 10, 11, 30, 31], [1, 1, 1, 0, 0])]
    assert logrank([early], gamma=1).statistic < logrank([early], rho=1).statistic


groups_of_people = st.lists(
    st.lists(st.tuples(st.integers(1, 12), st.integers(0, 2), st.just(0)), max_size=15), min_size=2, max_size=4
)


@given(groups_of_people)
def test_scores_add_to_zero_and_the_order_of_groups_does_not_matter(groups):
    tables = [count(*list(split(g))[:2]) if g else count([], []) for g in groups]
    score, covariance = logrank_score([tables])
    np.testing.assert_allclose(score.sum(), 0, atol=1e-9)
    np.testing.assert_allclose(covariance.sum(axis=0), 0, atol=1e-9)
    for test in (logrank, gray):
        forward, backward = test([tables]), test([tables[::-1]])
        assert forward.df == backward.df
        np.testing.assert_allclose(forward.statistic, backward.statistic, rtol=1e-6, atol=1e-9)


@given(groups_of_people)
def test_a_group_without_anybody_takes_no_part(groups):
    tables = [count(*list(split(g))[:2]) if g else count([], []) for g in groups]
    empty = count([], [])
    for test in (logrank, gray):
        without, with_it = test([tables]), test([[empty, *tables]])
        assert without.df == with_it.df
        np.testing.assert_allclose(without.statistic, with_it.statistic, rtol=1e-6, atol=1e-9)


def test_two_equal_groups_do_not_differ():
    one = count([3, 3, 5, 8, 9], [1, 2, 1, 0, 1])
    for test in (logrank([[one, one]]), gray([[one, one]])):
        assert test.statistic == pytest.approx(0, abs=1e-20)
        assert test.p_value == pytest.approx(1)
    assert logrank([[pool([one, one]), one]]).p_value == pytest.approx(1)


@pytest.mark.parametrize("status", [0, 2])
def test_without_events_a_test_says_nothing(status):
    groups = [count([3, 5], [status] * 2), count([4, 6], [status] * 2)]
    for test in (logrank([groups]), gray([groups]), trend(*logrank_score([groups]))):
        assert np.isnan(test.statistic)
        assert test.df == 0
        assert np.isnan(test.p_value)


def test_holm_leaves_undefined_ones_out():
    close(holm([0.04, np.nan, 0.01, 0.03]), [0.06, None, 0.03, 0.06])
    assert holm([]).tolist() == []


def test_gray_is_the_same_for_every_choice_of_the_last_group():
    _, groups = by_group("bmt")
    statistics = [gray([[groups[i] for i in order]]).statistic for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0))]
    for a, b in combinations(statistics, 2):
        assert a == pytest.approx(b, rel=1e-9)
