"""`rules` as an author, a hook and a script see it: exit codes, formats, files, and one page that answers."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from pathlib import Path

import pytest
from helpers.commands import Done
from helpers.commands import command as run

from sbrt_followup.rulebook.library import packaged_folder

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "sample_cohorts"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    shutil.copytree(packaged_folder(), tmp_path / "our_rules")
    return tmp_path / "our_rules"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def rules_command(*arguments: object, cwd: Path) -> Done:
    return run("rules", *(str(a) for a in arguments), cwd=cwd)


def test_the_packaged_rulebook_passes(tmp_path: Path) -> None:
    for command in (("check",), ("audit", "--as-of", "2025-06-15"), ("test", "--min", "100")):
        done = rules_command(*command, cwd=tmp_path)
        assert done.returncode == 0, (command, done.stdout, done.stderr)


def test_what_is_found_ends_with_1_and_what_is_not_there_with_2(rules: Path) -> None:
    edit(rules / "plans/mri-review-2025.yaml", "every: [2, 3]", "every: [2, 4]")
    here = rules.parent
    done = rules_command("audit", "our_rules", "--as-of", "2025-06-15", cwd=here)
    assert done.returncode == 1 and "number-not-in-source" in done.stdout
    assert rules_command("check", "our_rules", cwd=here).returncode == 0
    edit(rules / "plans/mri-review-2025.yaml", "every: [2, 4]", "every: [4, 2]")
    done = rules_command("check", "our_rules", cwd=here)
    assert done.returncode == 1
    assert "our_rules/plans/mri-review-2025.yaml" in done.stdout and "range-reversed" in done.stdout
    done = rules_command("audit", "our_rules", "-q", cwd=here)
    assert done.returncode == 1 and "range-reversed" in done.stdout
    assert rules_command("show", "--rules", "our_rules", cwd=here).returncode == 2
    assert rules_command("check", "nowhere", cwd=here).returncode == 2


def test_notes_count_when_strict(tmp_path: Path) -> None:
    assert rules_command("audit", "--strict", "--as-of", "2025-06-15", cwd=tmp_path).returncode == 1


def test_one_file_of_a_rulebook_shows_its_own_findings(rules: Path) -> None:
    edit(rules / "plans/mri-review-2025.yaml", "every: [2, 3]", "every: [2, 4]")
    here = rules.parent
    other = rules_command("audit", "our_rules/plans/chen-2024.yaml", "--as-of", "2025-06-15", cwd=here)
    assert other.returncode == 0
    own = rules_command(
        "audit", "our_rules/plans/mri-review-2025.yaml", "--as-of", "2025-06-15", "-f", "json", cwd=here
    )
    assert own.returncode == 1
    assert {f["file"] for f in json.loads(own.stdout)["findings"]} == {"our_rules/plans/mri-review-2025.yaml"}


def test_a_clinics_overlay_is_audited_over_the_packaged_rules(tmp_path: Path) -> None:
    done = rules_command("audit", SAMPLES / "clinic_rules", "--as-of", "2025-06-15", "-f", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    body = json.loads(done.stdout)
    assert "deviation" in {f["code"] for f in body["findings"]}


def test_the_date_that_findings_hang_on_is_given_not_taken(tmp_path: Path) -> None:
    done = rules_command("audit", "--as-of", "2031-01-01", cwd=tmp_path)
    assert done.returncode == 1 and "review-date-passed" in done.stdout
    silent = rules_command("audit", cwd=tmp_path)
    assert re.search(r"as of \d{4}-\d{2}-\d{2} \(today", silent.stderr)


@pytest.mark.parametrize("ending", ["csv", "json", "sarif", "md", "txt"])
def test_files_take_their_format_from_the_ending(tmp_path: Path, ending: str) -> None:
    name = f"audit.{ending}"
    assert rules_command("audit", "--as-of", "2025-06-15", "-o", name, cwd=tmp_path).returncode == 0
    assert (tmp_path / name).stat().st_size
    again = rules_command("audit", "--as-of", "2025-06-15", "-o", name, cwd=tmp_path)
    assert again.returncode == 2 and "exists" in again.stderr


def test_a_code_is_explained(tmp_path: Path) -> None:
    done = rules_command("audit", "--explain", "window-gap", cwd=tmp_path)
    assert done.returncode == 0 and "What to do" in done.stdout
    done = rules_command("audit", "--explain", "window-gp", cwd=tmp_path)
    assert done.returncode == 2 and "window-gap" in done.stderr


@pytest.mark.slow
def test_a_failing_case_and_low_coverage_end_with_1(rules: Path) -> None:
    here = rules.parent
    path = rules / "cases/pseudoprogression/default.yaml"
    path.write_text(
        "document: pseudoprogression/default\ncases:\n  - {id: a, why: b, given: {day: 100}, expect: {inside: yes}}\n"
    )
    arguments = ("test", "our_rules", "--document", "pseudoprogression/default")
    assert rules_command(*arguments, cwd=here).returncode == 0
    done = rules_command(*arguments, "--min", "100", "-f", "table", cwd=here)
    assert done.returncode == 1 and "no case stands at day 172" in done.stdout
    done = rules_command(*arguments, "--mutate", "--min-killed", "95", "-f", "json", cwd=here)
    survivors = json.loads(done.stdout)["mutation"]["survivors"]
    assert done.returncode == 1 and survivors and all(s["line"] == 13 and s["killer"] for s in survivors)
    edit(path, "inside: yes", "inside: no")
    done = rules_command(*arguments, "-f", "table", cwd=here)
    assert done.returncode == 1 and "expected no, got yes" in done.stdout


def test_a_document_can_be_read_as_a_page(tmp_path: Path) -> None:
    done = rules_command("show", "plan/chen-2024", "--figure", "plan.png", cwd=tmp_path)
    assert done.returncode == 0
    for said in ("13.2", "interpretation", "not verified", "chen2024", "3.1"):
        assert said in done.stdout
    assert (tmp_path / "plan.png").read_bytes().startswith(b"\x89PNG")
    assert rules_command("show", "-o", "rules.html", cwd=tmp_path).returncode == 0
    page = (tmp_path / "rules.html").read_text(encoding="utf-8")
    assert "<script" not in page and "http" not in re.sub(r"10\.\d+/\S+", "", page).replace("https://doi", "")
    assert page.count("<h1>") > 30
    assert rules_command("show", "plan/chn-2024", cwd=tmp_path).returncode == 2


def test_a_page_marks_what_is_not_published(tmp_path: Path) -> None:
    page = rules_command("show", "risk/chen-2024", "-f", "markdown", cwd=tmp_path).stdout
    for line in page.splitlines():
        if line.startswith("| ") and "adverse-feature |" in line:
            assert "△ assumption" in line


def test_the_ledger_goes_both_ways(tmp_path: Path) -> None:
    listed = list(csv.DictReader(io.StringIO(rules_command("evidence", "-q", cwd=tmp_path).stdout)))
    low = next(
        r for r in listed if r["document"] == "plan/chen-2024" and r["part"] == "phase 'low'" and r["number"] == "6"
    )
    assert (low["source"], low["finding"], low["read"], low["in_source"]) == (
        "chen2024",
        "interval-low",
        "abstract",
        "yes",
    )
    back = list(csv.DictReader(io.StringIO(rules_command("evidence", "--by-source", "-q", cwd=tmp_path).stdout)))
    assert [r["source"] for r in back] == sorted(r["source"] for r in back)
    assert len(back) == sum(bool(r["source"]) for r in listed)
    missing = list(csv.DictReader(io.StringIO(rules_command("evidence", "--unsupported", "-q", cwd=tmp_path).stdout)))
    assert missing and all(r["basis"] != "published" and r["in_source"] != "yes" for r in missing)
    studies = list(csv.DictReader(io.StringIO(rules_command("evidence", "--studies", "-q", cwd=tmp_path).stdout)))
    assert len(studies) == 13


@pytest.mark.slow
def test_a_change_is_told_in_cells_and_dates(rules: Path) -> None:
    edit(rules / "plans/chen-2024.yaml", "every: 3.1", "every: 3.2")
    here = rules.parent
    done = rules_command("diff", "packaged", "our_rules", "-f", "table", cwd=here)
    assert done.returncode == 0
    assert "tier=intermediate; visit=2" in done.stdout and "+3 days" in done.stdout
    assert "a major version is due" in done.stdout
    assert rules_command("diff", "packaged", "our_rules", "--check-version", cwd=here).returncode == 1
    edit(rules / "plans/chen-2024.yaml", "version: 1.0.0", "version: 2.0.0")
    assert rules_command("diff", "packaged", "our_rules", "--check-version", cwd=here).returncode == 0
    same = rules_command("diff", "packaged", "packaged", "-f", "table", cwd=here)
    assert same.returncode == 0 and "No document changed" in same.stdout


def test_signatures_reopen_only_what_changed(rules: Path) -> None:
    here = rules.parent
    assert rules_command("show", "plan/chen-2024", "--pack", "-o", "pack.csv", cwd=here).returncode == 0
    rows = list(csv.reader((here / "pack.csv").open(encoding="utf-8")))
    signed = [rows[0], *([*row[:4], "A. Reviewer", "radiation oncologist", "2025-05-02"] for row in rows[1:])]
    with (here / "pack.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(signed)
    assert rules_command("diff", "pack.csv", "our_rules", cwd=here).returncode == 0
    edit(rules / "plans/chen-2024.yaml", "every: 6.0", "every: 6.5")
    done = rules_command("diff", "pack.csv", "our_rules", cwd=here)
    status = {(r["given"], r["status"]) for r in csv.DictReader(io.StringIO(done.stdout))}
    assert done.returncode == 1
    assert ("tier=low; visit=2", "reopened") in status and ("tier=high; visit=2", "signed") in status


def test_a_cohort_shows_whom_a_change_concerns(tmp_path: Path) -> None:
    arguments = (
        "impact", SAMPLES / "clinic.csv", "--imaging", SAMPLES / "clinic_imaging.csv", "--as-of", "2025-06-15",
        "--plan", "mri-review-2025", "--plan-to", "chen-2024",
    )  # fmt: skip
    done = rules_command(*arguments, "--figure", "slots.png", "-f", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert body["totals"]["mris"]["before"] == sum(m["before"] for m in body["months"])
    assert {p["patient_id"] for p in body["concerned"]}
    assert "clinic.csv" not in done.stdout
    assert (tmp_path / "slots.png").stat().st_size > 5000
    assert rules_command("impact", SAMPLES / "clinic.csv", cwd=tmp_path).returncode == 2


def test_the_schema_is_json_schema(tmp_path: Path) -> None:
    body = json.loads(rules_command("schema", cwd=tmp_path).stdout)
    assert body["$schema"].startswith("http://json-schema.org/draft-07")
    assert rules_command("schema", "--kind", "plam", cwd=tmp_path).returncode == 2


def test_nothing_heavy_is_imported_for_help(tmp_path: Path) -> None:
    done = rules_command("--help", cwd=tmp_path)
    assert done.returncode == 0
    for command in ("check", "audit", "test", "show", "diff", "impact", "evidence", "schema"):
        assert command in done.stdout
