"""Whether foretold risks are the observed ones: pseudo-values, intercept and slope, a smooth curve and its distances.

Conventions. Observed risk is Aalen–Johansen's. Pseudo-values are its jackknife, n F − (n − 1) F without the row (Andersen,
Klein & Rosthøj 2003), as R's `prodlim::jackknife`. Intercept and slope: estimating equations on pseudo-values with a
complementary log-log link and independent rows, sandwich variance (van Geloven and others, BMJ 2022;377:e069249, with R's
`geepack`): the intercept has the foretold risk as offset, the slope is its factor. The smooth curve is the same regression
on a restricted cubic spline of the foretold risk; ICI, E50 and E90 are the mean, median and 90th centile of the distance
between the two (Austin and others 2022).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays import Floats, Ints
from .accuracy import Measure
from .counts import CENSORED, EVENT

CONVERGED, MOST_STEPS = 1e-12, 200
KNOTS = (0.05, 0.35, 0.65, 0.95)  # quantiles, Harrell's for four
FEWEST_FOR_SPLINE = 8  # distinct risks; below that each has its own mean
NAN = float("nan")


@dataclass(frozen=True)
class Coefficient:
    """An estimate with its standard error."""

    estimate: float
    std_error: float


@dataclass(frozen=True)
class Smooth:
    """The observed risk over the foretold one, with pointwise limits, and each row's own value."""

    risk: Floats
    observed: Floats
    ci_low: Floats
    ci_high: Floats
    distance: Floats  # of each row

    @property
    def ici(self) -> float:
        """The mean distance."""
        return float(self.distance.mean())

    def centile(self, share: float) -> float:
        """Give E50 (share 0.5), E90 (0.9) and the like."""
        return float(np.quantile(self.distance, share))


@dataclass(frozen=True)
class _Steps:
    """The distinct times by the horizon, one more for all beyond; and what happens at each."""

    place: Ints  # of each row
    at_risk: Floats
    own: Floats
    either: Floats
    beyond: Floats  # the incidence by the horizon of somebody free of both events just before each time

    @property
    def size(self) -> int:
        return len(self.at_risk)


def _steps(time: Floats, status: Ints, horizon: float) -> _Steps:
    distinct, place = np.unique(np.minimum(time, np.nextafter(horizon, np.inf)), return_inverse=True)
    size = int((distinct <= horizon).sum())
    cells = np.bincount(place * 3 + status, minlength=3 * len(distinct)).reshape(-1, 3)
    at_risk = np.cumsum(cells.sum(axis=1)[::-1])[::-1][:size].astype(np.float64)
    own, either = cells[:size, EVENT].astype(np.float64), cells[:size, 1:].sum(axis=1).astype(np.float64)
    beyond = np.zeros(size + 1)
    for k in range(size - 1, -1, -1):
        beyond[k] = own[k] / at_risk[k] + (1.0 - either[k] / at_risk[k]) * beyond[k + 1]
    return _Steps(place, at_risk, own, either, beyond)


def observed(time: Floats, status: Ints, horizon: float) -> Measure:
    """Give the observed risk by Aalen–Johansen, with the infinitesimal jackknife of R's `survfit` as influence.

    The influences are those of a mean over rows: `jackknife_error` turns them into the standard error.
    """
    steps = _steps(time, status, horizon)
    n, size = len(time), steps.size
    free = np.cumprod(1.0 - steps.either / steps.at_risk)
    ahead = steps.beyond[1:]
    each = np.concatenate([[1.0], free[:-1]])[:size] / steps.at_risk
    exposed = np.cumsum(each * (steps.own - steps.either * ahead) / steps.at_risk)
    exposed = np.concatenate([exposed, exposed[-1:] if size else [0.0]])
    own_jump = np.concatenate([each * (1.0 - ahead), [0.0]])
    rival_jump = np.concatenate([-each * ahead, [0.0]])
    at = np.minimum(steps.place, size)
    jump = np.where(status == EVENT, own_jump[at], np.where(status == CENSORED, 0.0, rival_jump[at]))
    return Measure(float(steps.beyond[0]), np.asarray(n * (jump - exposed[at])))


def jackknife_error(measure: Measure, cluster: npt.ArrayLike | None = None) -> float:
    """Give the infinitesimal jackknife's standard error, without a small-sample factor, as R's `survfit` does."""
    parts = measure.influence
    if cluster is not None:
        _, code = np.unique(np.asarray(cluster), return_inverse=True)
        parts = np.asarray(np.bincount(code, weights=parts), dtype=np.float64)
    return float(np.sqrt((parts**2).sum()) / len(measure.influence))


def pseudo_values(time: Floats, status: Ints, horizon: float) -> Floats:
    """Give each row's pseudo-value of the incidence of the event at the horizon, exactly, in one pass over distinct times."""
    steps = _steps(time, status, horizon)
    n, size = len(time), steps.size
    at_risk, own, either, beyond = steps.at_risk, steps.own, steps.either, steps.beyond
    fewer = np.maximum(at_risk - 1.0, 1.0)  # where the row itself was still at risk
    free = np.concatenate([[1.0], np.cumprod(np.maximum(1.0 - either / fewer, 0.0))])
    incidence = np.concatenate([[0.0], np.cumsum(free[:-1] * own / fewer)])
    without = np.full((size + 1, 3), incidence[size])
    for kind in range(3):
        mine, any_ = (1.0 if kind == EVENT else 0.0), (0.0 if kind == CENSORED else 1.0)
        alone = at_risk <= 1.0
        at_time = free[:-1] * (own - mine) / fewer
        staying = free[:-1] * np.where(alone, 1.0, 1.0 - (either - any_) / fewer)
        without[:size, kind] = incidence[:-1] + np.where(alone, 0.0, at_time) + staying * beyond[1:]
    return np.asarray(n * beyond[0] - (n - 1.0) * without[steps.place, status])


def cloglog(risk: Floats) -> Floats:
    """Give log(−log(1 − risk))."""
    return np.asarray(np.log(-np.log1p(-risk)))


def intercept(pseudo: Floats, risk: Floats, cluster: npt.ArrayLike | None = None) -> Coefficient:
    """Give the calibration intercept: 0 where the foretold risks hold on the whole, negative where they are too high."""
    found = _regress(pseudo, np.ones((len(risk), 1)), cloglog(risk), cluster)
    return Coefficient(NAN, NAN) if found is None else Coefficient(float(found[0][0]), float(np.sqrt(found[1][0, 0])))


def slope(pseudo: Floats, risk: Floats, cluster: npt.ArrayLike | None = None) -> Coefficient:
    """Give the calibration slope: 1 where they spread as they should, below 1 where they are too extreme."""
    foretold = cloglog(risk)
    if np.ptp(foretold) <= 0:
        return Coefficient(NAN, NAN)
    found = _regress(pseudo, np.column_stack([np.ones(len(risk)), foretold]), foretold, cluster)
    if found is None:
        return Coefficient(NAN, NAN)
    return Coefficient(1.0 + float(found[0][1]), float(np.sqrt(found[1][1, 1])))


def smooth(
    pseudo: Floats,
    risk: Floats,
    points: int = 101,
    z: float = 1.959963984540054,
    cluster: npt.ArrayLike | None = None,
) -> Smooth | None:
    """Regress pseudo-values on the foretold risk; None where the regression has no solution."""
    foretold = cloglog(risk)
    distinct = np.unique(risk)
    if len(distinct) < FEWEST_FOR_SPLINE:
        at, basis = distinct, (risk[:, None] == distinct).astype(np.float64)
        on = np.eye(len(distinct))
    else:
        knots = np.unique(np.quantile(foretold, KNOTS))
        at = np.linspace(distinct[0], distinct[-1], points)
        basis, on = _spline(foretold, knots), _spline(cloglog(at), knots)
    found = _regress(pseudo, basis, np.zeros(len(risk)), cluster)
    if found is None:
        return None
    beta, variance = found
    centre = on @ beta
    half = z * np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", on, variance, on), 0.0))
    low, middle, high = (-np.expm1(-np.exp(eta)) for eta in (centre - half, centre, centre + half))
    own = -np.expm1(-np.exp(basis @ beta))
    return Smooth(at, middle, low, high, np.abs(own - risk))


def _spline(x: Floats, knots: Floats) -> Floats:
    """Lay out Harrell's restricted cubic spline: straight beyond the outer knots."""
    columns = [np.ones(len(x)), x]
    if len(knots) >= 3:
        last, before = knots[-1], knots[-2]
        scale = (last - knots[0]) ** 2

        def cube(k: float) -> Floats:
            return np.asarray(np.maximum(x - k, 0.0) ** 3)

        for k in knots[:-2]:
            bent = cube(k) - cube(before) * (last - k) / (last - before) + cube(last) * (before - k) / (last - before)
            columns.append(bent / scale)
    return np.column_stack(columns)


def _regress(
    pseudo: Floats, x: Floats, offset: Floats, cluster: npt.ArrayLike | None = None
) -> tuple[Floats, Floats] | None:
    """Solve Σ μ' x (pseudo − μ) = 0 with μ = 1 − exp(−exp(offset + x β)); the sandwich variance beside."""
    beta = np.zeros(x.shape[1])
    if not np.isfinite(offset).all():
        return None
    if not offset.any():
        mean = float(np.clip(pseudo.mean(), 1e-6, 1 - 1e-6))
        beta = np.linalg.lstsq(x, np.full(len(x), np.log(-np.log1p(-mean))), rcond=None)[0]
    for _ in range(MOST_STEPS):
        score, bread, gradient = _equations(pseudo, x, offset, beta)
        try:
            step = np.linalg.solve(bread, score)
        except np.linalg.LinAlgError:
            return None
        size = float(np.abs(step).max())
        if not np.isfinite(size):
            return None
        beta = beta + step * min(1.0, 2.0 / size if size > 0 else 1.0)
        if size < CONVERGED:
            break
    else:
        return None
    _, bread, gradient = _equations(pseudo, x, offset, beta)
    parts = gradient
    if cluster is not None:
        _, code = np.unique(np.asarray(cluster), return_inverse=True)
        parts = np.zeros((int(code.max()) + 1, x.shape[1]))
        np.add.at(parts, code, gradient)
    inverse = np.linalg.inv(bread)
    return beta, inverse @ (parts.T @ parts) @ inverse


def _equations(pseudo: Floats, x: Floats, offset: Floats, beta: Floats) -> tuple[Floats, Floats, Floats]:
    """Give the score, the expected information and each row's part of the score."""
    rise = np.exp(np.clip(offset + x @ beta, -700, 700))
    mean, change = -np.expm1(-rise), rise * np.exp(-rise)
    weighted = x * change[:, None]
    parts = weighted * (pseudo - mean)[:, None]
    return parts.sum(axis=0), weighted.T @ weighted, parts
