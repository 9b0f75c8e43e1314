import json

import numpy as np
import pytest
from reference_data import FOLDER, MONTH, close, numbers
from test_endpoints import ask, table  # noqa: F401
from typer.testing import CliRunner

from sbrt_followup.cli.app import app
from sbrt_followup.outcomes.interval_analysis import check_question, fit, intervals
from sbrt_followup.problems import InputRefused
from sbrt_followup.records import read_cohort


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
    one, curve = fit(people)
    two, _ = fit(twice)
    np.testing.assert_allclose(two.npmle.mass, one.npmle.mass, atol=1e-7)
    assert two.npmle.loglik == pytest.approx(2 * one.npmle.loglik)
    assert curve.step(12 * MONTH)[0] == pytest.approx(one.bounds(12 * MONTH)[1])


def test_groups_are_compared_between_intervals(turnbull):
    (test,) = turnbull["tests"]
    assert (test["name"], test["groups"], test["df"]) == ("interval_score", "all", 1)
    # The radiotherapy arms differ: by single days the log-rank test gives 0.004; the likelihood ratio of a Weibull
    # regression of the intervals (R survreg) 0.0005, of an exponential one 0.004.
    assert 1e-4 < test["p_value"] < 0.01
    assert "interval-censored score test" in turnbull["methods"]
