"""Findings of audits beyond the sabotaged rulebooks: overlays, waivers, codes, formats, and the time it takes."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from sbrt_followup.audits.auditing import Audit, audit, audit_folder
from sbrt_followup.audits.codes import CODES
from sbrt_followup.audits.findings import Finding, waived
from sbrt_followup.audits.reading_codes import READING
from sbrt_followup.problems import Source
from sbrt_followup.report.rules.finding_text import all_pages, render
from sbrt_followup.rulebook.library import Rulebook, packaged_folder, read

ROOT = Path(__file__).parents[2]
DAY = date(2025, 6, 15)
UPDATE = os.environ.get("UPDATE_DOCS") == "1"


@pytest.fixture(scope="module")
def book() -> Rulebook:
    found, problems = read(packaged_folder())
    assert found is not None and not problems
    return found


def codes(found: Audit) -> set[str]:
    return {f.code for f in found.open}


def overlay(folder: Path, version: str, content_hash: str) -> Path:
    folder.mkdir()
    (folder / "plan.yaml").write_text(
        f"""id: mri-review-2025
version: 1.0.1
kind: plan
title: A clinic's plan
extends: {{document: plan/mri-review-2025, version: {version}, content_hash: "{content_hash}"}}
changes:
  - {{at: tolerance.value, to: 7, why: Slots every week., approved_by: "Head of department, 2025-05-02"}}
verified: []
""",
        encoding="utf-8",
    )
    return folder


def test_an_overlay_of_the_present_base_is_listed_as_a_deviation_only(tmp_path: Path, book: Rulebook) -> None:
    base = book.documents["plan/mri-review-2025"]
    found, _ = audit_folder(overlay(tmp_path / "clinic", base.version, base.content_hash), None, DAY)
    assert codes(found) == {"deviation", "not-verified"}
    assert found.passes() and not found.passes(strict=True)


@pytest.mark.parametrize(("version", "changed"), [("1.0.0", True), ("0.9.0", False)])
def test_an_overlay_of_another_base_must_be_approved_again(
    tmp_path: Path, book: Rulebook, version: str, changed: bool
) -> None:
    base = book.documents["plan/mri-review-2025"]
    content = "sha256:" + "0" * 64 if changed else base.content_hash
    found, _ = audit_folder(overlay(tmp_path / "clinic", version, content), None, DAY)
    finding = next(f for f in found.open if f.code == "base-changed")
    assert finding.severity == "error" and finding.source == Source("clinic/plan.yaml", 5, 10)
    assert not found.passes()


def test_tiers_must_be_those_the_profile_decides(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(packaged_folder(), folder, ignore=shutil.ignore_patterns("cases"))
    text = (folder / "risk/chen-2024.yaml").read_text()
    (folder / "risk/other.yaml").write_text(text.replace("id: chen-2024\n", "id: other\n", 1))
    plan = folder / "plans/chen-2024.yaml"
    plan.write_text(plan.read_text().replace("risk: chen-2024", "risk: other"))
    found, _ = audit_folder(folder, None, DAY)
    assert [f.document for f in found.open if f.code == "risk-documents-differ"] == ["plan/chen-2024"]


def test_a_cited_source_must_say_something(book: Rulebook) -> None:
    evidence = book.evidence
    silent = tuple(replace(s, findings=()) if s.key == "bilsky2010" else s for s in evidence.sources)
    documents = dict(book.documents)
    documents[evidence.name] = replace(evidence, sources=silent)
    found = audit(Rulebook(documents, book.profile, book.folder), DAY)
    assert ("source-without-findings", "risk/chen-2024") in {(f.code, f.document) for f in found.open}


def test_an_outcome_called_none_is_not_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(packaged_folder(), folder, ignore=shutil.ignore_patterns("cases"))
    path = folder / "response/biopsy.yaml"
    text = path.read_text()
    assert re.search(r"^otherwise: none$", text, re.M)
    outcomes = re.search(r"^outcomes: \[(\w+)", text, re.M)
    assert outcomes
    text = re.sub(rf"\b{outcomes[1]}\b", "none", text)
    rules = [line for line in text.splitlines() if line.startswith("  - {id:") and "then: none" in line]
    path.write_text("\n".join(line for line in text.splitlines() if line not in rules) + "\n")
    found, _ = audit_folder(folder, None, DAY)
    finding = next(f for f in found.open if f.code == "ambiguous-otherwise")
    assert finding.patient


# ---- waivers ----


def test_a_waiver_covers_its_code_in_its_document_only(book: Rulebook) -> None:
    plan = book.documents["plan/chen-2024"]
    patient = {"tier": "high", "month": "13.2"}
    here = Finding("interval-not-monotone", "warning", plan.name, plan.source, "", patient=patient)
    there = replace(here, document="plan/mri-review-2025")
    another = replace(here, patient={"tier": "high", "month": "3"})
    error = replace(here, severity="error")
    covered, *open_ = waived([here, there, another, error], [plan])[:4]
    assert covered.waived and not any(f.waived for f in open_)


def test_one_waived_finding_does_not_hide_another_code(book: Rulebook) -> None:
    plan = book.documents["plan/chen-2024"]
    finding = Finding("dead-phase", "error", plan.name, plan.source, "")
    assert not waived([finding], [plan])[0].waived


# ---- codes and formats ----


def test_every_code_used_is_explained() -> None:
    folder = ROOT / "sbrt_followup"
    used = set()
    for path in (folder / "audits").glob("*.py"):
        used |= set(re.findall(r'found\(\s*"([a-z0-9-]+)"', path.read_text()))
    assert used == set(CODES)
    raised = set()
    for path in (folder / "rulebook").glob("*.py"):
        pattern = r'(?:notes\.(?:add|fail)|Problem|self\.problem|reader\.problem|problem)\(\s*"([a-z0-9-]+)"'
        raised |= set(re.findall(pattern, path.read_text()))
    assert raised <= set(READING), raised - set(READING)


def test_the_page_of_codes_is_true() -> None:
    path = ROOT / "docs" / "audit-codes.md"
    if UPDATE:
        path.write_text(all_pages(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == all_pages(), "run UPDATE_DOCS=1 pytest tests/audits/test_auditing.py"


def test_the_formats_say_the_same(book: Rulebook) -> None:
    found = audit(book, DAY)
    as_json = json.loads(render(found, "json", {}, "t"))
    assert as_json["counts"] == found.counts() and as_json["passes"]
    listed = list(csv.DictReader(io.StringIO(render(found, "csv", {}, "t"))))
    assert [r["code"] for r in listed] == [f["code"] for f in as_json["findings"]] == [f.code for f in found.findings]
    page = render(found, "markdown", {}, "t")
    assert all(f"`{f.code}`" in page for f in found.findings)


# What GitHub's code scanning needs of SARIF 2.1.0.
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {"driver": {"type": "object", "required": ["name", "rules"]}},
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"type": "object", "required": ["text"]},
                                "locations": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "required": ["physicalLocation"],
                                        "properties": {
                                            "physicalLocation": {
                                                "type": "object",
                                                "required": ["artifactLocation", "region"],
                                                "properties": {
                                                    "region": {
                                                        "type": "object",
                                                        "properties": {"startLine": {"type": "integer", "minimum": 1}},
                                                    }
                                                },
                                            }
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def test_sarif_has_the_shape_that_code_scanning_reads(book: Rulebook) -> None:
    found = audit(book, DAY)
    sarif = json.loads(render(found, "sarif", {}, "t"))
    jsonschema.validate(sarif, SARIF)
    run = sarif["runs"][0]
    for result, finding in zip(run["results"], found.findings, strict=True):
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == finding.code
        assert ("suppressions" in result) == bool(finding.waived)


def test_an_audit_takes_less_than_a_second_of_work() -> None:
    start = time.process_time()
    audit_folder(None, None, DAY)
    assert time.process_time() - start < 1.0
