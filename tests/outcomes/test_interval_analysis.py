import json

import numpy as np
import pytest
from helpers.reference_data import FOLDER, MONTH, close, numbers
from test_study import ask, table  # noqa: F401
from typer.testing import CliRunner

from sbrt_followup.cli.app import app
from sbrt_followup.estimators.confidence import interval
from sbrt_followup.estimators.counts import count
from sbrt_followup.estimators.interval_comparison import Intervals as GroupedIntervals
from sbrt_followup.outcomes.interval_analysis import Intervals, check_question, fit, intervals
from sbrt_followup.problems import InputRefused
from sbrt_followup.tables.records import read_cohort


def ends(people):
    return list(zip(people.left.tolist(), people.right.tolist(), strict=True))


def test_an_event_lies_after_the_last_clear_mri_and_all_else_is_censored_there(table):  # noqa: F811
    records = table(
        {"p": 100, "m": 60},
        {"p": 100, "m": 100},
        {"p": 100},
        {"m": 80, "d": 300},
        {"f": 300},
        {"m": 80, "f": 300},
    )
    people = intervals(ask(records), 0)
    inf = float("inf")
    assert ends(people) == [(60, 100), (100, 100), (0, 100), (80, inf), (0, inf), (80, inf)]
    assert (people.counts.n, people.counts.events, people.counts.competing) == (6, 3, 1)


def test_a_distant_progression_censors_at_its_own_scan(table):  # noqa: F811
    records = table({"p": 100, "m": 60, "progression_site": "distant_spine"})
    assert ends(intervals(ask(records, "local_progression"), 0)) == [(100, float("inf"))]


@pytest.mark.parametrize("question", [{"endpoint": "death"}, {"endpoint": "vcf"}, {"landmark_day": 30}])
def test_what_has_no_interval_is_refused(table, question):  # noqa: F811
    with pytest.raises(InputRefused):
        check_question(ask(table({"p": 100, "m": 60}, {"m": 60}), **question))


def curves(*arguments):
    call = ["curves", str(FOLDER / "bcdeter.csv"), "--by", "arm", "--estimator", "turnbull", "--times", "6,12,24,36"]
    result = CliRunner().invoke(app, [*call, "--format", "json", "--quiet", *arguments])
    if result.exception is not None:
        raise result.exception
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def turnbull():
    return curves()


def test_json_laid_beside_npsurv(turnbull):
    assert turnbull["estimator"] == "turnbull"
    for group in turnbull["groups"]:
        expected = numbers("bcdeter")[group["group"]]
        assert group["n"] == expected["n"]
        assert group["loglik"] == pytest.approx(expected["loglik"], abs=1e-6)
        assert abs(group["certificate"]["kkt_gap"]) < 1e-6
        assert [row["left_days"] for row in group["curve"]] == expected["left"]
        close([row["mass"] for row in group["curve"]], expected["p"], 1e-6)
        for key, theirs in (("surv_high", "surv_upper"), ("surv_low", "surv_lower")):
            close([m[key] for m in group["landmarks"]], expected[theirs], 1e-6)
        for mark in group["landmarks"]:
            assert mark["surv_low"] - 1e-9 <= mark["estimate"] <= mark["surv_high"] + 1e-9
            assert mark["ci_low"] is None
        assert sum(row["mass"] for row in group["curve"]) == pytest.approx(1)


def test_confidence_comes_only_from_the_bootstrap_and_its_seed(turnbull):
    first, again, other = (curves("--bootstrap", "20", "--seed", seed) for seed in ("3", "3", "4"))
    assert first["groups"] == again["groups"]
    assert first["groups"] != other["groups"]
    for group, plain in zip(first["groups"], turnbull["groups"], strict=True):
        for mark, without in zip(group["landmarks"], plain["landmarks"], strict=True):
            assert mark["estimate"] == without["estimate"]
            assert mark["ci_low"] <= mark["ci_high"]
            assert mark["std_error"] > 0
    with pytest.raises(InputRefused):
        curves("--estimator", "km", "--bootstrap", "20")


def test_doubling_everybody_changes_no_mass():
    from dataclasses import replace

    people = intervals(ask(read_cohort(FOLDER / "bcdeter.csv"), by="arm"), 0)
    twice = replace(people, left=np.tile(people.left, 2), right=np.tile(people.right, 2))
    one, two = fit(people), fit(twice)
    np.testing.assert_allclose(two.npmle.mass, one.npmle.mass, atol=1e-7)
    assert two.npmle.loglik == pytest.approx(2 * one.npmle.loglik)
    assert one.curve.step(12 * MONTH)[0] == pytest.approx(one.bounds(12 * MONTH)[1])


def test_groups_are_compared_between_intervals(turnbull):
    (test,) = turnbull["tests"]
    assert (test["name"], test["groups"], test["df"]) == ("interval_score", "all", 1)
    # The radiotherapy arms differ: by single days the log-rank test gives 0.004; the likelihood ratio of a Weibull
    # regression of the intervals (R survreg) 0.0005, of an exponential one 0.004.
    assert 1e-4 < test["p_value"] < 0.01
    assert "interval-censored score test" in turnbull["methods"]


NEVER = float("inf")


def scanned(n, seed, *, every=90.0, jitter=0.0, hazard=1 / 2500):
    """One group scanned every so many days (or within some days of that), its events found at scans."""
    rng = np.random.default_rng(seed)
    event, end = rng.exponential(1 / hazard, n), rng.uniform(300, 1800, n)
    visits = every * np.arange(1, 21) + np.round(jitter * rng.normal(0, 1, (n, 20)))
    visits = np.where(visits <= end[:, None], visits, NEVER)
    right = np.where(visits >= event[:, None], visits, NEVER).min(axis=1)
    left = np.where(visits < event[:, None], visits, 0.0).max(axis=1)
    found = np.isfinite(right)
    return Intervals(left, right, np.arange(n), count(np.where(found, right, left), found.astype(np.int64)))


def test_between_two_visits_the_interval_spans_every_curve_the_likelihood_allows():
    people = scanned(200, 3)
    days = np.array([450.0, 495.0, 540.0])  # a visit, half way, the next visit
    found = fit(people, days, bootstrap=50)
    low, high = found.marks.ci_low, found.marks.ci_high
    assert low[1] == pytest.approx(low[2])  # it may have fallen by then
    assert high[1] == pytest.approx(high[0])  # or not yet
    assert low[0] > low[1]
    assert high[2] < high[1]
    days, lower, upper = found.band()
    place = np.searchsorted(days, 495.0, side="right") - 1
    assert (lower[place], upper[place]) == pytest.approx((low[1], high[1]))


def test_the_interval_is_log_log_about_the_bootstrap_standard_error():
    # At a visit the estimate is a product of binomial shares; patients without deaths or loss before make it one share,
    # whose standard error is known: sqrt(p (1 − p) / n).
    n, late = 400, 120
    left = np.where(np.arange(n) < late, 0.0, 90.0)
    right = np.where(np.arange(n) < late, 90.0, NEVER)
    people = Intervals(left, right, np.arange(n), count(np.where(right < NEVER, right, left), (right < NEVER) * 1))
    marks = fit(people, [90.0], bootstrap=1500, seed=2).marks
    p = 1 - late / n
    assert marks.estimate[0] == pytest.approx(p)
    assert marks.std_error[0] == pytest.approx(np.sqrt(p * (1 - p) / n), rel=0.06)
    low, high = interval(np.array([p]), marks.std_error, "log-log")
    assert (marks.ci_low[0], marks.ci_high[0]) == pytest.approx((low[0], high[0]))
    plain = fit(people, [90.0], bootstrap=1500, seed=2, ci_type="plain").marks
    assert plain.ci_high[0] - p == pytest.approx(1.959964 * plain.std_error[0])


def test_nothing_certain_has_no_interval_and_nothing_possible_is_shut_out():
    people = scanned(80, 1, hazard=1 / 4000)
    first = people.right.min()
    found = fit(people, [first - 1, first - 91, 5000.0], bootstrap=30)
    before, none, beyond = zip(*found.marks.values, strict=True)
    assert before[0] == before[3] == 1.0  # the curve may not have fallen yet
    assert before[2] < 1.0
    assert none[0] == 1.0
    assert np.isnan(none[2:]).all()
    assert np.isnan(beyond).all()


@pytest.mark.slow
@pytest.mark.parametrize("jitter", [0.0, 10.0])
def test_the_bootstrap_holds_the_truth_as_often_as_it_says(jitter):
    # 80 cohorts at three visits: a standard error of about 2 points; 1,000 per grid stand in benchmarks/README.md. The
    # bootstrap has a seed of its own, for one stream must not draw both the patients and the samples of them.
    days = np.array([360.0, 720.0, 1080.0])
    held = []
    for seed in range(80):
        marks = fit(scanned(120, seed, jitter=jitter), days, bootstrap=40, seed=1000 + seed).marks
        held.append((marks.ci_low <= np.exp(-days / 2500)) & (np.exp(-days / 2500) <= marks.ci_high))
    assert 0.89 < np.mean(held) < 0.995


def test_the_median_has_its_lower_limit_where_the_lower_limit_may_have_fallen():
    found = fit(scanned(150, 2, hazard=1 / 500), bootstrap=60)
    middle = found.quantile(0.5)
    assert middle.estimate == found.curve.time[np.flatnonzero(found.curve.estimate < 0.5)[0]]
    assert middle.ci_low < middle.estimate <= middle.ci_high
    fallen = np.flatnonzero(found.ci_low[np.isfinite(found.ci_low)] < 0.5)[0]
    assert middle.ci_low == found.npmle.left_days[fallen]


def test_the_trend_over_groups_is_the_scores_weighted_by_their_order():
    records = read_cohort(FOLDER / "colon.csv")
    frame = records.frame
    from sbrt_followup.estimators.interval_comparison import interval_score
    from sbrt_followup.outcomes.interval_analysis import compare

    study = ask(records, by="arm")
    overall, trend = compare(study, pairs=False, trend=True)
    assert (overall.name, trend.name, trend.df) == ("interval_score", "interval_trend", 1)
    groups = [intervals(study, place) for place in range(3)]
    data = GroupedIntervals(
        np.concatenate([g.left for g in groups]),
        np.concatenate([g.right for g in groups]),
        np.repeat(np.arange(3), [len(g.left) for g in groups]),
    )
    score, covariance = interval_score(data, 3)
    steps = np.array([1, 2, 3])
    assert trend.statistic == pytest.approx((steps @ score) ** 2 / (steps @ covariance @ steps))
    assert len(frame) == len(data.left)
    two = compare(ask(read_cohort(FOLDER / "bcdeter.csv"), by="arm"), pairs=False, trend=True)
    assert two[1].statistic == pytest.approx(two[0].statistic, rel=1e-6)  # of two groups they are one
