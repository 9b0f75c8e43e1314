"""Spark gives the same counts by the same code; run by `make test-spark`, which installs Spark and needs Java."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyspark")

from sbrt_followup.tables.lazy import count_cells


def test_a_local_spark_counts_the_same(tmp_path: Path) -> None:
    from pyspark.sql import SparkSession

    from sbrt_followup.tables.lazy import spark_session

    SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config(
        "spark.sql.shuffle.partitions", "2"
    ).getOrCreate()
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "arm": rng.choice(["a", "b"], 2000),
            "time_days": rng.integers(1, 400, 2000),
            "status": rng.choice([0, 1, 2], 2000),
        }
    )
    path = tmp_path / "cohort.parquet"
    frame.to_parquet(path, index=False)
    session = spark_session()
    try:
        ours = count_cells(str(path), group="arm", time="time_days", status="status", engine="pyspark", session=session)
    finally:
        session.stop()
    assert ours.rows() == count_cells(str(path), group="arm", time="time_days", status="status").rows()
    assert ours.number.sum() == 2000


def test_curves_of_a_prepared_table_are_the_same_on_spark(tmp_path: Path) -> None:
    import json

    from typer.testing import CliRunner

    from sbrt_followup.cli.app import app

    rng = np.random.default_rng(4)
    pd.DataFrame(
        {"arm": rng.choice(["a", "b"], 900), "days": rng.integers(1, 400, 900), "state": rng.choice([0, 1, 2], 900)}
    ).to_parquet(tmp_path / "cohort.parquet", index=False)
    call = ["curves", str(tmp_path / "cohort.parquet"), "--prepared", "days,state", "--by", "arm", "--format", "json"]
    told = []
    for engine in ("pyspark", "pandas"):
        result = CliRunner().invoke(app, [*call, "--quiet", "--engine", engine])
        assert result.exit_code == 0, result.output
        told.append(json.loads(result.stdout))
    ours, plain = told
    assert ours["groups"] == plain["groups"]
    assert ours["tests"] == plain["tests"]
