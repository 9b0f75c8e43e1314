"""What reading costs, as ratios in one interleaved run: `python benchmarks/reading.py`. Needs the extra `excel`."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import python_calamine

from sbrt_followup.tables.columns import COHORT
from sbrt_followup.tables.map_writing import map_text
from sbrt_followup.tables.mapping import TableMap
from sbrt_followup.tables.proposing import propose
from sbrt_followup.tables.records import read_cohort

LEVELS = [f"T{n}" for n in range(1, 13)]


def cohort(rows: int, columns: int) -> pd.DataFrame:
    """A cohort with texts, dates, numbers, and the user's own columns up to `columns`."""
    rng = np.random.default_rng(1)
    days = [date(2022, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 1000, rows)]
    frame = pd.DataFrame(
        {
            "patient_id": [f"P{i:07d}" for i in range(rows)],
            "sbrt_date": days,
            "level": rng.choice(LEVELS, rows),
            "histology": rng.choice(["breast", "lung", "prostate"], rows),
            "bilsky": rng.choice(["0", "1a", "1b", "2"], rows),
            "sins": rng.integers(0, 19, rows),
            "dose_gy": rng.choice([24.0, 27.5, 30.0], rows),
        }
    )
    own = {f"own{i}": rng.choice([f"text {k}" for k in range(50)], rows) for i in range(columns - frame.shape[1])}
    return pd.concat([frame, pd.DataFrame(own)], axis=1)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(name: str, ours: Callable[[], object], other: Callable[[], object], limit: float, runs: int = 3) -> None:
    seconds(ours), seconds(other)
    pairs = [(seconds(ours), seconds(other)) for _ in range(runs)]
    value = statistics.median(a / b for a, b in pairs)
    print(f"{name}: {value:.2f} x (limit {limit:g}), {min(a for a, _ in pairs):.2f} s, least of {runs}", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
        cohort(rows // 10, 20).to_excel(folder / "c.xlsx", index=False)
        cohort(rows, 10).to_csv(folder / "c.csv", index=False)
        cohort(rows // 100, 30).to_csv(folder / "m.csv", index=False)

        def library() -> object:
            book = python_calamine.load_workbook(str(folder / "c.xlsx"))
            return book.get_sheet_by_index(0).to_python()

        ratio(f"{rows // 10:,} rows of .xlsx, read and typed", lambda: read_cohort(folder / "c.xlsx"), library, 1.5)
        plain = lambda: pd.read_csv(folder / "c.csv", dtype=str)  # noqa: E731
        ratio(f"{rows:,} rows of CSV, read and typed", lambda: read_cohort(folder / "c.csv"), plain, 2)
        once = seconds(lambda: map_text([propose(str(folder / "m.csv"), "cohort", COHORT, TableMap())]))
        print(f"map of {rows // 100:,} rows x 30 columns: {once:.2f} s (limit 3)")


if __name__ == "__main__":
    main()
