"""`check`, `init` and `key`: what they give a clinic, and what they leave alone."""

from __future__ import annotations

import csv
import io
import json
import stat
from pathlib import Path

import openpyxl
from helpers.commands import command

BAD = "patient_id,sbrt_date,sins,death_date\nZQ-1,2025-01-31,19,\nZQ-2,soon,4,\nZQ-3,2025-02-01,4,2024-01-01\nZQ-4,2025-02-01,4,\n"


def test_check_lists_all_problems_and_does_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(BAD)
    (tmp_path / "m.csv").write_text("patient_id,mri_date\nZQ-4,2025-05-01\nZQ-4,2025-06-01\nZQ-9,2025-05-01\n")
    done = command("check", "c.csv", "--imaging", "m.csv", "--as-of", "2025-06-15", "-f", "csv", cwd=tmp_path)
    assert done.returncode == 1
    found = {(r["file"], r["row"], r["column"], r["code"]) for r in csv.DictReader(io.StringIO(done.stdout))}
    assert found == {
        ("c.csv", "2", "sins", "out-of-range"),
        ("c.csv", "3", "sbrt_date", "not-a-date"),
        ("c.csv", "4", "death_date", "impossible-dates"),
        ("m.csv", "4", "", "mri-of-nobody"),
    }
    assert "ZQ" not in done.stdout + done.stderr
    assert {p.name for p in tmp_path.iterdir()} == {"c.csv", "m.csv"}
    body = json.loads(command("check", "c.csv", "--as-of", "2025-06-15", "-f", "json", cwd=tmp_path).stdout)
    assert (body["errors"], len(body["problems"])) == (3, 3)


def test_check_of_a_good_table_finds_nothing(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("patient_id,sbrt_date\nA,2025-01-31\n")
    done = command("check", "c.csv", "--as-of", "2025-06-15", "-f", "csv", cwd=tmp_path)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert command("check", "absent.csv", cwd=tmp_path).returncode == 2


def test_a_key_is_private_random_and_never_written_over(tmp_path: Path) -> None:
    assert command("key", "a.key", cwd=tmp_path).returncode == 0
    assert command("key", "b.key", cwd=tmp_path).returncode == 0
    one, two = (tmp_path / "a.key").read_text(), (tmp_path / "b.key").read_text()
    assert len(one.strip()) == 64
    assert one != two
    assert stat.S_IMODE((tmp_path / "a.key").stat().st_mode) == 0o600
    assert command("key", "a.key", cwd=tmp_path).returncode == 2
    assert (tmp_path / "a.key").read_text() == one
    (tmp_path / "c.csv").write_text("patient_id,sbrt_date\nA,2025-01-31\n")
    done = command("schedule", "c.csv", "--as-of", "2025-02-01", "-f", "ics", "--key-file", "a.key", cwd=tmp_path)
    assert done.returncode == 0
    assert one.strip() not in done.stdout


def test_a_starter_folder_can_be_filled_in_and_used(tmp_path: Path) -> None:
    assert command("init", "clinic", cwd=tmp_path).returncode == 0
    folder = tmp_path / "clinic"
    book = openpyxl.load_workbook(folder / "register.xlsx")
    kinds = {v.type for sheet in book.worksheets for v in sheet.data_validations.dataValidation}
    assert {"list", "date", "whole", "decimal"} <= kinds
    empty = command(
        "worklist", "register.xlsx", "--imaging", "register.xlsx", "--map", "map.yaml", "-f", "csv", cwd=folder
    )
    assert empty.returncode == 0, empty.stderr
    assert len(empty.stdout.splitlines()) == 1, "the example row is nobody"
    book["Cohort"]["A3"], book["Cohort"]["C3"] = "P1", "2025-01-31"
    book["MRI"]["A3"], book["MRI"]["C3"] = "P1", "2025-04-30"
    book.save(folder / "register.xlsx")
    own = ("--rules", "our_rules", "--profile", "our-clinic")
    done = command(
        "worklist",
        "register.xlsx",
        "--imaging",
        "register.xlsx",
        "--map",
        "map.yaml",
        *own,
        "--as-of",
        "2025-06-15",
        "-f",
        "csv",
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    assert "P1,1,upcoming" in done.stdout
    assert command("init", "clinic", cwd=tmp_path).returncode == 2


def test_the_packaged_rules_under_the_clinics_name_pass_their_audit(tmp_path: Path) -> None:
    command("init", "clinic", cwd=tmp_path)
    example = tmp_path / "clinic" / "our_rules" / "plan.yaml.example"
    example.rename(example.with_suffix(""))
    done = command("rules", "check", "--rules", "clinic/our_rules", "--profile", "our-clinic", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
