"""The risk table: how many are at risk, fail and leave at each distinct time. All that an estimator sees.

Conventions. Time is in days since time zero. A status is 0 censored, 1 the endpoint's own event, 2 the competing event.
At a time shared by several, events come before censorings, so whoever is censored at t is still at risk at t.
Late entry: a patient who enters at e is at risk on (e, time]; without an entry everybody is at risk from the start.
Counts are additive: pooling the counts of two groups gives the counts of the pooled group.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..arrays import Floats, Ints

CENSORED, EVENT, COMPETING = 0, 1, 2
_DENSE = 1 << 20  # whole-day times below this are counted without sorting


def _no_floats() -> Floats:
    return np.empty(0)


def _no_ints() -> Ints:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Counts:
    """One group's distinct times, ascending, with the number that fail or leave at each; and late entries, if any."""

    time: Floats
    n_event: Ints
    n_competing: Ints
    n_censor: Ints
    entry_time: Floats = field(default_factory=_no_floats)
    n_entry: Ints = field(default_factory=_no_ints)

    @cached_property
    def n_risk(self) -> Ints:
        """The number at risk just before each distinct time."""
        return self.at_risk(self.time)

    @cached_property
    def _leaving(self) -> Ints:
        """Those who have left before each distinct time, and in the end."""
        leaving = self.n_event + self.n_competing + self.n_censor
        return np.concatenate([[0], np.cumsum(leaving)])

    @cached_property
    def _entered(self) -> Ints:
        return np.concatenate([[0], np.cumsum(self.n_entry)])

    @property
    def n(self) -> int:
        """The number of patients (or sites)."""
        return int(self._leaving[-1])

    @property
    def events(self) -> int:
        """The number with the endpoint's own event."""
        return int(self.n_event.sum())

    @property
    def competing(self) -> int:
        """The number with the competing event first."""
        return int(self.n_competing.sum())

    @property
    def censored(self) -> int:
        """The number followed without either event."""
        return int(self.n_censor.sum())

    @property
    def late_entry(self) -> bool:
        """Whether anybody comes under observation after time zero."""
        return bool(self.n_entry.size)

    @property
    def last(self) -> float:
        """The last time observed; 0 in an empty group."""
        return float(self.time[-1]) if self.time.size else 0.0

    def at_risk(self, when: Floats | float) -> Ints:
        """Count those with entry < t <= time, at any times."""
        t = np.asarray(when, dtype=np.float64)
        staying = self.n - self._leaving[np.searchsorted(self.time, t, side="left")]
        if not self.late_entry:
            return np.asarray(staying, dtype=np.int64)
        still_outside = self._entered[-1] - self._entered[np.searchsorted(self.entry_time, t, side="left")]
        return np.asarray(staying - still_outside, dtype=np.int64)

    def at(self, when: Floats) -> tuple[Ints, Ints, Ints]:
        """Give (at risk, events, competing events) at any times, 0 where nothing happens in this group."""
        if not self.time.size:
            zero = np.zeros(len(when), dtype=np.int64)
            return zero, zero, zero
        index = np.minimum(np.searchsorted(self.time, when, side="left"), len(self.time) - 1)
        here = self.time[index] == when
        return self.at_risk(when), np.where(here, self.n_event[index], 0), np.where(here, self.n_competing[index], 0)


def count(time: npt.ArrayLike, status: npt.ArrayLike, entry: npt.ArrayLike | None = None) -> Counts:
    """Count one group from its patients' times and statuses; entry 0 for all is the same as no entry."""
    t = np.asarray(time, dtype=np.float64)
    s = np.asarray(status, dtype=np.int64)
    if not t.size:
        return from_cells(t, s, np.empty(0, dtype=np.int64))
    if not (np.isfinite(t).all() and t.min() >= 0 and s.min() >= 0 and s.max() <= COMPETING):
        raise ValueError("times must be finite and not negative, statuses 0, 1 or 2")
    whole = t.astype(np.int64)
    if t.max() < _DENSE and bool((whole == t).all()):
        cells = np.bincount(whole * 3 + s, minlength=(int(whole.max()) + 1) * 3).reshape(-1, 3)
        kept = np.flatnonzero(cells.any(axis=1))
        times, cells = kept.astype(np.float64), cells[kept]
    else:
        times, inverse = np.unique(t, return_inverse=True)
        cells = np.bincount(inverse * 3 + s, minlength=len(times) * 3).reshape(-1, 3)
    late, n_late = _late(t, s, entry)
    return Counts(times, cells[:, EVENT], cells[:, COMPETING], cells[:, CENSORED], late, n_late)


def _late(time: Floats, status: Ints, entry: npt.ArrayLike | None) -> tuple[Floats, Ints]:
    if entry is None:
        return _no_floats(), _no_ints()
    e = np.asarray(entry, dtype=np.float64)
    if not e.any():
        return _no_floats(), _no_ints()
    # Who is censored on the day of entry is in the group and at risk at no time.
    if not (np.isfinite(e).all() and bool(((e < time) | ((e == time) & (status == CENSORED))).all())):
        raise ValueError("every entry must be before its time")
    # All entries are kept, those at 0 too: a time of 0 would otherwise find nobody under observation.
    late, n = np.unique(e, return_counts=True)
    return late, n.astype(np.int64)


def from_cells(time: npt.ArrayLike, status: npt.ArrayLike, number: npt.ArrayLike) -> Counts:
    """Build one group's counts from (time, status, number) rows in any order, as a table engine groups them."""
    t, s, k = np.asarray(time, np.float64), np.asarray(status, np.int64), np.asarray(number, np.int64)
    times, inverse = np.unique(t, return_inverse=True)
    cells = np.zeros((len(times), 3), dtype=np.int64)
    np.add.at(cells, (inverse, s), k)
    return Counts(times, cells[:, EVENT], cells[:, COMPETING], cells[:, CENSORED])


def pool(parts: Iterable[Counts]) -> Counts:
    """Add the counts of several groups."""
    groups = [part for part in parts if part.n]
    if not groups:
        return from_cells([], [], [])
    times, columns = _added(
        [g.time for g in groups], [np.column_stack([g.n_event, g.n_competing, g.n_censor]) for g in groups]
    )
    late, n_late = _no_floats(), _no_ints()
    if any(g.late_entry for g in groups):
        late, entered = _added(
            [g.entry_time if g.late_entry else np.zeros(1) for g in groups],
            [(g.n_entry if g.late_entry else np.array([g.n]))[:, None] for g in groups],
        )
        n_late = entered[:, 0]
    return Counts(times, columns[:, 0], columns[:, 1], columns[:, 2], late, n_late)


def _added(times: Sequence[Floats], columns: Sequence[Ints]) -> tuple[Floats, Ints]:
    distinct, inverse = np.unique(np.concatenate(times), return_inverse=True)
    total = np.zeros((len(distinct), columns[0].shape[1]), dtype=np.int64)
    np.add.at(total, inverse, np.concatenate(columns))
    return distinct, total
