"""One lazy path on every engine: the same counts as counting by hand, and the same refusals."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sbrt_followup.estimators.counts import count
from sbrt_followup.outcomes.large import group_counts
from sbrt_followup.problems import InputRefused
from sbrt_followup.tables.lazy import Cell, count_cells

ENGINES = ("pandas", "polars", "duckdb")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "arm": rng.choice(["a", "b", "c"], 5000),
            "time_days": rng.integers(1, 900, 5000),
            "status": rng.choice([0, 1, 2], 5000),
            "other": "x",
        }
    )
    path = tmp_path_factory.mktemp("tables") / "cohort.parquet"
    frame.to_parquet(path, index=False)
    return path


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_counts_what_a_plain_count_gives(table: Path, engine: str) -> None:
    frame = pd.read_parquet(table)
    plain = Counter(zip(frame["arm"], frame["time_days"], frame["status"], strict=True))
    expected = tuple(Cell(g, int(t), int(s), n) for (g, t, s), n in sorted(plain.items()))
    assert count_cells(str(table), group="arm", time="time_days", status="status", engine=engine).rows() == expected


@pytest.mark.parametrize("engine", ENGINES)
def test_the_risk_tables_are_those_of_the_rows(table: Path, engine: str) -> None:
    frame = pd.read_parquet(table)
    found = group_counts(str(table), group="arm", time="time_days", status="status", engine=engine)
    assert sorted(found) == ["a", "b", "c"]
    for name, counts in found.items():
        own = frame[frame["arm"] == name]
        rows = count(own["time_days"], own["status"])
        assert np.array_equal(counts.time, rows.time)
        assert np.array_equal(counts.n_risk, rows.n_risk)
        assert np.array_equal(counts.n_event, rows.n_event)
        assert np.array_equal(counts.n_competing, rows.n_competing)
    everybody = group_counts(str(table), group=None, time="time_days", status="status", engine=engine)
    assert list(everybody) == ["all"] and everybody["all"].n == 5000


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("time_days", -1),
        ("time_days", 1.5),
        ("time_days", np.nan),
        ("status", 3),
        ("status", np.nan),
        ("arm", None),
        ("time_days", np.inf),
    ],
)
def test_a_bad_cell_is_refused_with_its_column_and_number(
    tmp_path: Path, engine: str, column: str, value: object
) -> None:
    frame = pd.DataFrame({"arm": ["a", "b"], "time_days": [10.0, 20.0], "status": [1.0, 0.0]})
    frame.loc[1, column] = value
    frame.to_parquet(tmp_path / "bad.parquet", index=False)
    with pytest.raises(InputRefused) as refused:
        count_cells(str(tmp_path / "bad.parquet"), group="arm", time="time_days", status="status", engine=engine)
    (problem,) = refused.value.problems
    assert column in problem.message and problem.message.startswith("1 row")


def test_a_missing_column_is_named_with_the_nearest(table: Path) -> None:
    with pytest.raises(InputRefused) as refused:
        count_cells(str(table), group="arms", time="time_days", status="status")
    assert "'arm'" in str(refused.value.problems[0])


def test_an_unknown_engine_is_refused(table: Path) -> None:
    with pytest.raises(InputRefused):
        count_cells(str(table), group="arm", time="time_days", status="status", engine="dask")  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ENGINES)
def test_texts_for_durations_are_refused(tmp_path: Path, engine: str) -> None:
    pd.DataFrame({"arm": ["a"], "time_days": ["ten"], "status": [1]}).to_parquet(tmp_path / "bad.parquet", index=False)
    with pytest.raises(InputRefused) as refused:
        count_cells(str(tmp_path / "bad.parquet"), group="arm", time="time_days", status="status", engine=engine)
    assert "time_days" in refused.value.problems[0].message
