import numpy as np
import pytest
from helpers.scanned_cohorts import RATES, as_tables

from sbrt_followup.outcomes.question import Question
from sbrt_followup.outcomes.study import study
from sbrt_followup.sites.last_clear import with_last_clear
from sbrt_followup.surveillance.between_mris import MOST, between_mris
from sbrt_followup.surveillance.foretold import Grouped
from sbrt_followup.tables.records import read_cohort, read_imaging

TIERS = ("low", "intermediate", "high")


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("between")
    for frame, name in zip(as_tables(4000, seed=5), ("c.csv", "m.csv"), strict=True):
        frame.to_csv(folder / name, index=False)
    cohort, scans = read_cohort(str(folder / "c.csv")), read_imaging(str(folder / "m.csv"))
    frame = with_last_clear(cohort.frame, scans.frame)
    return study(frame, Question(30), by=frame["tier"])


def test_what_the_mris_allow_holds_the_truth(people):
    course = Grouped(tuple(RATES[label] for label in people.labels), people.group)
    found = between_mris(people, course, [6.0, 12.0, 24.0])
    assert len(found) == 9 and {b.group for b in found} == set(TIERS)
    for b in found:
        truth = 1 - np.exp(-float(RATES[b.group].cumulative(b.months)))
        assert b.foretold == pytest.approx(truth)
        error = 4 * np.sqrt(truth * (1 - truth) / (people.group == people.labels.index(b.group)).sum())
        assert b.lowest - error <= truth <= b.highest + error
        assert b.lowest <= b.highest
    # By Chen's plan nobody of the low tier is seen between months 3 and 9: month 6 is open.
    low = next(b for b in found if b.group == "low" and b.months == 6)
    assert low.highest - low.lowest > 0.02


def test_without_intervals_or_beyond_follow_up_nothing_is_claimed(people):
    assert between_mris(people, None, [90.0]) == ()
    assert all(np.isnan(b.foretold) for b in between_mris(people, None, [12.0]))
    assert MOST >= 5000
