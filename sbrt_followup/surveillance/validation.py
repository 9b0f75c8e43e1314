"""Does a risk model or a score hold in a cohort: every number of `validate`, at each horizon and by group.

Conventions. Discrimination (AUC by definition 2, concordances), Brier score, observed risk (Aalen–Johansen), observed over
expected, calibration intercept and slope, decision curve, as in van Geloven and others, BMJ 2022;377:e069249, death
competing; the estimators say the rest. Limits of O/E are exp(ln O/E ± z s.e./O) (Debray 2017). With several sites of one
patient every error is clustered by patient. With fewer than `FEW` events no limits are given; a horizon beyond the
follow-up of the cohort, or of one of its groups where these are the model, is refused and keeps its counts only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from ..arrays import Flags, Floats, Ints
from ..estimators import calibration, concordance
from ..estimators.accuracy import auc, brier, weigh
from ..estimators.calibration import Coefficient, Smooth
from ..estimators.counts import COMPETING, EVENT
from ..estimators.net_benefit import Benefit, incidence_by, known, net_benefit
from ..timing import analysis_days
from . import scan_days
from .foretold import Foretold
from .scan_days import Looked, ScanDays

FEW = 10  # events
NAN = float("nan")
UNKNOWN = Coefficient(NAN, NAN)
APPARENT = 1e-6  # a foretold risk this near every group's observed one was taken from this cohort


@dataclass(frozen=True)
class People:
    """One entry per patient or site: days, status, group, cluster and the MRIs done (None where not known)."""

    time: Floats
    status: Ints
    entry: Floats
    group: Ints
    labels: tuple[str, ...]
    cluster: Ints | None
    looked: Looked | None

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.time)


@dataclass(frozen=True)
class Number:
    """An estimate with its error and limits; NaN where not known."""

    estimate: float = NAN
    std_error: float = NAN
    ci_low: float = NAN
    ci_high: float = NAN


@dataclass(frozen=True)
class GroupAt:
    """One group at a horizon: observed beside foretold."""

    group: str
    n: int
    events: int
    competing: int
    observed: Number
    expected: float
    oe: Number
    expected_found: float = NAN
    """Of the MRIs done; over it the events are found on the group's own days of scanning."""
    corrected: Number = Number()


@dataclass(frozen=True)
class Horizon:
    """Everything at one horizon; `refused` tells why there is nothing but counts."""

    months: float
    n: int
    events: int
    competing: int
    refused: str = ""
    auc: Number = Number()
    brier: float = NAN
    brier_null: float = NAN
    brier_error: float = NAN
    observed: Number = Number()
    expected: float = NAN
    oe: Number = Number()
    intercept: Coefficient = UNKNOWN
    slope: Coefficient = UNKNOWN
    smooth: Smooth | None = None
    wolbers: float = NAN
    harrell: float = NAN
    uno: float = NAN
    benefit: tuple[Benefit, ...] = ()
    scans: ScanDays | None = None
    true_auc: float = NAN
    by_course: float = NAN
    """The mean risk by the hazards that the yields of MRIs come from."""
    groups: tuple[GroupAt, ...] = ()
    known: str = ""
    """How the foretold risks are known; empty where there are none."""

    @property
    def scaled_brier(self) -> float:
        """1 − Brier / Brier of the observed risk for everybody: the index of prediction accuracy."""
        return 1 - self.brier / self.brier_null if self.brier_null > 0 else NAN

    @property
    def naive_oe_if_perfect(self) -> float:
        """The O/E that a perfect model would show naively on these scan days."""
        if self.scans is None or not self.by_course > 0:
            return NAN
        return self.scans.naive_if_perfect / self.by_course


def validate(
    people: People, model: Foretold, months: Sequence[float], thresholds: Sequence[float], level: float = 0.95
) -> tuple[Horizon, ...]:
    """Hold a model against a cohort at each horizon."""
    yields = None
    if people.looked is not None and model.course is not None:
        yields = scan_days.yields_of(model.course, people.looked)
    return tuple(_Horizon(people, model, m, level).worked_out(thresholds, yields) for m in months)


class _Horizon:
    """One horizon being worked out."""

    def __init__(self, people: People, model: Foretold, months: float, level: float) -> None:
        self.people, self.months, self.level = people, months, level
        self.day = analysis_days(months)
        self.score = model.score[months]
        self.risk = model.risk.get(months)
        self.known = model.known.get(months, "")
        self.by_group = model.by_group
        self.by_course = model.mean_by_course(months)
        self.z = float(ndtri(0.5 + level / 2))
        inside = people.time <= self.day
        self.events = int((inside & (people.status == EVENT)).sum())
        self.competing = int((inside & (people.status == COMPETING)).sum())

    def refused(self) -> str:
        people = self.people
        if not known(people.time, people.status, self.day):
            return f"nobody is followed for {self.months:g} months"
        own = [(label, people.group == place) for place, label in enumerate(people.labels)]
        short = [label for label, here in own if here.any() and not self.followed(here)] if self.by_group else []
        return f"nobody of {', '.join(short)} is followed for {self.months:g} months" if short else ""

    def followed(self, own: Flags) -> bool:
        """Tell whether a group is followed to the horizon."""
        return known(self.people.time[own], self.people.status[own], self.day)

    def worked_out(self, thresholds: Sequence[float], yields: Floats | None) -> Horizon:
        people, day, score, risk = self.people, self.day, self.score, self.risk
        counted = Horizon(self.months, people.n, self.events, self.competing, self.refused())
        if counted.refused:
            return counted
        weighted = weigh(people.time, people.status, day)
        area = auc(weighted, score)
        observed = self.observed(np.ones(people.n, dtype=bool))
        found = replace(
            counted,
            auc=self.number(area.estimate, area.std_error(people.cluster), self.events),
            brier_null=brier(weighted, np.full(people.n, observed.estimate)).estimate,
            observed=observed,
            wolbers=concordance.wolbers(people.time, people.status, score, day),
            harrell=concordance.harrell(people.time, people.status, score, day),
            uno=concordance.uno(people.time, people.status, score, day),
            groups=self.groups(yields),
            known=self.known,
        )
        if risk is None:
            return found
        found = self.with_risk(found, risk, thresholds)
        if yields is None or people.looked is None:
            return found
        scans = scan_days.correct(people.time, people.status, people.looked, yields, score, day, self.level)
        return replace(found, scans=scans, true_auc=scan_days.true_auc(risk, score), by_course=self.by_course)

    def with_risk(self, found: Horizon, risk: Floats, thresholds: Sequence[float]) -> Horizon:
        """Add what needs risks."""
        people, day = self.people, self.day
        score = brier(weigh(people.time, people.status, day), risk)
        expected = float(risk.mean())
        found = replace(
            found,
            brier=score.estimate,
            brier_error=score.std_error(people.cluster),
            expected=expected,
            oe=self.oe(found.observed, expected, self.events),
            benefit=net_benefit(people.time, people.status, risk, day, thresholds),
        )
        if not self.events or not ((risk > 0) & (risk < 1)).all():
            return found
        pseudo = calibration.pseudo_values(people.time, people.status, day)
        return replace(
            found,
            intercept=calibration.intercept(pseudo, risk, people.cluster),
            slope=calibration.slope(pseudo, risk, people.cluster),
            smooth=calibration.smooth(pseudo, risk, z=self.z, cluster=people.cluster),
        )

    def number(self, estimate: float, std_error: float, events: int) -> Number:
        half = self.z * std_error if events >= FEW else NAN
        return Number(estimate, std_error, estimate - half, estimate + half)

    def observed(self, own: Flags) -> Number:
        people = self.people
        time, status = people.time[own], people.status[own]
        found = calibration.observed(time, status, self.day)
        error = calibration.jackknife_error(found, None if people.cluster is None else people.cluster[own])
        return self.number(found.estimate, error, int(((time <= self.day) & (status == EVENT)).sum()))

    def oe(self, observed: Number, expected: float, events: int) -> Number:
        if not expected > 0:
            return Number()
        ratio = observed.estimate / expected
        half = self.z * observed.std_error / observed.estimate if events >= FEW and observed.estimate > 0 else NAN
        return Number(ratio, NAN, ratio * float(np.exp(-half)), ratio * float(np.exp(half)))

    def groups(self, yields: Floats | None) -> tuple[GroupAt, ...]:
        people = self.people
        found = []
        for place, label in enumerate(people.labels):
            own = people.group == place
            if not own.any():
                continue
            inside = own & (people.time <= self.day)
            events = int((inside & (people.status == EVENT)).sum())
            observed = self.observed(own) if self.followed(own) else Number()
            expected = float(self.risk[own].mean()) if self.risk is not None else NAN
            died = int((inside & (people.status == COMPETING)).sum())
            oe = self.oe(observed, expected, events)
            one = GroupAt(label, int(own.sum()), events, died, observed, expected, oe)
            found.append(one if yields is None else self.corrected(one, own, yields))
        return tuple(found)

    def corrected(self, one: GroupAt, own: Flags, yields: Floats) -> GroupAt:
        """Add what the group's own MRIs should have found."""
        looked = self.people.looked
        assert looked is not None
        expected = float(yields[own[looked.unit] & (looked.day <= self.day)].sum())
        if not expected > 0:
            return replace(one, expected_found=expected)
        low, high = scan_days.poisson_limits(one.events, self.level)
        ratio = Number(one.events / expected, NAN, low / expected, high / expected)
        return replace(one, expected_found=expected, corrected=ratio)


def apparent(people: People, risks: Mapping[float, Floats]) -> bool:
    """Tell whether the foretold risks are this cohort's own observed ones, group by group."""
    for months, risk in risks.items():
        for value in np.unique(risk):
            own = risk == value
            seen = incidence_by(people.time[own], people.status[own], analysis_days(months))
            if not abs(seen - value) < APPARENT:
                return False
    return bool(risks)


def patients_needed(risk: float, factor: float, level: float = 0.95) -> float:
    """Give the number for which the limits of O/E are a factor away: s.e.(ln O/E) = √((1 − φ)/(nφ)) (Riley 2022)."""
    error = float(np.log(factor)) / float(ndtri(0.5 + level / 2))
    return (1 - risk) / (risk * error**2) if 0 < risk < 1 else NAN


def patients_for_slope(horizon: Horizon, within: float, level: float = 0.95) -> float:
    """Give the number for which the limits of the slope are so far away, scaled from the error in this cohort."""
    half = float(ndtri(0.5 + level / 2)) * horizon.slope.std_error
    return horizon.n * (half / within) ** 2 if half > 0 else NAN
