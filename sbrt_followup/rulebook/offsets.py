"""A plan's visits as exact offsets in months: what the phases mean, for the clinic and for the audit alike.

Next offset = offset + interval of the phase that holds the current offset (`offset < until`), from the first visit on,
up to and including the horizon. The published range of the phase gives each visit's window; the tolerance in days is
applied by the caller, on dates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from .model import Phase, Schedule

N = TypeVar("N", int, Fraction)

# No plan needs more; a plan with tiny intervals would otherwise never end.
MOST_VISITS = 2000


@dataclass(frozen=True)
class Offset:
    """One visit in months since time zero; the first visit has no phase and no range of its own."""

    months: Fraction
    previous: Fraction
    earliest: Fraction
    latest: Fraction
    phase: Phase | None


def phases_after(ends: Sequence[N | None], intervals: Sequence[N], horizon: N, start: N) -> tuple[int, ...]:
    """Number the phase of every visit after `start` up to the horizon; in months or any other exact unit of time."""
    found: list[int] = []
    number = 0
    while len(found) < MOST_VISITS:
        while (end := ends[number]) is not None and start >= end:
            number += 1
        start = start + intervals[number]
        if start > horizon:
            break
        found.append(number)
    return tuple(found)


def visit_offsets(schedule: Schedule, horizon: Fraction, start: Fraction | None = None) -> tuple[Offset, ...]:
    """List the visits up to the horizon; from `start` (months since time zero of the last scan), those after it."""
    visits: list[Offset] = []
    if start is None:
        first = schedule.first_offset
        if first > horizon:
            return ()
        visits.append(Offset(first, Fraction(0), first, first, None))
        start = first
    phases = schedule.phases
    for number in phases_after([p.end for p in phases], [p.interval for p in phases], horizon, start):
        phase = phases[number]
        due = start + phase.interval
        visits.append(Offset(due, start, start + phase.every.low, start + phase.every.high, phase))
        start = due
    return tuple(visits)
