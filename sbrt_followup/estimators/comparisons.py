"""Tests between groups on counts: log-rank family, trend, Gray's test, every pair with Holm.

Conventions. Log-rank as R's `survdiff`: hypergeometric variance, summed over strata; Fleming–Harrington weights
S(t−)^rho (1 − S(t−))^gamma with the pooled Kaplan–Meier of the stratum. Trend: the same scores weighted by the order of
the groups, one degree of freedom. Gray's test as `cmprsk::cuminc` (rho = 0). A test that cannot be computed has NaN.
`Strata` is a sequence of strata, each a sequence of one `Counts` per group in the same order of groups.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from ..arrays import Floats
from .confidence import chi_squared_p, holm, quadratic
from .counts import Counts, pool
from .incidence import swap
from .survival import product_limit

Strata = Sequence[Sequence[Counts]]
Score = tuple[Floats, Floats]  # one score per group and their covariance
NAN = float("nan")


@dataclass(frozen=True)
class Comparison:
    """A test's result; `groups` is None for the overall test."""

    name: str
    groups: tuple[str, str] | None
    statistic: float
    df: int
    p_value: float
    p_adjusted: float = NAN


@dataclass(frozen=True)
class _Pooled:
    """The stratum's event times with each group's numbers there: times × groups."""

    time: Floats
    n: Floats
    d: Floats
    competing: Floats


def _pooled(groups: Sequence[Counts], *, any_event: bool = False) -> _Pooled:
    everybody = pool(groups)
    happening = everybody.n_event + (everybody.n_competing if any_event else 0)
    time = everybody.time[happening > 0]
    columns = [group.at(time) for group in groups]
    n, d, competing = (np.column_stack([c[k] for c in columns]).astype(np.float64) for k in range(3))
    return _Pooled(time, n, d, competing)


def weights(n: Floats, d: Floats, rho: float, gamma: float) -> Floats:
    """Give Fleming–Harrington weights at pooled event times from pooled numbers at risk and failing."""
    survival, _ = product_limit(n, d)
    before = np.concatenate([[1.0], survival[:-1]])
    weight: Floats = before**rho * (1.0 - before) ** gamma
    return weight


def logrank_score(strata: Strata, *, rho: float = 0.0, gamma: float = 0.0) -> Score:
    """Give observed minus expected per group, and its covariance, summed over strata."""
    k = len(strata[0])
    score, covariance = np.zeros(k), np.zeros((k, k))
    for groups in strata:
        table = _pooled(groups)
        if not table.time.size:
            continue
        n, d = table.n.sum(axis=1), table.d.sum(axis=1)
        weight = weights(n, d, rho, gamma)
        share = table.n / n[:, None]
        score += weight @ (table.d - share * d[:, None])
        ties = np.divide(n - d, n - 1.0, out=np.zeros_like(n), where=n > 1)
        scale = weight**2 * d * ties
        covariance += np.diag(scale @ share) - (share * scale[:, None]).T @ share
    return score, covariance


def _expected_somewhere(strata: Strata) -> Floats:
    """Tell which groups have anybody at risk at an event time; the others take no part in a log-rank test."""
    exposed = np.zeros(len(strata[0]), dtype=bool)
    for groups in strata:
        table = _pooled(groups)
        if table.time.size:
            exposed |= table.n.sum(axis=0) > 0
    return exposed


def logrank(strata: Strata, *, rho: float = 0.0, gamma: float = 0.0) -> Comparison:
    """Test equal hazards of the endpoint's own event over all groups."""
    score, covariance = logrank_score(strata, rho=rho, gamma=gamma)
    return overall("logrank", score, covariance, _expected_somewhere(strata))


def overall(name: str, score: Floats, covariance: Floats, takes_part: Floats) -> Comparison:
    """Make the overall test of scores and their covariance over the groups that take part."""
    used = np.flatnonzero(takes_part)[1:]  # one group is implied by the others
    statistic, df = quadratic(score[used], covariance[np.ix_(used, used)])
    return Comparison(name, None, statistic, df, chi_squared_p(statistic, df))


def from_score(name: str, score: Floats, covariance: Floats, strata: Strata) -> Comparison:
    """Make the overall test of a score whose covariance came from elsewhere (clustered data)."""
    return overall(name, score, covariance, _expected_somewhere(strata))


def trend(score: Floats, covariance: Floats, order: Floats | None = None) -> Comparison:
    """Test for a trend over groups in their order (1, 2, 3 … unless given) from log-rank scores."""
    steps = np.arange(1.0, len(score) + 1) if order is None else order
    variance = float(steps @ covariance @ steps)
    statistic = float(steps @ score) ** 2 / variance if variance > 1e-12 else NAN
    df = 1 if np.isfinite(statistic) else 0
    return Comparison("logrank_trend", None, statistic, df, chi_squared_p(statistic, df))


def gray_score(strata: Strata) -> Score:
    """Give Gray's scores for all groups but the last, and their covariance (Gray 1988, with cmprsk's ties)."""
    k = len(strata[0])
    score, covariance = np.zeros(k - 1), np.zeros((k - 1, k - 1))
    for groups in strata:
        table = _pooled(groups, any_event=True)
        if table.time.size:
            one, two = _gray_stratum(table)
            score, covariance = score + one, covariance + two
    return score, covariance


def _gray_stratum(table: _Pooled) -> Score:
    n, d1, d2 = table.n, table.d, table.competing
    some = n > 0
    # Each group's own event-free curve and incidence, before (minus) and after each time.
    leaving = np.divide(d1 + d2, n, out=np.zeros_like(n), where=some)
    free = np.cumprod(1.0 - leaving, axis=0)
    free_minus = np.vstack([np.ones(n.shape[1]), free[:-1]])
    jump = np.divide(free_minus * d1, n, out=np.zeros_like(n), where=some)
    incidence_minus = np.cumsum(jump, axis=0) - jump
    # h: the risk set each group would have without censoring, up to a constant; r: with the competing dead still in it.
    h = np.divide(n, free_minus, out=np.zeros_like(n), where=some)
    r = h * (1.0 - incidence_minus)
    h_all, r_all = h.sum(axis=1), r.sum(axis=1)
    total = d1.sum(axis=1)
    pooled = np.cumsum(total / h_all)
    pooled_minus = np.concatenate([[0.0], pooled[:-1]])
    score = (d1 - (total / r_all)[:, None] * r).sum(axis=0)
    # a: the weight of group k's martingale in group i's score; c: its integral, by which F in group k enters.
    share = h / h_all[:, None]
    a = h[:, :, None] * (np.eye(n.shape[1])[None] - share[:, None, :])
    c = np.cumsum(a * (total / (h_all * (1.0 - pooled_minus)))[:, None, None], axis=0)
    still = c[-1] - c
    survivors = np.divide((1.0 - pooled)[:, None], free, out=np.zeros_like(free), where=free > 0)
    own = np.where(free > 0, 1.0 - survivors, 1.0)
    tied = np.where(total > 1, total - 1.0, 0.0)[:, None]
    rest = h_all[:, None] * free_minus - 1.0
    ties1 = 1.0 - np.divide(tied, rest, out=np.zeros_like(rest), where=(tied > 0) & (rest != 0))
    v1 = np.divide(ties1 * free_minus * total[:, None], h_all[:, None] * n, out=np.zeros_like(n), where=some)
    ties2 = 1.0 - np.divide(d2 - 1.0, n - 1.0, out=np.zeros_like(n), where=(d2 > 1) & (n > 1))
    v2 = np.divide(ties2 * free_minus**2 * d2, n**2, out=np.zeros_like(n), where=some & (free > 0))
    x1 = a + own[:, None, :] * still
    x2 = survivors[:, None, :] * still
    covariance = np.einsum("tik,tjk,tk->ij", x1, x1, v1) + np.einsum("tik,tjk,tk->ij", x2, x2, v2)
    return score[:-1], covariance[:-1, :-1]


def gray(strata: Strata, *, name: str = "gray") -> Comparison:
    """Test equal cumulative incidence of the endpoint's own event over all groups."""
    present = [i for i in range(len(strata[0])) if any(groups[i].n for groups in strata)]
    kept = [[groups[i] for i in present] for groups in strata]
    if len(present) < 2:
        return Comparison(name, None, NAN, 0, NAN)
    statistic, df = quadratic(*gray_score(kept))
    return Comparison(name, None, statistic, df, chi_squared_p(statistic, df))


def gray_from_score(score: Floats, covariance: Floats) -> Comparison:
    """Make Gray's overall test of scores of all groups whose covariance came from elsewhere (clustered data)."""
    statistic, df = quadratic(score[:-1], covariance[:-1, :-1])
    return Comparison("gray", None, statistic, df, chi_squared_p(statistic, df))


def gray_competing(strata: Strata) -> Comparison:
    """Test equal cumulative incidence of the competing event over all groups."""
    return gray([[swap(counts) for counts in groups] for groups in strata], name="gray_competing")


def with_pairs(labels: Sequence[str], overall: Comparison, pair: Callable[[int, int], Comparison]) -> list[Comparison]:
    """Give the overall test, and from three groups on every pair with Holm's adjustment."""
    if len(labels) < 3:
        return [overall]
    places = list(combinations(range(len(labels)), 2))
    pairs = [replace(pair(i, j), name=overall.name, groups=(labels[i], labels[j])) for i, j in places]
    adjusted = holm([p.p_value for p in pairs])
    return [overall, *(replace(p, p_adjusted=float(a)) for p, a in zip(pairs, adjusted, strict=True))]


def choose(strata: Strata, *groups: int) -> Strata:
    """Keep some groups of every stratum."""
    return [[stratum[i] for i in groups] for stratum in strata]
