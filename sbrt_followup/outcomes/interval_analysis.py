"""A study as intervals (last clear MRI, event], and its groups estimated by nonparametric maximum likelihood.

Conventions. Whoever has no event, dies or is lost is censored at the last clear MRI, on day 0 without one. The curve is
unique only outside the intervals that carry mass: `surv_high` is survival before such an interval, `surv_low` after it.
Read as a step curve the mass lies at the interval's right end, where the event is known to have happened. Intervals of
confidence exist only by bootstrap: patients resampled within their group, percentiles, from a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sbrt_followup.outcomes.comparisons import Comparison, with_pairs
from sbrt_followup.outcomes.counts import COMPETING, EVENT, Counts, Floats, Ints, count
from sbrt_followup.outcomes.endpoints import AT_DISTANT, Study
from sbrt_followup.outcomes.interval_censored import Npmle, npmle
from sbrt_followup.outcomes.interval_comparison import Intervals as GroupedIntervals
from sbrt_followup.outcomes.interval_comparison import from_interval_scores, interval_score
from sbrt_followup.outcomes.survival import Curve
from sbrt_followup.problems import refuse

NAN = float("nan")
ROUNDING = 1e-12  # what is left of a sum of masses that make one
ENDPOINTS = ("progression", "local_progression")


@dataclass(frozen=True)
class IntervalFit:
    """One group's fit, and the limits of survival after each interval by bootstrap (NaN without)."""

    npmle: Npmle
    ci_low: Floats
    ci_high: Floats

    def bounds(self, when: float) -> tuple[float, float]:
        """Give the lowest and highest survival at a time that the likelihood allows."""
        low, high = self.npmle.bounds(when)
        return float(low), float(high)


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
        raise refuse("turnbull", "--estimator turnbull does not go with --landmark or --entry")


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


def compare(study: Study, *, pairs: bool) -> tuple[Comparison, ...]:
    """Test equal hazards between intervals, within strata and clustered by patient where the unit is the site."""
    parts = [
        _together(
            [intervals(study, place, stratum) for place in range(len(study.labels))], study.question.unit == "site"
        )
        for stratum in study.strata
    ]

    def test(chosen: Sequence[int]) -> Comparison:
        return from_interval_scores([interval_score(part.chosen(chosen), len(chosen)) for part in parts])

    overall = test(range(len(study.labels)))
    if not pairs:
        return (overall,)
    return tuple(with_pairs(study.labels, overall, lambda i, j: test((i, j))))


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
    *,
    bootstrap: int = 0,
    seed: int = 1,
    level: float = 0.95,
    step: Callable[[], None] = silent,
) -> tuple[IntervalFit, Curve]:
    """Estimate one group, with limits if `bootstrap` is given; `step` is called after every sample."""
    found = npmle(people.left, people.right)
    finite = np.isfinite(found.right_days)
    time, survival = _steps(found)
    draws = _bootstrap(people, time, bootstrap, seed, step)
    tail = (1 - level) / 2
    if len(draws):
        low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
        spread = draws.std(axis=0, ddof=1)
    else:
        low, high, spread = (np.full(len(time), NAN) for _ in range(3))
    lasting = found.left_days[~finite]
    reach = float(lasting.max()) if lasting.size else float("inf")
    curve = Curve(time, survival, spread, low, high, 1.0, reach)
    at = np.searchsorted(time, found.right_days[finite])
    limits = [np.concatenate([limit[at], np.full(int((~finite).sum()), NAN)]) for limit in (low, high)]
    return IntervalFit(found, *limits), curve


def _steps(found: Npmle) -> tuple[Floats, Floats]:
    """Give the times of the steps and survival from each on, with the mass at right ends."""
    finite = np.isfinite(found.right_days)
    time, place = np.unique(found.right_days[finite], return_inverse=True)
    drop = np.bincount(place, weights=found.mass[finite], minlength=len(time))
    survival = 1.0 - np.cumsum(drop)
    return time, np.where(survival < ROUNDING, 0.0, survival)


def _bootstrap(people: Intervals, time: Floats, replicates: int, seed: int, step: Callable[[], None]) -> Floats:
    """Refit on patients drawn with replacement; give survival at the steps, one row per replicate."""
    if not replicates or not len(time):
        return np.empty((0, len(time)))
    rng = np.random.default_rng(seed)
    _, code = np.unique(people.patient, return_inverse=True)
    patients = int(code.max()) + 1
    draws = np.empty((replicates, len(time)))
    for k in range(replicates):
        weight = np.bincount(rng.integers(0, patients, patients), minlength=patients)[code].astype(np.float64)
        drawn = weight > 0
        when, survival = _steps(npmle(people.left[drawn], people.right[drawn], weights=weight[drawn]))
        at = np.searchsorted(when, time, side="right")
        draws[k] = np.concatenate([[1.0], survival])[at]
        step()
    return draws
