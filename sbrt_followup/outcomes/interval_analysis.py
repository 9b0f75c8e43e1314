"""A study as intervals (last clear MRI, event], and its groups estimated by nonparametric maximum likelihood.

Conventions. Whoever has no event, dies or is lost is censored at the last clear MRI, on day 0 without one. The curve is
unique only outside the intervals that carry mass: `surv_high` is survival before such an interval, `surv_low` after it.
Read as a step curve the mass lies at the interval's right end, where the event is known to have happened. Intervals of
confidence exist only by bootstrap: patients resampled within their group, from a seed, give the standard errors of the
lowest and of the highest curve that the likelihood allows. The interval runs from the lower limit of the lowest to the
upper limit of the highest (log-log unless another kind is asked for): between two MRIs, where the curve is not unique,
an interval about the step curve alone would miss it (benchmarks/README.md, also on why not percentiles).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..arrays import Floats, Ints
from ..estimators import comparisons
from ..estimators.comparisons import Comparison, with_pairs
from ..estimators.confidence import interval
from ..estimators.counts import COMPETING, EVENT, Counts, count
from ..estimators.interval_censored import Npmle, npmle
from ..estimators.interval_comparison import Intervals as GroupedIntervals
from ..estimators.interval_comparison import from_interval_scores, interval_score
from ..estimators.survival import Curve, Estimate, quantile
from ..problems import refuse
from .question import AT_DISTANT
from .study import Study

NAN = float("nan")
ROUNDING = 1e-12  # what is left of a sum of masses that make one
ENDPOINTS = ("progression", "local_progression")


@dataclass(frozen=True)
class Marks:
    """The curve at stated days: the step curve, its standard error, and limits of what the likelihood allows there."""

    estimate: Floats
    std_error: Floats
    ci_low: Floats
    ci_high: Floats

    @property
    def values(self) -> tuple[Floats, Floats, Floats, Floats]:
        """All of them in order."""
        return self.estimate, self.std_error, self.ci_low, self.ci_high


@dataclass(frozen=True)
class IntervalFit:
    """One group's fit, and the limits of survival after each interval by bootstrap (NaN without)."""

    npmle: Npmle
    curve: Curve
    marks: Marks
    ci_low: Floats
    ci_high: Floats

    def bounds(self, when: float) -> tuple[float, float]:
        """Give the lowest and highest survival at a time that the likelihood allows."""
        low, high = self.npmle.bounds(when)
        return float(low), float(high)

    def band(self) -> tuple[Floats, Floats, Floats]:
        """Give days, lower and upper limits from each on: inside an interval its fall may have come already, or not yet."""
        found = np.isfinite(self.npmle.right_days)
        left, right = self.npmle.left_days[found], self.npmle.right_days[found]
        days = np.union1d(left, right)
        low = np.concatenate([[NAN], self.ci_low[found]])[np.searchsorted(left, days, side="right")]
        high = np.concatenate([[1.0], self.ci_high[found]])[np.searchsorted(right, days, side="right")]
        return days, low, np.where(np.isnan(low), NAN, high)

    def quantile(self, share: float) -> Estimate:
        """Give the day by which a share has failed; its lower limit from where the lower limit may have fallen."""
        days, low, _ = self.band()
        below = Curve(days, low, low, low, low, 1.0, NAN)
        found = quantile(self.curve, share)
        return Estimate(found.estimate, quantile(below, share).estimate, found.ci_high)


@dataclass(frozen=True)
class Intervals:
    """One group's people as intervals; infinite right ends are censored."""

    left: Floats
    right: Floats
    patient: Ints
    counts: Counts


def check_question(study: Study) -> None:
    """Refuse what interval censoring does not go with."""
    question = study.question
    if question.endpoint not in ENDPOINTS:
        raise refuse("turnbull", f"--estimator turnbull goes with {' and '.join(ENDPOINTS)}: found between two MRIs")
    if question.landmark_day or study.entry.any():
        raise refuse(
            "turnbull",
            "--estimator turnbull does not go with --landmark or --entry",
            hint="Who is free of the event on a day is not known between two MRIs.",
        )
    if len(study.time) and not np.isfinite(study.last_clear_mri).any():
        raise refuse(
            "turnbull",
            "--estimator turnbull needs the last MRI without the event, and nobody has one recorded",
            hint="Give the column last_clear_mri_date, or the MRIs with --imaging FILE.",
        )


def intervals(study: Study, place: int, stratum: str | None = None) -> Intervals:
    """Turn one group (of one stratum) into intervals."""
    here = study.where(place, stratum)
    event = study.status[here] == EVENT
    time = study.time[here]
    clear = np.nan_to_num(study.last_clear_mri[here], nan=0.0)
    known = np.where(study.ending[here] == AT_DISTANT, time, clear)
    left = np.clip(known, 0.0, time)
    right = np.where(event, time, np.inf)
    status = study.status[here]
    counts = count(np.where(event, right, left), np.where(event, EVENT, np.where(status == COMPETING, COMPETING, 0)))
    return Intervals(left, right, study.patient[here], counts)


def compare(study: Study, *, pairs: bool, trend: bool = False) -> tuple[Comparison, ...]:
    """Test equal hazards (and their trend) between intervals, within strata, clustered by patient where the unit is the site."""
    parts = [
        _together(
            [intervals(study, place, stratum) for place in range(len(study.labels))], study.question.unit == "site"
        )
        for stratum in study.strata
    ]

    def test(chosen: Sequence[int]) -> Comparison:
        return from_interval_scores([interval_score(part.chosen(chosen), len(chosen)) for part in parts])

    overall = test(range(len(study.labels)))
    found = with_pairs(study.labels, overall, lambda i, j: test((i, j))) if pairs else [overall]
    if trend:
        scores = [interval_score(part, len(study.labels)) for part in parts]
        steady = comparisons.trend(np.sum([s for s, _ in scores], axis=0), np.sum([v for _, v in scores], axis=0))
        found.append(replace(steady, name="interval_trend"))
    return tuple(found)


def _together(groups: Sequence[Intervals], clustered: bool) -> GroupedIntervals:
    patient = np.concatenate([g.patient for g in groups])
    return GroupedIntervals(
        np.concatenate([g.left for g in groups]),
        np.concatenate([g.right for g in groups]),
        np.repeat(np.arange(len(groups)), [len(g.left) for g in groups]),
        np.unique(patient, return_inverse=True)[1] if clustered else None,
    )


def silent() -> None:
    """Tell nobody."""


def fit(
    people: Intervals,
    marks: npt.ArrayLike = (),
    *,
    bootstrap: int = 0,
    seed: int = 1,
    level: float = 0.95,
    ci_type: str = "log-log",
    step: Callable[[], None] = silent,
) -> IntervalFit:
    """Estimate one group, at the marked days too, with limits if `bootstrap` is given; `step` is called after every sample."""
    found = npmle(people.left, people.right)
    time, survival = _steps(found)
    lasting = found.left_days[~np.isfinite(found.right_days)]
    reach = float(lasting.max()) if lasting.size else float("inf")
    asked = np.asarray(marks, dtype=np.float64)
    days = np.concatenate([time, asked])
    bounds = np.stack(found.bounds(days))
    spread = _spread(people, days, bootstrap, seed, step)
    low, high = _limits(bounds, spread, ci_type, level)
    low, high, spread = (np.where(days <= reach, values, NAN) for values in (low, high, spread[1]))
    k = len(time)
    curve = Curve(time, survival, spread[:k], low[:k], high[:k], 1.0, reach)
    at = np.searchsorted(time, found.right_days[np.isfinite(found.right_days)])
    lost = np.full(len(lasting), NAN)
    return IntervalFit(
        found,
        curve,
        Marks(np.array([curve.step(day)[0] for day in asked]), spread[k:], low[k:], high[k:]),
        np.concatenate([low[at], lost]),
        np.concatenate([high[at], lost]),
    )


def _steps(found: Npmle) -> tuple[Floats, Floats]:
    """Give the times of the steps and survival from each on, with the mass at right ends."""
    finite = np.isfinite(found.right_days)
    time, place = np.unique(found.right_days[finite], return_inverse=True)
    drop = np.bincount(place, weights=found.mass[finite], minlength=len(time))
    survival = 1.0 - np.cumsum(drop)
    return time, np.where(survival < ROUNDING, 0.0, survival)


def _limits(bounds: Floats, spread: Floats, ci_type: str, level: float) -> tuple[Floats, Floats]:
    """Give limits about the lowest and the highest curve; where nothing but one of them is certain, that one is its own."""
    lowest, highest = bounds
    low = interval(lowest, spread[0], ci_type, level)[0]
    high = interval(highest, spread[1], ci_type, level)[1]
    known = np.isfinite(spread[0]) & (lowest < highest)
    return np.where(known & (lowest <= 0), 0.0, low), np.where(known & (highest >= 1), 1.0, high)


def _spread(people: Intervals, days: Floats, replicates: int, seed: int, step: Callable[[], None]) -> Floats:
    """Refit on patients drawn with replacement; give the standard errors of the lowest and highest curve on these days."""
    if not replicates or not len(days):
        return np.full((2, len(days)), NAN)
    rng = np.random.default_rng(seed)
    _, code = np.unique(people.patient, return_inverse=True)
    patients = int(code.max()) + 1
    mean, squares = np.zeros((2, len(days))), np.zeros((2, len(days)))
    for k in range(replicates):
        weight = np.bincount(rng.integers(0, patients, patients), minlength=patients)[code].astype(np.float64)
        drawn = weight > 0
        draw = np.stack(npmle(people.left[drawn], people.right[drawn], weights=weight[drawn]).bounds(days))
        from_mean = draw - mean
        mean = mean + from_mean / (k + 1)
        squares += from_mean * (draw - mean)
        step()
    return np.asarray(np.sqrt(squares / (replicates - 1)))
