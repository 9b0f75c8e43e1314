"""Several sites, one spine MRI: which visits of a patient's sites one scan serves (interpretation, printed).

Each site's visits come from its own time zero. At each date the site with the shortest interval in force leads; another
site's visit is dropped only if a kept visit lies in its window. Done visits are one where the scan is the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..arrays import Flags, Ints
from .series import DONE, MISSED, OPEN, Lines


def merge(lines: Lines, patient: Ints) -> npt.NDArray[np.intp]:
    """Give, for every line, the index of the line that serves it (its own where it is kept).

    `patient` numbers the patient of every line. Only visits are merged; each class (done, missed, open) by itself.
    """
    served = np.arange(len(lines))
    done = (lines.state == DONE) & (lines.visit > 0)
    _merge_done(lines, patient, done, served)
    for state in (OPEN, MISSED):
        _merge_windows(lines, patient, (lines.state == state) & (lines.visit > 0), served)
    return served


def _merge_done(lines: Lines, patient: Ints, chosen: Flags, served: npt.NDArray[np.intp]) -> None:
    rows = chosen.nonzero()[0]
    if not len(rows):
        return
    order = rows[np.lexsort((lines.site[rows], lines.interval[rows], lines.scan[rows], patient[rows]))]
    same = (patient[order][1:] == patient[order][:-1]) & (lines.scan[order][1:] == lines.scan[order][:-1])
    start = np.concatenate([[True], ~same])
    leader = order[np.maximum.accumulate(np.where(start, np.arange(len(order)), 0))]
    served[order] = leader


def _merge_windows(lines: Lines, patient: Ints, chosen: Flags, served: npt.NDArray[np.intp]) -> None:
    """Walk every patient's visits by date, all patients at once: one kept visit a patient and round."""
    rows = chosen.nonzero()[0]
    rows = rows[_several_sites(lines.site[rows], patient[rows])]
    if not len(rows):
        return
    rows = rows[np.lexsort((lines.site[rows], lines.due[rows], patient[rows]))]
    who = patient[rows]
    # Days fit in half a word; the walk reads them over and over.
    due, earliest, latest, interval = (
        days[rows].astype(np.int32) for days in (lines.due, lines.earliest, lines.latest, lines.interval)
    )
    # Sites treated alike have the same visits: one of them stands for all.
    alike = np.zeros(len(rows), dtype=bool)
    alike[1:] = (who[1:] == who[:-1]) & (due[1:] == due[:-1]) & (interval[1:] == interval[:-1])
    alike[1:] &= (earliest[1:] == earliest[:-1]) & (latest[1:] == latest[:-1])
    everyone, stands_for = rows, np.cumsum(~alike) - 1
    rows, who = rows[~alike], who[~alike]
    due, earliest, latest, interval = (days[~alike] for days in (due, earliest, latest, interval))
    total = len(rows)
    pointer = np.concatenate([[True], who[1:] != who[:-1]]).nonzero()[0]
    stop = np.concatenate([pointer[1:], [total]])
    remaining = np.ones(total + 1, dtype=bool)
    reach = int((due - earliest).max())
    while True:
        # Step over visits that are served already.
        stale = (~remaining[pointer]).nonzero()[0]
        while len(stale):
            pointer[stale] += 1
            stale = stale[(pointer[stale] < stop[stale]) & ~remaining[pointer[stale]]]
        active = pointer < stop
        pointer, stop = pointer[active], stop[active]
        if not len(pointer):
            break
        leader, until = pointer.copy(), latest[pointer]
        for still, at in _following(pointer, stop, due, until, 1):
            better = remaining[at] & (interval[at] < interval[leader[still]])
            leader[still[better]] = at[better]
        day = due[leader]
        for still, at in _following(pointer, stop, due, day + reach, 0):
            hit = remaining[at] & (earliest[at] <= day[still]) & (day[still] <= latest[at])
            served[rows[at[hit]]] = rows[leader[still[hit]]]
            remaining[at[hit]] = False
    served[everyone] = served[rows][stands_for]


def _following(
    pointer: npt.NDArray[np.intp], stop: npt.NDArray[np.intp], due: npt.NDArray[np.int32], until: npt.NDArray[np.int32], step: int
) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:  # fmt: skip
    """Step from each patient's pointer through the visits due up to a day; gives the patients still at it and where."""
    still = np.arange(len(pointer))
    at = pointer + step
    while True:
        inside = at < stop[still]
        still, at = still[inside], at[inside]
        inside = due[at] <= until[still]
        still, at = still[inside], at[inside]
        if not len(still):
            return
        yield still, at
        at = at + 1


def _several_sites(site: Ints, patient: Ints) -> Flags:
    """Tell which lines belong to patients with more than one site."""
    if not len(site):
        return np.zeros(0, dtype=bool)
    first = np.full(int(patient.max()) + 1, -1, dtype=np.int64)
    first[patient] = site
    several = np.zeros(len(first), dtype=bool)
    several[patient[site != first[patient]]] = True
    return np.asarray(several[patient])
