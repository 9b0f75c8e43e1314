"""Variances that allow for several sites of one patient, by the infinitesimal jackknife.

Conventions. As R's `survfit(..., cluster = patient)`: the derivative of an estimate with respect to each site's weight
is added up within the patient, squared, and summed over patients; no small-sample factor. The robust log-rank score is
`coxph`'s at zero with Breslow's ties. Without clusters these are Greenwood's variance and its like.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Floats, Ints
from .comparisons import Score, weights
from .counts import CENSORED, COMPETING, EVENT, Counts, count

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


def swap(members: Members) -> Members:
    """Exchange the endpoint's own event and the competing one."""
    other = np.array([CENSORED, COMPETING, EVENT])[members.status]
    return replace(members, status=other)


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
        np.add.at(parts, at, -_lived(pull * (d / n)[:, None], grid, group))


def gray_score(strata: Sequence[Sequence[Members]]) -> Score:
    """Give Gray's scores per group with their covariance clustered by patient; NaN where a curve ends and people enter after."""
    k = len(strata[0])
    everybody = np.unique(np.concatenate([group.cluster for groups in strata for group in groups]))
    parts = np.zeros((len(everybody), k))
    for groups in strata:
        _add_gray_scores(parts, everybody, groups)
    return parts.sum(axis=0), parts.T @ parts


@dataclass(frozen=True)
class _Course:
    """One group at the stratum's event times: at risk, failing of either kind, S and F before each time."""

    n: Floats
    own: Floats
    d: Floats
    free: Floats
    incidence: Floats

    @property
    def level(self) -> Floats:
        """(1 − F)/S before each time, by which the risk set of the subdistribution exceeds n; NaN where S has ended too early."""
        ended = np.where(self.n > 0, np.nan, 0.0)
        return np.divide(1.0 - self.incidence, self.free, out=ended, where=self.free > 0)


def _course(group: Members, grid: Floats) -> _Course:
    n, own, competing = (column.astype(np.float64) for column in group.counts().at(grid))
    free = np.concatenate([[1.0], np.cumprod(1.0 - _ratio(own + competing, n))])[:-1]
    incidence = np.concatenate([[0.0], np.cumsum(free * _ratio(own, n))])[:-1]
    return _Course(n, own, own + competing, free, incidence)


def _add_gray_scores(parts: Floats, everybody: Ints, groups: Sequence[Members]) -> None:
    """Add each patient's part in one stratum's scores: the derivative of Gray's score by the patient's weight.

    Gray's score of group i is Σ d₁ᵢ − γ Rᵢ with Rᵢ = nᵢ (1 − Fᵢ)/Sᵢ before each time and γ = Σ d₁ / Σ R. A site of group g
    with counting process N and at-risk process Y moves it by Σ (1[i = g] − Rᵢ/R) (dN₁ − γ ∂R_g), and R_g through its own
    Y, through S_g and through F_g, both of which hold (dN − Y d/n) at earlier times.
    """
    counts = _joined(groups).counts()
    grid = counts.time[counts.n_event + counts.n_competing > 0]
    if not grid.size:
        return
    courses = [_course(group, grid) for group in groups]
    risk = np.column_stack([c.n * c.level for c in courses])
    everyone = risk.sum(axis=1)
    hazard = _ratio(np.sum([c.own for c in courses], axis=0), everyone)
    share = _ratio(risk, everyone[:, None])
    for place, (group, c) in enumerate(zip(groups, courses, strict=True)):
        pull = np.eye(len(groups))[place] - share
        paid = pull * hazard[:, None]
        # What a change of log S, and of F, before each later time does to the score.
        by_free = _after(paid * (c.n * c.level)[:, None])
        by_incidence = _after(paid * _ratio(c.n, c.free)[:, None])
        by_free = by_free + _after(by_incidence * (c.free * _ratio(c.own, c.n))[:, None])
        left = c.n - c.d
        own_event = pull + by_incidence * _ratio(c.free, c.n)[:, None]
        any_event = -by_free * _ratio(np.ones(len(grid)), left)[:, None]
        at_risk = (
            -paid * c.level[:, None]
            - by_incidence * (c.free * _ratio(c.own, c.n**2))[:, None]
            + by_free * _ratio(c.d, c.n * left)[:, None]
        )
        who = np.searchsorted(everybody, group.cluster)
        hit = np.minimum(np.searchsorted(grid, group.time, side="left"), len(grid) - 1)
        np.add.at(parts, who, own_event[hit] * (group.status == EVENT)[:, None])
        np.add.at(parts, who, any_event[hit] * (group.status >= EVENT)[:, None])
        np.add.at(parts, who, _lived(at_risk, grid, group))


def _after(column: Floats) -> Floats:
    """Give the sum over later times at each time."""
    return np.asarray(np.cumsum(column[::-1], axis=0)[::-1] - column)


def _lived(column: Floats, grid: Floats, group: Members) -> Floats:
    """Give each member the sum over the times at which it was at risk."""
    passed = np.vstack([np.zeros(column.shape[1]), np.cumsum(column, axis=0)])
    total = passed[np.searchsorted(grid, group.time, side="right")]
    if group.entry is not None:
        total = total - passed[np.searchsorted(grid, group.entry, side="right")]
    return np.asarray(total)


def _joined(groups: Sequence[Members]) -> Members:
    late = any(group.entry is not None for group in groups)
    entry = np.concatenate([np.zeros(len(g.time)) if g.entry is None else g.entry for g in groups]) if late else None
    return Members(
        np.concatenate([g.time for g in groups]),
        np.concatenate([g.status for g in groups]),
        np.concatenate([g.cluster for g in groups]),
        entry,
    )
