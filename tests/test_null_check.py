import numpy as np
import pandas as pd
import pytest

from sbrt_followup.outcomes.analysis import Method
from sbrt_followup.outcomes.endpoints import Question, Study
from sbrt_followup.outcomes.null_check import null_check
from sbrt_followup.problems import InputRefused

N = 200
METHOD = Method("cif", times=(6.0, 12.0, 24.0))


def made(gap, *, dead=0.4, rate=1 / 1200, seed=5, **question):
    """A cohort scanned every so many days (by group), its events found at scans; and those scans."""
    rng = np.random.default_rng(seed)
    group = np.arange(N) % 2
    until = np.ceil(rng.uniform(800, 1500, N))
    died = rng.random(N) < dead
    every = np.asarray(gap)[group]
    scans = [np.arange(g, u + 1, g) for g, u in zip(every, until, strict=True)]
    true = rng.exponential(1 / rate, N)
    found = np.array([min(s[s >= t], default=np.inf) for s, t in zip(scans, true, strict=True)])
    clear = np.array([max(s[s < f], default=0.0) for s, f in zip(scans, found, strict=True)])
    event = np.isfinite(found)
    time = np.where(event, found, np.where(died, until, clear))
    status = np.where(event, 1, np.where(died, 2, 0))
    none = np.full(N, None, dtype=object)
    study = Study(
        question=Question(30, **question),
        labels=("a", "b"),
        group=group,
        entry=np.zeros(N),
        time=time,
        status=status,
        patient=np.arange(N),
        patients=pd.Index(np.arange(N)),
        site=none,
        zero=np.zeros(N),
        stratum=np.full(N, "all", dtype=object),
        ending=np.where(event, "event", "last clear MRI").astype(object),
        alive_until=until,
        died=died,
        last_clear_mri=clear,
        last_mri=np.where(event, found, clear),
        rows_used=N,
        excluded=(),
    )
    unit = np.repeat(np.arange(N), [len(s) for s in scans])
    return study, (unit, np.concatenate(scans))


@pytest.mark.parametrize("estimator", ["cif", "km"])
def test_scanned_every_week_there_is_next_to_no_bias(estimator):
    study, scans = made([7, 7])
    check = null_check(study, Method(estimator, times=(6.0, 12.0, 24.0)), scans, 200, seed=2)
    assert len(check.landmarks) == 6
    for mark in check.landmarks:
        assert abs(mark.bias) < 0.012
        assert 0.91 < mark.coverage < 0.985
    assert {t.name for t in check.tests} == {"gray", "logrank"}
    for test in check.tests:
        assert test.size < 0.05 + 3 * test.margin / 1.96 + 0.01


def test_wide_gaps_find_the_event_late_and_unequal_ones_in_one_group_more():
    study, scans = made([60, 240])
    check = null_check(study, METHOD, scans, 200, seed=2)
    at_six = {m.group: m for m in check.landmarks if m.months == 6}
    assert at_six["b"].bias < at_six["a"].bias - 0.03
    assert np.isnan(at_six["b"].coverage)  # nobody in b is scanned by then: nothing found, no interval
    at_year = {m.group: m for m in check.landmarks if m.months == 12}
    assert at_year["b"].coverage < at_year["a"].coverage


def test_without_deaths_the_truth_is_the_exponential():
    study, scans = made([30, 30], dead=0.0)
    check = null_check(study, Method("cif", times=(24.0,)), scans, 10, seed=1)
    days = 24 * 30.4375
    lived = np.minimum(study.time, days).sum()
    rate = ((study.status == 1) & (study.time <= days)).sum() / lived
    assert check.landmarks[0].truth == pytest.approx(1 - np.exp(-rate * days), abs=1e-3)


def test_the_seed_decides():
    study, scans = made([90, 90])
    first, again, other = (null_check(study, METHOD, scans, 20, seed=s) for s in (7, 7, 8))
    assert first == again
    assert first.landmarks != other.landmarks


def test_without_imaging_the_gaps_come_from_the_intervals_that_hold_events():
    study, scans = made([90, 90])
    with_scans = null_check(study, METHOD, scans, 200, seed=3)
    without = null_check(study, METHOD, None, 200, seed=3)
    assert (with_scans.scans_from, without.scans_from) == ("imaging", "event intervals")
    for one, two in zip(with_scans.landmarks, without.landmarks, strict=True):
        assert one.bias == pytest.approx(two.bias, abs=0.02)


@pytest.mark.parametrize("question", [{"endpoint": "death"}, {"landmark_day": 91}])
def test_what_has_no_scans_in_it_is_refused(question):
    study, scans = made([90, 90], **question)
    with pytest.raises(InputRefused):
        null_check(study, METHOD, scans, 10, seed=1)


def test_a_cohort_that_says_nothing_of_its_scans_is_refused():
    study, _ = made([90, 90])
    blind = Study(**{**study.__dict__, "last_clear_mri": np.full(N, np.nan)})
    with pytest.raises(InputRefused) as refused:
        null_check(blind, METHOD, None, 10, seed=1)
    assert "--imaging" in str(refused.value.problems[0])


def test_interval_censored_curves_have_coverage_if_every_simulated_cohort_is_bootstrapped():
    study, scans = made([90, 90], dead=0.0)
    method = Method("turnbull", times=(12.0, 24.0), bootstrap=20)
    check = null_check(study, method, scans, 30, seed=4)
    assert [t.name for t in check.tests] == ["interval_score"]
    assert all(m.coverage > 0.8 for m in check.landmarks)
    bare = null_check(study, Method("turnbull", times=(12.0, 24.0)), scans, 30, seed=4)
    assert all(np.isnan(m.coverage) for m in bare.landmarks)
    assert [m.mean for m in bare.landmarks] == [m.mean for m in check.landmarks]
