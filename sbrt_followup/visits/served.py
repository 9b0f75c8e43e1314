"""Which sites a line serves, and one ending for the sites of a patient that say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..arrays import Flags, Ints
from ..sites.history import Course
from .series import STOP, Lines

if TYPE_CHECKING:
    import pandas as pd


def _numbered_pairs(a: Ints, b: Ints) -> Ints:
    """Number the distinct pairs of two columns of small numbers."""
    import pandas as pd

    return np.asarray(pd.factorize(a * (int(b.max(initial=0)) + 1) + b)[0], dtype=np.int64)


class Served:
    """Which sites each kept line serves."""

    def __init__(self, frame: pd.DataFrame, course: Course, lines: Lines, served: npt.NDArray[np.intp],
                 kept: npt.NDArray[np.intp]) -> None:  # fmt: skip
        self.site_ids = frame["site_id"].to_numpy()
        self.patient = course.patient
        self.lines = lines
        self.count = np.bincount(served, minlength=len(lines))
        merged = (served != np.arange(len(lines))).nonzero()[0]
        self.target, self.member = served[merged], lines.site[merged]

    def add(self, target: npt.NDArray[np.intp], member: Ints) -> None:
        """Let some lines serve further sites."""
        self.target, self.member = np.concatenate([self.target, target]), np.concatenate([self.member, member])

    def several(self, kept: npt.NDArray[np.intp]) -> Flags:
        """Whether a line serves more than one site."""
        return np.asarray(self.count[kept] > 1)

    def names(self, kept: npt.NDArray[np.intp]) -> npt.NDArray[np.object_]:
        """The served sites' ids, joined by `;`."""
        names = self.site_ids[self.lines.site[kept]].copy()
        if not len(self.target):
            return np.asarray(names)
        # One text per distinct set of site ids, however many patients have it: sets as bits, 20 to a word.
        place, named, ids = self._place()
        line = np.concatenate([self.target, self.target])
        site = np.concatenate([self.member, self.lines.site[self.target]])
        several = np.zeros(len(self.lines), dtype=bool)
        several[line] = True
        served = several.nonzero()[0]
        group = named[self.patient[self.lines.site[served]]]
        for word in range(int(place.max()) // 20 + 1):
            bits = np.zeros(len(self.lines), dtype=np.int64)
            here = place[site] // 20 == word
            np.bitwise_or.at(bits, line[here], np.int64(1) << (place[site[here]] % 20))
            group = _numbered_pairs(group, bits[served])
        chosen = np.zeros(int(group.max()) + 1, dtype=np.int64)
        chosen[group] = np.arange(len(group))
        one_of = np.full(len(self.lines), -1, dtype=np.int64)
        one_of[served[chosen]] = np.arange(len(chosen))
        members: list[set[str]] = [set() for _ in chosen]
        wanted = one_of[line] >= 0
        for number, member in zip(one_of[line[wanted]].tolist(), site[wanted].tolist(), strict=True):
            members[number].add(ids[member])
        texts = np.array([";".join(sorted(m)) for m in members], dtype=object)
        text_of = np.full(len(self.lines), -1, dtype=np.int64)
        text_of[served] = group
        at = text_of[kept]
        names[at >= 0] = texts[at[at >= 0]]
        return np.asarray(names)

    def _place(self) -> tuple[Ints, Ints, list[str]]:
        """Each site's place among its patient's ids, from 0; a number per patient for its list of ids; the ids."""
        import pandas as pd

        code, distinct = pd.factorize(self.site_ids)
        ids = [str(distinct[c]) for c in code]
        order = np.lexsort((code, self.patient))
        who, what = self.patient[order], code[order].astype(np.int64)
        start = np.concatenate([[True], who[1:] != who[:-1]])
        steps = np.cumsum(np.concatenate([[True], (who[1:] != who[:-1]) | (what[1:] != what[:-1])]))
        rank = steps - np.maximum.accumulate(np.where(start, steps, 0))
        place = np.empty(len(order), dtype=np.int64)
        place[order] = rank
        named = np.zeros(int(self.patient.max(initial=0)) + 1, dtype=np.int64)
        for k in range(int(rank.max(initial=0)) + 1):
            own = np.zeros(len(named), dtype=np.int64)
            own[who[rank == k]] = what[rank == k] + 1
            named = _numbered_pairs(named, own)
        return place, named, ids


def one_ending(kept: npt.NDArray[np.intp], kind: Ints, lines: Lines, course: Course,
                groups: Served) -> tuple[npt.NDArray[np.intp], Served]:  # fmt: skip
    """Keep one stop line per patient, reason and day, and one horizon line per patient; they serve all its sites."""
    import pandas as pd

    ending = kept[kind >= STOP]
    if not len(ending):
        return kept, groups
    site = lines.site[ending]
    table = pd.DataFrame(
        {
            "patient": course.patient[site],
            "kind": lines.kind[ending],
            "day": np.where(lines.kind[ending] == STOP, course.stop[site], 0),
            "code": np.where(lines.kind[ending] == STOP, course.stop_code[site], 0),
        }
    )
    first = table.groupby(["patient", "kind", "day", "code"], sort=False).cumcount().to_numpy() == 0
    if not first.all():
        number = table.groupby(["patient", "kind", "day", "code"], sort=False).ngroup().to_numpy()
        leader = np.zeros(int(number.max()) + 1, dtype=np.int64)
        leader[number[first]] = ending[first]
        groups.add(leader[number[~first]], lines.site[ending[~first]])
    return np.concatenate([kept[kind < STOP], ending[first]]), groups
