"""Each site's own visits: dates, windows, and what its past MRIs did to them; columnar over all sites.

A *course of visits* (`Pattern`) is a plan's schedule for a tier. A site's series starts at time zero; under
`anchor: last_mri` it starts again at every completed scan. A scan satisfies at most one visit: the one whose window
holds its date (nearest due, then the earlier), else the nearest open one not more than half an interval away
(unscheduled), else none (an extra scan). Days are whole numbers since 1970 inside this module; windows are closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..arrays import NEVER, Flags, Ints
from ..rulebook.model import Plan, Schedule
from ..rulebook.offsets import phases_after
from ..timing import DAYS_PER_MONTH, add_months, months_since

VISIT, EXTRA, STOP, HORIZON, CONFIRMING = range(5)
OPEN, DONE, MISSED = range(3)
FIRST = -1  # the phase number of the first visit


class Step(NamedTuple):
    """One visit of a course, in parts of a month since the course's anchor."""

    due: int
    earliest: int
    latest: int
    phase: int


@dataclass(frozen=True)
class Pattern:
    """One schedule of one plan, up to a horizon; `provisional` while the tier is not decided."""

    plan: Plan
    schedule: Schedule
    horizon: Fraction
    provisional: bool = False

    @property
    def tolerance(self) -> int:
        """Days before and after a due date that always belong to its window."""
        return int(self.plan.tolerance.value)

    @property
    def reanchors(self) -> bool:
        """Whether intervals run from the last MRI."""
        return self.plan.anchor.from_ == "last_mri"

    @property
    def per_month(self) -> int:
        """A denominator that holds every number of the schedule."""
        phases = self.schedule.phases
        numbers = [n for p in phases for n in (p.interval, p.every.low, p.every.high, p.end) if n is not None]
        return lcm(*(n.denominator for n in (*numbers, self.schedule.first_offset, self.horizon)))

    def phases_after(self, start: int, unit: int) -> tuple[int, ...]:
        """Number the phases of the visits after `start`, which counts 1/`unit` months since time zero."""
        phases = self.schedule.phases
        ends = [None if p.end is None else int(p.end * unit) for p in phases]
        return phases_after(ends, [int(p.interval * unit) for p in phases], int(self.horizon * unit), start)

    def steps(self, phases: Sequence[int], unit: int, start: int = 0) -> list[Step]:
        """Lay out visits in such phases from `start`, in 1/`unit` months."""
        steps: list[Step] = []
        for number in phases:
            phase = self.schedule.phases[number]
            steps.append(
                Step(
                    start + int(phase.interval * unit),
                    start + int(phase.every.low * unit),
                    start + int(phase.every.high * unit),
                    number,
                )
            )
            start = steps[-1].due
        return steps


@dataclass(frozen=True)
class Lines:
    """Visits as columns, one row a visit of one site; absent days are NEVER."""

    site: Ints
    visit: Ints
    kind: Ints
    phase: Ints
    due: Ints
    earliest: Ints
    latest: Ints
    interval: Ints
    scan: Ints
    state: Ints
    unscheduled: Flags
    reanchored: Flags

    def __len__(self) -> int:
        return len(self.site)

    def take(self, rows: npt.NDArray[np.intp] | Flags) -> Lines:
        """Give some of the rows."""
        return Lines(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def join(parts: Sequence[Lines]) -> Lines:
    """Put several lists of lines after each other."""
    return Lines(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Lines)})


def bare_lines(site: Ints, kind: int, scan: Ints | None = None) -> Lines:
    """Lines that are no visits: extra scans, stops, horizons."""
    n = len(site)
    never = np.full(n, NEVER, dtype=np.int64)
    zero = np.zeros(n, dtype=np.int64)
    no = np.zeros(n, dtype=bool)
    state = np.full(n, DONE if kind == EXTRA else OPEN, dtype=np.int64)
    return Lines(
        site=site, visit=zero, kind=np.full(n, kind, dtype=np.int64), phase=np.full(n, FIRST, dtype=np.int64),
        due=never, earliest=never, latest=never, interval=zero, scan=never if scan is None else scan, state=state,
        unscheduled=no, reanchored=no,
    )  # fmt: skip


@dataclass(frozen=True)
class Grid:
    """The visits of some sites: matrices (courses, visits) padded with NEVER, and which course each site follows.

    Sites treated on the same day under the same pattern share a course, so that a large cohort needs few of them.
    """

    of: Ints
    due: Ints
    earliest: Ints
    latest: Ints
    interval: Ints
    phase: Ints

    @property
    def real(self) -> Flags:
        """Where a site has a visit, shape (sites, visits)."""
        return np.asarray(self.due != NEVER)[self.of]

    @property
    def width(self) -> int:
        """The most visits of a course."""
        return int(self.due.shape[1])


def _grid(anchor: Ints, which: Ints, courses: Sequence[Sequence[Step]], tolerances: Sequence[int],
          per_month: int) -> Grid:  # fmt: skip
    """Lay out one course of visits per site (`which`), counted from the site's anchor."""
    if not len(anchor):
        empty = np.zeros((0, 0), dtype=np.int64)
        return Grid(anchor, empty, empty, empty, empty, empty)
    low = int(anchor.min())
    distinct, of = np.unique((anchor - low) * len(courses) + which, return_inverse=True)
    anchor, which = distinct // len(courses) + low, distinct % len(courses)
    most = max(len(c) for c in courses)
    steps = np.zeros((len(courses), most, 4), dtype=np.int64)
    for row, course in enumerate(courses):
        if course:
            steps[row, : len(course)] = course
    length = np.array([len(c) for c in courses], dtype=np.int64)[which][:, None]
    tolerance = np.array(tolerances, dtype=np.int64)[which][:, None]
    real = np.arange(most)[None, :] < length
    base = anchor.astype("datetime64[D]")[:, None]
    due, early, late = (add_months(base, steps[which, :, i], per_month).astype(np.int64) for i in range(3))
    earliest, latest = np.minimum(early, due - tolerance), np.maximum(late, due + tolerance)
    if most > 1:
        # Neighbours that would overlap are cut at the midpoint, so that a day belongs to one window.
        overlap = (latest[:, :-1] >= earliest[:, 1:]) & real[:, 1:]
        # A window keeps its own date, however far the neighbour's reaches.
        middle = np.clip((latest[:, :-1] + earliest[:, 1:]) // 2, due[:, :-1], due[:, 1:] - 1)
        latest[:, :-1] = np.where(overlap, middle, latest[:, :-1])
        earliest[:, 1:] = np.where(overlap, middle + 1, earliest[:, 1:])
    interval = np.diff(due, axis=1, prepend=anchor[:, None])

    def cut(days: Ints, beyond: int = NEVER) -> Ints:
        return np.where(real, days, beyond)

    of = of.reshape(-1).astype(np.int64)
    return Grid(of, cut(due), cut(earliest), cut(latest), cut(interval, 0), steps[which, :, 3])


def planned_grid(time_zero: Ints, pattern: Ints, patterns: Sequence[Pattern]) -> Grid:
    """The plan's own visits of every site, counted from time zero and not adjusted to history."""
    per_month = lcm(*(p.per_month for p in patterns))
    courses: list[list[Step]] = []
    for one in patterns:
        first = int(one.schedule.first_offset * per_month)
        own = [] if one.schedule.first_offset > one.horizon else [Step(first, first, first, FIRST)]
        courses.append(own + (one.steps(one.phases_after(first, per_month), per_month, first) if own else []))
    return _grid(time_zero, pattern, courses, [p.tolerance for p in patterns], per_month)


def _restarted(time_zero: Ints, scan: Ints, pattern: Ints, patterns: Sequence[Pattern]) -> Grid:
    """The visits after a scan: the phase is the one that holds the scan's months since time zero."""
    whole, days = months_since(time_zero.astype("datetime64[D]"), scan.astype("datetime64[D]"))
    passed = np.zeros(len(scan), dtype=np.int64)
    most = 1 + max(len(p.schedule.phases) for p in patterns)
    for number, one in enumerate(patterns):
        mine = (pattern == number).nonzero()[0]
        for phase in one.schedule.phases:
            if phase.end is not None and len(mine):
                end = add_months(time_zero[mine].astype("datetime64[D]"), phase.end).astype(np.int64)
                passed[mine] += scan[mine] >= end
    keys, at = np.unique(((pattern * 100_000 + whole) * 32 + days) * most + passed, return_inverse=True)
    per_month = lcm(*(p.per_month for p in patterns))
    # Days left over are parts of a month of 30.4375 days: in this unit they are whole numbers.
    unit = per_month * DAYS_PER_MONTH.numerator
    day = int(unit / DAYS_PER_MONTH)
    number_of: dict[tuple[int, tuple[int, ...]], int] = {}
    which = np.empty(len(keys), dtype=np.int64)
    for row, key in enumerate(keys.tolist()):
        rest, ended = divmod(key, most)
        months, rest = divmod(rest, 32)
        number, months = divmod(months, 100_000)
        start = months * unit + rest * day
        if ended:
            # On the very day a phase ends the next one holds, however the month's length rounds.
            start = max(start, int((patterns[number].schedule.phases[ended - 1].end or 0) * unit))
        course = (number, patterns[number].phases_after(start, unit))
        which[row] = number_of.setdefault(course, len(number_of))
    courses = [patterns[number].steps(phases, per_month) for number, phases in number_of]
    tolerances = [patterns[number].tolerance for number, _ in number_of]
    return _grid(scan, which[at.reshape(-1)], courses, tolerances, per_month)


@dataclass
class _Progress:
    """Where each site stands while its scans are walked through in date order."""

    grid: Grid
    before: Ints
    open: Flags
    reanchored: Flags
    first_pending: Flags


def site_lines(time_zero: Ints, pattern: Ints, patterns: Sequence[Pattern], scans: Ints, grid: Grid) -> Lines:
    """Give every line of every site: visits done, missed and open, and extra scans.

    `grid` holds the plan's own visits (`planned_grid`); `scans` holds the completed MRIs after time zero, shape (sites, most scans), in date order, padded with NEVER.
    """
    n = len(time_zero)
    now = _Progress(grid, np.zeros(n, dtype=np.int64), grid.real, np.zeros(n, dtype=bool), np.ones(n, dtype=bool))
    reanchors = np.array([p.reanchors for p in patterns], dtype=bool)[pattern] if n else np.zeros(0, dtype=bool)
    lines: list[Lines] = []
    for column in range(scans.shape[1]):
        rows = (scans[:, column] != NEVER).nonzero()[0]
        if not len(rows):
            break
        lines.extend(_take_scan(now, rows, scans[rows, column], reanchors[rows], time_zero, pattern, patterns))
    site, k = now.open.nonzero()
    lines.append(_lines(now, site, k, OPEN))
    return join(lines)


def _lines(now: _Progress, site: npt.NDArray[np.intp], k: npt.NDArray[np.intp], state: int, scan: Ints | None = None,
           unscheduled: Flags | None = None) -> Lines:  # fmt: skip
    n = len(site)
    grid = now.grid
    # One place in each matrix, read flat: much cheaper than by two indices.
    at = grid.of[site] * grid.width + k
    return Lines(
        site=site.astype(np.int64),
        visit=now.before[site] + k + 1,
        kind=np.full(n, VISIT, dtype=np.int64),
        phase=grid.phase.ravel()[at],
        due=grid.due.ravel()[at],
        earliest=grid.earliest.ravel()[at],
        latest=grid.latest.ravel()[at],
        interval=grid.interval.ravel()[at],
        scan=np.full(n, NEVER, dtype=np.int64) if scan is None else scan,
        state=np.full(n, state, dtype=np.int64),
        unscheduled=np.zeros(n, dtype=bool) if unscheduled is None else unscheduled,
        reanchored=now.reanchored[site],
    )


def match(due: Ints, earliest: Ints, latest: Ints, interval: Ints, open_: Flags, day: Ints) -> tuple[Ints, Flags]:
    """Find the visit a date satisfies, per row: its index (-1: none) and whether the date lies outside its window."""
    far = np.iinfo(np.int64).max
    day = day[:, None]
    gap = np.abs(np.where(open_, due, 0) - day)
    inside = open_ & (earliest <= day) & (day <= latest)
    near = open_ & (2 * gap <= interval)
    in_gap, near_gap = np.where(inside, gap, far), np.where(near, gap, far)
    if not due.shape[1]:
        return np.full(len(due), -1, dtype=np.int64), np.zeros(len(due), dtype=bool)
    hit, close = inside.any(axis=1), near.any(axis=1)
    # argmin takes the first of equals: the earlier visit.
    chosen = np.where(hit, in_gap.argmin(axis=1), np.where(close, near_gap.argmin(axis=1), -1))
    return chosen.astype(np.int64), np.asarray(~hit & close)


def _take_scan(
    now: _Progress,
    rows: npt.NDArray[np.intp],
    scan: Ints,
    reanchors: Flags,
    time_zero: Ints,
    pattern: Ints,
    patterns: Sequence[Pattern],
) -> list[Lines]:
    """Let one scan of each of some sites satisfy a visit, and start their series again where the plan says so."""
    grid = now.grid
    own = grid.of[rows]
    latest = grid.latest[own]
    chosen, unscheduled = match(grid.due[own], grid.earliest[own], latest, grid.interval[own], now.open[rows], scan)
    hit = chosen >= 0
    lines = [_lines(now, rows[hit], chosen[hit], DONE, scan[hit], unscheduled[hit])]
    lines.append(bare_lines(rows[~hit].astype(np.int64), EXTRA, scan[~hit]))
    now.open[rows[hit], chosen[hit]] = False
    columns = np.arange(grid.width)[None, :]
    past = now.open[rows] & np.where(hit[:, None], columns < chosen[:, None], latest < scan[:, None])
    if not reanchors.all():
        # Counted from time zero, a visit before a done one is missed but the rest keep their dates.
        fixed = past & hit[:, None] & ~reanchors[:, None]
        at, k = fixed.nonzero()
        lines.append(_lines(now, rows[at], k, MISSED))
        now.open[rows[at], k] = False
    moving = reanchors & (hit | ~now.first_pending[rows] | past.any(axis=1))
    at, k = (past & moving[:, None]).nonzero()
    lines.append(_lines(now, rows[at], k, MISSED))
    now.first_pending[rows[hit | past.any(axis=1)]] = False
    again = rows[moving]
    if len(again):
        dealt = np.where(hit, chosen + 1, past.sum(axis=1))[moving]
        fresh = _restarted(time_zero[again], scan[moving], pattern[again], patterns)
        now.before[again] += dealt
        now.reanchored[again] = True
        now.grid = _replaced(now.grid, again, fresh)
        if now.grid.width > now.open.shape[1]:
            now.open = _padded(now.open, now.grid.width, False)
        now.open[again, : fresh.width] = fresh.real
        now.open[again, fresh.width :] = False
    return lines


def _replaced(grid: Grid, sites: npt.NDArray[np.intp], fresh: Grid) -> Grid:
    """Let some sites follow other courses, widening the matrices where needed; courses no site follows go."""
    of = grid.of.copy()
    of[sites] = fresh.of + len(grid.due)
    used = np.zeros(len(grid.due) + len(fresh.due), dtype=bool)
    used[of] = True
    width = max(grid.width, fresh.width)

    def both(old: Ints, new: Ints, fill: int) -> Ints:
        return np.concatenate(
            [_padded(old, width, fill)[used[: len(old)]], _padded(new, width, fill)[used[len(old) :]]]
        )

    return Grid(
        (np.cumsum(used) - 1)[of],
        both(grid.due, fresh.due, NEVER),
        both(grid.earliest, fresh.earliest, NEVER),
        both(grid.latest, fresh.latest, NEVER),
        both(grid.interval, fresh.interval, 0),
        both(grid.phase, fresh.phase, FIRST),
    )


def _padded(matrix: npt.NDArray[Any], width: int, fill: int) -> npt.NDArray[Any]:
    """Widen a matrix."""
    if matrix.shape[1] == width:
        return matrix
    result = np.full((len(matrix), width), fill, dtype=matrix.dtype)
    result[:, : matrix.shape[1]] = matrix
    return result
