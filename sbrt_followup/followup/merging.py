"""Several sites, one spine MRI: which visits of a patient's sites one scan serves (interpretation, printed).

Each site's visits come from its own time zero. At each date the site with the shortest interval in force leads; another
site's visit is dropped only if a kept visit lies in its window. Done visits are one where the scan is the same.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .visits import DONE, MISSED, OPEN, Flags, Ints, Lines


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
    who, due = patient[rows], lines.due[rows]
    earliest, latest, interval = lines.earliest[rows], lines.latest[rows], lines.interval[rows]
    total = len(rows)
    first = np.concatenate([[True], who[1:] != who[:-1]]).nonzero()[0]
    stop = np.concatenate([first[1:], [total]])
    remaining = np.ones(total, dtype=bool)
    pointer = first.copy()
    reach = int((latest - earliest).max()) + 1
    while True:
        while True:
            # Step over visits that are served already.
            stale = (pointer < stop) & ~remaining[np.minimum(pointer, total - 1)]
            if not stale.any():
                break
            pointer[stale] += 1
        active = pointer < stop
        pointer, stop = pointer[active], stop[active]
        if not len(pointer):
            return
        leader = pointer.copy()
        step = 1
        while True:
            at = pointer + step
            inside = at < stop
            at = np.minimum(at, total - 1)
            inside &= due[at] <= latest[pointer]
            if not inside.any():
                break
            better = inside & remaining[at] & (interval[at] < interval[leader])
            leader = np.where(better, at, leader)
            step += 1
        day = due[leader]
        step = 0
        while True:
            at = pointer + step
            inside = at < stop
            at = np.minimum(at, total - 1)
            near = inside & (due[at] <= day + reach)
            if not near.any():
                break
            hit = near & remaining[at] & (earliest[at] <= day) & (day <= latest[at])
            served[rows[at[hit]]] = rows[leader[hit]]
            remaining[at[hit]] = False
            step += 1


def _several_sites(site: Ints, patient: Ints) -> Flags:
    """Tell which lines belong to patients with more than one site."""
    if not len(site):
        return np.zeros(0, dtype=bool)
    first = np.full(int(patient.max()) + 1, -1, dtype=np.int64)
    first[patient] = site
    several = np.zeros(len(first), dtype=bool)
    several[patient[site != first[patient]]] = True
    return np.asarray(several[patient])
