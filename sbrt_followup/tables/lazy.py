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
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..problems import InputRefused, Problem, Source, nearest, refuse
from .intake import check_local

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Engine = Literal["pandas", "polars", "duckdb", "pyspark"]
ENGINES: tuple[Engine, ...] = ("pandas", "polars", "duckdb", "pyspark")
EXTRAS = {"pandas": "parquet", "polars": "polars", "duckdb": "duckdb", "pyspark": "spark"}
STATUSES = (0, 1, 2)
ALL = "all"
PARQUET = b"PAR1"  # how such a file begins and ends


@dataclass(frozen=True)
class Cell:
    """How many rows of one group share a duration and a status."""

    group: str
    time_days: int
    status: int
    number: int


@dataclass(frozen=True)
class Cells:
    """All cells of a table as columns, sorted by group, duration and status; `place` counts in `groups`."""

    groups: tuple[str, ...]
    place: npt.NDArray[np.int64]
    time_days: npt.NDArray[np.float64]
    status: npt.NDArray[np.int64]
    number: npt.NDArray[np.int64]

    def rows(self) -> tuple[Cell, ...]:
        """Give the cells one by one."""
        columns = (self.place.tolist(), self.time_days.tolist(), self.status.tolist(), self.number.tolist())
        return tuple(Cell(self.groups[g], int(t), s, k) for g, t, s, k in zip(*columns, strict=True))


def scan(path: str, engine: Engine = "pandas", session: Any = None) -> Any:
    """Open a Parquet file lazily on an engine; a PySpark session is started where none is given."""
    if engine not in ENGINES:
        raise refuse("not-allowed", f"no engine is called '{engine}'", hint=nearest(engine, ENGINES))
    import narwhals as nw

    _check_parquet(path)
    if engine == "pandas" and _is_pattern(path):
        raise refuse(
            "several-files", "the engine pandas reads one file", hint="Use --engine duckdb for a pattern of files."
        )
    if engine == "duckdb" and Path(path).is_dir():
        raise refuse(
            "several-files", "the engine duckdb reads files, not a folder", hint="Name them: FOLDER/*.parquet."
        )
    keywords = {}
    if engine == "duckdb":
        _keep_duckdb_here()
    if engine == "pyspark":
        keywords["session"] = session or spark_session()
    try:
        return nw.scan_parquet(path, backend=engine, **keywords).lazy()
    except ImportError:
        extra = EXTRAS[engine]
        raise refuse(
            "needs-extra", f"the engine {engine} is not installed", hint=f"pip install 'sbrt-followup[{extra}]'"
        ) from None


def _keep_duckdb_here() -> None:
    """Have DuckDB neither fetch nor load an extension by itself; it would open the network for one."""
    try:
        import duckdb
    except ImportError:
        return
    for setting in ("autoinstall_known_extensions", "autoload_known_extensions"):
        duckdb.execute(f"SET {setting} = false")


def _is_pattern(path: str) -> bool:
    return any(sign in path for sign in "*?[")


def _check_parquet(path: str) -> None:
    """Refuse local files that are not there or not Parquet, in the same words whatever the engine."""
    check_local(path)
    if Path(path).is_dir():
        return
    names = sorted(glob(path)) if _is_pattern(path) else [path]  # noqa: PTH207 - the pattern may be absolute
    problems = [Problem("unreadable", "no file has such a name", Source(Path(path).name))] if not names else []
    for name in names:
        try:
            with Path(name).open("rb") as file:
                begin = file.read(len(PARQUET))
                file.seek(-len(PARQUET), os.SEEK_END)
                whole = begin == PARQUET == file.read()
        except OSError as error:
            reason = "too short for Parquet" if Path(name).is_file() else error.strerror
            problems.append(Problem("unreadable", f"cannot be read: {reason}", Source(Path(name).name)))
            continue
        if not whole:
            problems.append(
                Problem(
                    "unreadable", "is not a Parquet file", Source(Path(name).name), hint="Write the table as Parquet."
                )
            )
    if problems:
        raise InputRefused(problems)


def content_hash(path: str) -> str:
    """Hash a local file; several files, or one elsewhere, are not hashed."""
    import hashlib

    if not Path(path).is_file():
        return "not hashed: not one local file"
    with Path(path).open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def spark_session() -> Any:
    """Start (or find) a Spark session whose workers run this very interpreter."""
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise refuse(
            "needs-extra", "the engine pyspark is not installed", hint="pip install 'sbrt-followup[spark]'"
        ) from None
    # Its own bar would write over ours on stderr.
    builder = SparkSession.builder.appName("sbrt-followup").config("spark.ui.showConsoleProgress", "false")
    # No page of its own, and its parts speak to each other on this machine only.
    builder = builder.config("spark.ui.enabled", "false").config("spark.driver.host", "127.0.0.1")
    builder = builder.config("spark.driver.bindAddress", "127.0.0.1")
    return builder.getOrCreate()


def count_cells(
    path: str, *, group: str | None, time: str, status: str, engine: Engine = "pandas", session: Any = None
) -> Cells:
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


def _checked(columns: Mapping[str, list[Any]], group: str | None, time: str, status: str, file: str) -> Cells:
    """Turn counted keys into cells; the few distinct keys are checked, not the many rows."""
    import numpy as np

    number = np.array(columns["number"], dtype=np.int64)
    labels = [ALL] * len(number) if group is None else columns[group]
    distinct = set(labels)
    days, code = _numbers(columns[time]), _numbers(columns[status])
    nameless = {label for label in distinct if label is None or label != label}
    wrong = {
        f"{group}: an empty cell": np.array([label in nameless for label in labels])
        if nameless
        else np.zeros(len(number), bool),
        f"{time}: not a whole number of days, 0 or more": ~((days >= 0) & (days == np.floor(days)) & np.isfinite(days)),
        f"{status}: not 0 (censored), 1 (event) or 2 (competing event)": ~np.isin(code, STATUSES),
    }
    if any(rows.any() for rows in wrong.values()):
        raise InputRefused(
            Problem("bad-cell", f"{number[rows].sum()} row(s), column {text}", Source(file))
            for text, rows in wrong.items()
            if rows.any()
        )
    groups = sorted({str(label) for label in distinct})
    to = {label: groups.index(str(label)) for label in distinct}
    place = np.array([to[label] for label in labels], dtype=np.int64)
    order = np.lexsort((code, days, place))
    return Cells(tuple(groups), place[order], days[order], code[order].astype(np.int64), number[order])


def _numbers(values: list[Any]) -> npt.NDArray[np.float64]:
    """Give a column as numbers, NaN where it holds none."""
    import numpy as np

    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError):  # texts or dates
        return np.full(len(values), np.nan)
