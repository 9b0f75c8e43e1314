"""Curves of prepared tables, of any size: a table engine counts, the estimators see only the counts.

Conventions. A prepared table has one row per patient: a duration in whole days, a status (0 censored, 1 the event, 2 the
competing event) and, if wanted, a group. What needs the dates behind them, the MRIs or the patient, has no place here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..estimators.counts import Counts, from_cells
from ..problems import refuse
from ..tables.lazy import ALL, Engine, count_cells
from ..vocabulary import TIERS
from .analysis import Method, analyse
from .curves import Curves, Prepared
from .question import DEATH_INSIDE, MOST_GROUPS, Question
from .study import Study
from .units import natural


def group_counts(
    path: str, *, group: str | None, time: str, status: str, engine: Engine = "pandas", session: Any = None
) -> dict[str, Counts]:
    """Give each group's risk table from a prepared Parquet table, read lazily on an engine."""
    cells = count_cells(path, group=group, time=time, status=status, engine=engine, session=session)
    ends = np.searchsorted(cells.place, np.arange(len(cells.groups) + 1))
    return {
        label: from_cells(cells.time_days[a:b], cells.status[a:b], cells.number[a:b])
        for label, a, b in zip(cells.groups, ends, ends[1:], strict=False)
    }


@dataclass(frozen=True)
class CountedStudy(Study):
    """A study of which only the counts are known."""

    of_group: tuple[Counts, ...] = ()

    def counts(self, group: int, stratum: str | None = None) -> Counts:
        """Give one group's counts."""
        return self.of_group[group]

    def follow_up_counts(self, group: int) -> Counts:
        """Give overall follow-up where death is the event; else follow-up after the event is not known."""
        return self.of_group[group] if self.question.endpoint == "death" else from_cells([], [], [])

    @property
    def strata(self) -> tuple[str, ...]:
        """One for all."""
        return (ALL,)


def usual_order(known: Iterable[str]) -> tuple[str, ...]:
    """Order groups as tiers where all are tiers, else naturally."""
    names = set(known)
    return tuple(t for t in TIERS if t in names) if names <= set(TIERS) else tuple(sorted(names, key=natural))


def counted_curves(counts: Mapping[str, Counts], question: Question, method: Method, prepared: Prepared) -> Curves:
    """Estimate and compare the groups of a prepared table, in the mapping's order."""
    if question.endpoint in DEATH_INSIDE and any(c.competing for c in counts.values()):
        raise refuse(
            "bad-cell",
            f"column {prepared.status}: 2 (competing event) does not go with --endpoint {question.endpoint}",
            hint="Death is the event or part of it: write it as 1.",
        )
    known = tuple(counts)
    if len(known) > MOST_GROUPS:
        hint = "Make a column of groups, such as 1 / 2 to 5 / over 5."
        raise refuse(
            "too-many-groups", f"{prepared.by} has {len(known)} values, more than {MOST_GROUPS} groups", hint=hint
        )
    study = CountedStudy(
        question=question,
        labels=known,
        **dict.fromkeys(_ARRAYS, np.empty(0)),  # type: ignore[arg-type]
        rows_used=sum(c.n for c in counts.values()),
        excluded=(),
        of_group=tuple(counts[label] for label in known),
    )
    analysis = analyse(study, method)
    return Curves(analysis, (), (), (), (), analysis.cautions, prepared=prepared)


_ARRAYS = (
    "group", "entry", "time", "status", "patient", "patients", "site", "zero", "stratum", "ending", "alive_until", "died",
    "last_clear_mri", "last_mri",
)  # fmt: skip
