"""`curves --prepared`: a table of durations and statuses gives what the cohort with its dates gives, on every engine."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from helpers.reference_data import FOLDER, GROUP_COLUMN, cohort, numbers
from typer.testing import CliRunner

from sbrt_followup.cli.app import app
from sbrt_followup.problems import InputRefused

ENGINES = ("pandas", "polars", "duckdb")


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["curves", *(str(a) for a in arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def as_json(*arguments: object) -> dict:
    return json.loads(run(*arguments, "--format", "json", "--quiet"))


@pytest.fixture(params=["bmt", "colon"])
def prepared(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    path = tmp_path / "prepared.parquet"
    cohort(request.param).astype({"time": int}).to_parquet(path, index=False)
    return request.param, path


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("estimator", ["cif", "km"])
def test_the_numbers_are_those_of_the_cohort_with_its_dates(prepared, engine, estimator):
    name, path = prepared
    order = ";".join(sorted(numbers(name)["groups"], reverse=True))
    more = ("--estimator", estimator, "--weights", "1,0", "--trend", "--order", order)
    ours = as_json(path, "--prepared", "time,status", "--by", "group", "--engine", engine, *more)
    dated = as_json(FOLDER / f"{name}.csv", "--by", GROUP_COLUMN[name], "--censor-at", "last_contact", *more)
    assert ours["tests"] == dated["tests"]
    assert ours["at_risk"] == dated["at_risk"]
    assert ours["grouping"]["by"] == "group"
    for mine, theirs in zip(ours["groups"], dated["groups"], strict=True):
        unknown = {"followup_median_days": {"estimate": None, "ci_low": None, "ci_high": None}}
        assert mine == theirs | unknown  # what came after the event is not in the table


def test_methods_manifest_and_print_say_what_the_numbers_rest_on(prepared):
    _, path = prepared
    body = as_json(path, "--prepared", "time,status", "--by", "group", "--engine", "duckdb")
    assert "columns time and status of a prepared table" in body["methods"]
    assert "counted by duckdb" in body["methods"]
    assert "follow-up" not in body["methods"]
    assert "SBRT (day 0)" not in body["methods"]
    (table,) = body["manifest"]["inputs"]
    assert table["content_hash"].startswith("sha256:")
    assert table["rows_used"] == sum(g["n"] for g in body["groups"])
    assert body["manifest"]["rules"] == []
    printed = run(path, "--prepared", "time,status", "--by", "group", "--format", "table")
    assert "median follow-up" not in printed
    assert "Gray's test" in printed


def test_tiers_stand_in_their_order_and_death_has_its_follow_up(tmp_path):
    path = tmp_path / "tiers.parquet"
    arms = ["high", "low", "intermediate"] * 40
    pd.DataFrame({"tier": arms, "days": range(10, 130), "dead": [0, 1, 1, 0] * 30}).to_parquet(path)
    body = as_json(path, "--prepared", "days,dead", "--by", "tier", "--endpoint", "death")
    assert [g["group"] for g in body["groups"]] == ["low", "intermediate", "high"]
    assert body["groups"][0]["followup_median_days"]["estimate"] is not None
    assert "reverse Kaplan–Meier" in body["methods"]


def test_a_figure_is_drawn(prepared, tmp_path):
    _, path = prepared
    run(path, "--prepared", "time,status", "--by", "group", "--figure", tmp_path / "curves.svg", "--quiet")
    assert "<svg" in (tmp_path / "curves.svg").read_text()
    assert (tmp_path / "curves.svg.manifest.json").exists()


def refused(*arguments: object) -> str:
    with pytest.raises(InputRefused) as error:
        run(*arguments)
    return " ".join(str(p) for p in error.value.problems)


def test_what_needs_dates_mris_or_facts_is_refused_in_one_go(prepared):
    _, path = prepared
    said = refused(
        path, "--prepared", "time,status", "--unit", "site", "--landmark", "3", "--entry", "x", "--null-check"
    )
    assert all(flag in said for flag in ("--unit site", "--landmark", "--entry", "--null-check"))
    assert "sbrt-followup risk" in refused(path, "--prepared", "time,status", "--by", "risk_group")
    assert "TIME,STATUS" in refused(path, "--prepared", "time")
    assert "'status'" in refused(path, "--prepared", "time,statu")
    assert "duckdb" in refused(path, "--prepared", "time,status", "--engine", "duckdbb")
    assert "--endpoint death" in refused(path, "--prepared", "time,status", "--endpoint", "death")
    assert "stdin" in refused("-", "--prepared", "time,status")


@pytest.mark.parametrize("engine", ENGINES)
def test_files_that_are_not_there_or_not_parquet_are_named_on_every_engine(tmp_path, engine):
    (tmp_path / "short.parquet").write_bytes(b"PA")
    (tmp_path / "text.parquet").write_text("time,status\n3,1\n")
    ask = ("--prepared", "time,status", "--engine", engine)
    assert "none.parquet: cannot be read" in refused(tmp_path / "none.parquet", *ask)
    assert "too short" in refused(tmp_path / "short.parquet", *ask)
    assert "is not a Parquet file" in refused(tmp_path / "text.parquet", *ask)
    both = refused(f"{tmp_path}/*.parquet", *ask)
    assert "short.parquet" in both
    assert "text.parquet" in both
    assert "no file has such a name" in refused(f"{tmp_path}/*.none", *ask)


def test_a_pattern_of_files_is_one_table(prepared, tmp_path):
    _, path = prepared
    frame = pd.read_parquet(path)
    half = len(frame) // 2
    frame[:half].to_parquet(tmp_path / "part-1.parquet")
    frame[half:].to_parquet(tmp_path / "part-2.parquet")
    ask = ("--prepared", "time,status", "--by", "group")
    whole = as_json(path, *ask)
    for engine in ("polars", "duckdb"):
        assert as_json(f"{tmp_path}/part-*.parquet", *ask, "--engine", engine)["groups"] == whole["groups"]
    assert "--engine duckdb" in refused(f"{tmp_path}/part-*.parquet", *ask)
    assert "/*.parquet" in refused(tmp_path, *ask, "--engine", "duckdb")


def test_cells_that_hold_no_duration_or_status_are_counted_by_column(tmp_path):
    path = tmp_path / "bad.parquet"
    pd.DataFrame({"days": [3.5, 4.0, None, 9.0], "state": [1, 3, 0, 0], "arm": ["a", "b", None, "b"]}).to_parquet(path)
    said = refused(path, "--prepared", "days,state", "--by", "arm")
    assert "2 row(s), column days" in said
    assert "1 row(s), column state" in said
    assert "1 row(s), column arm" in said


def test_a_prepared_table_has_groups_not_identifiers(tmp_path):
    path = tmp_path / "wide.parquet"
    pd.DataFrame({"days": range(1, 32), "status": 1, "id": [f"P{n}" for n in range(31)]}).to_parquet(path)
    with pytest.raises(InputRefused) as refused:
        run(path, "--prepared", "days,status", "--by", "id", "--format", "json", "--quiet")
    assert "31 values" in str(refused.value.problems[0])
    assert "P30" not in str(refused.value.problems[0])
