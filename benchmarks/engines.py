"""Kaplan–Meier by group from Parquet, beside a plain group-count on the same engine and file: ratios, interleaved.

`python benchmarks/engines.py [rows ...]` (default 1e5 1e6 1e7). In process; durations are whole days. Needs the extras
duckdb and polars. Peak memory is that of a process of its own.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from sbrt_followup.estimators.survival import kaplan_meier
from sbrt_followup.outcomes.large import group_counts

COLUMNS = {"group": "arm", "time": "time_days", "status": "status"}


def write(path: Path, rows: int) -> None:
    rng = np.random.default_rng(1)
    event, death, leave = rng.exponential(900, rows), rng.exponential(1500, rows), rng.uniform(100, 2500, rows)
    first = np.minimum(np.minimum(event, death), leave)
    pd.DataFrame(
        {
            "arm": pd.Categorical.from_codes(rng.integers(0, 3, rows), categories=["low", "intermediate", "high"]),
            "time_days": np.ceil(first).astype(np.int32),
            "status": np.select([first == event, first == death], [1, 2], 0).astype(np.int8),
        }
    ).to_parquet(path, index=False)


def curves(path: Path, engine: str) -> None:
    for counts in group_counts(str(path), engine=engine, **COLUMNS).values():
        kaplan_meier(counts)


def plain(path: Path, engine: str) -> None:
    if engine == "duckdb":
        import duckdb

        duckdb.sql(f"select arm, time_days, status, count(*) from '{path}' group by all").fetchall()
    elif engine == "polars":
        import polars as pl

        pl.scan_parquet(path).group_by("arm", "time_days", "status").len().collect()
    else:
        pd.read_parquet(path).groupby(["arm", "time_days", "status"], observed=True).size()


def lifelines(path: Path) -> None:
    from lifelines import KaplanMeierFitter

    frame = pd.read_parquet(path)
    for _, own in frame.groupby("arm", observed=True):
        KaplanMeierFitter().fit(own["time_days"], own["status"] == 1)


def seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(name: str, ours: Callable[[], None], other: Callable[[], None], runs: int) -> None:
    ours(), other()
    pairs = [(seconds(ours), seconds(other)) for _ in range(runs)]
    value = statistics.median(a / b for a, b in pairs)
    print(
        f"{name}: {value:.2f} x ({statistics.median(a for a, _ in pairs):.3f} s v {statistics.median(b for _, b in pairs):.3f} s)",
        flush=True,
    )


PEAK = """
import sys
sys.path.insert(0, {folder!r})
from pathlib import Path
import engines
engines.curves(Path({path!r}), {engine!r})
# ru_maxrss would count the parent's memory at the fork; the high-water mark starts anew with the program.
print(next(int(line.split()[1]) // 1024 for line in open('/proc/self/status') if line.startswith('VmHWM')))
"""


def main() -> None:
    sizes = [int(float(a)) for a in sys.argv[1:]] or [100_000, 1_000_000, 10_000_000]
    with tempfile.TemporaryDirectory() as folder:
        for rows in sizes:
            path = Path(folder) / f"{rows}.parquet"
            write(path, rows)
            runs = 9 if rows <= 1_000_000 else 5
            for engine in ("duckdb", "polars", "pandas"):
                compare(
                    f"{rows} rows, curves v plain count, {engine}",
                    lambda e=engine, p=path: curves(p, e),
                    lambda e=engine, p=path: plain(p, e),
                    runs,
                )
            compare(
                f"{rows} rows, curves on duckdb v lifelines",
                lambda p=path: curves(p, "duckdb"),
                lambda p=path: lifelines(p),
                3,
            )
            for engine in ("duckdb", "polars"):
                code = PEAK.format(folder=str(Path(__file__).parent), path=str(path), engine=engine)
                done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
                print(f"{rows} rows, {engine}: peak {done.stdout.strip()} MiB", flush=True)


if __name__ == "__main__":
    main()
