"""What a risk model foretells for each patient or site: a score, risks at horizons, and from them what each MRI should find.

Conventions. Months since time zero; a risk is the incidence of the event by a horizon with death competing, a share.
Risks at several horizons stand for a hazard that is constant between them: the one that gives these risks beside the
death rate of each stretch. The yield of an MRI is the chance that it finds progression in somebody clear at the MRI before,
alive and scanned: P₀₁ / (P₀₀ + P₀₁) of the illness–death model, 1 − e^{−ΔA} where deaths are as frequent after it as before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ..arrays import Floats, Ints
from .detection import Flow
from .hazards import Rates

HALVINGS = 80
LARGEST = 10.0  # a month: beyond it everybody has progressed within days


class Course(Protocol):
    """How progression is foretold to come about in time."""

    def yields(self, unit: Ints, start: Floats, stop: Floats) -> Floats:
        """Give the share of those clear at `start` (months), alive and scanned at `stop`, in whom it finds progression."""
        ...

    def net(self, months: float) -> Floats:
        """Give each unit's risk by a horizon if nobody died before progression."""
        ...


@dataclass(frozen=True)
class Grouped:
    """Rates by group; every unit belongs to one."""

    rates: tuple[Rates, ...]
    group: Ints

    def yields(self, unit: Ints, start: Floats, stop: Floats) -> Floats:
        """Give the yields of MRIs (see `Course`)."""
        found = np.full(len(unit), np.nan)
        for place, rates in enumerate(self.rates):
            own = self.group[unit] == place
            flow = Flow(rates)
            new = np.exp(-rates.after * stop[own]) * (flow.progressed(stop[own]) - flow.progressed(start[own]))
            present = flow.clear(stop[own]) + new
            found[own] = np.divide(new, present, out=np.zeros(len(new)), where=present > 0)
        return found

    def net(self, months: float) -> Floats:
        """Give each unit's risk if nobody died (see `Course`)."""
        return np.array([1.0 - float(np.exp(-rates.cumulative(months))) for rates in self.rates])[self.group]

    def risk(self, months: float) -> Floats:
        """Give each unit's risk by a horizon."""
        return np.array([float(Flow(rates).onsets(months)) for rates in self.rates])[self.group]


@dataclass(frozen=True)
class Stretches:
    """Hazards between horizons, one row per unit."""

    until: Floats  # months, ascending
    hazard: Floats  # units × stretches

    def yields(self, unit: Ints, start: Floats, stop: Floats) -> Floats:
        """Give the yields of MRIs (see `Course`); NaN beyond the last horizon."""
        begin = np.concatenate([[0.0], self.until[:-1]])
        width = np.minimum(stop[:, None], self.until) - np.maximum(start[:, None], begin)
        risk = -np.expm1(-(np.clip(width, 0.0, None) * self.hazard[unit]).sum(axis=1))
        return np.where(stop <= self.until[-1] + 1e-9, risk, np.nan)

    def net(self, months: float) -> Floats:
        """Give each unit's risk if nobody died (see `Course`)."""
        unit = np.arange(len(self.hazard))
        return self.yields(unit, np.zeros(len(unit)), np.full(len(unit), months))


def stretches(risks: Mapping[float, Floats], death: Sequence[float]) -> Stretches:
    """Turn risks at horizons (months → shares) into hazards, given the death rate a month of each stretch.

    A risk that does not rise has hazard 0 there; one that deaths leave no room for has a hazard without end.
    """
    until = np.array(sorted(risks))
    table = np.column_stack([risks[m] for m in until.tolist()])
    rows, place = np.unique(table, axis=0, return_inverse=True)
    free = np.ones(len(rows))
    hazard = np.zeros(rows.shape)
    before, begin = np.zeros(len(rows)), 0.0
    for k, (end, b) in enumerate(zip(until.tolist(), death, strict=True)):
        wanted = np.maximum(rows[:, k] - before, 0.0)
        low, high = np.zeros(len(rows)), np.full(len(rows), LARGEST)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            less = free * _share(middle, b, end - begin) < wanted
            low, high = np.where(less, middle, low), np.where(less, high, middle)
        hazard[:, k] = np.where(wanted > 0, high, 0.0)
        free = free * np.exp(-(hazard[:, k] + b) * (end - begin))
        before, begin = np.maximum(rows[:, k], before), end
    return Stretches(until, hazard[place.reshape(-1)])


def _share(hazard: Floats, death: float, width: float) -> Floats:
    """Give the share with the event within a stretch, death competing."""
    both = hazard + death
    safe = np.where(both > 0, both, 1.0)
    return np.asarray(hazard / safe * -np.expm1(-both * width))


@dataclass(frozen=True)
class Foretold:
    """A model's scores and risks for every unit of a study, by horizon in months."""

    name: str
    score: Mapping[float, Floats]
    risk: Mapping[float, Floats]
    known: Mapping[float, str]  # how the risks of a horizon are known
    course: Course | None
    by_course: Mapping[float, Floats] = field(default_factory=dict)
    """The risks that the course itself gives, where others (published ones) stand in `risk`."""
    source: str = ""
    by_group: bool = False
    """The groups are the model, so that it holds for none of them beyond the follow-up of each."""

    def mean_by_course(self, months: float) -> float:
        """Give the mean risk by the course at a horizon; NaN where there is none."""
        own = self.by_course.get(months, self.risk.get(months))
        return float("nan") if own is None else float(own.mean())
