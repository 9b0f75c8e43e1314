"""Exports on the command line: keys, the calendar exported last time, FHIR releases, figures; files whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from test_cli import AS_OF, COHORT, IMAGING, run

ICS = ("schedule", "cohort.csv", "--imaging", "mri.csv", *AS_OF, "--key-file", "clinic.key", "-q")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cohort.csv").write_text(COHORT)
    (tmp_path / "mri.csv").write_text(IMAGING)
    (tmp_path / "clinic.key").write_text("0123456789abcdef0123456789abcdef\n")
    (tmp_path / "clinic.key").chmod(0o600)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("-f", "ics"), "no-key"),
        (("-f", "fhir"), "no-key"),
        (("-f", "ics", "--key-file", "absent.key"), "unreadable"),
        (("-f", "ics", "--key-file", "short.key"), "short-key"),
        (("-f", "ics", "--key-file", "weak.key"), "weak-key"),
        pytest.param(
            ("-f", "ics", "--key-file", "open.key"),
            "open-key",
            marks=pytest.mark.skipif(os.name == "nt", reason="modes are POSIX"),
        ),
        (("-f", "ics", "--key-file", "clinic.key", "--previous", "absent.ics"), "unreadable"),
        (("-f", "ics", "--key-file", "clinic.key", "--previous", "mri.csv"), "not-a-calendar"),
        (("-f", "fhir", "--key-file", "clinic.key", "--fhir-release", "R3"), "not-allowed"),
        (("--figure", "visits.doc"), "figure-kind"),
        (("--figure", "there.png"), "file-exists"),
        (("--figure", "nowhere/visits.png"), "no-folder"),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, tuple) else x,
)
def test_what_cannot_be_used_is_said_and_nothing_written(folder: Path, arguments: tuple[str, ...], code: str) -> None:
    (folder / "short.key").write_text("secret")
    (folder / "weak.key").write_text("a" * 64)
    (folder / "open.key").write_bytes((folder / "clinic.key").read_bytes())
    (folder / "open.key").chmod(0o640)
    (folder / "there.png").write_text("mine")
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    done = run("schedule", "cohort.csv", *AS_OF, *arguments, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"[{code}]" in done.stderr
    assert "ZQ-" not in done.stderr
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_without_a_key_it_says_how_to_make_one(folder: Path) -> None:
    assert "sbrt-followup key" in run("schedule", "cohort.csv", *AS_OF, "-f", "ics", cwd=folder).stderr


def test_a_calendar_goes_on_from_the_one_before(folder: Path) -> None:
    assert run(*ICS, "-o", "first.ics", cwd=folder).returncode == 0
    assert run(*ICS, "-o", "same.ics", "--previous", "first.ics", cwd=folder).returncode == 0
    assert (folder / "same.ics").read_bytes() == (folder / "first.ics").read_bytes()
    (folder / "cohort.csv").write_text(COHORT.splitlines(keepends=True)[0] + COHORT.splitlines(keepends=True)[1])
    assert run(*ICS, "-o", "second.ics", "--previous", "same.ics", cwd=folder).returncode == 0
    first, second = (folder / "first.ics").read_text(), (folder / "second.ics").read_text()
    assert first.count("BEGIN:VEVENT") == second.count("BEGIN:VEVENT")
    assert 0 < second.count("STATUS:CANCELLED") < second.count("BEGIN:VEVENT")
    assert "ZQ-" not in first + second


@pytest.mark.parametrize("release", ["R4", "r5"])
def test_fhir_has_its_manifest_beside_it_and_no_identifier(folder: Path, release: str) -> None:
    done = run(*ICS, "-o", "visits.fhir.json", "--fhir-release", release, cwd=folder)
    assert done.returncode == 0, done.stderr
    text = (folder / "visits.fhir.json").read_text()
    assert json.loads(text)["resourceType"] == "Bundle"
    assert "ZQ-" not in text
    assert json.loads((folder / "visits.fhir.json.manifest.json").read_text())["command"] == "schedule"


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_a_figure_comes_beside_a_table_that_it_does_not_change(folder: Path, ending: str) -> None:
    plain = run("schedule", "cohort.csv", *AS_OF, "-q", cwd=folder)
    done = run("schedule", "cohort.csv", *AS_OF, "-q", "--figure", f"visits.{ending}", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == plain.stdout
    assert (folder / f"visits.{ending}").stat().st_size > 1000


def test_each_export_stands_in_the_journal_beside_its_key_without_content(folder: Path) -> None:
    assert run(*ICS, "-o", "first.ics", cwd=folder).returncode == 0
    assert run(*ICS, "-f", "fhir", cwd=folder).returncode == 0
    lines = [json.loads(line) for line in (folder / "clinic.key.journal").read_text().splitlines()]
    assert [line["command"] for line in lines] == ["schedule", "schedule"]
    assert lines[0]["files"][0].startswith("sha256:")
    assert lines[1]["files"] == ["stdout"]
    assert set(lines[0]) == {"at", "command", "key", "files"}
    manifest = json.loads((folder / "first.ics.manifest.json").read_text())
    assert manifest["arguments"]["key"] == lines[0]["key"]
    assert "ZQ-" not in (folder / "clinic.key.journal").read_text()
