"""One group's hazard under every model, the chosen one, and the interval for a yield with its limits.

Conventions. Unless asked otherwise the chosen model lets progression before a death go unseen. It has a break where the
group's progressions call for one: an estimated break by simulation (p < 0.05, at least 10 progressions on either side), a
given one by its likelihood ratio (χ²₁, p < 0.05, at least 5 on either side). Limits are profile limits; where the break is
estimated, or sites share a patient, those of samples of patients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import chdtrc

from ..arrays import Floats, Ints
from ..estimators import break_point, illness_death
from ..estimators.frailty import Frailty, frailty
from ..estimators.illness_death import Seen
from ..estimators.interval_censored import Npmle, npmle
from ..outcomes.study import Study
from ..problems import refuse
from . import hazard_models as models
from . import resampling, yields
from .cross_check import CrossCheck, cross_check
from .hazard_models import FEWEST, ModelFit, Phase, Wanted
from .hazards import Rates
from .observed import MONTH, Observed
from .resampling import ALPHA, FINE, BreakTest, Sampled

AUTO = "auto"
SPLINE = "spline"
CHOICES = (AUTO, *models.MODELS, SPLINE)
CELLS = 3  # of the grid, about which the estimated break is searched
WEEK = 7.0 / MONTH


@dataclass(frozen=True)
class Asked:
    """What to fit, and for which yield."""

    yields: Mapping[str, float]
    """Shares by group; `""` holds for every group not named."""
    breaks: Mapping[str, float] | None = None
    """Given breaks in months by group (`""`: every group); None: estimated. A group not named has none."""
    entry: str | None = None
    model: str = AUTO
    level: float = 0.95
    bootstrap: int = 0
    simulations: int = 0
    seed: int = 1
    cross_check: bool = False
    factors: tuple[float, ...] = ()
    """Sensitivity: death after progression so many times as frequent as before it."""


@dataclass(frozen=True)
class Sensitivity:
    """The intervals under another mortality after progression."""

    factor: float
    hazards: tuple[float, ...]
    intervals: tuple[float, ...]


@dataclass(frozen=True)
class Variant:
    """A constant hazard under another selection of people."""

    people: str
    n: int
    events: int
    hazard: float
    interval: float


@dataclass(frozen=True)
class Rounded:
    """An interval as a clinic can follow it, and the yield that it has then."""

    months: float
    yield_at_months: float
    weeks: int
    yield_at_weeks: float


@dataclass(frozen=True)
class GroupIntervals:
    """One group's results."""

    observed: Observed
    yield_share: float
    fits: tuple[ModelFit, ...]
    chosen: str | None
    why: str
    """Why this model was chosen, or none."""
    test: BreakTest | None
    break_limits: tuple[float, float] | None
    curve: Npmle | None
    """The nonparametric curve, in months; None with entry."""
    ceiling: float
    """Its log-likelihood: no model has more. NaN with entry."""
    frailty: Frailty | None
    sensitivity: tuple[Sensitivity, ...]
    variants: tuple[Variant, ...]
    rounded: tuple[Rounded | None, ...]
    hazard_upper: float
    draws: tuple[Rates, ...]
    design_effect: float = float("nan")
    """How many times the variance of the first log hazard is that of unrelated units, where sites share a patient."""
    checks: tuple[CrossCheck, ...] = ()

    @property
    def group(self) -> str:
        """Its name."""
        return self.observed.group

    @property
    def fit(self) -> ModelFit | None:
        """The chosen model's fit."""
        return next((f for f in self.fits if f.model == self.chosen), None)


def group_intervals(
    people: Study,
    own: Observed,
    whole: Observed,
    asked: Asked,
    scans: tuple[Ints, Floats] | None,
    seed: int,
    step: Callable[[], None],
) -> GroupIntervals:
    """Fit one group, choose, and work out limits, sensitivity and what else a reader needs."""
    data = own.seen
    share = asked.yields.get(own.group, asked.yields.get("", float("nan")))
    if not np.isfinite(share):
        raise refuse("no-yield", f"--yield names none for {own.group}", hint=f"--yield …,{own.group}=5")
    wanted = Wanted(share, asked.level)
    late = bool(data.entry.any())
    few = models.too_few(data)
    curve = None if late or not len(data) else npmle(data.left, data.right)
    ceiling = float("nan") if curve is None else curve.loglik
    if few:
        return _without_model(own, share, few, curve, ceiling)
    given = None if asked.breaks is None else asked.breaks.get(own.group, asked.breaks.get(""))
    estimated = asked.breaks is None
    grid = models.grid_of(data) if estimated else np.empty(0)
    fits = _fits(data, wanted, given, estimated, grid, 0.0 if curve is None else ceiling)
    test = None
    if grid.size:
        test = resampling.break_test(people, own.unit, data, scans, grid, asked.simulations, seed, step)
    chosen, why = _choose(asked, fits, test, given)
    if asked.model == SPLINE:
        from .spline_hazard import spline

        fits = (*fits, spline(data, wanted, ceiling))
        chosen, why = _asked_for(asked, fits)
    sampled = _samples(own, asked, fits, chosen, grid, by_site=people.question.unit == "site", seed=seed, step=step)
    fits = tuple(_with_limits(f, sampled[f.model], asked.level) if f.model in sampled else f for f in fits)
    fit = next((f for f in fits if f.model == chosen), None)
    drawn = sampled.get(chosen or "")
    limits = None
    if drawn is not None and np.isfinite(drawn.at).all():
        low, high = np.quantile(drawn.at, [(1 - asked.level) / 2, (1 + asked.level) / 2])
        limits = float(low), float(high)
    return GroupIntervals(
        own,
        share,
        fits,
        chosen,
        why,
        test,
        limits,
        curve,
        ceiling,
        _heterogeneity(data, fit),
        _sensitivity(data, fit, asked, share),
        _variants(own, whole, share) if late else (),
        () if fit is None else tuple(_rounded(phase) for phase in fit.phases),
        float("nan"),
        _draws(drawn, fit),
        _design_effect(drawn, fit) if people.question.unit == "site" else float("nan"),
        cross_check(data, fits) if asked.cross_check else (),
    )


def _without_model(own: Observed, share: float, why: str, curve: Npmle | None, ceiling: float) -> GroupIntervals:
    """Give what is known of a group with too few progressions: an upper bound of its hazard."""
    fits = tuple(models.refused(name, why) for name in models.MODELS)
    bound = models.hazard_bound(own.seen)
    return GroupIntervals(own, share, fits, None, why, None, None, curve, ceiling, None, (), (), (), bound, ())


def _fits(
    data: Seen, wanted: Wanted, given: float | None, estimated: bool, grid: Floats, ceiling: float
) -> tuple[ModelFit, ...]:
    """Fit every model."""
    start = (0.0,)
    found = {
        "exponential": models.standard("exponential", data, wanted, start),
        "weibull": models.weibull(data, wanted, ceiling),
        "illness_death": models.both("illness_death", data, wanted, start),
    }
    for name in ("break", "illness_death_break"):
        at = None
        if grid.size:
            ties, _ = models.ties_of(data, 2, None)
            dying = name in models.BOTH and bool(data.died.any())
            if dying:
                at = break_point.search(break_point.IllnessDeath(data, ties).at(), grid.tolist(), FINE, CELLS)
            else:
                at = break_point.Standard(data).search(grid, FINE, CELLS)
        if given is None and not estimated:
            found[name] = models.refused(name, "none was given for this group")
        else:
            found[name] = models.broken(name, data, wanted, at, given)
    return tuple(found[name] for name in models.MODELS)


def _choose(
    asked: Asked, fits: tuple[ModelFit, ...], test: BreakTest | None, given: float | None
) -> tuple[str | None, str]:
    """Choose a model, and say why."""
    if asked.model not in (AUTO, SPLINE):
        return _asked_for(asked, fits)
    by = {f.model: f for f in fits}
    flat = by["illness_death"] if by["illness_death"].status == "fitted" else by["exponential"]
    if flat.status != "fitted":
        return None, flat.reason
    broken = by["illness_death_break" if flat.model == "illness_death" else "break"]
    if broken.status != "fitted":
        return flat.model, f"no break: {broken.reason}"
    month = broken.starts[1]
    if given is not None:
        p = float(chdtrc(1, max(2 * (broken.loglik - flat.loglik), 0.0)))
        few = min(phase.events for phase in broken.phases) < FEWEST
        if p < ALPHA and not few:
            return (
                broken.model,
                f"the given break at month {month:g} is called for (likelihood ratio, p {written_p(p)})",
            )
        why = f"fewer than {FEWEST} progressions on one side of it" if few else f"likelihood ratio, p {written_p(p)}"
        return flat.model, f"the given break at month {month:g} is not called for ({why})"
    if test is None:
        return flat.model, "no break was looked for"
    if test.beyond_chance:
        return (
            broken.model,
            f"a break at month {month:.1f} (p {written_p(test.p_value)}, {test.simulations} simulations)",
        )
    if test.simulations:
        return flat.model, f"no break beyond chance (p {written_p(test.p_value)}, {test.simulations} simulations)"
    if np.isnan(test.p_value):
        return (
            flat.model,
            "a break was not tested (simulations were not asked for, or how the group is scanned is not known)",
        )
    return flat.model, "no break beyond chance (p above 0.05)"


def _asked_for(asked: Asked, fits: tuple[ModelFit, ...]) -> tuple[str | None, str]:
    own = next(f for f in fits if f.model == asked.model)
    return (own.model, "as asked") if own.status == "fitted" else (None, f"{own.model} was asked for: {own.reason}")


def written_p(value: float) -> str:
    """Write a p-value."""
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


def _samples(
    own: Observed,
    asked: Asked,
    fits: tuple[ModelFit, ...],
    chosen: str | None,
    grid: Floats,
    *,
    by_site: bool,
    seed: int,
    step: Callable[[], None],
) -> dict[str, Sampled]:
    """Sample patients for the models whose limits need it: an estimated break that was chosen, sites that share a patient."""
    found: dict[str, Sampled] = {}
    if not asked.bootstrap:
        return found
    for fit in fits:
        if fit.status != "fitted" or fit.model in ("weibull", SPLINE):
            continue
        searched = len(fit.phases) > 1 and grid.size > 0
        with_break = chosen in ("break", "illness_death_break")
        if not (searched and with_break) and not by_site:
            continue
        dying = fit.model in models.BOTH and bool(own.seen.died.any())
        ties = models.ties_of(own.seen, len(fit.phases), None)[0] if dying else None
        found[fit.model] = resampling.sample(
            own.seen,
            own.patient,
            asked.bootstrap,
            seed,
            starts=(0.0, *fit.starts[1:]),
            grid=grid if searched else None,
            ties=ties,
            step=step,
        )
    return found


def _with_limits(fit: ModelFit, sampled: Sampled, level: float) -> ModelFit:
    """Put the limits of samples in place of profile limits."""
    phases = []
    for k, phase in enumerate(fit.phases):
        if phase.interval is None:
            phases.append(phase)
            continue
        low, high = sampled.limits(k, yields.needed(phase.interval.yield_share), level)
        phases.append(replace(phase, interval=replace(phase.interval, ci_low=low, ci_high=high, method="bootstrap")))
    return replace(fit, phases=tuple(phases))


def _draws(sampled: Sampled | None, fit: ModelFit | None) -> tuple[Rates, ...]:
    if sampled is None or fit is None:
        return ()
    at = np.where(np.isnan(sampled.at), fit.starts[1] if len(fit.starts) > 1 else 0.0, sampled.at)
    dying = fit.death_clear is not None
    return tuple(
        Rates((0.0, *([float(m)] if len(h) > 1 else [])), tuple(h), b if dying else 0.0, c if dying else None)
        for m, h, b, c in zip(
            at.tolist(),
            sampled.hazard.tolist(),
            sampled.death_clear.tolist(),
            sampled.death_after.tolist(),
            strict=True,
        )
    )


def _design_effect(sampled: Sampled | None, fit: ModelFit | None) -> float:
    if sampled is None or fit is None:
        return float("nan")
    return float(np.var(np.log(sampled.hazard[:, 0]), ddof=1) / fit.phases[0].std_error_log ** 2)


def _heterogeneity(data: Seen, fit: ModelFit | None) -> Frailty | None:
    """Test whether people differ beyond the chosen phases, by the usual likelihood."""
    if fit is None or fit.model not in ("exponential", "break", *models.BOTH):
        return None
    starts = (0.0, *fit.starts[1:])
    usual = models.standard("exponential", data, Wanted(0.05), starts)
    if usual.status != "fitted":
        return None
    return frailty(data, starts, usual.hazards, usual.loglik)


def _sensitivity(data: Seen, fit: ModelFit | None, asked: Asked, share: float) -> tuple[Sensitivity, ...]:
    """Fit the chosen illness–death model under other mortality after progression."""
    if fit is None or fit.model not in models.BOTH or not data.died.any():
        return ()
    rows = []
    starts = (0.0, *fit.starts[1:])
    for factor in asked.factors:
        found = illness_death.fit(data, starts, illness_death.after_tied(len(starts), factor))
        if found.interior:
            rates = tuple(found.progression.tolist())
            rows.append(Sensitivity(factor, rates, tuple(yields.interval(share, a) for a in rates)))
    return tuple(rows)


def _variants(own: Observed, whole: Observed, share: float) -> tuple[Variant, ...]:
    """Fit a constant hazard to all, to those who entered but from time zero, and to those who entered from entry on."""
    place = np.isin(whole.unit, own.unit)
    wanted = Wanted(share)
    found = []
    for people, data in (
        ("all, from SBRT", whole.seen),
        ("those who entered, from SBRT (selected, not corrected)", whole.seen.chosen(place)),
        ("those who entered, from entry on", own.seen),
    ):
        fit = models.both("illness_death", data, wanted, (0.0,))
        if fit.status == "fitted":
            a = fit.phases[0].hazard
            found.append(Variant(people, len(data), int(data.found.sum()), a, yields.interval(share, a)))
    return tuple(found)


def _rounded(phase: Phase) -> Rounded | None:
    """Round to a tenth of a month and to whole weeks, at least one of them."""
    if phase.interval is None:
        return None
    months = max(round(phase.interval.estimate, 1), 0.1)
    weeks = max(round(phase.interval.estimate / WEEK), 1)
    at = [float(-np.expm1(-phase.hazard * gap)) for gap in (months, weeks * WEEK)]
    return Rounded(months, at[0], weeks, at[1])
