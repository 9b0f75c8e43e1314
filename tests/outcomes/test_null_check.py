from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sbrt_followup.outcomes.accounts import imaging_gaps
from sbrt_followup.outcomes.analysis import Method
from sbrt_followup.outcomes.null_check import _event_days, ground_of, null_check
from sbrt_followup.outcomes.question import Question
from sbrt_followup.outcomes.study import Study
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


@pytest.mark.slow
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


def test_what_has_no_scans_in_it_is_refused():
    study, scans = made([90, 90], endpoint="death")
    with pytest.raises(InputRefused):
        null_check(study, METHOD, scans, 10, seed=1)


def test_a_cohort_that_says_nothing_of_its_scans_is_refused():
    study, _ = made([90, 90])
    blind = Study(**{**study.__dict__, "last_clear_mri": np.full(N, np.nan)})
    with pytest.raises(InputRefused) as refused:
        null_check(blind, METHOD, None, 10, seed=1)
    assert "--imaging" in str(refused.value.problems[0])


@pytest.mark.slow
def test_interval_censored_curves_have_coverage_if_every_simulated_cohort_is_bootstrapped():
    study, scans = made([90, 90], dead=0.0)
    method = Method("turnbull", times=(12.0, 24.0), bootstrap=20)
    check = null_check(study, method, scans, 30, seed=4)
    assert [t.name for t in check.tests] == ["interval_score"]
    assert all(m.coverage > 0.8 for m in check.landmarks)
    bare = null_check(study, Method("turnbull", times=(12.0, 24.0)), scans, 30, seed=4)
    assert all(np.isnan(m.coverage) for m in bare.landmarks)
    assert [m.mean for m in bare.landmarks] == [m.mean for m in check.landmarks]


@pytest.mark.slow
def test_with_late_entry_only_those_without_the_event_by_then_are_simulated():
    study, scans = made([7, 7])
    entry = np.where(np.arange(N) % 3 == 0, np.minimum(300.0, np.floor(study.time / 2)), 0.0)
    late = replace(study, entry=entry)
    ground = ground_of(late, METHOD.times, scans)
    true = _event_days(late, ground, np.random.default_rng(1))
    assert (true > entry).all()
    check = null_check(late, METHOD, scans, 150, seed=2)
    assert {t.name for t in check.tests} == {"gray", "logrank"}
    for mark in check.landmarks:
        assert abs(mark.bias) < 0.015
        assert 0.9 < mark.coverage < 0.99
    # The same hazard is found as from everybody: entry takes no events, only days at risk.
    assert ground.hazard[0] > ground_of(study, METHOD.times, scans).hazard[0]


def test_after_a_landmark_the_scans_before_it_count_for_the_gap_only():
    study, (unit, day) = made([15, 15])
    shift = 100
    kept = study.time > shift
    place = np.cumsum(kept) - 1
    after = Study(
        **{
            **{k: v[kept] if isinstance(v, np.ndarray) else v for k, v in study.__dict__.items()},
            "question": Question(30, landmark_day=shift),
            "patients": pd.Index(np.arange(int(kept.sum()))),
            "patient": np.arange(int(kept.sum())),
            **{k: study.__dict__[k][kept] - shift for k in ("time", "alive_until", "last_clear_mri", "last_mri")},
        }
    )
    chosen = kept[unit]
    check = null_check(after, METHOD, (place[unit[chosen]], day[chosen] - shift), 100, seed=2)
    assert len(check.landmarks) == 6
    assert all(mark.coverage > 0.85 for mark in check.landmarks)
    gaps = imaging_gaps(after, place[unit[chosen]], day[chosen] - shift)
    assert {g.median_days for g in gaps} == {15.0}
    one = replace(after, time=np.full(len(after.time), 6.0))  # only the scan five days after the landmark is left
    assert {g.median_days for g in imaging_gaps(one, place[unit[chosen]], day[chosen] - shift)} == {15.0}


@pytest.mark.parametrize("frailty", [0.0, 1.5])
def test_sites_of_a_patient_are_as_alike_as_in_the_cohort(frailty):
    study, scans = made([30, 30], dead=0.0)
    rng = np.random.default_rng(8)
    patient = np.arange(N) // 4
    shared = rng.gamma(1 / frailty, frailty, N)[patient] if frailty else np.ones(N)
    true = rng.exponential(1200, N) / shared
    event = true < study.alive_until
    time = np.where(event, np.ceil(true / 30) * 30, study.alive_until)
    sites = replace(
        study,
        question=Question(30, endpoint="local_progression", unit="site"),
        patient=patient, patients=pd.Index(np.arange(N // 4)), time=time, status=event.astype(np.int64),
    )  # fmt: skip
    check = null_check(sites, METHOD, scans, 10, seed=3)
    assert check.frailty == pytest.approx(frailty, abs=0.6)
    ground = ground_of(sites, METHOD.times, scans)
    alike = np.mean([_alike(_event_days(sites, ground, np.random.default_rng(s)), patient) for s in range(60)])
    assert alike == pytest.approx(frailty / (frailty + 2), abs=0.15)  # Kendall's tau of a gamma frailty


def _alike(days, patient):
    """Kendall's tau between the first two sites of each patient, from pairs of patients."""
    first = np.flatnonzero(np.diff(patient, prepend=-1))
    a, b = days[first], days[first + 1]
    low = np.minimum(a, 1e9)[:, None] < np.minimum(a, 1e9)
    also = np.minimum(b, 1e9)[:, None] < np.minimum(b, 1e9)
    pairs = ~np.eye(len(a), dtype=bool)
    return 2 * np.mean((low == also)[pairs]) - 1


def test_the_unit_patient_has_no_frailty():
    study, scans = made([90, 90])
    assert null_check(study, METHOD, scans, 5, seed=1).frailty == 0.0
