"""What a perfect model would show on a cohort's own scan days: progression is dated by the MRI that finds it.

Conventions. Days since time zero. A unit's MRIs are those done while it is at risk: up to the one that finds progression,
else to the end of follow-up; a progression dated on a day without an MRI counts as seen that day. Each MRI is expected to
find the model's yield since the MRI before (or the entry): over MRIs these sum to what is expected to be found, and found
minus expected has mean 0 for a perfect model whatever the days of scanning, deaths and losses (a martingale).
What the perfect model would show naively is Aalen–Johansen with each day's findings replaced by the yields expected of the
MRIs of that day, deaths as they were; its AUC likewise, yields in place of cases. Exact limits of found/expected: Poisson.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri

from ..arrays import Flags, Floats, Ints
from ..estimators.accuracy import Censoring, censoring
from ..estimators.counts import CENSORED, COMPETING, EVENT
from ..timing import analysis_days
from .foretold import Course

MONTH = analysis_days(1)


@dataclass(frozen=True)
class Looked:
    """Every MRI at which progression could have been found: whose, on which day, and the day of the look before it."""

    unit: Ints
    day: Floats
    before: Floats


def looks(time: Floats, status: Ints, entry: Floats, unit: Ints, day: Floats) -> Looked:
    """Gather the MRIs done at risk (`unit`, `day`: every MRI done, in any order), and the days of progression itself."""
    inside = (day > entry[unit]) & (day <= time[unit])
    events = np.flatnonzero(status == EVENT)
    whose = np.concatenate([unit[inside], events])
    when = np.concatenate([day[inside], time[events]])
    pairs = np.unique(np.column_stack([whose.astype(np.float64), when]), axis=0)
    whose, when = pairs[:, 0].astype(np.int64), pairs[:, 1]
    first = np.diff(whose, prepend=-1) != 0
    return Looked(whose, when, np.where(first, entry[whose], np.concatenate([[0.0], when[:-1]])))


def unscheduled(time: Floats, status: Ints, unit: Ints, day: Floats) -> int:
    """Count progressions dated on a day on which no MRI was done."""
    events = np.flatnonzero(status == EVENT)
    done = set(zip(unit.tolist(), day.tolist(), strict=True))
    return sum((i, t) not in done for i, t in zip(events.tolist(), time[events].tolist(), strict=True))


@dataclass(frozen=True)
class ScanDays:
    """The correction at one horizon."""

    found: int
    expected_found: float
    ci_low: float
    ci_high: float
    naive_if_perfect: float
    """The incidence that a perfect model would show naively; over the mean risk it is the O/E of a perfect model."""
    auc_if_perfect: float

    @property
    def oe(self) -> float:
        """Found over expected."""
        return self.found / self.expected_found if self.expected_found > 0 else float("nan")


def correct(
    time: Floats, status: Ints, looked: Looked, yields: Floats, score: Floats, horizon: float, level: float = 0.95
) -> ScanDays:
    """Work out what is expected to be found by a horizon (days), and what a perfect model would show."""
    by_then = looked.day <= horizon
    expected = float(yields[by_then].sum())
    found = int(((status == EVENT) & (time <= horizon)).sum())
    low, high = poisson_limits(found, level)
    lost = censoring(time, status == CENSORED)
    return ScanDays(
        found,
        expected,
        low / expected if expected > 0 else float("nan"),
        high / expected if expected > 0 else float("nan"),
        _naive(time, status, looked, yields, horizon),
        _auc(time, status, lost, looked, np.where(by_then, yields, 0.0), score, horizon),
    )


def yields_of(course: Course, looked: Looked) -> Floats:
    """Give the yield expected of every look."""
    return course.yields(looked.unit, looked.before / MONTH, looked.day / MONTH)


def poisson_limits(number: int, level: float = 0.95) -> tuple[float, float]:
    """Give exact limits of a Poisson mean (Garwood 1936)."""
    alpha = 1 - level
    low = float(chdtri(2 * number, 1 - alpha / 2)) / 2 if number else 0.0
    return low, float(chdtri(2 * (number + 1), alpha / 2)) / 2


def _naive(time: Floats, status: Ints, looked: Looked, yields: Floats, horizon: float) -> float:
    days = np.unique(
        np.concatenate([time[(status == COMPETING) & (time <= horizon)], looked.day[looked.day <= horizon]])
    )
    if not len(days):
        return 0.0
    at_risk = len(time) - np.searchsorted(np.sort(time), days, side="left")
    size = len(days)
    seen = looked.day <= horizon
    found = np.bincount(np.searchsorted(days, looked.day[seen]), weights=yields[seen], minlength=size) / at_risk
    dead_days = time[(status == COMPETING) & (time <= horizon)]
    died = np.bincount(np.searchsorted(days, dead_days), minlength=size) / at_risk
    # Whoever progresses at a look leaves before dying on the same day, as events come before deaths in the data.
    free = np.cumprod(np.maximum(1.0 - found - died, 0.0))
    return float((np.concatenate([[1.0], free[:-1]]) * found).sum())


def _auc(
    time: Floats, status: Ints, lost: Censoring, looked: Looked, yields: Floats, score: Floats, horizon: float
) -> float:
    """Give the AUC with expected findings as cases, and as controls those who died or were followed beyond the horizon."""
    own = np.divide(1.0, lost.before, out=np.zeros(len(lost.before)), where=lost.before > 0)
    at_look = own[np.searchsorted(lost.time, looked.day, side="left").clip(max=len(own) - 1)]
    at_end = lost.at(horizon)
    _, rank = np.unique(score, return_inverse=True)
    cases = np.bincount(rank[looked.unit], weights=yields * at_look, minlength=int(rank.max(initial=0)) + 1)
    died: Flags = (status == COMPETING) & (time <= horizon)
    later: Flags = time > horizon
    weight = np.where(died, own[lost.place], 0.0) + np.where(later, 1.0 / at_end if at_end > 0 else 0.0, 0.0)
    controls = np.bincount(rank, weights=weight)
    pairs = cases.sum() * controls.sum()
    return float((cases * (np.cumsum(controls) - 0.5 * controls)).sum() / pairs) if pairs > 0 else float("nan")


def true_auc(risk: Floats, score: Floats) -> float:
    """Give the AUC of a perfect model by onset itself: cases weigh their risk, controls the rest."""
    _, rank = np.unique(score, return_inverse=True)
    cases, controls = np.bincount(rank, weights=risk), np.bincount(rank, weights=1.0 - risk)
    pairs = cases.sum() * controls.sum()
    return float((cases * (np.cumsum(controls) - 0.5 * controls)).sum() / pairs) if pairs > 0 else float("nan")
