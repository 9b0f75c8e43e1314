"""A study analysed: for each group the curve, landmarks, median, means and follow-up; between groups the tests.

Conventions. Times asked for are analysis months × 30.4375, unrounded. A landmark is the last step at or before it, with
the number at risk there (time >= it); nothing is given beyond a group's last observation. Numbers at risk, events and
censorings in tables are those at the start of a period: before the time, so that they add to n.
Where the unit is the site, variances and tests are clustered by patient; with late entry Gray's test takes its variance
from the same infinitesimal jackknife, each patient a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from ..arrays import Floats
from ..estimators import clustering, comparisons
from ..estimators.clustering import Members
from ..estimators.comparisons import NAN, Comparison
from ..estimators.counts import Counts
from ..estimators.incidence import aalen_johansen, event_free, loss_variance, restricted_loss, time_to
from ..estimators.survival import (
    Curve,
    Estimate,
    follow_up,
    kaplan_meier,
    lifelines_survival,
    quantile,
    restricted_mean,
)
from ..timing import analysis_days
from . import interval_analysis
from .interval_analysis import IntervalFit
from .question import DEATH_INSIDE
from .study import Study

FEW_AT_RISK = 10  # below this a curve is drawn faint
SMALL_GROUP = 20  # below this a p-value is kept out of figures and printed tables
AGREEMENT = 1e-9  # with lifelines


@dataclass(frozen=True)
class Method:
    """How the curves are estimated and compared."""

    estimator: str
    times: tuple[float, ...] = (6.0, 12.0, 24.0, 48.0)
    tau_months: float = 48.0
    ci_type: str = "log-log"
    level: float = 0.95
    rho: float = 0.0
    gamma: float = 0.0
    trend: bool = False
    bootstrap: int = 0
    seed: int = 1
    quantiles: tuple[float, ...] = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Landmark:
    """The curve at a stated month."""

    months: float
    n_risk: int
    estimate: float
    std_error: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True)
class AtRisk:
    """Who is left, and who has gone, at the start of a period."""

    months: float
    n_risk: int
    events: int
    competing: int
    censored: int


@dataclass(frozen=True)
class Gap:
    """One minus Kaplan–Meier beside the incidence with death competing."""

    months: float
    one_minus_km: float
    incidence: float

    @property
    def difference(self) -> float:
        """By how much one minus Kaplan–Meier overstates."""
        return self.one_minus_km - self.incidence


@dataclass(frozen=True)
class GroupResult:
    """One group's numbers."""

    label: str
    counts: Counts
    curve: Curve
    landmarks: tuple[Landmark, ...]
    median: Estimate
    quantiles: tuple[Estimate, ...]  # of the method's shares
    restricted_mean: Estimate
    restricted_loss: Estimate
    follow_up: Estimate
    at_risk: tuple[AtRisk, ...]
    gaps: tuple[Gap, ...]
    patients: int
    fit: IntervalFit | None = None  # of interval-censored data

    def band(self) -> tuple[Floats, Floats, Floats]:
        """Give days, and the lower and upper confidence limits from each on."""
        return self.fit.band() if self.fit else (self.curve.time, self.curve.ci_low, self.curve.ci_high)

    @property
    def small(self) -> bool:
        """Whether the group is too small for a printed p-value."""
        return self.patients < SMALL_GROUP


@dataclass(frozen=True)
class Caution:
    """Something a reader of the numbers must know."""

    code: str
    message: str
    group: str | None = None


@dataclass(frozen=True)
class Analysis:
    """Everything estimated from one study."""

    study: Study
    method: Method
    groups: tuple[GroupResult, ...]
    tests: tuple[Comparison, ...]
    cautions: tuple[Caution, ...]
    lifelines_difference: float = NAN

    def printable(self, test: Comparison) -> bool:
        """Tell whether a test may show its p-value in figures and printed tables."""
        shown = {g.label: g for g in self.groups}
        part = [shown[label] for label in test.groups] if test.groups else self.groups
        return not any(group.small for group in part if group.counts.n)


def analyse(
    study: Study, method: Method, *, tests: bool = True, step: Callable[[], None] = interval_analysis.silent
) -> Analysis:
    """Estimate every group's curve and compare the groups, unless no tests are wanted; `step` follows the bootstrap."""
    if method.estimator == "turnbull":
        interval_analysis.check_question(study)
    groups = tuple(_group(study, method, place, step) for place in range(len(study.labels)))
    difference = NAN
    if method.estimator == "km":
        difference = max((_against_lifelines(g.counts) for g in groups if g.counts.n), default=NAN)
    found = compare(study, method) if tests and len(groups) > 1 else ()
    return Analysis(study, method, groups, found, cautions(study, method, groups), difference)


def _against_lifelines(counts: Counts) -> float:
    if counts.late_entry or not counts.time.size:
        return 0.0
    difference = float(np.abs(lifelines_survival(counts) - kaplan_meier(counts).estimate).max())
    if difference > AGREEMENT:
        raise AssertionError(f"Kaplan–Meier differs from lifelines by {difference:.3g}")
    return difference


def read(study: Study, method: Method, place: int) -> Floats:
    """Give one group's landmarks only: rows of estimate, standard error, low and high, a column per stated month."""
    if method.estimator == "turnbull":
        return np.stack(_interval_fit(interval_analysis.intervals(study, place), method, place).marks.values)
    curve = _curve(study, method, place, study.counts(place))
    return np.array([curve.step(day) for day in _days(method)]).T


def _curve(study: Study, method: Method, place: int, counts: Counts) -> Curve:
    """Estimate a curve, clustered by patient where the unit is the site."""
    by_site = study.question.unit == "site"
    if method.estimator == "km":
        variance = clustering.survival_variance(study.members(place)) if by_site else None
        return kaplan_meier(counts, ci_type=method.ci_type, level=method.level, variance=variance)
    variance = clustering.incidence_variance(study.members(place)) if by_site else None
    return aalen_johansen(counts, ci_type=method.ci_type, level=method.level, variance=variance)


def _group(study: Study, method: Method, place: int, step: Callable[[], None]) -> GroupResult:
    if method.estimator == "turnbull":
        return _interval_group(study, method, place, step)
    counts = study.counts(place)
    curve = _curve(study, method, place, counts)
    time_of = partial(quantile if method.estimator == "km" else time_to, curve)
    own = counts if method.estimator == "km" else event_free(counts)
    tau = analysis_days(method.tau_months)
    by_site = study.question.unit == "site"
    spread = clustering.area_variance(_free_of(study.members(place), method), tau, competing=False) if by_site else None
    lost = _loss_variance(study, place, counts, tau) if method.estimator == "cif" and counts.n else None
    return GroupResult(
        study.labels[place],
        counts,
        curve,
        tuple(landmark(curve, counts, months) for months in method.times),
        time_of(0.5),
        tuple(time_of(share) for share in method.quantiles),
        restricted_mean(own, tau, variance_of_area=spread),
        restricted_loss(counts, tau, variance_of_area=lost),
        follow_up(study.follow_up_counts(place), ci_type=method.ci_type, level=method.level),
        tuple(at_risk(counts, months) for months in (0.0, *method.times)),
        _gaps(counts, method) if study.question.endpoint not in DEATH_INSIDE else (),
        len(np.unique(study.members(place).cluster)) if by_site else counts.n,
    )


def _interval_group(study: Study, method: Method, place: int, step: Callable[[], None]) -> GroupResult:
    """Estimate a group from intervals: no restricted mean, for the curve is not unique inside them."""
    people = interval_analysis.intervals(study, place)
    fit, counts = _interval_fit(people, method, place, step), people.counts
    marks = zip(*(column.tolist() for column in fit.marks.values), strict=True)
    return GroupResult(
        study.labels[place],
        counts,
        fit.curve,
        tuple(
            Landmark(m, int(counts.at_risk(analysis_days(m))), *mark)
            for m, mark in zip(method.times, marks, strict=True)
        ),
        fit.quantile(0.5),
        tuple(fit.quantile(share) for share in method.quantiles),
        Estimate(NAN),
        Estimate(NAN),
        follow_up(study.follow_up_counts(place), ci_type=method.ci_type, level=method.level),
        tuple(at_risk(counts, months) for months in (0.0, *method.times)),
        (),
        len(np.unique(people.patient)),
        fit,
    )


def _interval_fit(
    people: interval_analysis.Intervals, method: Method, place: int, step: Callable[[], None] = interval_analysis.silent
) -> IntervalFit:
    return interval_analysis.fit(
        people,
        _days(method),
        bootstrap=method.bootstrap,
        seed=method.seed + place,
        level=method.level,
        ci_type=method.ci_type,
        step=step,
    )


def _days(method: Method) -> Floats:
    return np.array([analysis_days(m) for m in method.times])


def _loss_variance(study: Study, place: int, counts: Counts, tau: float) -> float:
    by_site = study.question.unit == "site"
    if not by_site and not counts.late_entry:
        return loss_variance(counts, tau)
    members = study.members(place)
    clusters = members.cluster if by_site else np.arange(len(members.time))
    return clustering.area_variance(replace(members, cluster=clusters), tau, competing=True)


def _free_of(members: Members, method: Method) -> Members:
    """Make either event the event where the mean is that of event-free time."""
    return members if method.estimator == "km" else replace(members, status=np.minimum(members.status, 1))


def landmark(curve: Curve, counts: Counts, months: float) -> Landmark:
    """Read a curve at a stated month."""
    days = analysis_days(months)
    return Landmark(months, int(counts.at_risk(days)), *curve.step(days))


def at_risk(counts: Counts, months: float) -> AtRisk:
    """Count who is left and who has gone at the start of a period."""
    days = analysis_days(months)
    before = int(np.searchsorted(counts.time, days, side="left"))
    events, competing, censored = (
        int(column[:before].sum()) for column in (counts.n_event, counts.n_competing, counts.n_censor)
    )
    at_start = counts.n if days == 0 and not counts.late_entry else int(counts.at_risk(days))
    return AtRisk(months, at_start, events, competing, censored)


def _gaps(counts: Counts, method: Method) -> tuple[Gap, ...]:
    survival, incidence = kaplan_meier(counts), aalen_johansen(counts)
    return tuple(
        Gap(m, 1.0 - survival.step(analysis_days(m))[0], incidence.step(analysis_days(m))[0]) for m in method.times
    )


def compare(study: Study, method: Method) -> tuple[Comparison, ...]:
    """Run the tests that go with the endpoint and unit, over all groups and by pairs: the estimator's own first."""
    if method.estimator == "turnbull":
        return interval_analysis.compare(study, pairs=True, trend=method.trend)
    return _Tests(study, method).run(pairs=True)


def compare_overall(study: Study, method: Method) -> tuple[Comparison, ...]:
    """Run the overall tests only."""
    if method.estimator == "turnbull":
        return interval_analysis.compare(study, pairs=False, trend=method.trend)
    return _Tests(study, method).run(pairs=False)


class _Tests:
    """The tests of one study: counts by stratum and group, made once; members only where a test needs them."""

    def __init__(self, study: Study, method: Method) -> None:
        self.study, self.method = study, method
        self.places = range(len(study.labels))
        self.robust = study.question.unit == "site"
        self.counts = [[study.counts(g, s) for g in self.places] for s in study.strata]

    @cached_property
    def members(self) -> list[list[Members]]:
        return [[self.study.members(g, s) for g in self.places] for s in self.study.strata]

    def run(self, pairs: bool) -> tuple[Comparison, ...]:
        method = self.method
        tests = self._family("logrank", lambda chosen: self._logrank("logrank", chosen, 0.0, 0.0), pairs)
        if method.rho or method.gamma:
            name = "fleming_harrington"
            tests += self._family(name, lambda chosen: self._logrank(name, chosen, method.rho, method.gamma), pairs)
        if method.trend:
            tests.append(comparisons.trend(*self._score(self.places, 0.0, 0.0)))
        if self.study.question.endpoint in DEATH_INSIDE:
            return tuple(tests)
        grays = [
            *self._family("gray", lambda chosen: self._gray(chosen, True), pairs),
            *self._family("gray_competing", lambda chosen: self._gray(chosen, False), pairs),
        ]
        return tuple([*tests, *grays] if method.estimator == "km" else [*grays, *tests])

    def _gray(self, chosen: Sequence[int], own: bool) -> Comparison:
        """Run Gray's test of the endpoint's own event or of the competing one, robust where sites or late entry ask for it."""
        if not self.robust and not any(counts.late_entry for stratum in self.counts for counts in stratum):
            test = comparisons.gray if own else comparisons.gray_competing
            return test(comparisons.choose(self.counts, *chosen))
        present = [i for i in chosen if any(len(stratum[i].time) for stratum in self.members)]
        groups = [[stratum[i] if own else clustering.swap(stratum[i]) for i in present] for stratum in self.members]
        return comparisons.gray_from_score(*clustering.gray_score(groups))

    def _family(self, name: str, test: Callable[[Sequence[int]], Comparison], pairs: bool) -> list[Comparison]:
        overall = replace(test(self.places), name=name)
        if not pairs:
            return [overall]
        return comparisons.with_pairs(self.study.labels, overall, lambda i, j: test((i, j)))

    def _score(self, chosen: Sequence[int], rho: float, gamma: float) -> comparisons.Score:
        if self.robust:
            groups = [[stratum[i] for i in chosen] for stratum in self.members]
            return clustering.logrank_score(groups, rho=rho, gamma=gamma)
        return comparisons.logrank_score(comparisons.choose(self.counts, *chosen), rho=rho, gamma=gamma)

    def _logrank(self, name: str, chosen: Sequence[int], rho: float, gamma: float) -> Comparison:
        return comparisons.from_score(name, *self._score(chosen, rho, gamma), comparisons.choose(self.counts, *chosen))


def cautions(study: Study, method: Method, groups: Sequence[GroupResult]) -> tuple[Caution, ...]:
    """Say what cannot be estimated and what a reader could take amiss."""
    found: list[Caution] = []
    competing = study.question.endpoint not in DEATH_INSIDE
    if method.estimator != "cif" and competing and any(g.counts.competing for g in groups):
        name = "Kaplan–Meier" if method.estimator == "km" else "the curve"
        found.append(Caution("km-overstates", f"1 − {name} overstates the incidence: patients who died are censored"))
    if method.estimator == "turnbull" and not method.bootstrap:
        found.append(Caution("no-bootstrap", "no confidence intervals: they need --bootstrap, such as --bootstrap 500"))
    for g in groups:
        found += [Caution(code, text, g.label) for code, text in _about(g, method)]
    return tuple(found)


def _about(group: GroupResult, method: Method) -> list[tuple[str, str]]:
    counts = group.counts
    if not counts.n:
        return [("empty-group", "nobody in this group: nothing to estimate")]
    found = []
    if group.small:
        found.append(
            (
                "small-group",
                f"fewer than {SMALL_GROUP} patients ({group.patients}): no p-value in figures and printed tables",
            )
        )
    if not counts.events:
        found.append(("no-event", "no event: no interval and no median"))
    beyond = [m for m in method.times if analysis_days(m) > group.curve.reach]
    if beyond:
        listed = ", ".join(f"{m:g}" for m in beyond)
        found.append(("beyond-follow-up", f"follow-up ends before month {listed}: not estimated there"))
    carried = [m.months for m in group.landmarks if not m.n_risk and np.isfinite(m.estimate)]
    if carried:
        listed = ", ".join(f"{m:g}" for m in carried)
        found.append(
            ("carried-on", f"nobody is at risk at month {listed}: the curve has reached its end and is carried on")
        )
    if np.isnan(group.restricted_mean.estimate) and group.fit is None:
        found.append(("tau-beyond-follow-up", f"follow-up ends before month {method.tau_months:g}: no restricted mean"))
    if counts.late_entry and _risk_set_empties(counts):
        found.append(("risk-set-empty", "everybody at risk had the event while others had yet to enter"))
    return found


def _risk_set_empties(counts: Counts) -> bool:
    failing = counts.n_event + counts.n_competing
    return bool(((failing > 0) & (failing == counts.n_risk))[:-1].any())
