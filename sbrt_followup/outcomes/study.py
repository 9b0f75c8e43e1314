"""From a cohort's dates to one line per patient or site: entry, time, status, group. The only place that decides these.

Conventions. A patient has the event at the earliest of the first course's sites; death is the patient's, once, and is
the competing event unless it belongs to the endpoint. An event on the day of death counts as the event. Whoever has no
event is censored at the last clear MRI where one is known, else at the last day known alive (`--censor-at`); a
`distant_spine` progression censors local progression at its own date; an explicit as-of date censors there. Re-treatment
of a site censors the day before, or is ignored, or is an event: a declared choice. Time is in whole days since time zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Flags, Floats, Ints, Texts
from ..estimators.clustering import Members
from ..estimators.counts import CENSORED, EVENT, Counts
from ..problems import refuse
from ..tables.records import Exclusion
from . import units
from .endings import PROGRESSION, Endings, day_of, distant_day, local_day
from .question import ALL, MOST_GROUPS, MRIS, SITE_ENDPOINTS, Question
from .units import Ledger

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Study:
    """One entry per patient or site; days since time zero, NaN where not known."""

    question: Question
    labels: tuple[str, ...]
    group: Ints  # place in labels
    entry: Floats
    time: Floats
    status: Ints
    patient: Ints  # place in patients
    patients: pd.Index[Any]
    site: Texts  # of the first row
    zero: Floats  # the day number of time zero
    stratum: Texts
    ending: Texts
    alive_until: Floats
    died: Flags
    last_clear_mri: Floats  # the last MRI before the event without it, as given
    last_mri: Floats  # the last MRI known, clear or not
    rows_used: int
    excluded: tuple[Exclusion, ...]

    def members(self, group: int, stratum: str | None = None) -> Members:
        """Give one group's people (of one stratum)."""
        return self._members(self.where(group, stratum), self.time, self.status)

    def counts(self, group: int, stratum: str | None = None) -> Counts:
        """Count one group (of one stratum)."""
        return self.members(group, stratum).counts()

    def follow_up_counts(self, group: int) -> Counts:
        """Count one group's overall follow-up; death is the event."""
        died = np.where(self.died, EVENT, CENSORED).astype(np.int64)
        return self._members(self.where(group), self.alive_until, died).counts()

    @property
    def strata(self) -> tuple[str, ...]:
        """The strata, in order."""
        return tuple(sorted({str(s) for s in self.stratum}, key=units.natural))

    def where(self, group: int, stratum: str | None = None) -> Flags:
        """Mark one group's people (of one stratum)."""
        here = self.group == group
        return here if stratum is None else np.asarray(here & (self.stratum == stratum), dtype=bool)

    def _members(self, here: Flags, time: Floats, status: Ints) -> Members:
        entry = self.entry[here]
        return Members(time[here], status[here], self.patient[here], entry if entry.any() else None)


def study(
    frame: pd.DataFrame,
    question: Question,
    *,
    by: pd.Series[Any] | None = None,
    by_name: str = "group",
    by_absent: str = "is missing",
    on_error: str = "refuse",
    file: str = "cohort",
) -> Study:
    """Turn a cohort's rows into a study; `by` holds each row's group (None or NaN where it is not known)."""
    if question.unit == "site" and question.endpoint not in SITE_ENDPOINTS:
        raise refuse(
            "unit-site",
            f"--unit site goes with {' and '.join(SITE_ENDPOINTS)} only",
            hint=f"{question.endpoint} happens to the patient: each of several sites would count it again.",
        )
    import pandas as pd

    ledger = Ledger(frame, file)
    patient, unit, again = units.form_units(ledger, question.unit, question.course_days)
    start = ledger.day("sbrt_date")
    if question.require_mri:
        _require_mris(ledger, unit, question.require_mri)
    if question.as_of is not None:
        ledger.exclude(start >= day_of(question.as_of), "treated on or after the as-of date")
    people = int(patient.max()) + 1 if patient.size else 0
    death = _death(ledger, patient, people, on_error)
    alive = units.latest(patient, _known_alive(ledger), people)[patient]
    if question.endpoint == "local_progression":
        _unplaced(ledger, unit)
    text, labels = _groups(ledger, unit, by, by_name, by_absent)
    stratum = (
        units.shared_value(ledger, unit, frame[question.strata], question.strata)
        if question.strata
        else np.full(len(frame), ALL, dtype=object)
    )
    zero = _per_unit(ledger, unit, start)[unit]
    entry = units.entry_days(ledger, question.entry, unit, zero, on_error) if question.entry else np.zeros(len(frame))
    days = Endings(ledger, question, unit, zero, death, alive, again)
    ledger.exclude(~np.isfinite(days.time), "no follow-up: neither an event nor a date last seen")
    ledger.refuse(days.after_death, "death_date", "lies before the event in another row of this patient", on_error)
    early = (days.status != CENSORED) & (days.time <= 0)
    ledger.refuse(early, days.column, "the event lies on or before the day of SBRT", on_error)
    if question.entry:
        ledger.exclude(~days.observed_at(entry), "follow-up ended before observation began")
    shift = question.landmark_day or 0
    if shift:
        ledger.exclude(~days.observed_at(shift), "not under observation and event-free at the landmark")
    # Who is not scanned again is censored at once: being scanned later is no condition of being here.
    time = np.maximum(np.maximum(days.time, entry), shift) - shift
    entry = np.maximum(entry - shift, 0.0)
    one = _first_rows(ledger, unit)
    place = {label: i for i, label in enumerate(labels)}
    return Study(
        question,
        labels,
        np.array([place[t] for t in text[one]], dtype=np.int64),
        entry[one],
        time[one],
        days.status[one],
        patient[one],
        pd.Index(pd.unique(frame["patient_id"])),
        frame["site_id"].to_numpy(dtype=object)[one],
        zero[one],
        stratum[one],
        days.ending[one],
        days.alive_until[one] - shift,
        days.died[one],
        days.last_clear[one] - shift,
        days.last_mri[one] - shift,
        int(ledger.kept.sum()),
        ledger.excluded,
    )


def _per_unit(ledger: Ledger, unit: Ints, values: Floats) -> Floats:
    """Give each unit's earliest value over its kept rows."""
    size = int(unit.max()) + 1 if unit.size else 0
    return units.earliest(unit[ledger.kept], values[ledger.kept], size)


def _require_mris(ledger: Ledger, unit: Ints, fewest: int) -> None:
    """Exclude units with fewer MRIs after time zero; without their number only the last clear one or an event is known."""
    dated = np.fmax(ledger.day("last_clear_mri_date"), np.fmax.reduce([ledger.day(c) for c in PROGRESSION]))
    number = ledger.frame[MRIS].to_numpy() if MRIS in ledger.frame else np.isfinite(dated).astype(np.float64)
    most = units.latest(unit, number.astype(np.float64), int(unit.max()) + 1 if unit.size else 0)[unit]
    ledger.exclude(~(most >= fewest), f"fewer than {fewest} MRI{'s' if fewest > 1 else ''} after SBRT (--require-mri)")


def _first_rows(ledger: Ledger, unit: Ints) -> Ints:
    """Give the place of the first kept row of each unit, in the file's order."""
    kept = np.flatnonzero(ledger.kept)
    _, first = np.unique(unit[kept], return_index=True)
    return np.asarray(np.sort(kept[first]), dtype=np.int64)


def _death(ledger: Ledger, patient: Ints, people: int, on_error: str) -> Floats:
    """Give each row its patient's date of death; rows that contradict each other are refused."""
    given = ledger.day("death_date")
    first, last = (f(patient, given, people)[patient] for f in (units.earliest, units.latest))
    ledger.refuse(first < last, "death_date", "differs between the rows of one patient", on_error)
    return first


def _known_alive(ledger: Ledger) -> Floats:
    """Give the last day each row shows the patient alive."""
    seen = ("last_followup_date", "last_contact_date", "last_clear_mri_date", *PROGRESSION, "vcf_date")
    days = np.column_stack([ledger.day(column) for column in seen])
    return np.where(np.isnan(days).all(axis=1), np.nan, np.fmax.reduce(days, axis=1))


def _unplaced(ledger: Ledger, unit: Ints) -> None:
    """Exclude progression of unknown place, and its patient unless something earlier already decided."""
    day = ledger.day("progression_date")
    own = np.isfinite(ledger.day("local_progression_date")) | np.isfinite(ledger.day("distant_progression_date"))
    placed = ledger.frame["progression_site"].notna().to_numpy() | own
    unknown = np.isfinite(day) & ~placed
    known = _per_unit(ledger, unit, np.fmin(local_day(ledger), distant_day(ledger)))[unit]
    first_unknown = _per_unit(ledger, unit, np.where(unknown, day, np.nan))[unit]
    undecided = ~(known <= first_unknown)
    ledger.exclude(unknown & undecided, "progression_date without progression_site")
    affected = units.unit_any(unit, unknown & undecided)
    ledger.exclude(affected, "another site of this patient has a progression_date without progression_site")


def _groups(
    ledger: Ledger, unit: Ints, by: pd.Series[Any] | None, name: str, absent: str
) -> tuple[Texts, tuple[str, ...]]:
    if by is None:
        return np.full(len(ledger.frame), ALL, dtype=object), (ALL,)
    labels = units.ordered_labels(by, {units.label(v) for v in by.dropna().unique()})
    if len(labels) > MOST_GROUPS:
        hint = "Make a column of groups, such as 1 / 2 to 5 / over 5."
        raise refuse("too-many-groups", f"{name} has {len(labels)} values, more than {MOST_GROUPS} groups", hint=hint)
    return units.shared_value(ledger, unit, by, name, absent), labels
