"""Spark gives the same counts by the same code; run by `make test-spark`, which installs Spark and needs Java."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyspark")

from sbrt_followup.tables import count_cells


def test_a_local_spark_counts_the_same(tmp_path: Path) -> None:
    from pyspark.sql import SparkSession

    from sbrt_followup.tables import spark_session

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
