"""When and why follow-up for the endpoint ended, of each row's unit.

Conventions. Days since time zero, NaN where not known. Where a question follows MRIs (`Question.follows_mris`) and any
MRI is recorded, whoever has no clear MRI was last seen clear on day 0; without any MRI in the table the last contact
stands for all. What is known at a moment (a landmark, an entry) never depends on what happens after it.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Flags, Floats, Ints, Texts
from ..estimators.counts import CENSORED, COMPETING, EVENT
from . import units
from .question import (
    AT_AS_OF,
    AT_DISTANT,
    AT_LAST_CONTACT,
    AT_LAST_MRI,
    AT_RETREATMENT,
    AT_UNSEEN_DEATH,
    DEATH_INSIDE,
    ENDED_BY_DEATH,
    ENDED_BY_DISTANT,
    ENDED_BY_EVENT,
    NEVER_SCANNED,
    Question,
)
from .units import Ledger


class Endings:
    """Each row's unit: the event, death, last MRI and last contact, and what ended follow-up first."""

    def __init__(
        self, ledger: Ledger, question: Question, unit: Ints, zero: Floats, death: Floats, alive: Floats, again: Floats
    ) -> None:
        self._ledger, self._question, self._unit, self._zero = ledger, question, unit, zero
        died, seen = death - zero, alive - zero
        self._as_of = np.full(len(zero), np.inf)
        if question.as_of is not None:
            self._as_of = day_of(question.as_of) - zero
        again_day = self._first(again) if question.endpoint != "death" else np.full(len(zero), np.nan)
        self.column, event, distant = self._event(died)
        if question.retreatment == "event":
            event = np.fmin(event, again_day)
        clear = self._clear(distant)
        self._unseen_death = self._is_unseen(died, clear)
        if question.endpoint == "progression_or_death":
            event = np.fmin(event, np.where(self._unseen_death, np.nan, died))
        self.after_death = event > died
        progression = np.fmin.reduce([ledger.day(column) for column in PROGRESSION])
        self.last_mri = np.fmax(self._last(ledger.day("last_clear_mri_date")), self._last(progression))
        quiet, why_quiet = self._quiet(died, seen, clear)
        self._settle(event, died, distant, quiet, why_quiet, again_day)
        self._name_stops()
        until = np.where(np.isfinite(event), event, np.inf) + zero
        given = ledger.day("last_clear_mri_date")
        self.last_clear = self._last(np.where(given <= until, given, np.nan))
        self.died = np.isfinite(died) & (died <= self._as_of)
        self.alive_until = np.minimum(np.where(np.isfinite(died), died, np.maximum(seen, 0.0)), self._as_of)

    def observed_at(self, moment: Floats | float) -> Flags:
        """Mark those known by a moment to be alive, event-free and in contact: nothing later decides it."""
        ended = self._cut | (self.status != CENSORED)
        return np.asarray((self.alive_until >= moment) & ~(ended & (self.time <= moment)) & ~self._dead_by(moment))

    def _dead_by(self, moment: Floats | float) -> Flags:
        return np.asarray(self.died & (self.alive_until <= moment))

    def _first(self, values: Floats) -> Floats:
        kept = self._ledger.kept
        return units.earliest(self._unit[kept], values[kept], self._size)[self._unit] - self._zero

    def _last(self, values: Floats) -> Floats:
        kept = self._ledger.kept
        return units.latest(self._unit[kept], values[kept], self._size)[self._unit] - self._zero

    @property
    def _size(self) -> int:
        return int(self._unit.max()) + 1 if self._unit.size else 0

    def _event(self, died: Floats) -> tuple[str, Floats, Floats]:
        """Give the endpoint's column, the day of its event, and that of a distant progression where it matters."""
        endpoint, nothing = self._question.endpoint, np.full(len(died), np.nan)
        if endpoint == "vcf":
            return "vcf_date", self._first(self._ledger.day("vcf_date")), nothing
        if endpoint == "death":
            return "death_date", died, nothing
        if endpoint == "local_progression":
            return "progression_date", self._first(local_day(self._ledger)), self._first(distant_day(self._ledger))
        earliest = np.fmin.reduce([self._ledger.day(column) for column in PROGRESSION])
        return "progression_date", self._first(earliest), nothing

    def _clear(self, distant: Floats) -> Floats:
        """Give the last MRI without the endpoint's event: one that shows a distant progression shows the site clear."""
        clear = self._last(self._ledger.day("last_clear_mri_date"))
        return np.fmax(clear, distant) if self._question.distant == "ignore" else clear

    @property
    def _mris_recorded(self) -> bool:
        return bool(np.isfinite(self._ledger.day("last_clear_mri_date")).any())

    def _is_unseen(self, died: Floats, clear: Floats) -> Flags:
        """Mark deaths so long after the last clear MRI that progression before them would not have been seen."""
        limit = self._question.death_within_days
        if limit is None or not (self._question.follows_mris and self._mris_recorded):
            return np.zeros(len(died), dtype=bool)
        return np.asarray(died - np.nan_to_num(clear, nan=0.0) > limit)

    def _quiet(self, died: Floats, seen: Floats, clear: Floats) -> tuple[Floats, Texts]:
        """Give where and why those without an event are censored."""
        question = self._question
        by_mri = clear if question.endpoint != "vcf" else self.last_mri
        use_mri = np.isfinite(by_mri) & (question.censored_at == "last_mri") & (question.endpoint != "death")
        without = np.where(np.isfinite(died), died, seen) if question.endpoint == "death" else np.fmin(seen, died)
        day = np.where(use_mri, by_mri, without)
        why = np.where(use_mri, AT_LAST_MRI, AT_LAST_CONTACT).astype(object)
        if question.follows_mris and self._mris_recorded:
            never = np.isfinite(without) & ~use_mri
            day, why[never] = np.where(never, 0.0, day), NEVER_SCANNED
        why[self._unseen_death & use_mri] = AT_UNSEEN_DEATH
        return np.maximum(day, 0.0), why

    def _settle(
        self, event: Floats, died: Floats, distant: Floats, quiet: Floats, why_quiet: Texts, again_day: Floats
    ) -> None:
        """Take the first of event, death and loss; then whatever cuts follow-up short before it."""
        question = self._question
        competing = np.full(len(died), np.nan) if question.endpoint in DEATH_INSIDE else died.copy()
        competing[self._unseen_death] = np.nan
        has_event = np.isfinite(event)
        has_death = ~has_event & np.isfinite(competing)
        time = np.where(has_event, event, np.where(has_death, competing, quiet))
        status = np.where(has_event, EVENT, np.where(has_death, COMPETING, CENSORED))
        ending = why_quiet.copy()
        ending[has_event], ending[has_death] = ENDED_BY_EVENT, ENDED_BY_DEATH
        if question.distant == "competing":
            first = np.isfinite(distant) & ((time > distant) | (status != EVENT))
            time, status = np.where(first, distant, time), np.where(first, COMPETING, status)
            ending[first] = ENDED_BY_DISTANT
        cuts = [(distant, distant, AT_DISTANT)] if question.distant == "censor" else []
        if question.retreatment == "censor":
            cuts.append((np.minimum(quiet, again_day - 1), again_day - 1, AT_RETREATMENT))
        cuts.append((np.minimum(quiet, self._as_of), self._as_of, AT_AS_OF))
        self._cut: Flags = np.zeros(len(time), dtype=bool)
        for at, limit, why in cuts:
            cut = time > limit
            if why == AT_DISTANT:  # its scan shows the site clear, later than any clear MRI and before any death
                cut |= status != EVENT
            elif why == AT_RETREATMENT:  # an event found on the day of re-treatment was there before it
                cut &= (status != EVENT) | (time > limit + 1)
            moved = cut & np.isfinite(limit)
            earlier = at < limit
            ending[moved] = np.where(earlier, why_quiet, why)[moved]
            time, status = np.where(moved, at, time), np.where(moved, CENSORED, status)
            self._cut |= moved & ~earlier
        self.time, self.status, self.ending = time, status.astype(np.int64), ending

    def _name_stops(self) -> None:
        """Name the recorded reason where follow-up was stopped."""
        given = self._ledger.frame["stop_reason"].astype(object)
        reason = {u: str(r) for u, r in zip(self._unit, given, strict=True) if isinstance(r, str)}
        stopped = np.array([reason.get(u) for u in self._unit], dtype=object)
        told = np.isin(self.ending.astype(str), [AT_LAST_MRI, AT_LAST_CONTACT]) & np.array(
            [t is not None for t in stopped], dtype=bool
        )
        self.ending[told] = stopped[told]


PROGRESSION = ("progression_date", "local_progression_date", "distant_progression_date")


def local_day(ledger: Ledger) -> Floats:
    """Give each row's local progression: by a date of its own, or by the one date and its place."""
    place = ledger.frame["progression_site"].to_numpy(dtype=object)
    one = np.where(place == "local", ledger.day("progression_date"), np.nan)
    return np.fmin(ledger.day("local_progression_date"), one)


def distant_day(ledger: Ledger) -> Floats:
    """Give each row's progression elsewhere in the spine."""
    place = ledger.frame["progression_site"].to_numpy(dtype=object)
    one = np.where(place == "distant_spine", ledger.day("progression_date"), np.nan)
    return np.fmin(ledger.day("distant_progression_date"), one)


def day_of(date: np.datetime64) -> float:
    """Give a date as a day number."""
    return float(date.astype("datetime64[D]").astype(np.int64))
