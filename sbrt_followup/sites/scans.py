"""The MRIs of each treated site, in date order: the baseline, then those after time zero.

The baseline is the MRI on or before time zero nearest to it. An MRI after time zero belongs to the last course of its
site that began before it. A row of the imaging table is read for its own site only; whole days throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import NEVER, Flags, Ints
from .coverage import done, own_site
from .history import days

if TYPE_CHECKING:
    import pandas as pd

NONE = -1
_SPAN = 1 << 22  # wider than any date in days, so that (site, day) sorts as one number
_ORIGIN = 1 << 20


@dataclass(frozen=True)
class Scans:
    """MRIs sorted by site (in the order of ids) and day; `site` is the row of the cohort, `row` that of the imaging frame."""

    site: Ints
    row: Ints
    day: Ints
    since: Ints
    """Days since time zero."""
    baseline: Flags
    unused: dict[int, str]
    """Imaging rows (numbers in the file) that no reading uses, and why."""

    def __len__(self) -> int:
        return len(self.site)

    @cached_property
    def start(self) -> Ints:
        """The place of the first MRI of each MRI's site."""
        new = np.ones(len(self), dtype=bool)
        new[1:] = self.site[1:] != self.site[:-1]
        first: Ints = np.maximum.accumulate(np.where(new, np.arange(len(self)), 0))
        return first

    @cached_property
    def position(self) -> Ints:
        """Each MRI's place within its site, from 0."""
        return np.arange(len(self)) - self.start

    @cached_property
    def number(self) -> Ints:
        """The number of each MRI after treatment, from 1; 0 for the baseline."""
        return self.position + 1 - self.baseline[self.start] if len(self) else self.position

    @cached_property
    def before(self) -> Ints:
        """The place of the MRI before, NONE for the first."""
        return np.where(self.position > 0, np.arange(len(self)) - 1, NONE)

    @cached_property
    def turns(self) -> tuple[Ints, ...]:
        """The places of all first MRIs, all second ones, and so on."""
        order = np.argsort(self.position, kind="stable")
        ends = np.cumsum(np.bincount(self.position)) if len(self) else np.array([], dtype=np.int64)
        return tuple(np.split(order, ends[:-1])) if len(ends) else ()


def gather(frame: pd.DataFrame, imaging: pd.DataFrame, as_of: int) -> Scans:
    """Give the MRIs of every site of a cohort frame up to a day."""
    import pandas as pd

    unused: dict[int, str] = {}
    patients = pd.factorize(pd.concat([frame["patient_id"], imaging["patient_id"]], ignore_index=True))[0]
    own = own_site(frame, imaging)
    sites = pd.factorize(pd.concat([frame["site_id"], own], ignore_index=True))[0]
    width = int(sites.max(initial=0)) + 2
    key = patients.astype(np.int64) * width + sites + 1
    n = len(frame)
    zero, day = days(frame, "sbrt_date"), days(imaging, "mri_date")
    at = key[:n] * _SPAN + zero + _ORIGIN
    order = np.argsort(at, kind="stable")
    sorted_at, known = at[order], _contains(key[:n], key[n:]) & own.notna().to_numpy()
    was_done = done(imaging)
    died = _death(frame, patients[:n], patients[n:])
    numbers = imaging["row"].to_numpy()
    for reason, rows in (
        ("its patient and site are not in the cohort, or it names no site", ~known),
        ("not done", known & ~was_done),
        ("after the as-of day", known & was_done & (day > as_of)),
        ("after the patient's death", known & was_done & (day <= as_of) & (day > died)),
    ):
        unused.update(dict.fromkeys(numbers[rows].tolist(), reason))
    usable = (known & was_done & (day <= as_of) & (day <= died)).nonzero()[0]
    mri = key[n:][usable] * _SPAN + day[usable] + _ORIGIN
    by_day = np.argsort(mri, kind="stable")
    usable, mri = usable[by_day], mri[by_day]
    # After time zero: the last course that began by then; on the day itself the MRI is that course's baseline.
    found = np.searchsorted(sorted_at, mri, side="right") - 1
    course = order[np.maximum(found, 0)]
    after = (found >= 0) & (key[:n][course] == key[n:][usable]) & (zero[course] < day[usable])
    # The baseline: the last MRI up to and including time zero.
    last = np.searchsorted(mri, at, side="right") - 1
    has = (last >= 0) & (len(mri) > 0)
    candidate = usable[np.maximum(last, 0)] if len(usable) else np.zeros(n, dtype=np.int64)
    has &= key[n:][candidate] == key[:n] if len(imaging) else False
    site = np.concatenate([np.arange(n)[has], course[after]])
    row = np.concatenate([candidate[has], usable[after]])
    baseline = np.concatenate([np.ones(int(has.sum()), dtype=bool), np.zeros(int(after.sum()), dtype=bool)])
    read = np.zeros(len(imaging), dtype=bool)
    read[row] = True
    idle = usable[~read[usable]]
    unused.update(dict.fromkeys(numbers[idle].tolist(), "before treatment, and another MRI is nearer to it"))
    rank = np.empty(n, dtype=np.int64)
    rank[_by_id(frame, zero)] = np.arange(n)
    sort = np.lexsort((day[row], rank[site]))
    site, row, baseline = site[sort], row[sort], baseline[sort]
    return Scans(site, row, day[row], day[row] - zero[site], baseline, dict(sorted(unused.items())))


def _contains(keys: Ints, wanted: Ints) -> Flags:
    """Tell which wanted numbers are among the keys; sorting beats hashing here."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=bool)
    ordered = np.sort(keys)
    found: Flags = ordered[np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)] == wanted
    return found


def _by_id(frame: pd.DataFrame, zero: Ints) -> Ints:
    import pandas as pd

    patient = pd.factorize(frame["patient_id"].astype(str), sort=True)[0]
    site = pd.factorize(frame["site_id"].astype(str), sort=True)[0]
    return np.lexsort((zero, site, patient))


def _death(frame: pd.DataFrame, patient: Ints, of: Ints) -> Ints:
    """Give the day of death of the patient of each MRI; far in the future where none is known."""
    far = np.iinfo(np.int64).max
    known = days(frame, "death_date")
    death = np.full(int(max(patient.max(initial=-1), of.max(initial=-1))) + 1, far, dtype=np.int64)
    np.minimum.at(death, patient, np.where(known == NEVER, far, known))
    return death[of]
