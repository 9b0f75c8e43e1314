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
from ..estimators.counts import CENSORED, COMPETING, EVENT, Counts
from ..problems import refuse
from ..tables.records import Exclusion
from . import units
from .units import Ledger

if TYPE_CHECKING:
    import pandas as pd

ENDPOINTS = ("progression", "local_progression", "death", "progression_or_death", "vcf")
UNITS = ("patient", "site")
CENSORING = ("last_mri", "last_contact")
RETREATMENT = ("censor", "ignore", "event")
SITE_ENDPOINTS = ("local_progression", "vcf")
DEATH_INSIDE = ("death", "progression_or_death")  # endpoints without a competing event
BY_MRI = ("progression", "local_progression", "progression_or_death")  # censored at the last clear MRI unless asked
MOST_GROUPS = 30  # more is a measurement or an identifier, not a grouping
ALL = "all"  # the one group of a cohort that is not divided

# Why follow-up for the endpoint ended.
ENDED_BY_EVENT, ENDED_BY_DEATH = "event", "death first"
AT_LAST_MRI, AT_LAST_CONTACT = "last clear MRI", "last contact"
AT_AS_OF, AT_DISTANT, AT_RETREATMENT = "as-of date", "distant spine progression", "re-treatment"


@dataclass(frozen=True)
class Question:
    """What is asked of a cohort; sites treated within `course_days` of the first belong to one course."""

    course_days: int
    endpoint: str = "progression"
    unit: str = "patient"
    censor_at: str | None = None  # the endpoint's own unless given
    retreatment: str = "censor"
    as_of: np.datetime64 | None = None
    entry: str | None = None
    landmark_day: int | None = None
    strata: str | None = None

    @property
    def censored_at(self) -> str:
        """Where those without an event are censored."""
        return self.censor_at or ("last_mri" if self.endpoint in BY_MRI else "last_contact")


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
    if question.as_of is not None:
        ledger.exclude(start >= _day(question.as_of), "treated on or after the as-of date")
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
    days = _Days(ledger, question, unit, zero, death, alive, again)
    ledger.exclude(~np.isfinite(days.time), "no follow-up: neither an event nor a date last seen")
    ledger.refuse(days.after_death, "death_date", "lies before the event in another row of this patient", on_error)
    early = (days.status != CENSORED) & (days.time <= 0)
    ledger.refuse(early, days.column, "the event lies on or before the day of SBRT", on_error)
    if question.entry:
        ledger.exclude(days.time <= entry, "follow-up ended before observation began")
    shift = question.landmark_day or 0
    if shift:
        ledger.exclude(days.time <= shift, "not under observation and event-free at the landmark")
        entry = np.maximum(entry - shift, 0.0)
    one = _first_rows(ledger, unit)
    place = {label: i for i, label in enumerate(labels)}
    return Study(
        question,
        labels,
        np.array([place[t] for t in text[one]], dtype=np.int64),
        entry[one],
        days.time[one] - shift,
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


def _day(date: np.datetime64) -> float:
    return float(date.astype("datetime64[D]").astype(np.int64))


def _per_unit(ledger: Ledger, unit: Ints, values: Floats) -> Floats:
    """Give each unit's earliest value over its kept rows."""
    size = int(unit.max()) + 1 if unit.size else 0
    return units.earliest(unit[ledger.kept], values[ledger.kept], size)


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
    seen = ("last_followup_date", "last_contact_date", "last_clear_mri_date", "progression_date", "vcf_date")
    days = np.column_stack([ledger.day(column) for column in seen])
    return np.where(np.isnan(days).all(axis=1), np.nan, np.fmax.reduce(days, axis=1))


def _unplaced(ledger: Ledger, unit: Ints) -> None:
    """Exclude progression of unknown place, and its patient unless something earlier already decided."""
    day = ledger.day("progression_date")
    placed = ledger.frame["progression_site"].notna().to_numpy()
    unknown = np.isfinite(day) & ~placed
    known = _per_unit(ledger, unit, np.where(placed, day, np.nan))[unit]
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


class _Days:
    """Each row's unit in days since time zero: when and why follow-up for the endpoint ended."""

    def __init__(
        self, ledger: Ledger, question: Question, unit: Ints, zero: Floats, death: Floats, alive: Floats, again: Floats
    ) -> None:
        kept = ledger.kept
        size = int(unit.max()) + 1 if unit.size else 0

        def first(values: Floats) -> Floats:
            return units.earliest(unit[kept], values[kept], size)[unit] - zero

        def last(values: Floats) -> Floats:
            return units.latest(unit[kept], values[kept], size)[unit] - zero

        died, seen = death - zero, alive - zero
        progression, clear = ledger.day("progression_date"), ledger.day("last_clear_mri_date")
        self.column = "death_date" if question.endpoint == "death" else "progression_date"
        event, distant = first(progression), np.full(len(zero), np.nan)
        if question.endpoint == "local_progression":
            place = ledger.frame["progression_site"].to_numpy(dtype=object)
            event = first(np.where(place == "local", progression, np.nan))
            distant = first(np.where(place == "distant_spine", progression, np.nan))
        elif question.endpoint == "vcf":
            self.column, event = "vcf_date", first(ledger.day("vcf_date"))
        elif question.endpoint == "death":
            event = died
        elif question.endpoint == "progression_or_death":
            event = np.fmin(event, died)
        again_day = first(again) if question.endpoint != "death" else np.full(len(zero), np.nan)
        if question.retreatment == "event":
            event = np.fmin(event, again_day)
        self.after_death = event > died
        self.last_mri = np.fmax(last(clear), last(progression))
        by_mri = last(clear) if question.endpoint != "vcf" else self.last_mri
        use_mri = np.isfinite(by_mri) & (question.censored_at == "last_mri") & (question.endpoint != "death")
        seen_without = np.where(np.isfinite(died), died, seen) if question.endpoint == "death" else np.fmin(seen, died)
        quiet = np.maximum(np.where(use_mri, by_mri, seen_without), 0.0)

        # The first of event, death and loss; then whatever cuts follow-up short before it.
        competing = np.where(question.endpoint in DEATH_INSIDE, np.nan, died)
        has_event = np.isfinite(event)
        has_death = ~has_event & np.isfinite(competing)
        time = np.where(has_event, event, np.where(has_death, competing, quiet))
        status = np.where(has_event, EVENT, np.where(has_death, COMPETING, CENSORED))
        ending = np.where(use_mri, AT_LAST_MRI, AT_LAST_CONTACT).astype(object)
        ending[has_event], ending[has_death] = ENDED_BY_EVENT, ENDED_BY_DEATH
        cuts = [(distant, distant, AT_DISTANT)]
        if question.retreatment == "censor":
            cuts.append((np.minimum(quiet, again_day - 1), again_day - 1, AT_RETREATMENT))
        as_of = np.full(len(zero), np.inf) if question.as_of is None else _day(question.as_of) - zero
        cuts.append((np.minimum(quiet, as_of), as_of, AT_AS_OF))
        for at, limit, why in cuts:
            cut = time > limit
            if why == AT_DISTANT:  # its scan shows the site clear, later than any clear MRI and before any death
                cut |= status != EVENT
            elif why == AT_RETREATMENT:  # an event found on the day of re-treatment was there before it
                cut &= (status != EVENT) | (time > limit + 1)
            moved = cut & np.isfinite(limit)
            ending[moved] = np.where(at < limit, _quiet_ending(use_mri), why)[moved]
            time, status = np.where(moved, at, time), np.where(moved, CENSORED, status)
        stopped = _stop_reason(ledger, unit)
        told = np.isin(ending.astype(str), [AT_LAST_MRI, AT_LAST_CONTACT]) & np.array(
            [t is not None for t in stopped], dtype=bool
        )
        ending[told] = stopped[told]
        self.time, self.status, self.ending = time, status.astype(np.int64), ending
        until = np.where(np.isfinite(event), event, np.inf) + zero
        self.last_clear = last(np.where(clear <= until, clear, np.nan))
        self.died = np.isfinite(died) & (died <= as_of)
        self.alive_until = np.minimum(np.where(np.isfinite(died), died, np.maximum(seen, 0.0)), as_of)


def _stop_reason(ledger: Ledger, unit: Ints) -> Texts:
    """Give each row the reason its unit's follow-up was stopped, if one is recorded."""
    given = ledger.frame["stop_reason"].astype(object)
    reason = {u: str(r) for u, r in zip(unit, given, strict=True) if isinstance(r, str)}
    return np.array([reason.get(u) for u in unit], dtype=object)


def _quiet_ending(use_mri: Flags) -> Texts:
    """Name where those without an event are censored."""
    return np.where(use_mri, AT_LAST_MRI, AT_LAST_CONTACT).astype(object)
