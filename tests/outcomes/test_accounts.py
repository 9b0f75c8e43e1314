from dataclasses import replace

import numpy as np
import pytest
from test_null_check import made

from sbrt_followup.outcomes.accounts import imaging_gaps, unequal, unscanned_from


def scanned(early_exit, plans):
    """Two groups scanned on a plan each; the second leaves by that day, as who progresses early does."""
    study, _ = made([90, 90])
    time = np.where(study.group == 1, np.minimum(study.time, early_exit), study.time)
    study = type(study)(**{**study.__dict__, "time": time})
    days = [np.cumsum(plans[g]) for g in study.group]
    unit = np.repeat(np.arange(len(time)), [len(d) for d in days])
    return study, (unit, np.concatenate(days).astype(float))


WIDENING = [90, *[75] * 5, *[140] * 8]


def test_one_plan_that_widens_is_no_difference_though_one_group_leaves_early():
    study, scans = scanned(400, [WIDENING, WIDENING])
    staying, leaving = imaging_gaps(study, *scans)
    assert staying.upper_quartile > 1.2 * leaving.upper_quartile
    assert (staying.against_all, leaving.against_all) == pytest.approx((1, 1), rel=0.01)
    assert not unequal((staying, leaving))


def test_groups_scanned_differently_are_told_apart_quarter_by_quarter():
    study, scans = scanned(2000, [[120] * 15, [60] * 30])
    seldom, often = imaging_gaps(study, *scans)
    assert seldom.against_all > 1.2 * often.against_all
    assert unequal((seldom, often))


def test_a_handful_of_gaps_says_nothing():
    study, (unit, day) = scanned(2000, [[120] * 15, [60] * 30])
    noise = np.random.default_rng(1).integers(-25, 25, len(day))
    few = (study.group[unit] == 0) | ((unit == 1) & (day <= 150))
    seldom, often = imaging_gaps(study, unit[few], (day + noise)[few])
    assert often.gaps == 2
    assert often.std_error > 3 * seldom.std_error
    one_more = replace(often, gaps=12, against_all=0.9, std_error=0.2)
    assert not unequal((seldom, one_more))
    assert unequal((seldom, replace(one_more, against_all=0.3)))
    assert not unequal((seldom, replace(one_more, against_all=0.3, gaps=9)))


def test_those_who_stay_at_risk_only_because_they_die_later_are_told_from_the_month_they_are_most():
    study, _ = made([90, 90])
    scanned_to = 700.0
    last = np.where(study.status == 1, study.time, np.minimum(study.last_clear_mri, scanned_to))
    time = np.where(study.status == 0, np.minimum(study.time, scanned_to), study.time)
    late = replace(study, last_mri=last, time=time)
    month = unscanned_from(late)
    day = month * 30.4375
    assert (time >= day).sum() > 2 * ((time >= day) & (last >= day)).sum()
    before = (month - 1) * 30.4375
    assert (time >= before).sum() <= 2 * ((time >= before) & (last >= before)).sum()
    nothing = np.full(len(time), np.nan)
    assert np.isnan(unscanned_from(replace(late, last_mri=nothing, last_clear_mri=nothing)))
    assert np.isnan(unscanned_from(replace(late, status=np.minimum(late.status, 1))))  # nobody dies later
    assert np.isnan(unscanned_from(replace(late, last_mri=late.time)))
