"""Curves of cohorts that do not fit in memory: a table engine counts, the estimators see only the counts."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from ..tables import Engine, count_cells
from .counts import Counts, from_cells


def group_counts(
    path: str, *, group: str | None, time: str, status: str, engine: Engine = "pandas", session: Any = None
) -> dict[str, Counts]:
    """Give each group's risk table from a prepared Parquet table, read lazily on an engine."""
    cells = count_cells(path, group=group, time=time, status=status, engine=engine, session=session)
    result: dict[str, Counts] = {}
    for label, members in groupby(cells, key=lambda c: c.group):
        listed = list(members)
        result[label] = from_cells(
            [c.time_days for c in listed], [c.status for c in listed], [c.number for c in listed]
        )
    return result
