"""Large tables, read lazily in one path whatever the engine: a cohort is reduced to counts before Python sees a row.

A prepared table has one row per patient (or site): a group, a duration in whole days, and a status (0 censored, 1 the
event, 2 the competing event). pandas reads it whole; DuckDB (larger than memory), polars and PySpark (a cluster) are
extras. The same narwhals expressions run on all of them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .problems import InputRefused, Problem, Source, nearest, refuse

Engine = Literal["pandas", "polars", "duckdb", "pyspark"]
ENGINES: tuple[Engine, ...] = ("pandas", "polars", "duckdb", "pyspark")
EXTRAS = {"pandas": "parquet", "polars": "polars", "duckdb": "duckdb", "pyspark": "spark"}
STATUSES = (0, 1, 2)


@dataclass(frozen=True)
class Cell:
    """How many rows of one group share a duration and a status."""

    group: str
    time_days: int
    status: int
    number: int


def scan(path: str, engine: Engine = "pandas", session: Any = None) -> Any:
    """Open a Parquet file lazily on an engine; a PySpark session is started where none is given."""
    if engine not in ENGINES:
        raise refuse("not-allowed", f"no engine is called '{engine}'", hint=nearest(engine, ENGINES))
    import narwhals as nw

    keywords = {}
    if engine == "pyspark":
        keywords["session"] = session or spark_session()
    try:
        return nw.scan_parquet(path, backend=engine, **keywords).lazy()
    except ImportError:
        extra = EXTRAS[engine]
        raise refuse(
            "needs-extra", f"the engine {engine} is not installed", hint=f"pip install 'sbrt-followup[{extra}]'"
        ) from None
    except OSError as error:
        raise refuse(
            "unreadable", f"cannot be read: {error.strerror or 'not Parquet'}", Source(Path(path).name)
        ) from None


def spark_session() -> Any:
    """Start (or find) a Spark session whose workers run this very interpreter."""
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise refuse(
            "needs-extra", "the engine pyspark is not installed", hint="pip install 'sbrt-followup[spark]'"
        ) from None
    return SparkSession.builder.appName("sbrt-followup").getOrCreate()


def count_cells(
    path: str, *, group: str | None, time: str, status: str, engine: Engine = "pandas", session: Any = None
) -> tuple[Cell, ...]:
    """Count the rows of each group, duration and status, sorted; without a group column everybody is in the group `all`.

    Raises InputRefused when a column is missing, or where a cell is empty, not a whole day of 0 or more, or no status.
    """
    import narwhals as nw

    table = scan(path, engine, session)
    names = table.collect_schema().names()
    wanted = {name: name for name in (group, time, status) if name is not None}
    missing = [name for name in wanted if name not in names]
    if missing:
        raise InputRefused(
            Problem(
                "missing-column",
                f"the column '{name}' is missing",
                Source(Path(path).name),
                hint=nearest(name, names),
            )
            for name in missing
        )
    keys = [name for name in (group, time, status) if name is not None]
    counted = table.select(keys).group_by(keys).agg(nw.len().alias("number")).collect()
    columns = {name: counted[name].to_list() for name in [*keys, "number"]}
    return _checked(columns, group, time, status, Path(path).name)


def _checked(
    columns: Mapping[str, list[Any]], group: str | None, time: str, status: str, file: str
) -> tuple[Cell, ...]:
    """Turn counted keys into cells; the few distinct keys are checked, not the many rows."""
    groups = ["all"] * len(columns["number"]) if group is None else columns[group]
    problems: dict[str, int] = {}
    cells: list[Cell] = []
    for label, days, code, number in zip(groups, columns[time], columns[status], columns["number"], strict=True):
        if label is None or label != label:
            problems[f"{group}: an empty cell"] = problems.get(f"{group}: an empty cell", 0) + int(number)
        elif days is None or days != days or days < 0 or days != int(days):
            key = f"{time}: not a whole number of days, 0 or more"
            problems[key] = problems.get(key, 0) + int(number)
        elif code is None or code != code or code not in STATUSES:
            key = f"{status}: not 0 (censored), 1 (event) or 2 (competing event)"
            problems[key] = problems.get(key, 0) + int(number)
        else:
            cells.append(Cell(str(label), int(days), int(code), int(number)))
    if problems:
        raise InputRefused(
            Problem("bad-cell", f"{number} row(s), column {text}", Source(file)) for text, number in problems.items()
        )
    return tuple(sorted(cells, key=lambda c: (c.group, c.time_days, c.status)))
