"""Where an MRI lies against the pseudo-progression windows of its site.

Windows are days since time zero, closed on both ends in documents and output, half-open in code. The windows that apply
to a site are united, never shortened. `just_after`: the MRI before lay in or before a window that has closed since.
Where a fact that chooses a window is missing, every place the MRI could have stays possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Ints
from ..rulebook.conditions import Facts, Levels
from ..rulebook.deciding import holds
from ..rulebook.library import Rulebook
from ..rulebook.model import PseudoprogressionWindow
from ..vocabulary import WINDOW_PLACES
from .facts import site_facts
from .history import days
from .risk import weakest

if TYPE_CHECKING:
    import pandas as pd

BEFORE, INSIDE, JUST_AFTER, OUTSIDE = range(len(WINDOW_PLACES))


@dataclass(frozen=True)
class Stretch:
    """One united stretch of days, half-open, and the documents it comes from."""

    start: int
    stop: int
    documents: tuple[str, ...]

    def __str__(self) -> str:
        return f"days {self.start}–{self.stop - 1} ({', '.join(self.documents)})"


def unite(documents: Sequence[PseudoprogressionWindow]) -> tuple[Stretch, ...]:
    """Unite windows into stretches that do not touch."""
    united: list[Stretch] = []
    for d in sorted(documents, key=lambda d: (d.window.from_, d.window.to)):
        start, stop = d.window.from_, d.window.to + 1
        if united and start <= united[-1].stop:
            last = united[-1]
            names = tuple(dict.fromkeys((*last.documents, d.id)))
            united[-1] = Stretch(last.start, max(last.stop, stop), names)
        else:
            united.append(Stretch(start, stop, (d.id,)))
    return tuple(united)


def place(stretches: Sequence[Stretch], days: Ints, previous: Ints) -> Ints:
    """Give the place of each MRI; `previous` is the day of the MRI before it, of whatever kind."""
    inside = np.zeros(len(days), dtype=bool)
    just_after = np.zeros(len(days), dtype=bool)
    for s in stretches:
        inside |= (days >= s.start) & (days < s.stop)
        just_after |= (days >= s.stop) & (previous < s.stop)
    opens = min((s.start for s in stretches), default=0)
    before = days < opens if stretches else np.zeros(len(days), dtype=bool)
    return np.select([inside, before, just_after], [INSIDE, BEFORE, JUST_AFTER], OUTSIDE)


@dataclass(frozen=True)
class Windows:
    """The windows of each site: sites with the same choice share a case."""

    case: Ints
    sets: tuple[tuple[tuple[Stretch, ...], ...], ...]
    """Per case, every set of stretches that could apply; the first one is what is known to apply."""

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Each case in words."""
        return tuple(
            " or ".join(dict.fromkeys("; ".join(str(s) for s in one) or "no window" for one in sets))
            for sets in self.sets
        )

    @cached_property
    def documents(self) -> tuple[frozenset[str], ...]:
        """The ids of the documents behind each case, every set that could apply."""
        return tuple(frozenset(d for one in sets for s in one for d in s.documents) for sets in self.sets)

    def places(self, site: Ints, days: Ints, previous: Ints) -> Levels:
        """Give the possible places of MRIs, each of a site."""
        bits = np.zeros(len(days), dtype=np.int64)
        case = self.case[site]
        for number, sets in enumerate(self.sets):
            here = (case == number).nonzero()[0]
            for stretches in sets:
                bits[here] |= 1 << place(stretches, days[here], previous[here])
        return Levels(bits)

    def closes(self, site: Ints) -> Ints:
        """Give the last day of each site's last window, -1 without one; the latest that could apply."""
        last = [max((s.stop - 1 for one in sets for s in one), default=-1) for sets in self.sets]
        return np.array(last, dtype=np.int64)[self.case[site]]


def windows_of(rulebook: Rulebook, facts: Facts, rows: int) -> Windows:
    """Find the windows of each site from its facts."""
    documents = rulebook.windows
    by_id = {d.id: d for d in documents}
    key = np.zeros(rows, dtype=np.int64)
    for d in documents:
        true, unknown = holds(d.when, facts, rows)
        key = key * 3 + np.where(true, 1, np.where(unknown, 2, 0))
    keys, case = np.unique(key, return_inverse=True)
    sets = []
    for value in keys.tolist():
        digits = []
        for _ in documents:
            digits.append(value % 3)
            value //= 3
        digits.reverse()
        known = [d for d, digit in zip(documents, digits, strict=True) if digit == 1]
        maybe = [d for d, digit in zip(documents, digits, strict=True) if digit == 2]
        # Windows that hang on the same missing fact exclude one another, so one of them applies, or none.
        options = [known, *([*known, d] for d in maybe)]
        sets.append(tuple(unite(_with_partners(one, rulebook, by_id)) for one in options))
    return Windows(case.astype(np.int64), tuple(sets))


@dataclass(frozen=True)
class WindowSpan:
    """A stretch of pseudo-progression windows of one row of a cohort, as days of the calendar, both ends included."""

    at: int
    start: int
    stop: int
    documents: tuple[str, ...]
    basis: str
    """The least firm of the documents' bases."""


def window_spans(frame: pd.DataFrame, rulebook: Rulebook) -> list[WindowSpan]:
    """Lay the windows that are known to apply to each site on the calendar, united as an MRI is read against them."""
    windows = windows_of(rulebook, site_facts(frame, rulebook.sins).facts, len(frame))
    zero = days(frame, "sbrt_date").tolist()

    def basis(stretch: Stretch) -> str:
        return weakest([rulebook.get(PseudoprogressionWindow, name).basis for name in stretch.documents])

    return [
        WindowSpan(at, zero[at] + s.start, zero[at] + s.stop - 1, s.documents, basis(s))
        for at, case in enumerate(windows.case.tolist())
        for s in windows.sets[case][0]
    ]


def _with_partners(
    chosen: Sequence[PseudoprogressionWindow], rulebook: Rulebook, by_id: dict[str, PseudoprogressionWindow]
) -> list[PseudoprogressionWindow]:
    """Add the windows that the chosen ones are united with."""
    found = {d.id: d for d in chosen}
    for d in chosen:
        name = d.unites_with
        while name and name not in found:
            found[name] = by_id.get(name) or rulebook.get(PseudoprogressionWindow, name)
            name = found[name].unites_with
    return list(found.values())
