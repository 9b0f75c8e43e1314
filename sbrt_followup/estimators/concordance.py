"""Concordance of a score with the order of events, cut off at a horizon; ties of the score count half.

Conventions. Both events come before censorings at a shared time, so that whoever is censored at t outlives an event at t;
two events at one time are no pair.
`wolbers`: with the competing event (Wolbers, Blanche, Koller, Witteman & Gerds 2014), as R's `pec::cindex`: a case i by
the horizon is compared with those still there after T_i, weight 1/(G(T_i−) G(T_i)), and with those who had the competing
event by T_i, weight 1/(G(T_i−) G(T_j−)).
`harrell`, `uno`: cause-specific, the competing event censors, as R's `survival::concordance` with `ymax`, weights n and
n/G²: G the Kaplan–Meier of all that censors, just before the event.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Floats, Ints
from .accuracy import censoring
from .counts import CENSORED, COMPETING, EVENT


def wolbers(time: Floats, status: Ints, score: Floats, horizon: float) -> float:
    """Give the share of concordant pairs with death competing; NaN without a pair."""
    lost = censoring(time, status == CENSORED)
    rank = _ranks(score)
    cases = np.flatnonzero((status == EVENT) & (time <= horizon))
    own = _inverse(lost.before)[lost.place]
    still = _inverse(lost.free)[lost.place]
    order = 2 * lost.place + (status == CENSORED)
    later = _Suffixes(order, rank, np.ones(len(time)))
    lower, equal, total = later.below(order[cases] + 1, rank[cases])
    rival = np.flatnonzero(status == COMPETING)
    # Those who died by T_i: times turned about, so that earlier is behind.
    earlier = _Suffixes(-lost.place[rival], rank[rival], own[rival])
    died_lower, died_equal, died = earlier.below(-lost.place[cases], rank[cases])
    weight = own[cases]
    there = still[cases]
    concordant = weight * (there * (lower + 0.5 * equal) + died_lower + 0.5 * died_equal)
    return _share(concordant, weight * (there * total + died))


def harrell(time: Floats, status: Ints, score: Floats, horizon: float) -> float:
    """Give Harrell's C for the event alone."""
    return _cause_specific(time, status, score, horizon, np.ones(len(time)))


def uno(time: Floats, status: Ints, score: Floats, horizon: float) -> float:
    """Give Uno's C for the event alone."""
    lost = censoring(time, status != EVENT)
    return _cause_specific(time, status, score, horizon, (_inverse(lost.before) ** 2)[lost.place])


def _cause_specific(time: Floats, status: Ints, score: Floats, horizon: float, weight: Floats) -> float:
    _, place = np.unique(time, return_inverse=True)
    rank = _ranks(score)
    order = 2 * place + (status != EVENT)
    cases = np.flatnonzero((status == EVENT) & (time <= horizon))
    lower, equal, total = _Suffixes(order, rank, np.ones(len(time))).below(order[cases] + 1, rank[cases])
    return _share(weight[cases] * (lower + 0.5 * equal), weight[cases] * total)


def _share(part: Floats, whole: Floats) -> float:
    total = float(whole.sum())
    return float(part.sum()) / total if total > 0 else float("nan")


def _ranks(score: Floats) -> Ints:
    return np.asarray(np.unique(score, return_inverse=True)[1], dtype=np.int64)


def _inverse(free: Floats) -> Floats:
    return np.divide(1.0, free, out=np.zeros(len(free)), where=free > 0)


class _Suffixes:
    """Sums of weights by (order, rank): whatever lies from an order on, below a rank or of it.

    A wavelet matrix (Claude, Navarro & Ordóñez 2015): one pass per bit of the rank, all queries at once; n log n.
    """

    def __init__(self, order: Ints, rank: Ints, weight: Floats) -> None:
        sorting = np.argsort(order, kind="stable")
        self.order, rank, weight = order[sorting], rank[sorting], weight[sorting]
        self.n = len(rank)
        self.sums = _summed(weight)
        self.levels: list[tuple[int, Ints, Floats]] = []  # a bit; zeros before each place; their weight
        for bit in reversed(range(int(rank.max(initial=0)).bit_length())):
            zero = (rank >> bit) & 1 == 0
            self.levels.append((bit, np.concatenate([[0], np.cumsum(zero)]), _summed(np.where(zero, weight, 0.0))))
            parted = np.argsort(~zero, kind="stable")
            rank, weight = rank[parted], weight[parted]
        self.last = _summed(weight)

    def below(self, order: Ints, rank: Ints) -> tuple[Floats, Floats, Floats]:
        """Give, for each query, the weight of lower ranks, of the same rank, and of all from that order on."""
        low = np.searchsorted(self.order, order, side="left")
        high = np.full(len(low), self.n)
        total = self.sums[high] - self.sums[low]
        lower = np.zeros(len(low))
        reachable = rank >> max((bit for bit, _, _ in self.levels), default=-1) + 1 == 0
        for bit, zeros, weight in self.levels:
            one = (rank >> bit) & 1 == 1
            lower += np.where(one, weight[high] - weight[low], 0.0)
            first_one = zeros[-1]
            low, high = (np.where(one, first_one + at - zeros[at], zeros[at]) for at in (low, high))
        equal = self.last[high] - self.last[low]
        return np.where(reachable, lower, total), np.where(reachable, equal, 0.0), total


def _summed(values: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(values)])
