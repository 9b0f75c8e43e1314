"""Each line's status as of a day, its stop, and the booking that serves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..arrays import NEVER, Flags, Ints
from ..sites.coverage import Coverage, scans_after_stop
from ..sites.history import Course
from ..vocabulary import VISIT_STATUSES
from .patterns import Request
from .series import DONE, EXTRA, HORIZON, MISSED, OPEN, STOP, VISIT, Lines, Pattern, bare_lines, join, match

if TYPE_CHECKING:
    import pandas as pd


LAST_DAY = 1 << 30  # later than any date

STATUS = {name: i for i, name in enumerate(VISIT_STATUSES)}

BOOKINGS = ("none", "in its window", "outside it", "its day passed without an MRI", "near no visit")
"""What a booking is to a visit."""

NOT_BOOKED, INSIDE, OUTSIDE, LAPSED, ASTRAY = range(len(BOOKINGS))


def stopped_lines(lines: Lines, course: Course) -> Lines:
    """Leave out what is due after a site's follow-up stopped, and add stop and horizon lines."""
    stop = course.stop[lines.site]
    open_after = (lines.state == OPEN) & (stop != NEVER) & (lines.due > stop)
    kept = lines.take(~open_after)
    stopped = (course.stop != NEVER).nonzero()[0].astype(np.int64)
    going_on = (course.stop == NEVER).nonzero()[0].astype(np.int64)
    return join([kept, bare_lines(stopped, STOP), bare_lines(going_on, HORIZON)])


def after_stop(frame: pd.DataFrame, pairs: Coverage, course: Course) -> list[Lines]:
    """Give MRIs done after a site's follow-up stopped, as extra scans."""
    site, day = scans_after_stop(frame, pairs, course)
    return [bare_lines(site, EXTRA, day)] if len(site) else []


def statuses(lines: Lines, course: Course, request: Request, with_imaging: bool) -> Ints:
    """Give the status of every line as of the day."""
    today = request.today
    past = lines.latest < today
    unseen = STATUS["overdue"] if with_imaging or request.assume_none_done else STATUS["unknown"]
    status = np.where(past, unseen, np.where(lines.earliest <= today, STATUS["due"], STATUS["upcoming"]))
    ended = course.ended(request.today)[lines.site]
    # Nobody is overdue after follow-up stopped; what was not done by then was missed.
    status = np.where(ended, STATUS["missed"] if with_imaging else STATUS["unknown"], status)
    last_done = np.full(len(course.time_zero), NEVER, dtype=np.int64)
    done = lines.state == DONE
    np.maximum.at(last_done, lines.site[done & (lines.kind == VISIT)], lines.due[done & (lines.kind == VISIT)])
    status = np.where(past & (lines.due < last_done[lines.site]), STATUS["missed"], status)
    status = np.where(lines.state == MISSED, STATUS["missed"], status)
    status = np.where(done, STATUS["done"], status)
    status = np.where(lines.kind == STOP, STATUS["stopped"], status)
    return np.where(lines.kind == HORIZON, STATUS["horizon"], status)


def answered(course: Course, scans: Ints, patterns: Sequence[Pattern], pattern: Ints) -> Flags:
    """Mark the sites whose booked day an MRI has answered: done on it, within the plan's tolerance before it, or later."""
    tolerance = np.array([p.tolerance for p in patterns], dtype=np.int64)[pattern]
    last = scans.max(axis=1, initial=NEVER)
    return np.asarray((last != NEVER) & (last >= course.booked - tolerance))


def bookings(lines: Lines, course: Course, request: Request, answered: Flags) -> Ints:
    """Give a booking to the open visit it serves; one near no visit books none, and the next open visit says so."""
    booked = np.full(len(lines), NOT_BOOKED, dtype=np.int64)
    ahead = course.booked >= request.today
    given = (course.booked != NEVER) & ~course.ended(request.today) & (ahead | ~answered)
    rows = ((lines.state == OPEN) & (lines.kind == VISIT) & given[lines.site]).nonzero()[0]
    if not len(rows):
        return booked
    # One matrix of open visits per booked site, in date order.
    rows = rows[np.lexsort((lines.due[rows], lines.site[rows]))]
    sites, start, count = np.unique(lines.site[rows], return_index=True, return_counts=True)
    columns = np.arange(count.max())
    at = rows[np.minimum(start[:, None] + columns, len(rows) - 1)]
    real = columns[None, :] < count[:, None]
    day = course.booked[sites]
    chosen, outside = match(lines.due[at], lines.earliest[at], lines.latest[at], lines.interval[at], real, day)
    astray = chosen < 0
    waiting = real & (lines.latest[at] >= request.today)
    chosen = np.where(astray, np.where(waiting.any(axis=1), waiting.argmax(axis=1), count - 1), chosen)
    outside |= ~((lines.earliest[at] <= day[:, None]) & (day[:, None] <= lines.latest[at]))[np.arange(len(at)), chosen]
    line = at[np.arange(len(at)), chosen]
    what = np.where(astray, ASTRAY, np.where(outside, OUTSIDE, INSIDE))
    booked[line] = np.where(ahead[sites], what, LAPSED)
    return booked


def in_common(lines: Lines, served: npt.NDArray[np.intp]) -> Lines:
    """Give a visit that serves several sites the window that all of theirs have in common."""
    merged = ((served != np.arange(len(lines))) & (lines.state != DONE)).nonzero()[0]
    if not len(merged):
        return lines
    earliest, latest = lines.earliest.copy(), lines.latest.copy()
    np.maximum.at(earliest, served[merged], lines.earliest[merged])
    np.minimum.at(latest, served[merged], lines.latest[merged])
    return replace(lines, earliest=earliest, latest=latest)


def any_served(flags: Flags, served: npt.NDArray[np.intp]) -> Flags:
    """Give every line a flag that any site it serves has."""
    result = flags.copy()
    result[served[flags]] = True
    return result


def fold_bookings(
    lines: Lines, course: Course, status: Ints, booked: Ints, served: npt.NDArray[np.intp]
) -> tuple[Ints, Ints, Ints]:
    """Carry a booking of any served site to the visit that serves it: status, code and the (earliest) booked day."""
    ahead = (booked == INSIDE) | (booked == OUTSIDE)
    if not booked.any():
        return status, booked, np.full(len(lines), NEVER, dtype=np.int64)
    day = np.full(len(lines), LAST_DAY, dtype=np.int64)
    np.minimum.at(day, served[ahead], course.booked[lines.site[ahead]])
    has = day < LAST_DAY
    inside = (lines.earliest <= day) & (day <= lines.latest)
    lapsed, astray = any_served(booked == LAPSED, served), any_served(booked == ASTRAY, served)
    code = np.select([has & inside, has, lapsed, astray], [INSIDE, OUTSIDE, LAPSED, ASTRAY], default=NOT_BOOKED).astype(
        np.int64
    )
    return np.where(has, STATUS["booked"], status), code, np.where(has, day, NEVER)
