import numpy as np
import pytest
from helpers.reference_data import MONTH, TAU_MONTHS, array, close, cohort, numbers, sites
from hypothesis import given, settings
from test_counts import people, split

from sbrt_followup.estimators.clustering import Members, area_variance, survival_variance
from sbrt_followup.estimators.counts import count, pool
from sbrt_followup.estimators.incidence import event_free
from sbrt_followup.estimators.survival import (
    follow_up,
    kaplan_meier,
    lifelines_survival,
    median,
    quantile,
    restricted_mean,
)

GROUPS = [(name, group) for name in ("colon", "bmt") for group in numbers(name)["groups"]]


def counts_of(name, group):
    rows = cohort(name)
    rows = rows[rows["group"] == group]
    return count(rows["time"], rows["status"])


@pytest.mark.parametrize(("name", "group"), GROUPS)
def test_kaplan_meier_is_r_survfit(name, group):
    expected = numbers(name)["groups"][group]
    counts = counts_of(name, group)
    assert [counts.n, counts.events, counts.competing] == [expected["n"], expected["events"], expected["competing"]]
    curve = kaplan_meier(counts)
    km = expected["km"]
    steps = np.array([curve.step(m * MONTH) for m in km["months"]]).T
    for got, key in zip(steps, ("surv", "std_err", "lower", "upper"), strict=True):
        close(got, km[key])
    assert counts.at_risk(np.array(km["months"]) * MONTH).tolist() == km["n_risk"]
    middle = median(curve)
    close([middle.estimate, middle.ci_low, middle.ci_high], expected["km_median_days"])
    mean = restricted_mean(counts, TAU_MONTHS[name] * MONTH)
    close([mean.estimate, mean.std_error], expected["rmst_days"])
    free = kaplan_meier(event_free(counts))
    steps = np.array([free.step(m * MONTH) for m in km["months"]]).T
    for got, key in zip(steps[[0, 2, 3]], ("surv", "lower", "upper"), strict=True):
        close(got, expected["progression_free"][key])


def intermediate():
    rows = sites()
    return rows[rows["tier"] == "intermediate"]


def matches(curve, counts, expected):
    km = numbers("estimators")[expected]
    assert counts.time.tolist() == km["time"]
    assert counts.n_risk.tolist() == km["n_risk"]
    close(curve.estimate, km["estimate"])
    close(curve.std_error, km["std_error"])
    # Before the first event R prints the limits 1 and 1 for `log` and `plain`, none for `log-log`: here always none.
    inside = (curve.estimate > 0) & (curve.estimate < 1)
    close(curve.ci_low, np.where(inside, array(km["low"]), np.nan))
    close(curve.ci_high, np.where(inside, array(km["high"]), np.nan))


@pytest.mark.parametrize("ci_type", ["log-log", "log", "plain", "arcsine"])
def test_every_kind_of_interval_is_rs(ci_type):
    rows = intermediate()
    counts = count(rows["time"], rows["status"])
    curve = kaplan_meier(counts, ci_type=ci_type)
    in_r = ci_type.replace("arcsine", "arcsin")
    matches(curve, counts, f"km_{in_r}")
    middle = median(curve)
    close([middle.estimate, middle.ci_low, middle.ci_high], numbers("estimators")[f"median_{in_r}"])


def test_another_level_of_confidence_is_rs():
    rows = intermediate()
    counts = count(rows["time"], rows["status"])
    matches(kaplan_meier(counts, level=0.9), counts, "km_90")


def test_late_entry_is_rs():
    rows = intermediate()
    counts = count(rows["time"], rows["status"], rows["entry"])
    matches(kaplan_meier(counts), counts, "km_entry")
    mean = restricted_mean(counts, 800.0)
    close([mean.estimate, mean.std_error], numbers("estimators")["km_entry_rmst"])


@pytest.mark.parametrize("late", [False, True])
def test_variance_clustered_by_patient_is_rs(late):
    rows = intermediate()
    entry = rows["entry"].to_numpy(float) if late else None
    members = Members(rows["time"].to_numpy(float), rows["status"].to_numpy(), rows["patient"].to_numpy(), entry)
    counts = members.counts()
    curve = kaplan_meier(counts, variance=survival_variance(members))
    matches(curve, counts, "km_entry_cluster" if late else "km_cluster")


def test_clusters_of_one_give_greenwood_and_the_usual_restricted_mean():
    rows = intermediate()
    members = Members(rows["time"].to_numpy(float), rows["status"].to_numpy(), np.arange(len(rows)))
    counts = members.counts()
    np.testing.assert_allclose(np.sqrt(survival_variance(members)), kaplan_meier(counts).std_error, rtol=1e-12)
    spread = area_variance(members, 800.0, competing=False)
    assert np.sqrt(spread) == pytest.approx(restricted_mean(counts, 800.0).std_error, rel=1e-12)
    assert restricted_mean(counts, 800.0, variance_of_area=spread).std_error == pytest.approx(spread**0.5)


@pytest.mark.parametrize("case", ["flat", "flat_end", "to_zero", "one_event", "none"])
def test_small_curves_are_rs(case):
    expected = numbers("estimators")[f"small_{case}"]
    counts = count(expected["time"], np.array(expected["status"], dtype=int))
    curve = kaplan_meier(counts)
    close(curve.estimate, expected["estimate"])
    inside = (curve.estimate > 0) & (curve.estimate < 1)
    close(curve.ci_low, np.where(inside, array(expected["low"]), np.nan))
    close(curve.ci_high, np.where(inside, array(expected["high"]), np.nan))
    middle = median(curve)
    close([middle.estimate, middle.ci_low, middle.ci_high], expected["median"])


def test_nothing_is_estimated_beyond_the_last_observation():
    counts = count([10, 20, 30], [1, 0, 0])
    curve = kaplan_meier(counts)
    assert curve.step(30)[0] == pytest.approx(2 / 3)
    assert np.isnan(curve.step(31)).all()
    assert np.isnan(restricted_mean(counts, 31).estimate)
    ended = count([10, 20, 30], [1, 1, 1])
    assert kaplan_meier(ended).step(1000)[0] == 0
    assert restricted_mean(ended, 1000).estimate == pytest.approx(20)


def test_an_empty_group_gives_an_empty_curve():
    empty = count([], [])
    curve = kaplan_meier(empty)
    assert curve.estimate.size == 0
    assert np.isnan(median(curve).estimate)
    assert np.isnan(restricted_mean(empty, 100).estimate)
    assert np.isnan(follow_up(empty).estimate)


def test_nobody_failing_leaves_survival_at_one_without_an_interval():
    curve = kaplan_meier(count([5, 6, 7], [0, 2, 0]))
    assert curve.estimate.tolist() == [1, 1, 1]
    assert np.isnan(curve.ci_low).all()
    assert np.isnan(curve.ci_high).all()
    assert curve.step(6)[:2] == (1.0, 0.0)


def test_reverse_kaplan_meier_counts_the_censored():
    # Deaths at 1 and 2 leave the follow-up of the others alone: the middle of 4, 5, 6.
    assert follow_up(count([1, 2, 4, 5, 6], [1, 1, 0, 0, 0])).estimate == 5


@settings(deadline=None, max_examples=30)
@given(people)
def test_lifelines_gives_the_same_curve(rows):
    time, status, _ = split(rows)
    counts = count(time, status)
    np.testing.assert_allclose(lifelines_survival(counts), kaplan_meier(counts).estimate, atol=1e-12)


@given(people)
def test_pooling_two_copies_keeps_the_curve_and_shrinks_the_error(rows):
    time, status, _ = split(rows)
    once = kaplan_meier(count(time, status))
    twice = kaplan_meier(pool([count(time, status)] * 2))
    np.testing.assert_allclose(twice.estimate, once.estimate, atol=1e-12)
    inside = (once.estimate > 0) & (once.estimate < 1)
    np.testing.assert_allclose(twice.std_error[inside] * np.sqrt(2), once.std_error[inside], atol=1e-12)


def test_quantiles_and_their_limits_are_rs():
    rows = cohort("colon")
    for expected in numbers("quantiles"):
        own = rows[rows["group"] == expected["arm"]]
        curve = kaplan_meier(count(own["time"], own["status"]), ci_type=expected["ci_type"])
        for k, share in enumerate(expected["shares"]):
            found = quantile(curve, share)
            close(
                [found.estimate, found.ci_low, found.ci_high],
                [expected[c][k] for c in ("estimate", "ci_low", "ci_high")],
            )


def test_more_take_longer():
    curve = kaplan_meier(count(np.arange(1, 41), np.tile([1, 1, 0, 1], 10)))
    times = [quantile(curve, share).estimate for share in (0.1, 0.25, 0.5, 0.7)]
    assert times == sorted(times)
    early = kaplan_meier(count([1, 2, 3], [1, 0, 0]))
    assert np.isnan(quantile(early, 0.5).estimate)
