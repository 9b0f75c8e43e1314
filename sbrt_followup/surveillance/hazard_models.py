"""One group's hazard under every model: phases with intervals for a yield, likelihoods, and why a model was refused.

Conventions. `exponential`, `break` and `weibull` censor at the last clear MRI; `illness_death` and `illness_death_break` let
progression before a death go unseen. A phase's interval is −log(1 − yield)/hazard with limits of the hazard turned round.
Events belong to the phase in which an MRI found them. AIC counts an estimated break as a parameter. Below 5 events in a
phase there is no interval, only an upper bound of the hazard, exact for Poisson counts over the months seen clear.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Literal

import numpy as np
from scipy.special import chdtri

from ..arrays import Floats
from ..estimators import illness_death, piecewise, weibull_intervals
from ..estimators.break_point import Break
from ..estimators.illness_death import Seen, Ties
from ..estimators.profile_limits import limits
from . import yields

MODELS = ("exponential", "break", "weibull", "illness_death", "illness_death_break")
FEWEST = 5  # events in a phase for an interval
FEWEST_EACH_SIDE = 10  # events on either side of an estimated break
FEWEST_DEATHS_AFTER = 5  # deaths after progression for a rate of their own
YEAR = 12.0
NAN = float("nan")
BOTH = ("illness_death", "illness_death_break")
Method = Literal["profile", "bootstrap"]


@dataclass(frozen=True)
class Interval:
    """Months between MRIs for a yield; limits NaN where there are none."""

    yield_share: float
    estimate: float
    ci_low: float
    ci_high: float
    method: Method | None


@dataclass(frozen=True)
class Phase:
    """A stretch with one hazard a month."""

    from_month: float
    until_month: float | None
    events: int
    hazard: float
    std_error_log: float
    interval: Interval | None
    interval_with_deaths: float = NAN
    """The interval for the same yield among those alive and scanned, at the fitted mortality after progression."""
    hazard_upper: float = NAN
    """With fewer events than an interval needs: the one-sided 95 % upper bound."""


@dataclass(frozen=True)
class ModelFit:
    """One model of one group."""

    model: str
    status: Literal["fitted", "refused"]
    reason: str = ""
    loglik: float = NAN
    parameters: int = 0
    phases: tuple[Phase, ...] = ()
    death_clear: float | None = None
    death_after: float | None = None
    tied: str = ""
    """Why death after progression has no rate of its own."""
    visits: tuple[float, ...] = ()
    """Months of MRIs of equal yield, for a hazard without phases."""
    shape: Mapping[str, float] = field(default_factory=dict)

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return 2 * self.parameters - 2 * self.loglik

    @property
    def starts(self) -> tuple[float, ...]:
        """Where the phases begin."""
        return tuple(phase.from_month for phase in self.phases)

    @property
    def hazards(self) -> Floats:
        """The phases' hazards."""
        return np.array([phase.hazard for phase in self.phases])


@dataclass(frozen=True)
class Wanted:
    """What the fits of a group are to say."""

    yield_share: float
    level: float = 0.95
    after_factor: float | None = None
    """Death after progression so many times as frequent as before it; None: fitted."""


def refused(model: str, reason: str) -> ModelFit:
    """Say that a model has no estimate here, and why."""
    return ModelFit(model, "refused", reason)


def ties_of(data: Seen, pieces: int, factor: float | None) -> tuple[Ties, str]:
    """Give what shares a rate, and why if death after progression does."""
    if factor is not None:
        return illness_death.after_tied(
            pieces, factor
        ), f"death after progression is taken as {factor:g} times that before it"
    deaths = int((data.died & data.found).sum())
    if deaths < FEWEST_DEATHS_AFTER:
        return illness_death.after_tied(
            pieces
        ), f"death after progression is taken as that before it, having been seen {deaths} times"
    return illness_death.constant_deaths(pieces), ""


def standard(model: str, data: Seen, wanted: Wanted, starts: tuple[float, ...], estimated: bool = False) -> ModelFit:
    """Fit a hazard in phases, progression censored at the last clear MRI."""
    counts = events_by_phase(data, starts)
    if min(counts) == 0:
        return refused(model, "no interior maximum: a phase without any progression")
    exposure = piecewise.exposed(data.left, data.right, np.array(starts), data.entry)
    risk = piecewise.fit(exposure)
    errors = piecewise.std_error_log(risk)
    if not (np.isfinite(errors).all() and risk.loglik <= 0):
        return refused(model, "no interior maximum")

    def profile(place: int, log: float) -> float:
        held = risk.hazard.copy()
        held[place] = np.exp(log)
        return piecewise.fit(exposure, held, hold=place).loglik

    bounds = _bounds(counts, profile, risk.hazard, errors, risk.loglik, wanted.level)
    phases = _phases(data, wanted, starts, counts, risk.hazard, errors, bounds, None)
    return ModelFit(model, "fitted", "", risk.loglik, len(starts) + estimated, phases)


def both(model: str, data: Seen, wanted: Wanted, starts: tuple[float, ...], estimated: bool = False) -> ModelFit:
    """Fit illness–death rates, progression in phases."""
    if not data.died.any():
        # Nobody died: nothing is unseen, and the usual likelihood is the whole one.
        usual = standard(model, data, wanted, starts, estimated)
        if usual.status == "refused":
            return usual
        return ModelFit(
            model,
            "fitted",
            "",
            usual.loglik,
            usual.parameters,
            usual.phases,
            0.0,
            0.0,
            "no deaths are recorded, so that nothing can have gone unseen before one: the usual method",
        )
    counts = events_by_phase(data, starts)
    if min(counts) == 0:
        return refused(model, "no interior maximum: a phase without any progression")
    ties, why = ties_of(data, len(starts), wanted.after_factor)
    function = illness_death.likelihood(data, starts, ties)
    found = illness_death.climb(function, illness_death.first_guess(data, ties))
    if not found.interior:
        return refused(model, "no interior maximum")
    errors = found.std_error_log

    def profile(place: int, log: float) -> float:
        held = found.parameters.copy()
        held[place] = np.exp(log)
        return illness_death.climb(function, held, hold=place).loglik

    bounds = _bounds(counts, profile, found.progression, errors, found.loglik, wanted.level)
    deaths = float(found.death_clear[0]), float(found.death_after[0])
    phases = _phases(data, wanted, starts, counts, found.progression, errors, bounds, deaths)
    number = len(found.parameters) + estimated
    return ModelFit(model, "fitted", "", found.loglik, number, phases, *deaths, why)


def _bounds(
    counts: tuple[int, ...],
    profile: Callable[[int, float], float],
    hazard: Floats,
    errors: Floats,
    loglik: float,
    level: float,
) -> list[tuple[float, float] | None]:
    """Give the profile limits of each phase's log hazard; None where its events are too few."""
    return [
        limits(partial(profile, k), float(np.log(hazard[k])), float(errors[k]), loglik, level)
        if events >= FEWEST
        else None
        for k, events in enumerate(counts)
    ]


def weibull(data: Seen, wanted: Wanted, ceiling: float) -> ModelFit:
    """Fit a Weibull hazard; its MRIs of equal yield are a list, its phases the averages of years."""
    fit = weibull_intervals.fit(data.left, data.right, data.entry)
    if not fit.interior:
        why = "no interior maximum: the likelihood rises for ever as the hazard nears 1/t (late entry)"
        return refused("weibull", why if data.entry.any() else "no interior maximum")
    if fit.loglik > ceiling + 1e-6:
        return refused("weibull", "its log-likelihood exceeds that of the nonparametric curve: not a maximum")
    last = float(np.where(data.found, np.where(data.found, data.right, 0.0), data.left).max())
    begin = float(data.entry.min())
    visits = yields.equal_yield_visits(wanted.yield_share, fit.cumulative, fit.reached, begin, last)
    shape = {"size": fit.size, "shape": fit.shape, "unit_months": fit.unit}
    phases = in_years(data, wanted, fit.cumulative, begin, last)
    return ModelFit("weibull", "fitted", "", fit.loglik, 2, phases, visits=tuple(visits.tolist()), shape=shape)


def in_years(
    data: Seen, wanted: Wanted, cumulative: Callable[[Floats], Floats], begin: float, last: float
) -> tuple[Phase, ...]:
    """Average a smooth hazard over the first year, the second and the rest: what its list of MRIs comes near to."""
    edges = [begin, *[e for e in (YEAR, 2 * YEAR) if begin < e < last], last]
    counts = events_by_phase(data, tuple(edges[:-1]))
    share, phases = wanted.yield_share, []
    for k, (low, high) in enumerate(pairwise(edges)):
        hazard = float(np.diff(cumulative(np.array([low, high])))[0]) / (high - low)
        interval = Interval(share, yields.interval(share, hazard), NAN, NAN, None)
        phases.append(Phase(low, high if k + 2 < len(edges) else None, counts[k], hazard, NAN, interval))
    return tuple(phases)


def events_by_phase(data: Seen, starts: tuple[float, ...]) -> tuple[int, ...]:
    """Count progressions by the phase in which an MRI found them."""
    place = np.searchsorted(np.array(starts), data.right[data.found], side="left") - 1
    return tuple(np.bincount(np.maximum(place, 0), minlength=len(starts)).tolist())


def _phases(
    data: Seen,
    wanted: Wanted,
    starts: tuple[float, ...],
    counts: tuple[int, ...],
    hazard: Floats,
    errors: Floats,
    bounds: list[tuple[float, float] | None],
    deaths: tuple[float, float] | None,
) -> tuple[Phase, ...]:
    found = []
    months = piecewise.exposed(data.left, np.full(len(data), np.inf), np.array(starts), data.entry).before.sum(axis=0)
    for k, start in enumerate(starts):
        until = starts[k + 1] if k + 1 < len(starts) else None
        rate, limit = float(hazard[k]), bounds[k]
        upper, interval, with_deaths = NAN, None, NAN
        if limit is None:
            upper = float(chdtri(2 * (counts[k] + 1), 0.05)) / 2 / max(float(months[k]), 1e-9)
        else:
            share = wanted.yield_share
            low, high = (yields.needed(share) / np.exp(edge) for edge in reversed(limit))
            interval = Interval(share, yields.interval(share, rate), float(low), float(high), "profile")
            if deaths is not None:
                with_deaths = yields.interval_with_deaths(share, rate, *deaths)
        found.append(Phase(start, until, counts[k], rate, float(errors[k]), interval, with_deaths, upper))
    return tuple(found)


def too_few(data: Seen) -> str:
    """Say that a group has too few progressions for any model, or nothing."""
    events = int(data.found.sum())
    return f"{events} progressions, fewer than {FEWEST}" if events < FEWEST else ""


def hazard_bound(data: Seen) -> float:
    """Give the one-sided 95 % upper bound of a constant hazard a month, for a group with too few events."""
    months = float((data.left - data.entry).sum())
    return float(chdtri(2 * (int(data.found.sum()) + 1), 0.05)) / 2 / months if months > 0 else NAN


def grid_of(data: Seen, fewest: int = FEWEST_EACH_SIDE) -> Floats:
    """Give the whole months at which a break leaves enough progressions on both sides."""
    right = np.sort(data.right[data.found])
    if len(right) < 2 * fewest:
        return np.empty(0)
    low, high = np.ceil(right[fewest - 1]), np.ceil(right[-fewest]) - 1
    return np.arange(max(low, 1.0), high + 1.0)


def broken(model: str, data: Seen, wanted: Wanted, at: Break | None, given: float | None) -> ModelFit:
    """Fit a model with a break, given or found."""
    if given is None and at is None:
        return refused(model, f"fewer than {FEWEST_EACH_SIDE} progressions on either side of any break")
    month = given if given is not None else round(at.at, 6) if at is not None else 0.0
    if month <= float(data.entry.min()):
        return refused(model, "the break lies before observation begins")
    fit = both if model in BOTH else standard
    return fit(model, data, wanted, (0.0, month), given is None)
