"""Variances that allow for several sites of one patient, by the infinitesimal jackknife.

Conventions. As R's `survfit(..., cluster = patient)`: the derivative of an estimate with respect to each site's weight
is added up within the patient, squared, and summed over patients; no small-sample factor. The robust log-rank score is
`coxph`'s at zero with Breslow's ties. Without clusters these are Greenwood's variance and its like.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sbrt_followup.outcomes.comparisons import Score, weights
from sbrt_followup.outcomes.counts import EVENT, Counts, Floats, Ints, count

_CELLS = 4_000_000  # clusters × times held at once


@dataclass(frozen=True)
class Members:
    """The people (or sites) of one group: days of entry and end, status, and the cluster each belongs to."""

    time: Floats
    status: Ints
    cluster: Ints
    entry: Floats | None = None

    def counts(self) -> Counts:
        """Count them."""
        return count(self.time, self.status, self.entry)


def _by_cluster(members: Members, grid: Floats) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Yield, for some clusters at a time, (at risk, events, competing): clusters × grid."""
    order = np.argsort(members.cluster, kind="stable")
    clusters, first = np.unique(members.cluster[order], return_index=True)
    bounds = np.append(first, len(order))
    width = len(grid) + 1
    step = max(1, _CELLS // width)
    for start in range(0, len(clusters), step):
        stop = min(start + step, len(clusters))
        rows = order[bounds[start] : bounds[stop]]
        code = np.repeat(np.arange(stop - start), np.diff(bounds[start : stop + 1]))
        shape = (stop - start, width)

        def tally(column: Ints, keep: Ints, shape: tuple[int, int] = shape, code: Ints = code) -> Floats:
            flat = np.bincount(code[keep] * shape[1] + column[keep], minlength=shape[0] * shape[1])
            return flat.reshape(shape).astype(np.float64)

        time, status = members.time[rows], members.status[rows]
        everyone = np.arange(len(rows))
        after = np.searchsorted(grid, time, side="right")  # at risk at every grid time before this place
        at = np.minimum(np.searchsorted(grid, time, side="left"), len(grid) - 1)
        leaves = np.cumsum(tally(after, everyone), axis=1)
        if members.entry is None:
            enters = np.bincount(code, minlength=shape[0])[:, None].astype(np.float64)
        else:
            enters = np.cumsum(tally(np.searchsorted(grid, members.entry[rows], side="right"), everyone), axis=1)
        risk = (enters - leaves)[:, :-1]
        events = tally(at, np.flatnonzero(status == EVENT))[:, :-1]
        competing = tally(at, np.flatnonzero(status > EVENT))[:, :-1]
        yield risk, events, competing


def _ratio(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.zeros(np.broadcast(top, bottom).shape), where=bottom > 0)


def survival_variance(members: Members) -> Floats:
    """Give the clustered variance of Kaplan–Meier at each of the group's distinct times."""
    return _curve_variance(members, competing=False)[0]


def incidence_variance(members: Members) -> Floats:
    """Give the clustered variance of the cumulative incidence at each of the group's distinct times."""
    return _curve_variance(members, competing=True)[0]


def area_variance(members: Members, tau: float, *, competing: bool) -> float:
    """Give the clustered variance of the area under survival, or under incidence, up to tau days."""
    return _curve_variance(members, competing=competing, tau=tau)[1]


def _curve_variance(members: Members, *, competing: bool, tau: float = 0.0) -> tuple[Floats, float]:
    counts = members.counts()
    if not counts.n:
        return np.empty(0), 0.0
    n = counts.n_risk.astype(np.float64)
    own = counts.n_event.astype(np.float64)
    d = own + counts.n_competing if competing else own
    free = np.cumprod(1.0 - _ratio(d, n))
    width = np.diff(np.concatenate([np.minimum(counts.time, tau), [tau]])) if tau else np.zeros(len(n))
    before = np.concatenate([[1.0], free[:-1]])
    total, area = np.zeros(len(n)), 0.0
    for risk, events, others in _by_cluster(members, counts.time):
        failing = events + others if competing else events
        moves = -free * np.cumsum(_ratio(failing - risk * _ratio(d, n), n - d), axis=1)
        if competing:
            moves_before = np.hstack([np.zeros((len(moves), 1)), moves[:, :-1]])
            moves = np.cumsum(
                moves_before * _ratio(own, n) + before * _ratio(events - risk * _ratio(own, n), n), axis=1
            )
        total += (moves**2).sum(axis=0)
        area += float(((moves @ width) ** 2).sum())
    return total, area


def logrank_score(strata: Sequence[Sequence[Members]], *, rho: float = 0.0, gamma: float = 0.0) -> Score:
    """Give log-rank scores per group with their covariance clustered by patient, across groups and strata."""
    k = len(strata[0])
    everybody = np.unique(np.concatenate([group.cluster for groups in strata for group in groups]))
    parts = np.zeros((len(everybody), k))
    for groups in strata:
        _add_scores(parts, everybody, groups, rho, gamma)
    return parts.sum(axis=0), parts.T @ parts


def _add_scores(parts: Floats, everybody: Ints, groups: Sequence[Members], rho: float, gamma: float) -> None:
    """Add each patient's part in one stratum's scores: a site's events less what was expected of it."""
    counts = _joined(groups).counts()
    happening = counts.n_event > 0
    grid = counts.time[happening]
    if not grid.size:
        return
    n, d = counts.n_risk[happening].astype(np.float64), counts.n_event[happening].astype(np.float64)
    weight = weights(n, d, rho, gamma)
    share = np.column_stack([group.counts().at_risk(grid) for group in groups]) / n[:, None]
    for place, group in enumerate(groups):
        # A site of this group adds w (1 − share) to its own group's score and −w share to the others'.
        pull = weight[:, None] * (np.eye(len(groups))[place] - share)
        at = np.searchsorted(everybody, group.cluster)
        hit = np.searchsorted(grid, group.time, side="left")
        event = (group.status == EVENT) & (hit < len(grid))
        np.add.at(parts, at[event], pull[hit[event]])
        passed = np.vstack([np.zeros(len(groups)), np.cumsum(pull * (d / n)[:, None], axis=0)])
        exposure = passed[np.searchsorted(grid, group.time, side="right")]
        if group.entry is not None:
            exposure = exposure - passed[np.searchsorted(grid, group.entry, side="right")]
        np.add.at(parts, at, -exposure)


def _joined(groups: Sequence[Members]) -> Members:
    late = any(group.entry is not None for group in groups)
    entry = np.concatenate([np.zeros(len(g.time)) if g.entry is None else g.entry for g in groups]) if late else None
    return Members(
        np.concatenate([g.time for g in groups]),
        np.concatenate([g.status for g in groups]),
        np.concatenate([g.cluster for g in groups]),
        entry,
    )
