"""The MRIs of a synthetic cohort: when they take place by a plan, and what they show of each site.

Conventions. Days are counted from time zero. Every MRI is due by the plan's phases: from the last MRI or from time zero,
as the plan says; it takes place some days about that, or not at all; then the next is an interval later. Everyone is
scanned to the horizon or the end of follow-up, progression or not, the whole spine each time.
Volumes are baseline × trend × measurement error, its size such that the published detectable difference is what 95 % of
two measurements of an unchanged tumour stay within.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..arrays import Floats, Ints
from ..rulebook.model import Evidence, Plan
from ..rulebook.simulation import Simulation, look_up
from ..timing import analysis_days
from ..vocabulary import FACTS, TIERS, YES_NO

if TYPE_CHECKING:
    import pandas as pd

MONTH = analysis_days(1)
NEVER = np.inf
BASELINE = -7.0  # the day of the MRI before treatment
TWO_MEASUREMENTS = 1.959964 * 2**0.5


@dataclass(frozen=True)
class Visits:
    """MRIs in order of patient and day: whose, when, whether done."""

    patient: Ints
    day: Floats
    done: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Course:
    """What truly happens in each site: growth, swelling, the grade it starts from; NEVER where it does not."""

    patient: Ints
    grows: Floats  # first day of progression
    swells_to: Floats  # day of the peak of pseudo-progression
    bilsky: Ints
    distant: Floats  # per patient, the first day of a new metastasis


def visits_of(tier: Ints, end: Floats, plan: Plan, simulation: Simulation, rng: np.random.Generator) -> Visits:
    """Scan every patient by the plan until `end` (days) or the horizon."""
    missed, spread = simulation.assumed.missed_mri.share, simulation.assumed.mri_jitter.share
    last = np.minimum(end, float(plan.horizon.value) * MONTH)
    ends = [_ends(plan, t) for t in range(len(TIERS))]
    due = np.array([e[0] for e in ends])[tier] * MONTH
    before = np.zeros(len(tier))
    found: list[tuple[Ints, Floats, npt.NDArray[np.bool_]]] = []
    while True:
        open_ = np.flatnonzero(due <= last)
        if not len(open_):
            break
        day = np.maximum(np.round(due[open_] + rng.normal(0.0, 1.0, len(open_)) * spread), before[open_] + 1.0)
        done = rng.random(len(open_)) >= missed
        inside = day <= end[open_]
        found.append((open_[inside], day[inside], done[inside]))
        before[open_] = day
        anchor = np.where(done, day, due[open_]) if plan.anchor.from_ == "last_mri" else due[open_]
        due[open_] = anchor + MONTH * _interval(ends, tier[open_], anchor / MONTH)
    patient, day, done = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((day, patient))
    return Visits(patient[order], day[order], done[order])


def _ends(plan: Plan, tier: int) -> tuple[float, list[float], list[float]]:
    """Give a tier's first visit, the months its phases end and their intervals."""
    schedule = plan.schedule_for(TIERS[tier])
    if schedule is None:
        raise AssertionError("a plan is checked for a schedule per tier when it is read")
    ends = [NEVER if p.end is None else float(p.end) for p in schedule.phases]
    return float(schedule.first_offset), ends, [float(p.interval) for p in schedule.phases]


def _interval(ends: list[tuple[float, list[float], list[float]]], tier: Ints, month: Floats) -> Floats:
    result = np.zeros(len(tier))
    for t, (_, until, every) in enumerate(ends):
        here = tier == t
        result[here] = np.array(every)[np.searchsorted(until, month[here], side="right")]
    return result


def first_found(visits: Visits, onset: Floats, patient: Ints) -> tuple[Floats, Floats]:
    """Give, per onset (of a patient), the done MRI that finds it and the last done one before; NEVER, -NEVER without."""
    rank = visits.patient[visits.done] * 1e6 + visits.day[visits.done]
    # One more than the last day of anyone closes the list of days.
    at = np.searchsorted(rank, patient * 1e6 + np.minimum(onset, 1e6 - 1), side="left")
    owner = np.concatenate([visits.patient[visits.done], [-1]])
    day = np.concatenate([visits.day[visits.done], [NEVER]])
    finds = np.where(
        (owner[np.minimum(at, len(owner) - 1)] == patient) & np.isfinite(onset),
        day[np.minimum(at, len(day) - 1)],
        NEVER,
    )
    clear = np.where((at > 0) & (owner[at - 1] == patient), day[at - 1], -NEVER)
    return finds, clear


def imaging(
    visits: Visits, course: Course, simulation: Simulation, evidence: Evidence, rng: np.random.Generator
) -> pd.DataFrame:
    """Give one row per MRI and site: `site` (row of the cohort), `day`, and what the MRI shows."""
    import pandas as pd

    assumed = simulation.assumed
    sites = len(course.patient)
    start = np.searchsorted(visits.patient, course.patient)
    number = np.searchsorted(visits.patient, course.patient, side="right") - start
    row = np.repeat(np.arange(sites), number)
    visit = np.repeat(start, number) + np.arange(len(row)) - np.repeat(np.cumsum(number) - number, number)
    row = np.concatenate([np.arange(sites), row])
    day = np.concatenate([np.full(sites, BASELINE), visits.day[visit]])
    done = np.concatenate([np.ones(sites, dtype=bool), visits.done[visit]])
    first = np.exp(rng.normal(0.0, 1.0, sites) * assumed.volume_spread.share) * assumed.volume.share
    noise = np.exp(rng.normal(0.0, 1.0, len(row)) * look_up(simulation.detectable, evidence) / 100 / TWO_MEASUREMENTS)
    volume = first[row] * _trend(day, course.grows[row], course.swells_to[row], simulation) * noise
    reaches = rng.random(sites) < assumed.epidural_progression.share
    worst = len(FACTS["bilsky"].levels) - 1
    grown = day >= course.grows[row]
    grade = np.minimum(course.bilsky[row] + (grown & reaches[row]), worst)
    frame = pd.DataFrame(
        {
            "site": row,
            "day": day,
            "mri_coverage": "whole_spine",
            "gtv_cc": np.where(done, np.round(np.maximum(volume, 0.01), 2), np.nan),
            "bilsky": _labels(np.where(done, grade, -1), FACTS["bilsky"].levels),
            "confined_to_vertebra": _yes_no(~(grown & reaches[row]), done),
            "new_spine_metastasis": _yes_no(day >= course.distant[course.patient[row]], done),
            "completed": _yes_no(done, np.ones(len(row), dtype=bool)),
        }
    )
    return frame.sort_values(["site", "day"], kind="stable").reset_index(drop=True)


def _trend(day: Floats, grows: Floats, peak: Floats, simulation: Simulation) -> Floats:
    """Give volume against baseline: slow shrinkage, a swelling that comes and goes, growth without end."""
    assumed = simulation.assumed
    shrunk = (1 - assumed.shrinkage.share) ** (np.clip(np.minimum(day, grows), 0.0, None) / MONTH)
    with np.errstate(invalid="ignore"):
        swollen = np.where(np.isfinite(peak), np.clip(1 - np.abs(day - peak) / peak, 0.0, 1.0), 0.0)
    grown = (1 + assumed.growth.share) ** (np.clip(day - grows, 0.0, None) / MONTH)
    return np.asarray(shrunk * (1 + assumed.pseudo_growth.share * swollen) * grown)


def _yes_no(yes: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_]) -> npt.NDArray[np.object_]:
    return _labels(np.where(known, yes.astype(int), -1), YES_NO)


def _labels(code: Ints, labels: tuple[str, ...]) -> npt.NDArray[np.object_]:
    """Give each code its label, none for -1."""
    return np.array([*labels, None], dtype=object)[code]
