"""Clear → progressed → dead from scans and exact days of death, where progression before a death may go unseen.

Conventions. Times are in any one unit since time zero, rates per that unit: a clear → progressed, b clear → dead,
c progressed → dead, each constant in pieces; A, B, C are their integrals. Somebody clear at `left` and found progressed at
`right` (infinite: never) is followed `until` a death or the last day known alive, and enters clear at `entry`. With
    I(lo, hi) = ∫ a(u) exp(−A(u) − B(u) − C(until) + C(u)) du over (lo, hi],
found: I(left, right)·c^death; never found: exp(−A(until) − B(until))·b^death + I(left, until)·c^death, both over
exp(−A(entry) − B(entry)) (Joly et al. 2002; the rates are those of R's msm with deathexact). Over one piece the integral is
elementary, so that every likelihood is a sum of few exponentials: slope and curvature by the logarithms of the rates are
exact. Rates may share a parameter (`Ties`): by default each piece has its own a, and all have one b and one c.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..arrays import Flags, Floats, Ints

_MOST_STEPS = 100
_LONGEST_STEP = 2.0  # in the logarithm of a rate
_FLAT = 1e-9  # the slope that counts as none, as a share of n
_ROUNDING = 1e-12  # of a log-likelihood, as a share of it
_NO_CURVE = 1e-6  # information about the log of a rate that counts as none: it runs to 0
_AT_ONCE = 2048  # rows
_NEAR_ZERO = 0.05  # below it (1 − exp(−z))/z is summed as a series


@dataclass(frozen=True)
class Seen:
    """What was seen of each patient or site."""

    left: Floats
    right: Floats
    until: Floats
    died: Flags
    entry: Floats

    def __post_init__(self) -> None:
        found = np.isfinite(self.right)
        if (self.left < self.entry).any() or (self.left[found] >= self.right[found]).any():
            raise ValueError("clear at entry and at left, found after it")
        if (self.until < np.where(found, self.right, self.left)).any():
            raise ValueError("followed at least until the last scan")

    def __len__(self) -> int:
        return len(self.left)

    @property
    def found(self) -> Flags:
        """Who was found progressed."""
        return np.isfinite(self.right)

    def chosen(self, which: npt.NDArray[np.integer] | Flags) -> Seen:
        """Keep some, in the order given."""
        return Seen(self.left[which], self.right[which], self.until[which], self.died[which], self.entry[which])


def seen(
    left: npt.ArrayLike,
    right: npt.ArrayLike,
    until: npt.ArrayLike,
    died: npt.ArrayLike,
    entry: npt.ArrayLike = 0.0,
) -> Seen:
    """Gather what was seen from columns or numbers."""
    low = np.asarray(left, dtype=np.float64)
    late = np.broadcast_to(np.asarray(entry, dtype=np.float64), low.shape)
    return Seen(
        low,
        np.asarray(right, dtype=np.float64),
        np.asarray(until, dtype=np.float64),
        np.asarray(died, dtype=bool),
        np.asarray(late),
    )


@dataclass(frozen=True)
class Ties:
    """Each rate as a multiple of a parameter; the rates are the pieces' a, then their b, then their c."""

    place: Ints
    factor: Floats

    def rates(self, parameters: Floats) -> Floats:
        """Give the rates of parameters."""
        return np.asarray(parameters[self.place] * self.factor)


def constant_deaths(pieces: int) -> Ties:
    """Give each piece its own a; one b and one c for all."""
    return Ties(np.array([*range(pieces), *[pieces] * pieces, *[pieces + 1] * pieces]), np.ones(3 * pieces))


def after_tied(pieces: int, factor: float = 1.0) -> Ties:
    """Let death after progression be so many times as frequent as before it."""
    return Ties(np.array([*range(pieces), *[pieces] * (2 * pieces)]), np.repeat([1.0, 1.0, factor], pieces))


def all_free(pieces: int) -> Ties:
    """Let every piece have its own a, b and c."""
    return Ties(np.arange(3 * pieces), np.ones(3 * pieces))


@dataclass(frozen=True)
class Likelihood:
    """Every observation as a sum of exponentials: one for each piece of an unseen or bounded progression, one for none."""

    ties: Ties
    gone: Floats  # (n, term, parameter): what each is multiplied with in the exponent
    power: Floats  # (n, term, parameter): the power of each in front
    width: Floats  # (n, term): time inside the piece; 0 for the term without progression
    log_front: Floats  # its logarithm and that of constant factors; −∞ where a term is absent
    sign: Floats  # (term, parameter): how they enter k = a + b − c
    weight: Floats

    def weighted(self, weight: Floats) -> Likelihood:
        """Give the same with other weights."""
        return replace(self, weight=weight)

    def at(self, logs: Floats, curved: bool = True) -> Point:
        """Give the log-likelihood and its derivatives by the logarithms of the parameters."""
        if len(self.weight) > _AT_ONCE:
            return self._in_parts(logs, curved)
        n, terms, number = self.gone.shape
        rate = np.exp(logs)
        z = self.width * (self.sign @ rate)
        log_h, eta, bend = _log_mean(z)
        height = self.log_front + log_h + (self.power.reshape(-1, number) @ logs).reshape(n, terms)
        height -= (self.gone.reshape(-1, number) @ rate).reshape(n, terms)
        top = height.max(axis=1)
        share = np.exp(height - top[:, None])
        total = share.sum(axis=1)
        loglik = float(self.weight @ (top + np.log(total)))
        if not curved:
            return Point(loglik, None, None)
        share /= total[:, None]
        pull = eta * self.width
        signed = self.sign * rate
        grade = self.power - self.gone * rate + pull[:, :, None] * signed
        own = (share[:, None, :] @ grade)[:, 0, :]
        weighted = share * self.weight[:, None]
        flat = grade.reshape(-1, number)
        curve = flat.T @ (weighted.reshape(-1, 1) * flat) - own.T @ (self.weight[:, None] * own)
        curve -= np.diag((weighted.reshape(1, -1) @ self.gone.reshape(-1, number))[0] * rate)
        first, second = (weighted * pull).sum(axis=0), (weighted * bend * self.width**2).sum(axis=0)
        curve += np.diag(first @ signed) + signed.T @ (second[:, None] * signed)
        return Point(loglik, self.weight @ own, curve)

    def _in_parts(self, logs: Floats, curved: bool) -> Point:
        """Add up parts that fit into a processor's memory."""
        loglik, slope, curve = 0.0, np.zeros(len(logs)), np.zeros((len(logs), len(logs)))
        for begin in range(0, len(self.weight), _AT_ONCE):
            rows = slice(begin, begin + _AT_ONCE)
            part = replace(
                self, gone=self.gone[rows], power=self.power[rows], width=self.width[rows],
                log_front=self.log_front[rows], weight=self.weight[rows],
            ).at(logs, curved)  # fmt: skip
            loglik += part.loglik
            if part.slope is not None and part.curve is not None:
                slope, curve = slope + part.slope, curve + part.curve
        return Point(loglik, slope, curve) if curved else Point(loglik, None, None)


@dataclass(frozen=True)
class Point:
    """The log-likelihood at some rates, with slope and curvature by the logarithms of the parameters."""

    loglik: float
    slope: Floats | None
    curve: Floats | None


def _log_mean(z: Floats) -> tuple[Floats, Floats, Floats]:
    """Give log((1 − exp(−z))/z) and its first two derivatives."""
    small = np.abs(z) < _NEAR_ZERO
    safe = np.where(small, 1.0, z)
    with np.errstate(over="ignore", invalid="ignore"):
        fallen = np.expm1(safe)
        first = 1.0 / fallen - 1.0 / safe
        second = 1.0 / safe**2 - (1.0 + fallen) / fallen**2
    second = np.where(np.isfinite(second), second, 1.0 / safe**2)
    if not small.any():
        return np.log(-np.expm1(-safe) / safe), first, second
    zz = z * z
    value = np.where(
        small, -z / 2 + zz / 24 - zz**2 / 2880 + zz**3 / 181440, np.log(np.where(small, 1.0, -np.expm1(-safe) / safe))
    )
    return (
        value,
        np.where(small, -0.5 + z / 12 - z * zz / 720 + z * zz**2 / 30240, first),
        np.where(small, 1 / 12 - zz / 240 + zz**2 / 6048, second),
    )


def likelihood(
    data: Seen, starts: Sequence[float] = (0.0,), ties: Ties | None = None, weight: Floats | None = None
) -> Likelihood:
    """Set the likelihood up for pieces that begin at `starts` (the first at 0)."""
    begin = np.array(starts, dtype=np.float64)
    stop = np.append(begin[1:], np.inf)
    pieces, n = len(begin), len(data)
    tied = constant_deaths(pieces) if ties is None else ties
    found = data.found
    high = np.where(found, data.right, data.until)
    x = np.clip(data.left[:, None], begin, stop)
    width = np.clip(high[:, None], begin, stop) - x

    def lived(until: Floats) -> Floats:
        return np.asarray(np.clip(np.minimum(until[..., None], stop) - begin, 0.0, None))

    a, b, c = slice(0, pieces), slice(pieces, 2 * pieces), slice(2 * pieces, None)
    whole = lived(data.until)[:, None, :]
    gone = np.zeros((n, pieces + 1, 3 * pieces))
    gone[:, :pieces, a] = gone[:, :pieces, b] = lived(x)
    gone[:, :pieces, c] = whole - lived(x)
    gone[:, pieces:, a] = gone[:, pieces:, b] = whole
    if data.entry.any():
        gone[:, :, a] -= lived(data.entry)[:, None, :]
        gone[:, :, b] -= lived(data.entry)[:, None, :]
    last = np.maximum(np.searchsorted(begin, data.until, side="left") - 1, 0)  # the piece in which follow-up ends
    died = data.died[:, None] * (np.arange(pieces) == last[:, None])
    power = np.zeros_like(gone)
    power[:, np.arange(pieces), np.arange(pieces)] = 1.0
    power[:, :pieces, c] = died[:, None, :]
    power[:, pieces, b] = died
    sign = np.zeros((pieces + 1, 3 * pieces))
    for part, value in ((a, 1.0), (b, 1.0), (c, -1.0)):
        sign[:pieces, part] = value * np.eye(pieces)
    with np.errstate(divide="ignore"):
        front = np.concatenate([np.log(width), np.where(found, -np.inf, 0.0)[:, None]], axis=1)
    share = np.eye(int(tied.place.max()) + 1)[tied.place]
    return Likelihood(
        tied,
        gone @ (tied.factor[:, None] * share),
        power @ share,
        np.concatenate([width, np.zeros((n, 1))], axis=1),
        front + power @ np.log(tied.factor),
        sign @ (tied.factor[:, None] * share),
        np.ones(n) if weight is None else weight,
    )


@dataclass(frozen=True)
class Fitted:
    """Rates of the greatest likelihood, and what is known of their precision."""

    progression: Floats  # a by piece
    death_clear: Floats  # b by piece
    death_after: Floats  # c by piece
    parameters: Floats
    loglik: float
    information: Floats  # minus the curvature by the logarithms of the parameters
    steps: int
    interior: bool
    """Whether it is a maximum inside: slope none, curvature downwards. Not where a rate runs to 0 or for ever up."""

    @property
    def std_error_log(self) -> Floats:
        """The standard error of the logarithm of each parameter (a by piece, then those of b and c)."""
        return np.asarray(np.sqrt(np.diag(np.linalg.inv(self.information))))


def first_guess(data: Seen, ties: Ties) -> Floats:
    """Give parameters to begin from: progressions over time clear, deaths over time before and after."""
    found = data.found
    right = np.where(found, data.right, 0.0)
    clear = float((np.where(found, (data.left + right) / 2, data.left) - data.entry).sum())
    after = float(np.where(found, data.until - right, 0.0).sum())
    before = max(float((data.until - data.entry).sum()) - after, 1e-9)
    a = (found.sum() + 0.5) / max(clear, 1e-9)
    b = (data.died[~found].sum() + 0.5) / before
    c = (data.died[found].sum() + 0.5) / max(after, 1.0 / b)
    rates = np.repeat([a, b, c], len(ties.place) // 3)
    guess = np.zeros(int(ties.place.max()) + 1)
    np.maximum.at(guess, ties.place, rates / ties.factor)
    return guess


def fit(
    data: Seen, starts: Sequence[float] = (0.0,), ties: Ties | None = None, *, weight: Floats | None = None
) -> Fitted:
    """Fit the rates by Newton's method in their logarithms."""
    function = likelihood(data, starts, ties, weight)
    return climb(function, first_guess(data, function.ties))


def climb(function: Likelihood, start: Floats, hold: int | None = None, most: int = _MOST_STEPS) -> Fitted:
    """Maximise from given parameters on, in `most` steps; `hold` keeps one of the parameters where it is."""
    logs = np.log(start)
    moving = np.arange(len(logs)) != hold
    flat = _FLAT * max(float(function.weight.sum()), 1.0)
    point = function.at(logs)
    steps, at_rest = 0, False
    while point.slope is not None and point.curve is not None and np.isfinite(point.slope).all():
        slope = point.slope[moving]
        at_rest = bool(np.abs(slope).max(initial=0.0) <= flat)
        if at_rest or steps == most:
            break
        move = np.zeros(len(logs))
        step = _uphill(-point.curve[np.ix_(moving, moving)], slope)
        move[moving] = np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        share, better = 1.0, function.at(logs + move)
        while not better.loglik >= point.loglik - _ROUNDING * abs(point.loglik) and share > 1e-9:
            share /= 2
            better = function.at(logs + share * move)
        if share <= 1e-9:
            at_rest = bool(np.abs(slope).max() <= 1e3 * flat)
            break
        logs, point, steps = logs + share * move, better, steps + 1
    information = np.full((len(logs), len(logs)), np.nan) if point.curve is None else -point.curve
    kept = information[np.ix_(moving, moving)]
    interior = at_rest and bool(np.isfinite(kept).all()) and bool((np.linalg.eigvalsh(kept) > _NO_CURVE).all())
    a, b, c = np.split(function.ties.rates(np.exp(logs)), 3)
    return Fitted(a, b, c, np.exp(logs), point.loglik, information, steps, interior)


def _uphill(information: Floats, slope: Floats) -> Floats:
    """Give Newton's step, made to climb where the curvature is not downwards."""
    try:
        np.linalg.cholesky(information)
        return np.asarray(np.linalg.solve(information, slope))
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(information)
        steep = np.maximum(np.abs(values), 1e-8 * max(float(np.abs(values).max()), 1e-8))
        return np.asarray(vectors @ ((vectors.T @ slope) / steep))
