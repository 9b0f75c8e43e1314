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

import numpy as np
import numpy.typing as npt

from ..rulebook.model import Phase, Plan, Schedule
from ..rulebook.offsets import Offset, visit_offsets
from ..timing import add_months, months_since

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
NEVER = int(np.iinfo(np.int64).min)  # NaT seen as a whole number

VISIT, EXTRA, STOP, HORIZON, CONFIRMING = range(5)
OPEN, DONE, MISSED = range(3)
FIRST = -1  # the phase number of the first visit


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
        """A denominator that holds every interval of the schedule."""
        phases = self.schedule.phases
        numbers = [n for p in phases for n in (p.interval, p.every.low, p.every.high)] + [self.schedule.first_offset]
        return lcm(*(n.denominator for n in numbers))

    def phase_number(self, phase: Phase | None) -> int:
        """The phase's place in the schedule, FIRST for the first visit."""
        return FIRST if phase is None else next(i for i, p in enumerate(self.schedule.phases) if p is phase)


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
    """The visits of some sites as matrices (sites, visits), padded with NEVER."""

    due: Ints
    earliest: Ints
    latest: Ints
    interval: Ints
    phase: Ints

    @property
    def real(self) -> Flags:
        """Where a site has a visit."""
        return np.asarray(self.due != NEVER)


def _grid(anchor: Ints, which: Ints, courses: Sequence[Sequence[Offset]], starts: Sequence[Fraction],
          patterns: Sequence[Pattern]) -> Grid:  # fmt: skip
    """Lay out one course of offsets per site (`which`), counted from the site's anchor."""
    most = max((len(c) for c in courses), default=0)
    shape = (len(courses), most)
    due, early, late, phase = (np.zeros(shape, dtype=np.int64) for _ in range(4))
    per_month = lcm(*(p.per_month for p in patterns)) if patterns else 1
    length = np.array([len(c) for c in courses], dtype=np.int64)
    for row, (course, start, pattern) in enumerate(zip(courses, starts, patterns, strict=True)):
        for k, visit in enumerate(course):
            due[row, k] = (visit.months - start) * per_month
            early[row, k] = (visit.earliest - start) * per_month
            late[row, k] = (visit.latest - start) * per_month
            phase[row, k] = pattern.phase_number(visit.phase)
    tolerance = np.array([p.tolerance for p in patterns], dtype=np.int64)[which][:, None]
    real = np.arange(most)[None, :] < length[which][:, None]
    base = anchor.astype("datetime64[D]")[:, None]
    due_day = add_months(base, due[which], per_month).astype(np.int64)
    earliest = np.minimum(add_months(base, early[which], per_month).astype(np.int64), due_day - tolerance)
    latest = np.maximum(add_months(base, late[which], per_month).astype(np.int64), due_day + tolerance)
    if most > 1:
        # Neighbours that would overlap are cut at the midpoint, so that a day belongs to one window.
        overlap = (latest[:, :-1] >= earliest[:, 1:]) & real[:, 1:]
        # A window keeps its own date, however far the neighbour's reaches.
        middle = np.clip((latest[:, :-1] + earliest[:, 1:]) // 2, due_day[:, :-1], due_day[:, 1:] - 1)
        latest[:, :-1] = np.where(overlap, middle, latest[:, :-1])
        earliest[:, 1:] = np.where(overlap, middle + 1, earliest[:, 1:])
    interval = np.diff(due_day, axis=1, prepend=anchor[:, None])

    def cut(days: Ints) -> Ints:
        return np.where(real, days, NEVER)

    return Grid(cut(due_day), cut(earliest), cut(latest), np.where(real, interval, 0), phase[which])


def planned_grid(time_zero: Ints, pattern: Ints, patterns: Sequence[Pattern]) -> Grid:
    """The plan's own visits of every site, counted from time zero and not adjusted to history."""
    courses = [visit_offsets(p.schedule, p.horizon) for p in patterns]
    return _grid(time_zero, pattern, courses, [Fraction(0)] * len(patterns), patterns)


def _restarted(time_zero: Ints, scan: Ints, pattern: Ints, patterns: Sequence[Pattern]) -> Grid:
    """The visits after a scan: the phase is the one that holds the scan's months since time zero."""
    whole, days = months_since(time_zero.astype("datetime64[D]"), scan.astype("datetime64[D]"))
    passed = np.zeros(len(scan), dtype=np.int64)
    for number, one in enumerate(patterns):
        mine = (pattern == number).nonzero()[0]
        for phase in one.schedule.phases:
            if phase.end is not None and len(mine):
                end = add_months(time_zero[mine].astype("datetime64[D]"), phase.end).astype(np.int64)
                passed[mine] += scan[mine] >= end
    keys, which = np.unique(np.stack([pattern, whole, days, passed], axis=1), axis=0, return_inverse=True)
    courses, starts, used = [], [], []
    for number, months, rest, ended in keys.tolist():
        one = patterns[number]
        start = Fraction(months) + Fraction(rest * 16, 487)
        if ended:
            # On the very day a phase ends the next one holds, however the month's length rounds.
            start = max(start, one.schedule.phases[ended - 1].end or start)
        courses.append(visit_offsets(one.schedule, one.horizon, start))
        starts.append(start)
        used.append(one)
    return _grid(scan, which.astype(np.int64).reshape(-1), courses, starts, used)


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
    return Lines(
        site=site.astype(np.int64),
        visit=now.before[site] + k + 1,
        kind=np.full(n, VISIT, dtype=np.int64),
        phase=grid.phase[site, k],
        due=grid.due[site, k],
        earliest=grid.earliest[site, k],
        latest=grid.latest[site, k],
        interval=grid.interval[site, k],
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
    chosen, unscheduled = match(
        grid.due[rows], grid.earliest[rows], grid.latest[rows], grid.interval[rows], now.open[rows], scan
    )
    hit = chosen >= 0
    lines = [_lines(now, rows[hit], chosen[hit], DONE, scan[hit], unscheduled[hit])]
    lines.append(bare_lines(rows[~hit].astype(np.int64), EXTRA, scan[~hit]))
    now.open[rows[hit], chosen[hit]] = False
    columns = np.arange(grid.due.shape[1])[None, :]
    past = now.open[rows] & np.where(hit[:, None], columns < chosen[:, None], grid.latest[rows] < scan[:, None])
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
        now.grid = _replace_rows(now.grid, again, fresh)
        opened = np.zeros((len(now.open), now.grid.due.shape[1]), dtype=bool)
        opened[:, : now.open.shape[1]] = now.open
        opened[again] = now.grid.real[again]
        now.open = opened
    return lines


def _replace_rows(grid: Grid, rows: npt.NDArray[np.intp], fresh: Grid) -> Grid:
    """Put other visits in place of some sites' own, widening the matrices where needed."""
    width = max(grid.due.shape[1], fresh.due.shape[1])

    def widened(old: Ints, new: Ints, fill: int) -> Ints:
        result = np.full((len(old), width), fill, dtype=np.int64)
        result[:, : old.shape[1]] = old
        result[rows] = fill
        result[rows[:, None], np.arange(new.shape[1])[None, :]] = new
        return result

    return Grid(
        widened(grid.due, fresh.due, NEVER),
        widened(grid.earliest, fresh.earliest, NEVER),
        widened(grid.latest, fresh.latest, NEVER),
        widened(grid.interval, fresh.interval, 0),
        widened(grid.phase, fresh.phase, FIRST),
    )
