"""What the tests and intervals are worth on this cohort: equal hazards simulated on its own scans, deaths and groups.

Conventions. Kept as they are: every patient's group, entry, length of follow-up, death, and MRIs. Simulated: the true day
of the event, from one hazard for all (piecewise constant between the stated months, events per person-day of the whole
cohort; after entry, for those who enter late), and the MRIs after the last one known, with gaps drawn from the patient's
own group. The event is found at the first MRI on or after it, or never. Each simulated cohort is then analysed like the
real one. Without an imaging table MRIs are drawn from day 0 on, with the gaps in which dated events lie, weighted by
1/length because an event falls into a long gap more often. Sites of one patient share a gamma frailty (Clayton 1978), its
variance estimated by maximum likelihood, so that each site's own hazard stays the one for all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..arrays import Floats, Ints
from ..estimators.counts import CENSORED, COMPETING, EVENT
from ..estimators.survival import kaplan_meier
from ..problems import refuse
from ..timing import analysis_days
from .analysis import Method, compare_overall, read
from .interval_analysis import silent
from .question import AT_DISTANT, AT_RETREATMENT, DEATH_INSIDE
from .study import Study

ALPHA = 0.05
NEVER = np.inf
HALF_A_DAY = 0.5
LEAST_FRAILTY, MOST_FRAILTY = 1e-3, 20.0


@dataclass(frozen=True)
class TestSize:
    """How often a test at 5 % rejects although there is nothing to find."""

    name: str
    size: float
    replicates: int

    __test__ = False  # not a test case, whatever its name begins with

    @property
    def margin(self) -> float:
        """Half the width of the simulation's own 95 % interval."""
        return 1.96 * float(np.sqrt(self.size * (1 - self.size) / self.replicates)) if self.replicates else np.nan


@dataclass(frozen=True)
class LandmarkCheck:
    """How far a landmark lies from the truth on average, and how often its interval holds it."""

    group: str
    months: float
    truth: float
    mean: float
    coverage: float
    replicates: int

    @property
    def bias(self) -> float:
        """Mean estimate less the truth."""
        return self.mean - self.truth

    @property
    def error(self) -> float:
        """The simulation's standard error of the coverage, at least that of a coverage of 95 %."""
        spread = max(self.coverage * (1 - self.coverage), ALPHA * (1 - ALPHA))
        return float(np.sqrt(spread / self.replicates)) if self.replicates else np.nan


@dataclass(frozen=True)
class NullCheck:
    """The result, with what made it."""

    replicates: int
    seed: int
    scans_from: str
    frailty: float
    """The variance of what sites of a patient share; 0 where the unit is the patient."""
    tests: tuple[TestSize, ...]
    landmarks: tuple[LandmarkCheck, ...]


@dataclass(frozen=True)
class Ground:
    """What stays the same over the simulated cohorts: MRIs, follow-up, deaths; and the hazard drawn from."""

    scans: Floats  # units × known MRIs, NEVER where there are no more
    last_scan: Floats
    until: Floats
    died: npt.NDArray[np.bool_]
    pools: tuple[tuple[Floats, Floats], ...]  # each group's gaps with their weights
    edges: Floats
    hazard: Floats
    frailty: float

    def reached(self, day: Floats) -> Floats:
        """Give the cumulative hazard by a day."""
        return np.asarray(_in_pieces(day, self.edges) @ self.hazard)


def null_check(
    study: Study,
    method: Method,
    scans: tuple[Ints, Floats] | None,
    replicates: int,
    seed: int,
    step: Callable[[], None] = silent,
) -> NullCheck:
    """Simulate, calling `step` after every cohort; `scans` holds the place of the unit and the day of every known MRI, or None without imaging."""
    _check(study)
    ground = ground_of(study, method.times, scans)
    rng = np.random.default_rng(seed)
    truths = [_truth(study, ground, method, place) for place in range(len(study.labels))]
    # Only landmarks that this cohort gives, and that most simulated ones give too.
    estimable = np.array([np.isfinite(read(study, replace(method, bootstrap=0), g)[0]) for g in range(len(truths))])
    rejected: dict[str, list[bool]] = {}
    total = np.zeros((len(study.labels), len(method.times)))
    held, counted, bounded = total.copy(), total.copy(), total.copy()
    for _ in range(replicates):
        made = simulated(study, ground, rng)
        for test in compare_overall(made, method) if len(study.labels) > 1 else ():
            if np.isfinite(test.p_value) and test.name != "gray_competing":  # deaths are not simulated
                rejected.setdefault(test.name, []).append(test.p_value < ALPHA)
        for place in range(len(study.labels)):
            value, _, low, high = read(made, method, place)
            known, limits = np.isfinite(value), np.isfinite(low)
            total[place] += np.where(known, value, 0.0)
            counted[place] += known
            held[place] += limits & (low <= truths[place]) & (truths[place] <= high)
            bounded[place] += limits
        step()
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, coverage = total / counted, held / bounded
    return NullCheck(
        replicates,
        seed,
        "event intervals" if scans is None else "imaging",
        ground.frailty,
        tuple(TestSize(name, float(np.mean(hits)), len(hits)) for name, hits in rejected.items()),
        tuple(
            LandmarkCheck(label, m, float(truths[g][k]), float(mean[g, k]), float(coverage[g, k]), int(counted[g, k]))
            for g, label in enumerate(study.labels)
            for k, m in enumerate(method.times)
            if estimable[g, k] and 2 * counted[g, k] >= replicates
        ),
    )


def _check(study: Study) -> None:
    question = study.question
    if question.endpoint == "death":
        raise refuse("null-check", "--null-check is for endpoints found at an MRI; death is not one")
    if not len(study.time):
        raise refuse("null-check", "--null-check needs patients; all rows are excluded")


def ground_of(study: Study, times: tuple[float, ...], scans: tuple[Ints, Floats] | None) -> Ground:
    """Gather what stays the same; the hazard is that of the whole cohort between the stated months."""
    cut = np.isin(study.ending.astype(str), [AT_DISTANT, AT_RETREATMENT])
    until = np.where(cut, study.time, study.alive_until)
    n = len(until)
    if scans is None:
        known, last = np.full((n, 1), NEVER), np.zeros(n)
        width = np.where(study.status == EVENT, study.time - study.last_clear_mri, np.nan)
        gaps = [(np.flatnonzero(study.where(g)), width[study.where(g)]) for g in range(len(study.labels))]
        pools = [(w[np.isfinite(w) & (w > 0)]) for _, w in gaps]
        weighted = tuple((w, 1.0 / w) for w in pools)
    else:
        known, last, weighted = _known_scans(study, *scans)
    if any(not len(w) and study.where(g).any() for g, (w, _) in enumerate(weighted)):
        raise refuse(
            "null-check",
            "--null-check needs to know how each group is scanned",
            hint="Give --imaging FILE, or last_clear_mri_date for those who progressed.",
        )
    edges = np.array([0.0, *(analysis_days(m) for m in times), NEVER])
    lived = (_in_pieces(study.time, edges) - _in_pieces(study.entry, edges)).sum(axis=0)
    own = study.status == EVENT
    if study.question.endpoint == "progression_or_death":
        own &= ~(study.died & (study.time == study.alive_until))  # deaths are kept, not simulated
    piece = np.searchsorted(edges, study.time[own], side="left") - 1
    events = np.bincount(np.maximum(piece, 0), minlength=len(lived))
    hazard = np.divide(events, lived, out=np.zeros(len(lived)), where=lived > 0)
    ground = Ground(known, last, until, study.died & ~cut, weighted, edges, hazard, 0.0)
    return replace(ground, frailty=_frailty(study, own, ground)) if study.question.unit == "site" else ground


def _in_pieces(until: Floats, edges: Floats) -> Floats:
    """Give the days that each one lives in each piece up to a day."""
    return np.asarray(np.clip(until[:, None] - edges[None, :-1], 0.0, np.diff(edges)[None, :]))


def _frailty(study: Study, own: npt.NDArray[np.bool_], ground: Ground) -> float:
    """Estimate by maximum likelihood the variance of a gamma frailty that sites of a patient share, their hazards given."""
    from scipy.optimize import minimize_scalar

    expected = ground.reached(study.time) - ground.reached(study.entry)
    events = np.bincount(study.patient, own).astype(np.int64)
    earlier = np.arange(int(events.max(initial=0)))

    def less_likely(variance: float) -> float:
        # Given the frailty a site's cumulative hazard is that times (exp(θΛ) − 1)/θ, so that Λ is its own.
        given = np.bincount(study.patient, np.expm1(variance * expected))
        among = np.concatenate([[0.0], np.cumsum(np.log1p(variance * earlier))])[events].sum()
        return float(((1 / variance + events) * np.log1p(given)).sum() - among - variance * expected[own].sum())

    best = minimize_scalar(less_likely, bounds=(LEAST_FRAILTY, MOST_FRAILTY), method="bounded").x
    return float(best) if best > 2 * LEAST_FRAILTY else 0.0


def _known_scans(study: Study, unit: Ints, day: Floats) -> tuple[Floats, Floats, tuple[tuple[Floats, Floats], ...]]:
    """Lay each unit's MRIs up to the end of follow-up in a row, and pool each group's gaps."""
    begin = -float(study.question.landmark_day or 0)
    kept = (day > begin) & (day <= study.time[unit])
    pairs = np.unique(np.column_stack([unit[kept], day[kept]]), axis=0)
    unit, day = pairs[:, 0].astype(np.int64), pairs[:, 1]
    start = np.searchsorted(unit, np.arange(len(study.time)))
    place = np.arange(len(unit)) - start[unit]
    rows = np.full((len(study.time), int(place.max()) + 1 if len(place) else 1), NEVER)
    rows[unit, place] = day
    before = np.where(place > 0, np.concatenate([[begin], day[:-1]]), begin)
    gap, group = day - before, study.group[unit]
    pools = tuple((gap[group == g], np.ones(int((group == g).sum()))) for g in range(len(study.labels)))
    last = np.where(np.isfinite(rows), rows, begin).max(axis=1)
    return rows, last, pools


def simulated(study: Study, ground: Ground, rng: np.random.Generator) -> Study:
    """Make one cohort with the same hazard in every group."""
    true = _event_days(study, ground, rng)
    scans = np.hstack([ground.scans, _later_scans(study, ground, rng)])
    scans[scans > ground.until[:, None]] = NEVER
    found = np.where(scans >= true[:, None], scans, NEVER).min(axis=1)
    clear = np.where(scans < np.minimum(found, NEVER)[:, None], scans, 0.0)
    last_clear = np.where(np.isfinite(clear), clear, 0.0).max(axis=1)
    event = np.isfinite(found)
    quiet = last_clear if study.question.censored_at == "last_mri" else ground.until
    with_death = COMPETING if study.question.endpoint not in DEATH_INSIDE else EVENT
    time = np.where(event, found, np.where(ground.died, ground.until, quiet))
    status = np.where(event, EVENT, np.where(ground.died, with_death, CENSORED)).astype(np.int64)
    # Whoever is last seen clear before entry is never at risk: no event lies within half a day of an entry.
    return replace(study, time=np.maximum(time, study.entry + HALF_A_DAY), status=status, last_clear_mri=last_clear)


def _event_days(study: Study, ground: Ground, rng: np.random.Generator) -> Floats:
    """Draw true event days after entry from the piecewise constant hazard; NEVER beyond its reach."""
    draw = rng.exponential(size=len(study.time))
    if ground.frailty:
        # Given the frailty z the cumulative hazard is z (exp(θΛ) − 1)/θ, so that Λ is the hazard of a site on its own.
        shared = rng.gamma(1.0 / ground.frailty, ground.frailty, len(study.patients))[study.patient]
        with np.errstate(divide="ignore", over="ignore"):
            draw = np.log1p(ground.frailty * draw / shared) / ground.frailty
    draw = draw + ground.reached(study.entry)
    reached = np.concatenate([[0.0], np.cumsum(np.diff(ground.edges)[:-1] * ground.hazard[:-1])])
    piece = np.searchsorted(reached, draw, side="right") - 1
    rate = ground.hazard[piece]
    with np.errstate(divide="ignore"):
        day = ground.edges[piece] + np.where(rate > 0, (draw - reached[piece]) / rate, NEVER)
    return np.asarray(day, dtype=np.float64)


def _later_scans(study: Study, ground: Ground, rng: np.random.Generator) -> Floats:
    """Draw MRIs after the last known one, until the end of follow-up, with gaps from the patient's group."""
    left = np.maximum(ground.until - ground.last_scan, 0.0)
    later = [np.empty((0, 0))] * len(ground.pools)
    widest = 1
    for g, (gaps, weight) in enumerate(ground.pools):
        here = study.group == g
        if not here.any():
            continue
        share = weight / weight.sum()
        columns = int(np.ceil(2.0 * left[here].max() / float(share @ gaps))) + 8
        later[g] = np.cumsum(rng.choice(gaps, size=(int(here.sum()), columns), p=share), axis=1)
        widest = max(widest, columns)
    days = np.full((len(left), widest), NEVER)
    for g, drawn in enumerate(later):
        if drawn.size:
            days[np.flatnonzero(study.group == g), : drawn.shape[1]] = drawn
    return days + ground.last_scan[:, None]


def _truth(study: Study, ground: Ground, method: Method, place: int) -> Floats:
    """Give the true curve at the stated months: the simulated hazard, with the group's own deaths."""
    ends = np.array([analysis_days(m) for m in method.times])
    grid = np.unique(np.concatenate([np.linspace(0.0, ends.max(), 4000), ends]))
    piece = np.searchsorted(ground.edges, grid[:-1], side="right") - 1
    step = ground.hazard[piece] * np.diff(grid)
    surviving = np.exp(-np.concatenate([[0.0], np.cumsum(step)]))
    deaths = kaplan_meier(study.follow_up_counts(place))
    alive = np.array([deaths.step(min(t, deaths.reach))[0] for t in grid])
    at = np.searchsorted(grid, ends)
    if study.question.endpoint in DEATH_INSIDE:
        both = surviving * alive
        return np.asarray(both[at] if method.estimator != "cif" else 1.0 - both[at])
    if method.estimator != "cif":
        return np.asarray(surviving[at])
    moves = -np.diff(surviving) * (alive[:-1] + alive[1:]) / 2
    return np.asarray(np.concatenate([[0.0], np.cumsum(moves)])[at])
