"""A test between groups whose events are known to lie between two scans, valid when groups are scanned differently.

Conventions. The score test of proportional hazards at equal hazards (Finkelstein 1986). The common hazard is constant
in pieces, about the cube root of the number of events many, each with the same share of the pooled estimate's mass
(Farrington 1996). A free curve will not do here: at its rate of n^(1/3) its errors reach the score wherever groups are
scanned on different days, and the test rejects too often (benchmarks/README.md). The variance is the observed
information for the groups less what estimating the pieces takes from it, I_gg − I_gc I_cc⁻¹ I_cg; no patient is
exchanged for another, so that groups may be scanned at different intervals (a permutation test may not). With clusters
(sites of a patient) it is the sum over clusters of their squared efficient scores. An event of known day lies in
(day − 1, day].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Ints
from .comparisons import Comparison, Score, overall
from .interval_censored import npmle, solve_positive

NAME = "interval_score"
_NOTHING = 1e-10  # a variance below this is rounding: the group says nothing about the hazard
_MOST_STEPS = 200
_LONGEST_STEP = 2.0  # in the logarithm of a hazard
_FLAT = 1e-9  # the slope that counts as none, as a share of n
_EMPTY_PIECE = 1e-8  # events a piece may hold and still count as having none, as a share of n


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
class _Exposure:
    """Days of each observation in each piece: before its left end, and inside its interval (0 where censored)."""

    before: Floats
    inside: Floats
    event: Floats  # 1 where the event was found

    def under(self, hazard: Floats) -> _Risk:
        """Give each observation's cumulative hazards."""
        before, inside = self.before * hazard, self.inside * hazard
        within = inside.sum(axis=1)
        with np.errstate(over="ignore"):
            odds = self.event / np.expm1(np.where(self.event > 0, within, 1.0))
        return _Risk(before, inside, within, odds, self.event)


@dataclass(frozen=True)
class _Risk:
    """Cumulative hazards by piece, and the odds q = 1/(exp(D) − 1) of being clear at right among those clear at left."""

    before: Floats
    inside: Floats
    within: Floats  # D, the sum of `inside`
    odds: Floats
    event: Floats

    @property
    def loglik(self) -> float:
        """Σ −A + log(1 − exp(−D)), the latter where the event was found."""
        found = self.event > 0
        return float(np.log(-np.expm1(-self.within[found])).sum() - self.before.sum())

    @property
    def slope(self) -> Floats:
        """Each observation's derivative by each piece's log hazard."""
        return np.asarray(self.odds[:, None] * self.inside - self.before)

    @property
    def bend(self) -> Floats:
        """Minus the second derivative of log(1 − exp(−D)) by D."""
        return np.asarray(self.odds * (1.0 + self.odds))


def _pieces(data: Intervals, low: Floats) -> Floats:
    """Give the days on which pieces of the common hazard begin."""
    estimate = npmle(low, data.right)
    found = np.isfinite(estimate.right_days)
    number = max(1, int(np.cbrt(np.isfinite(data.right).sum())))
    reached = np.cumsum(estimate.mass[found])
    share = reached[-1] * np.arange(1, number) / number
    ends = estimate.right_days[found]
    starts = np.unique(ends[np.searchsorted(reached, share * (1 - 1e-12))])
    return np.concatenate([[0.0], starts[starts < ends[-1]]])


def _exposure(low: Floats, right: Floats, starts: Floats) -> _Exposure:
    stops = np.append(starts[1:], np.inf)
    event = np.isfinite(right)

    def lived(until: Floats) -> Floats:
        return np.asarray(np.clip(np.minimum(until[:, None], stops) - starts, 0.0, None))

    before = lived(low)
    inside = np.where(event[:, None], lived(np.where(event, right, 0.0)) - before, 0.0)
    return _Exposure(before, inside, event.astype(np.float64))


def _fit(exposure: _Exposure) -> _Risk:
    """Fit the common hazard by Newton's method in its logarithm."""
    n = len(exposure.event)
    days = float(exposure.before.sum() + exposure.inside.sum() / 2)
    log_hazard = np.full(exposure.before.shape[1], np.log(exposure.event.sum() / days))
    risk = exposure.under(np.exp(log_hazard))
    for _ in range(_MOST_STEPS):
        slope = risk.slope.sum(axis=0)
        if np.abs(slope).max() <= _FLAT * n:
            break
        move = np.clip(
            _solve(_curvature(risk) + np.diag(np.maximum(-slope, 0.0)), slope), -_LONGEST_STEP, _LONGEST_STEP
        )
        share, risk_before = 1.0, risk
        while True:
            risk = exposure.under(np.exp(log_hazard + share * move))
            if risk.loglik >= risk_before.loglik or share < 1e-9:
                break
            share /= 2
        log_hazard = log_hazard + share * move
    return risk


def _curvature(risk: _Risk) -> Floats:
    """Give the information for the pieces' log hazards, where their slope is none."""
    return np.asarray(risk.inside.T @ (risk.bend[:, None] * risk.inside))


def _solve(matrix: Floats, target: Floats) -> Floats:
    scale = np.sqrt(np.maximum(np.diag(matrix), np.finfo(np.float64).tiny))
    scale = scale.reshape(-1, *[1] * (target.ndim - 1))
    return solve_positive(matrix / np.outer(scale, scale), target / scale) / scale


def interval_score(data: Intervals, groups: int) -> Score:
    """Give each group's score (positive: more events than expected) and the scores' covariance."""
    nothing = np.zeros(groups), np.zeros((groups, groups))
    if not np.isfinite(data.right).any():
        return nothing
    low = np.where(data.left == data.right, data.left - 1.0, data.left)
    if (low < 0).any():
        raise ValueError("an event of known day lies on day 1 or later")
    risk = _fit(_exposure(low, data.right, _pieces(data, low)))
    own = risk.odds * risk.within - risk.before.sum(axis=1)
    bent = risk.bend * risk.within
    pieces = risk.slope
    # A piece without events has hazard 0: it says nothing and takes nothing.
    used = (risk.odds[:, None] * risk.inside).sum(axis=0) > _EMPTY_PIECE * len(own)
    member = np.eye(groups)[data.group]
    taken = member.T @ (bent[:, None] * risk.inside - pieces)[:, used]
    common = _curvature(risk)[np.ix_(used, used)]
    share = _solve(common, taken.T).T
    score = member.T @ own
    if data.cluster is None:
        return score, np.diag(member.T @ (bent * risk.within - own)) - share @ taken.T
    parts = np.zeros((int(data.cluster.max()) + 1, groups))
    np.add.at(parts, data.cluster, member * own[:, None] - pieces[:, used] @ share.T)
    return score, parts.T @ parts


def interval_test(data: Intervals, groups: int) -> Comparison:
    """Test equal hazards over all groups."""
    return from_interval_scores([interval_score(data, groups)])


def from_interval_scores(strata: Sequence[Score]) -> Comparison:
    """Test equal hazards from the scores of each stratum."""
    score = np.sum([s for s, _ in strata], axis=0)
    covariance = np.sum([v for _, v in strata], axis=0)
    return overall(NAME, score, covariance, np.asarray(np.diag(covariance) > _NOTHING))
