"""The editor's schema accepts every shipped document and refuses what is wrong in shape, as an editor reads YAML."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest

from sbrt_followup.audits.schema import schema
from sbrt_followup.rulebook.kinds import KINDS
from sbrt_followup.rulebook.library import packaged_folder
from sbrt_followup.rulebook.parsing import Node, Scalar, Sequence, read_file

ROOT = Path(__file__).parents[2]
RULES = sorted(packaged_folder().rglob("*.yaml")) + sorted((ROOT / "sample_cohorts").glob("clinic_rules/*.yaml"))
BAD = sorted((ROOT / "tests" / "bad_rules").glob("*.yaml"))
DOCUMENTS = jsonschema.Draft7Validator(schema())
CASES = jsonschema.Draft7Validator(schema("cases"))
# Mistakes of shape, which a schema can say. The others need more than one place, or another document.
SHAPE = {
    "unknown-key", "missing-key", "not-allowed", "not-a-number", "not-an-integer", "not-a-list", "not-a-mapping", "not-a-text",
    "not-a-flag", "bad-form", "unknown-kind", "unknown-fact", "unknown-level", "unknown-operator", "missing-unit", "empty-text",
    "empty-condition",
}  # fmt: skip
# Of these codes, what depends on another key or on the calendar.
BEYOND = {
    "cut_unknown_level", "first_visit_two_ways", "pick_without_basis", "pick_without_range", "range_without_pick",
    "review_date_impossible", "sins_fact_unknown", "sins_level_unknown", "tiers_without_risk", "tolerance_not_whole",
    "undecided_missing", "missing_request",
}  # fmt: skip


def as_an_editor_reads(node: Node) -> object:
    """YAML 1.2: bare numbers are numbers, true and false are flags, all else is text."""
    if isinstance(node, Scalar):
        if node.plain and re.fullmatch(r"-?\d+", node.text):
            return int(node.text)
        if node.plain and re.fullmatch(r"-?\d+\.\d+", node.text):
            return float(node.text)
        return node.text == "true" if node.plain and node.text in ("true", "false") else node.text
    if isinstance(node, Sequence):
        return [as_an_editor_reads(item) for item in node.items]
    return {key: as_an_editor_reads(value) for key, value in node.items.items()}


def test_the_schemas_are_schemas() -> None:
    for kind in (None, "cases", *KINDS):
        jsonschema.Draft7Validator.check_schema(schema(kind))


@pytest.mark.parametrize("path", RULES, ids=[str(p.relative_to(ROOT)) for p in RULES])
def test_shipped_files_are_accepted(path: Path) -> None:
    tree, _ = read_file(path)
    assert tree is not None
    validator = CASES if "cases" in path.parts else DOCUMENTS
    assert [e.message for e in validator.iter_errors(as_an_editor_reads(tree))] == []


def expected(path: Path) -> str:
    match = re.search(r"# expect: ([a-z0-9-]+)", path.read_bytes().decode("latin-1"))
    return match[1] if match else ""


WRONG_IN_SHAPE = [p for p in BAD if expected(p) in SHAPE and p.stem not in BEYOND]


@pytest.mark.parametrize("path", WRONG_IN_SHAPE, ids=[p.stem for p in WRONG_IN_SHAPE])
def test_what_is_wrong_in_shape_is_refused(path: Path) -> None:
    tree, problems = read_file(path)
    if tree is None or problems:
        pytest.skip("an editor shows this as broken YAML")
    assert list(DOCUMENTS.iter_errors(as_an_editor_reads(tree)))


def test_many_mistakes_are_wrong_in_shape() -> None:
    assert len(WRONG_IN_SHAPE) >= 40


def test_each_kind_of_document_has_its_own_schema() -> None:
    tree, _ = read_file(packaged_folder() / "plans" / "chen-2024.yaml")
    assert tree is not None
    value = as_an_editor_reads(tree)
    assert not list(jsonschema.Draft7Validator(schema("plan")).iter_errors(value))
    assert list(jsonschema.Draft7Validator(schema("risk")).iter_errors(value))
