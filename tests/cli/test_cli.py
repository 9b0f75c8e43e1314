"""The program as a script sees it: exit codes, what goes where, files whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from helpers.commands import command as run

COHORT = "patient_id,site_id,sbrt_date,bilsky,paraspinal,sins\nZQ-4711,T10,2024-01-10,0,no,3\nZQ-4712,L2,2024-02-28,1b,no,9\n"
IMAGING = "patient_id,site_id,mri_date\nZQ-4711,T10,2024-04-12\n"


def process(*arguments: str, cwd: Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "sbrt_followup", *arguments],
        cwd=cwd, input=stdin, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "100", **environment},
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cohort.csv").write_text(COHORT)
    (tmp_path / "mri.csv").write_text(IMAGING)
    return tmp_path


AS_OF = ("--as-of", "2024-06-01")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("command", ["schedule", "worklist", "risk"])
def test_data_on_stdout_messages_on_stderr_exit_0(folder: Path, command: str) -> None:
    done = run(command, "cohort.csv", *AS_OF, cwd=folder)
    assert done.returncode == 0
    table = rows(done.stdout)
    assert {r["patient_id"] for r in table} == {"ZQ-4711", "ZQ-4712"}
    assert "assumption" in done.stderr
    quiet = run(command, "cohort.csv", *AS_OF, "--quiet", cwd=folder)
    assert (quiet.stdout, quiet.stderr) == (done.stdout, "")


def test_overdue_indeterminate_and_excluded_rows_are_no_failure(folder: Path) -> None:
    (folder / "odd.csv").write_text(COHORT + "ZQ-4713,T4,2024-01-10,,,\nZQ-4714,T4,2024-01-10,,,19\n")
    done = run(
        "schedule",
        "odd.csv",
        "--imaging",
        "mri.csv",
        *AS_OF,
        "--on-error",
        "exclude",
        "--plan",
        "chen-2024",
        cwd=folder,
    )
    assert done.returncode == 0
    assert "overdue" in done.stdout
    assert "excluded: cohort row 5: column sins" in done.stderr
    assert "Waiting for data: 1 site(s)" in done.stderr
    assert "ZQ-" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("schedule",),
        ("schedule", "absent.csv"),
        ("schedule", "cohort.csv", "--as-of", "01.06.2024"),
        ("schedule", "cohort.csv", "--plan", "chen-2042"),
        ("schedule", "cohort.csv", "--profile", "nobody"),
        ("schedule", "cohort.csv", "--rules", "nowhere"),
        ("schedule", "cohort.csv", "--horizon", "0"),
        ("schedule", "cohort.csv", "--horizon", "1e2"),
        ("schedule", "cohort.csv", "--format", "pdf"),
        ("schedule", "cohort.csv", "--on-error", "ignore"),
        ("schedule", "cohort.csv", "--date-format", "%d"),
        ("schedule", "cohort.csv", "--map", "absent.yaml"),
        ("schedule", "cohort.csv", "--sbrt-date", "2024-01-10"),
        ("schedule", "--sins", "7"),
        ("schedule", "--sbrt-date", "2024-01-10", "--sins", "19"),
        ("schedule", "cohort.csv", "--imaging", "mri.csv", "--as-of", "2024-04-01"),
        ("schedule", "cohort.csv", "-o", "nowhere/visits.csv"),
        ("schedule", "cohort.csv", "-o", "visits.doc"),
        ("schedule", "cohort.csv", "--nonsense"),
        ("risk", "cohort.csv", "--unit", "vertebra"),
        ("explain", "cohort.csv"),
        ("explain", "cohort.csv", "--patient", "nobody"),
        ("explain", "cohort.csv", "--row", "2", "--visit", "99"),
        ("nonsense",),
    ],
    ids=" ".join,
)
def test_what_cannot_be_used_is_exit_2_without_output_or_traceback(folder: Path, arguments: tuple[str, ...]) -> None:
    before = sorted(p.name for p in folder.iterdir())
    done = run(*arguments, cwd=folder)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    assert "ZQ-" not in done.stderr
    assert sorted(p.name for p in folder.iterdir()) == before


@pytest.mark.parametrize("command", ["schedule", "worklist", "risk"])
def test_a_cohort_of_none(folder: Path, command: str) -> None:
    (folder / "none.csv").write_text("patient_id,sbrt_date\n")
    done = run(command, "none.csv", *AS_OF, cwd=folder)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("command", ["schedule", "worklist", "risk"])
def test_json_is_json_without_nan_and_with_its_manifest(folder: Path, command: str) -> None:
    done = run(command, "cohort.csv", *AS_OF, "-f", "json", cwd=folder)

    def refuse(word: str) -> None:
        raise AssertionError(word)

    body = json.loads(done.stdout, parse_constant=refuse)
    assert body["schema_version"] == 1
    manifest = body["manifest"]
    assert manifest["version"]
    assert {d["document"].partition("/")[0] for d in manifest["rules"]} >= {"profile", "risk", "sins"}
    assert manifest["inputs"][0]["rows_used"] == 2
    assert "cohort.csv" not in json.dumps(manifest), "a file's name may be a patient's"
    assert "ZQ-" not in json.dumps(manifest)


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes(folder: Path) -> None:
    first = process("schedule", "cohort.csv", *AS_OF, "-f", "json", cwd=folder, PYTHONHASHSEED="1")
    second = process("schedule", "cohort.csv", *AS_OF, "-f", "json", cwd=folder, PYTHONHASHSEED="2")
    assert first.stdout == second.stdout


def test_files_are_written_whole_with_a_manifest_and_never_over_others(folder: Path) -> None:
    target = folder / "visits.csv"
    done = run("schedule", "cohort.csv", *AS_OF, "-o", "visits.csv", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads((folder / "visits.csv.manifest.json").read_text())["command"] == "schedule"
    assert target.read_text() == run("schedule", "cohort.csv", *AS_OF, cwd=folder).stdout
    target.write_text("mine")
    assert run("schedule", "cohort.csv", *AS_OF, "-o", "visits.csv", cwd=folder).returncode == 2
    assert target.read_text() == "mine"
    assert run("schedule", "cohort.csv", *AS_OF, "-o", "visits.csv", "--force", cwd=folder).returncode == 0
    assert target.read_text().startswith("patient_id,")
    assert not [p for p in folder.iterdir() if p.name.startswith(".")], "no half-written file is left"


def test_a_refused_input_leaves_the_old_file_alone(folder: Path) -> None:
    (folder / "visits.csv").write_text("mine")
    (folder / "bad.csv").write_text("patient_id,sbrt_date\nZQ-4711,soon\n")
    assert run("schedule", "bad.csv", "-o", "visits.csv", "--force", cwd=folder).returncode == 2
    assert (folder / "visits.csv").read_text() == "mine"


def test_stdin(folder: Path) -> None:
    piped = process("schedule", "-", *AS_OF, cwd=folder, stdin=COHORT)
    assert piped.stdout == run("schedule", "cohort.csv", *AS_OF, cwd=folder).stdout
    bad = run("schedule", "-", *AS_OF, cwd=folder, stdin=COHORT.replace("2024-01-10", "soon"))
    assert bad.returncode == 2
    assert "stdin: row 2, column sbrt_date" in bad.stderr


def test_map_and_date_format(folder: Path) -> None:
    (folder / "klinik.csv").write_text("Fall;Datum;Weichteil\nZQ-4711;10.01.2024;J\n")
    (folder / "map.yaml").write_text(
        "columns: {patient_id: Fall, sbrt_date: Datum, paraspinal: Weichteil}\nvalues: {paraspinal: {J: yes, N: no}}\n"
    )
    done = run("risk", "klinik.csv", "--map", "map.yaml", "--date-format", "%d.%m.%Y", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert rows(done.stdout)[0]["paraspinal"] == "yes"
    (folder / "map.yaml").write_text("columns: {patient: Fall}\n")
    wrong = run("risk", "klinik.csv", "--map", "map.yaml", cwd=folder)
    assert wrong.returncode == 2
    assert "map.yaml:1:11: no column is called 'patient': did you mean 'patient_id'?" in wrong.stderr


def test_no_colour_where_none_is_wanted(folder: Path) -> None:
    done = process("schedule", "cohort.csv", *AS_OF, "-f", "table", cwd=folder, NO_COLOR="1", FORCE_COLOR="")
    assert done.returncode == 0
    assert "\x1b[3" not in done.stdout
    assert "ZQ-4711" in done.stdout


def test_a_reader_that_closes_early_is_no_error(folder: Path) -> None:
    command = f"{sys.executable} -m sbrt_followup schedule cohort.csv --as-of 2024-06-01 -q | head -1"
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("patient_id,")
    assert done.stderr == ""


def test_formulas_are_disarmed(folder: Path) -> None:
    (folder / "evil.csv").write_text('patient_id,sbrt_date,note\n=1+1,2024-01-10,"@SUM(A1)"\n-5,2024-01-10,fine;=1+1\n')
    done = run("schedule", "evil.csv", *AS_OF, "-q", cwd=folder)
    cells = {cell for row in rows(done.stdout) for cell in row.values()}
    assert {"'=1+1", "'@SUM(A1)", "-5"} <= cells
    schedule = run("schedule", "evil.csv", *AS_OF, "-q", "-o", "visits.csv", cwd=folder)
    assert schedule.returncode == 0
    assert not {c for c in cells if c.startswith(("=", "@", "+"))}


def test_an_mri_after_a_death_is_refused_or_left_out(folder: Path) -> None:
    (folder / "died.csv").write_text("patient_id,site_id,sbrt_date,death_date\nZQ-4711,T10,2024-01-10,2024-04-01\n")
    refused = process("schedule", "died.csv", "--imaging", "mri.csv", *AS_OF, cwd=folder)
    assert refused.returncode == 2
    assert "mri.csv: row 2, column mri_date: lies after the patient's death_date" in refused.stderr
    done = run("schedule", "died.csv", "--imaging", "mri.csv", *AS_OF, "--on-error", "exclude", cwd=folder)
    assert done.returncode == 0
    assert "excluded: imaging row 2: column mri_date" in done.stderr


def test_mris_of_nobody_are_said(folder: Path) -> None:
    (folder / "mri.csv").write_text(IMAGING + "ZQ-4711,C1,2024-04-12\nZQ-9999,T10,2024-04-12\n")
    done = run("schedule", "cohort.csv", "--imaging", "mri.csv", *AS_OF, cwd=folder)
    assert "excluded: imaging row 3: its site is not in the cohort" in done.stderr
    assert "excluded: imaging row 4: its patient is not in the cohort" in done.stderr


def test_one_patient_by_options_is_the_same_as_by_file(folder: Path) -> None:
    (folder / "one.csv").write_text("patient_id,sbrt_date,bilsky,paraspinal,sins\npatient,2024-01-31,1b,no,9\n")
    by_file = run("schedule", "one.csv", *AS_OF, "--plan", "chen-2024", cwd=folder)
    facts = ("--sbrt-date", "2024-01-31", "--bilsky", "1b", "--paraspinal", "no", "--sins", "9")
    by_options = run("schedule", *facts, *AS_OF, "--plan", "chen-2024", cwd=folder)
    assert by_options.returncode == 0
    assert by_options.stdout == by_file.stdout


def test_a_clinics_own_folder(folder: Path) -> None:
    (folder / "own").mkdir()
    (folder / "own" / "plan.yaml").write_text(
        "id: mri-review-2025\nversion: 1.1.0\nkind: plan\ntitle: Shorter\n"
        f'extends: {{document: plan/mri-review-2025, version: 1.0.0, content_hash: "sha256:{"0" * 64}"}}\n'
        "changes:\n  - {at: horizon.value, to: 12, why: We follow for a year., approved_by: the board}\n"
    )
    done = run("schedule", "cohort.csv", *AS_OF, "--rules", "own", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert max(r["due"] for r in rows(done.stdout)) <= "2025-02-28"
    why = run("explain", "cohort.csv", "--row", "2", *AS_OF, "--rules", "own", cwd=folder)
    assert "deviates at horizon.value: We follow for a year. (approved by the board)" in why.stdout
    (folder / "own" / "bad.yaml").write_text("id: x\nkind: plan\nkind: plan\n")
    broken = run("schedule", "cohort.csv", *AS_OF, "--rules", "own", cwd=folder)
    assert broken.returncode == 2
    assert "own/bad.yaml:3:1" in broken.stderr


def test_a_plan_by_other_tiers_than_the_profiles_is_refused(folder: Path) -> None:
    bad_rules = Path(__file__).parents[1] / "bad_rules"
    (folder / "own").mkdir()
    risk = (bad_rules / "unknown_outcome.yaml").read_text().replace("then: higher", "then: high")
    plan = (bad_rules / "tier_unknown.yaml").read_text().replace("hihg", "high")
    (folder / "own" / "risk.yaml").write_text(risk)
    (folder / "own" / "plan.yaml").write_text(plan.replace("risk: chen-2024", "risk: local-risk"))
    done = run("schedule", "cohort.csv", *AS_OF, "--rules", "own", "--plan", "local-tiered", cwd=folder)
    assert done.returncode == 2
    assert "plan/local-tiered goes by the tiers of risk/local-risk" in done.stderr
    (folder / "own" / "plan.yaml").write_text(plan)
    assert run("schedule", "cohort.csv", *AS_OF, "--rules", "own", "--plan", "local-tiered", cwd=folder).returncode == 0


def test_every_date_is_explained_down_to_its_source(folder: Path) -> None:
    done = run("explain", "cohort.csv", "--patient", "ZQ-4712", *AS_OF, "--plan", "chen-2024", "-f", "json", cwd=folder)
    body = json.loads(done.stdout)
    sources = {s["key"] for s in body["sources"]}
    lines = [line for step in body["steps"] for line in step["lines"]]
    assert {key for line in lines for key in line["cites"]} <= sources
    assert "chen2024" in sources
    assert next(line["verdict"] for line in lines if "epidural-disease" in line["text"]) == "met"
    visits = next(s["lines"] for s in body["steps"] if s["title"] == "Visits")
    assert all(line["basis"] for line in visits if line["text"].startswith("visit "))
    assert all(s["limits"] for s in body["sources"])


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_a_schedule_computed_in_parts_is_the_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    clinic = Path(__file__).parents[2] / "sample_cohorts"
    tables = (str(clinic / "clinic.csv"), "--imaging", str(clinic / "clinic_imaging.csv"))
    for name in ("whole", "parts"):
        done = run(
            "schedule", *tables, "--as-of", "2025-06-01", "-q", "-o", f"{name}.{format_}", "--on-error", "exclude",
            cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        monkeypatch.setattr("sbrt_followup.cli.schedule.CHUNK", 3)
    read = pd.read_csv if format_ == "csv" else pd.read_parquet
    whole, parts = (read(tmp_path / f"{name}.{format_}").astype(str) for name in ("whole", "parts"))
    pd.testing.assert_frame_equal(parts, whole)
