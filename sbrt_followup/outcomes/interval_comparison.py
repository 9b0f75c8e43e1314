"""A test between groups whose events are known to lie between two scans, valid when groups are scanned differently.

Conventions. The score test of proportional hazards at equal hazards (Finkelstein 1986), with the pooled estimate of
`interval_censored` as the common curve. Its variance is the observed information for the groups less what estimating
the curve takes from it, (I_gg − I_gc I_cc⁻¹ I_cg), the curve being its values between the intervals that hold mass; no
patient is exchanged for another, so that groups may be scanned at different intervals (a permutation test may not).
With clusters (sites of a patient) the variance is the sum over clusters of their squared efficient scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sbrt_followup.outcomes.comparisons import Comparison, Score, overall
from sbrt_followup.outcomes.counts import Floats, Ints
from sbrt_followup.outcomes.interval_censored import fit, innermost, solve_positive

NAME = "interval_score"
_NOTHING = 1e-10  # a variance below this is rounding: the group says nothing about the hazard


@dataclass(frozen=True)
class Intervals:
    """Observations (left, right] with the place of each one's group, and the cluster each belongs to, if any."""

    left: Floats
    right: Floats
    group: Ints
    cluster: Ints | None = None

    def chosen(self, groups: Sequence[int]) -> Intervals:
        """Keep some groups, renumbered in the order given."""
        place = np.full(max(int(self.group.max(initial=-1)), *groups) + 1, -1, dtype=np.int64)
        place[list(groups)] = np.arange(len(groups))
        kept = place[self.group] >= 0
        cluster = None if self.cluster is None else self.cluster[kept]
        return Intervals(self.left[kept], self.right[kept], place[self.group[kept]], cluster)


@dataclass(frozen=True)
class _Terms:
    """Each observation's derivatives at equal hazards; a knot is the curve's value after a mass, -1 where fixed."""

    score: Floats  # by the log hazard ratio
    curvature: Floats  # minus the second derivative by it
    knots: Ints  # observations × (left, right)
    slope: Floats  # by the knots
    mixed: Floats  # minus the derivative by a knot and the log hazard ratio
    number_of_knots: int


def _terms(left: Floats, right: Floats) -> _Terms:
    runs = innermost(left, right)
    estimate = fit(runs)
    first = np.searchsorted(estimate.place, runs.first)[runs.of_observation]
    last = np.searchsorted(estimate.place, runs.last, side="right")[runs.of_observation]
    ladder = np.concatenate([estimate.surv_high, [0.0]])
    high, low = ladder[first], ladder[last]
    log_high, log_low = np.log(high), np.log(np.where(low > 0, low, 1.0))
    probability = high - low
    score = (high * log_high - low * log_low) / probability
    second = (high * (log_high + log_high**2) - low * (log_low + log_low**2)) / probability - score**2
    size = len(ladder) - 2
    knots = np.column_stack([first - 1, np.where(last > size, -1, last - 1)])
    slope = np.column_stack([1.0 / probability, -1.0 / probability])
    slope[knots < 0] = 0.0
    mixed = (score[:, None] - 1.0 - np.column_stack([log_high, log_low])) * slope
    return _Terms(score, -second, knots, slope, mixed, size)


def interval_score(data: Intervals, groups: int) -> Score:
    """Give each group's score (positive: more events than expected) and the scores' covariance."""
    covariance = np.zeros((groups, groups))
    if not len(data.left):
        return np.zeros(groups), covariance
    terms = _terms(data.left, data.right)
    score: Floats = np.bincount(data.group, terms.score, groups).astype(np.float64)
    k = terms.number_of_knots
    common, taken = np.zeros((k, k)), np.zeros((groups, k))
    for side in range(2):
        used = terms.knots[:, side] >= 0
        np.add.at(taken, (data.group[used], terms.knots[used, side]), terms.mixed[used, side])
        for other in range(2):
            both = used & (terms.knots[:, other] >= 0)
            value = terms.slope[both, side] * terms.slope[both, other]
            np.add.at(common, (terms.knots[both, side], terms.knots[both, other]), value)
    share = solve_positive(common, taken.T).T if k else taken
    if data.cluster is None:
        return score, np.diag(np.bincount(data.group, terms.curvature, groups)) - share @ taken.T
    parts = np.zeros((int(data.cluster.max()) + 1, groups))
    np.add.at(parts, (data.cluster, data.group), terms.score)
    for side in range(2):
        used = terms.knots[:, side] >= 0
        np.add.at(parts, data.cluster[used], -terms.slope[used, side, None] * share.T[terms.knots[used, side]])
    return score, parts.T @ parts


def interval_test(data: Intervals, groups: int) -> Comparison:
    """Test equal hazards over all groups."""
    return from_interval_scores([interval_score(data, groups)])


def from_interval_scores(strata: Sequence[Score]) -> Comparison:
    """Test equal hazards from the scores of each stratum."""
    score, covariance = sum(s for s, _ in strata), sum(v for _, v in strata)
    return overall(NAME, np.asarray(score), np.asarray(covariance), np.asarray(np.diag(covariance) > _NOTHING))
