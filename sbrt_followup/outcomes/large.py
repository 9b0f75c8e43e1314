"""Curves of cohorts that do not fit in memory: a table engine counts, the estimators see only the counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tables import Engine, count_cells
from .counts import Counts, from_cells


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
