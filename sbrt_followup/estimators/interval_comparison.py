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
from .interval_censored import npmle
from .piecewise import curvature, exposed, fit, scaled_solve

NAME = "interval_score"
_NOTHING = 1e-10  # a variance below this is rounding: the group says nothing about the hazard
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


def interval_score(data: Intervals, groups: int) -> Score:
    """Give each group's score (positive: more events than expected) and the scores' covariance."""
    nothing = np.zeros(groups), np.zeros((groups, groups))
    if not np.isfinite(data.right).any():
        return nothing
    low = np.where(data.left == data.right, data.left - 1.0, data.left)
    if (low < 0).any():
        raise ValueError("an event of known day lies on day 1 or later")
    risk = fit(exposed(low, data.right, _pieces(data, low)))
    own = risk.odds * risk.within - risk.before.sum(axis=1)
    bent = risk.bend * risk.within
    pieces = risk.slope
    # A piece without events has hazard 0: it says nothing and takes nothing.
    used = (risk.odds[:, None] * risk.inside).sum(axis=0) > _EMPTY_PIECE * len(own)
    member = np.eye(groups)[data.group]
    taken = member.T @ (bent[:, None] * risk.inside - pieces)[:, used]
    common = curvature(risk)[np.ix_(used, used)]
    share = scaled_solve(common, taken.T).T
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
