"""How well a risk foretells: AUC and Brier score at a horizon, with a competing event, censoring and ties.

Conventions. Status is 0 censored, 1 the event, 2 the competing event. Cases have the event by the horizon t; everybody
else is a control, the competing included (definition 2 of Blanche, Dartigues & Jacqmin-Gadda 2013). Inverse probability of
censoring weights: G is the Kaplan–Meier of censoring, where at a shared time both events come before censorings;
who fails at T ≤ t weighs 1/G(T−), who is followed beyond t weighs 1/G(t), who is censored before weighs nothing.
Ties of the score count half. Standard errors come from the influence functions, the estimated G included, with the factor
n/(n − 1): those of R's `riskRegression::Score` (Ozenne and others 2017); rows of one cluster are added up before squaring.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays import Flags, Floats, Ints
from .counts import CENSORED, COMPETING, EVENT


@dataclass(frozen=True)
class Censoring:
    """The Kaplan–Meier of censoring over the distinct times, ascending."""

    time: Floats
    place: Ints  # of each row's time in `time`
    censored: Flags  # of each row
    at_risk: Floats  # of censoring at each time: events have gone
    hazard: Floats
    free: Floats  # G(u)
    before: Floats  # G(u−)

    def at(self, day: float) -> float:
        """Give G at a day."""
        k = int(np.searchsorted(self.time, day, side="right")) - 1
        return float(self.free[k]) if k >= 0 else 1.0


def censoring(time: Floats, censored: Flags) -> Censoring:
    """Estimate the distribution of censoring; whoever fails at a time is not at risk of censoring at it."""
    distinct, place = np.unique(time, return_inverse=True)
    size = len(distinct)
    everyone = np.bincount(place, minlength=size)
    lost = np.bincount(place[censored], minlength=size)
    staying = np.cumsum(everyone[::-1])[::-1] - (everyone - lost)
    hazard = np.divide(lost, staying, out=np.zeros(size), where=staying > 0)
    free: Floats = np.asarray(np.cumprod(1.0 - hazard), dtype=np.float64)
    before = np.concatenate([[1.0], free[:-1]])
    return Censoring(distinct, place, censored, np.maximum(staying, 1).astype(np.float64), hazard, free, before)


@dataclass(frozen=True)
class Weighted:
    """Who is a case and who a control at one horizon, each with the weight 1/G."""

    horizon: float
    censoring: Censoring
    case: Floats
    control: Floats
    later: Flags  # followed beyond the horizon

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.case)


def weigh(time: Floats, status: Ints, horizon: float, known: Censoring | None = None) -> Weighted:
    """Weigh everybody at one horizon (days); `known` saves estimating the censoring anew."""
    lost = censoring(time, status == CENSORED) if known is None else known
    inside = time <= horizon
    own = np.divide(1.0, lost.before, out=np.zeros(len(lost.before)), where=lost.before > 0)[lost.place]
    at_end = lost.at(horizon)
    beyond = 1.0 / at_end if at_end > 0 else 0.0
    case = np.where(inside & (status == EVENT), own, 0.0)
    control = np.where(inside & (status == COMPETING), own, 0.0) + np.where(inside, 0.0, beyond)
    return Weighted(horizon, lost, case, control, np.asarray(~inside, dtype=bool))


@dataclass(frozen=True)
class Measure:
    """An estimate and each row's influence on it."""

    estimate: float
    influence: Floats

    def std_error(self, cluster: npt.ArrayLike | None = None) -> float:
        """Give the standard error; rows of one cluster belong together."""
        return std_error(self.influence, cluster)


def std_error(influence: Floats, cluster: npt.ArrayLike | None = None) -> float:
    """Turn influences (of a mean over rows) into a standard error, with the factor m/(m − 1) for m clusters."""
    n = len(influence)
    parts: Floats = influence
    if cluster is not None:
        _, code = np.unique(np.asarray(cluster), return_inverse=True)
        parts = np.asarray(np.bincount(code, weights=influence), dtype=np.float64)
    m = len(parts)
    if m < 2 or not np.isfinite(parts).all():
        return float("nan")
    return float(np.sqrt((parts**2).sum() * m / (m - 1)) / n)


def auc(people: Weighted, score: Floats) -> Measure:
    """Give the area under the ROC curve at the horizon; NaN without a case or without a control."""
    _, rank = np.unique(score, return_inverse=True)
    cases, controls = np.bincount(rank, people.case), np.bincount(rank, people.control)
    all_cases, all_controls = cases.sum(), controls.sum()
    pairs = all_cases * all_controls
    if not pairs > 0:
        return Measure(float("nan"), np.full(people.n, np.nan))
    below = np.cumsum(controls) - 0.5 * controls
    above = all_cases - np.cumsum(cases) + 0.5 * cases
    estimate = float((cases * below).sum() / pairs)
    as_case = people.case * (below[rank] - estimate * all_controls)
    as_control = people.control * (above[rank] - estimate * all_cases)
    per_pair = people.n / pairs
    return Measure(
        estimate, (as_case + as_control) * per_pair + _through_censoring(people, as_case + as_control, per_pair)
    )


def brier(people: Weighted, risk: Floats) -> Measure:
    """Give the Brier score of risks (shares) at the horizon."""
    parts = people.case * (1.0 - risk) ** 2 + people.control * risk**2
    estimate = float(parts.mean())
    return Measure(estimate, parts - estimate + _through_censoring(people, parts, 1.0))


def _through_censoring(people: Weighted, load: Floats, scale: float) -> Floats:
    """Give each row's influence through the estimated G: Σ of what later rows carry × the martingale of censoring.

    With M_k the censoring martingale of row k and Y(u) those at risk of censoring, a row that carries the load A with
    weight 1/G(T−) is moved by A ∫_{u < T} dM_k / Y.
    """
    lost = people.censoring
    carried = np.bincount(lost.place, weights=np.where(people.later, 0.0, load), minlength=len(lost.time))
    after = carried.sum() - np.cumsum(carried) + load[people.later].sum()
    per_jump = np.where(lost.time <= people.horizon, after, 0.0) / lost.at_risk * scale
    drift = per_jump * lost.hazard
    so_far = np.cumsum(drift)
    expected = np.where(lost.censored, so_far[lost.place], so_far[lost.place] - drift[lost.place])
    return np.asarray(np.where(lost.censored, per_jump[lost.place], 0.0) - expected)
