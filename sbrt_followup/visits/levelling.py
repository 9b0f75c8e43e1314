"""Visits spread over the weeks a scanner has room in: the fewest outside their windows, then the fewest weeks moved.

Conventions. Weeks are numbered from the week of the as-of day; a window is the weeks that hold an open day of it. Fixed
visits (urgent, confirming, booked) stay and use up room first. The rest is a transportation problem: visits with the same
(weight, earliest, due, latest week) are one class, weeks have capacities. Its matrix is totally unimodular (Hoffman &
Kruskal 1956), so the linear program's vertices are whole numbers; they are rounded and checked.

Lexicographic aims in one cost: a simple cycle of the residual graph passes every week at most once, so it changes the
shift by at most weeks² × the largest weight; one more than that outweighs every shift (Ahuja, Magnanti & Orlin 1993, ch. 9).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Flags, Ints


@dataclass(frozen=True)
class Demand:
    """Visits to place, one entry each: weeks (0 = the first), the weight of a week's shift, and who comes first at a tie.

    `earliest <= due <= latest`; `latest` may lie beyond the last week. `order` ranks the visits of one class: the first
    is moved least.
    """

    earliest: Ints
    due: Ints
    latest: Ints
    weight: Ints
    fixed: Flags
    order: Ints


@dataclass(frozen=True)
class Overfull:
    """A run of weeks whose own visits exceed its room: at least `excess` of them cannot stay inside their windows."""

    excess: int
    first_week: int
    last_week: int


@dataclass(frozen=True)
class Levelled:
    """The week of each visit (-1: no room), whether it lies outside its window, the loads, and the proof of what cannot be.

    `shift` counts the weeks moved over all visits that have a week.
    """

    week: Ints
    outside: Flags
    shift: int
    load_before: Ints
    load_after: Ints
    overfull: tuple[Overfull, ...]


def level(demand: Demand, capacity: Ints, *, allow_outside: bool = False) -> Levelled:
    """Place every visit in a week.

    Args:
        demand: the visits; weeks as whole numbers.
        capacity: MRIs each week can take, fixed ones included.
        allow_outside: give a week outside its window to a visit that no week inside has room for; else it gets -1.

    """
    weeks = len(capacity)
    due = np.clip(demand.due, 0, weeks - 1)
    before = np.bincount(due, minlength=weeks)
    week = np.full(len(due), -1, dtype=np.int64)
    week[demand.fixed] = due[demand.fixed]
    room = np.maximum(capacity - np.bincount(due[demand.fixed], minlength=weeks), 0)
    free = np.flatnonzero(~demand.fixed)
    earliest = np.clip(demand.earliest[free], 0, weeks - 1)
    latest = np.clip(demand.latest[free], 0, weeks - 1)
    week[free] = _placed(earliest, due[free], latest, demand.weight[free], demand.order[free], room, allow_outside)
    outside = np.zeros(len(due), dtype=bool)
    placed = week >= 0
    outside[free] = placed[free] & ((week[free] < earliest) | (week[free] > latest))
    return Levelled(
        week=week,
        outside=outside,
        shift=int(np.abs(week - due)[placed].sum()),
        load_before=before,
        load_after=np.bincount(week[placed], minlength=weeks),
        overfull=overfull(earliest, latest, room),
    )


def overfull(earliest: Ints, latest: Ints, room: Ints) -> tuple[Overfull, ...]:
    """Name the runs of weeks whose own visits exceed their room, the worst first (Hall's condition for intervals)."""
    weeks = len(room)
    windows = np.zeros((weeks, weeks), dtype=np.int64)
    np.add.at(windows, (earliest, latest), 1)
    # Windows inside [a, b]: those that begin at a or later and end at b or earlier.
    inside = np.cumsum(np.cumsum(windows[::-1], axis=0)[::-1], axis=1)
    total = np.concatenate([[0], np.cumsum(room)])
    first, last = np.triu_indices(weeks)
    excess = inside[first, last] - (total[last + 1] - total[first])
    found = np.flatnonzero(excess > 0)
    worst = found[np.lexsort((last[found] - first[found], -excess[found]))]
    return tuple(Overfull(int(excess[i]), int(first[i]), int(last[i])) for i in worst)


def _placed(
    earliest: Ints, due: Ints, latest: Ints, weight: Ints, order: Ints, room: Ints, allow_outside: bool
) -> Ints:
    if not len(due):
        return np.zeros(0, dtype=np.int64)
    keys = np.stack([weight, earliest, due, latest], axis=1)
    classes, of = np.unique(keys, axis=0, return_inverse=True)
    of = of.reshape(-1)
    amounts = _flow(classes, np.bincount(of), room, allow_outside)
    week = np.full(len(due), -1, dtype=np.int64)
    # Within a class the first in order is moved least, an earlier week before a later one.
    sequence = np.lexsort((order, of))
    at = 0
    for number, row in enumerate(amounts):
        members = sequence[at : at + int(row.sum())]
        at += len(members)
        given = np.repeat(np.arange(len(row)), row)
        shift = np.where(given == len(room), len(row), np.abs(given - classes[number, 2]))
        given = given[np.lexsort((given, shift))]
        week[members] = np.where(given == len(room), -1, given)
    return week


def _flow(classes: Ints, sizes: Ints, room: Ints, allow_outside: bool) -> Ints:
    """Solve the transportation problem; give visits per class and week, and in a last column those without a week."""
    from scipy.optimize import linprog
    from scipy.sparse import coo_array, csr_array

    weeks = len(room)
    all_weeks = np.arange(weeks)
    weight, earliest, due, latest = (classes[:, i : i + 1] for i in range(4))
    outside = (all_weeks < earliest) | (all_weeks > latest)
    heaviest = int(classes[:, 0].max(initial=1))
    tie = weeks * weeks * heaviest + 1  # outweighs who of several comes earlier
    aim = weeks * weeks * heaviest + 1  # outweighs every shift
    cost = (outside * aim + np.abs(all_weeks - due) * weight) * tie + all_weeks * weight
    cost = np.concatenate([cost, np.full((len(classes), 1), (weeks + 1) * aim * tie)], axis=1)  # no week at all
    allowed = np.concatenate(
        [~outside if not allow_outside else np.ones_like(outside), np.ones((len(classes), 1), bool)], 1
    )
    row, column = np.nonzero(allowed)
    count = len(row)
    one = np.ones(count)
    each: csr_array = coo_array((one, (row, np.arange(count))), shape=(len(classes), count)).tocsr()
    inside = column < weeks
    used: csr_array = coo_array((one[inside], (column[inside], np.flatnonzero(inside))), shape=(weeks, count)).tocsr()
    solved = linprog(cost[row, column], A_ub=used, b_ub=room, A_eq=each, b_eq=sizes, method="highs-ds")
    amounts = np.zeros((len(classes), weeks + 1), dtype=np.int64)
    whole = np.rint(solved.x)
    assert np.abs(solved.x - whole).max(initial=0) < 1e-6, "a vertex of a transportation problem is whole"
    amounts[row, column] = whole.astype(np.int64)
    return amounts
