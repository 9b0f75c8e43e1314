"""Every file in `bad_rules/` holds one mistake, named in its first line with code and place; all else is sound.

`# expect: code line:column`, `code line` where the column does not matter, `code -` for the file as a whole.
"""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest

from sbrt_followup.problems import Problem
from sbrt_followup.rulebook.library import packaged_folder, read
from sbrt_followup.vocabulary import FACTS

FOLDER = Path(__file__).parents[1] / "bad_rules"
FILES = sorted(FOLDER.glob("*.yaml"))
# What only a reader of Python or of this program's insides would understand.
PYTHON_WORDS = re.compile(
    r"Traceback|NoneType|dict\b|tuple|Fraction|dataclass|KeyError|TypeError|ValueError|object at|__|<class|\bstr\b|\bint\b"
)
# Mistakes whose message must itself name the right word, or what is allowed.
NAMES_THE_RIGHT_WORD = {
    "unknown_key": "horizon",
    "unknown_key_nested": "unit",
    "kind_unknown": "plan",
    "kind_missing": "plan",
    "basis_unknown": "published",
    "tier_unknown": "high",
    "unknown_fact": "paraspinal",
    "unknown_level": "1a",
    "unknown_operator": "at_least",
    "operator_of_unordered": "any_of",
    "operators_missing": "at_least",
    "unknown_citation": "daneshvar2025",
    "unknown_citation_in_rule": "bilsky2010",
    "unknown_outcome": "high",
    "unknown_feature": "epidural",
    "plan_unknown_document": "mri-review-2025",
    "unit_missing_in_condition": "Gy",
    "unit_missing_in_short_form": "Gy",
    "unit_wrong_in_condition": "Gy",
    "flag_on": "yes or no",
    "flag_true_for_yes": "yes or no",
    "window_unites_with_unknown": "default",
    "overlay_unknown_base": "mri-review-2025",
    "overlay_unknown_path": "horizon",
    "overlay_unknown_leaf": "value",
    "overlay_unknown_entry": "late",
    "overlay_replaces_silently": "extends",
    "sins_fact_unknown": "sins_pain",
    "evidence_read_unknown": "abstract",
    "number_out_of_range": "0 to 18",
}


def expectation(path: Path) -> tuple[str, str]:
    data = path.read_bytes()
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1")
    match = re.match(r"# expect: (\S+) (\S+)", text)
    assert match, f"{path.name} does not say what to expect"
    return match[1], match[2]


def read_with(path: Path, folder: Path) -> list[Problem]:
    """Read one bad file in a rulebook otherwise sound: laid over the packaged one, or in place of its evidence."""
    if path.name.startswith("evidence_"):
        shutil.copytree(packaged_folder(), folder)
        evidence = folder / "evidence.yaml"
        # The bad bibliography goes on with the packaged one's sources, so that every citation still exists.
        own = path.read_text(encoding="utf-8")
        sound = evidence.read_text(encoding="utf-8").partition("\nsources:\n")[2].partition("\nnot_found:")[0]
        kept = re.split(r"(?m)^(?=  - key: )", sound)
        evidence.write_text(own + "".join(k for k in kept if not k.startswith("  - key: bilsky2010")), encoding="utf-8")
    else:
        folder.mkdir()
        shutil.copy(path, folder / path.name)
    return read(folder)[1]


def test_there_are_enough() -> None:
    assert len(FILES) >= 45
    assert set(NAMES_THE_RIGHT_WORD) <= {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_one_mistake_is_one_problem_in_its_place(path: Path, tmp_path: Path) -> None:
    code, place = expectation(path)
    problems = read_with(path, tmp_path / "rules")
    assert [p.code for p in problems] == [code], "\n".join(map(str, problems))
    (problem,) = problems
    assert problem.source is not None
    assert problem.source.file.startswith("rules/")
    assert problem.source.file.endswith(path.name) or path.name.startswith("evidence_")
    line, _, column = place.partition(":")
    assert problem.source.line == (0 if line == "-" else int(line))
    if column:
        assert problem.source.column == int(column)
    said = str(problem)
    assert not PYTHON_WORDS.search(said.replace(path.name, "")), said
    assert len(problem.message) >= 12
    assert NAMES_THE_RIGHT_WORD.get(path.stem, "") in f"{problem.message} {problem.hint}"


def test_all_mistakes_are_reported_in_one_go(tmp_path: Path) -> None:
    """Not only the first of a file, and not only those of the first file."""
    one = """\
id: Local Plan
version: 1.0
kind: plan
title: [no, text]
basis: publishd
verified: []
colour: red
unit: weeks
anchor: {from: last_scan, basis: local}
tolerance: {value: fourteen, unit: days, basis: local}
horizon: {value: 60, unit: months, basis: local, basis: local}
schedules:
  - tiers: [any]
    first: {id: first, at: 03, basis: local}
    phases: [{id: all, every: [6, 3], basis: local}]
"""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "a.yaml").write_text(one)
    shutil.copy(FOLDER / "unknown_fact.yaml", folder / "b.yaml")
    shutil.copy(FOLDER / "not_utf8.yaml", folder / "c.yaml")
    shutil.copy(FOLDER / "unknown_citation_in_rule.yaml", folder / "d.yaml")
    text = (folder / "d.yaml").read_text().replace("local-risk", "another-risk")
    (folder / "d.yaml").write_text(text)
    problems = read(folder)[1]
    found = {(p.source.file, p.code) for p in problems if p.source}
    assert found == {
        ("rules/a.yaml", code)
        for code in (
            "bad-form", "not-a-text", "not-allowed", "unknown-key", "not-a-number", "duplicate-key", "yaml-trap", "range-reversed",
        )
    } | {("rules/b.yaml", "unknown-fact"), ("rules/c.yaml", "not-utf8"), ("rules/d.yaml", "unknown-citation")}  # fmt: skip
    assert len(problems) >= 14


def test_an_alias_bomb_is_refused_at_once(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 9) + "]" for i in range(1, 40)]
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "bomb.yaml").write_text("\n".join(lines))
    start = time.perf_counter()
    problems = read(folder)[1]
    assert time.perf_counter() - start < 5
    assert "alias" in {p.code for p in problems}


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "deep.yaml").write_text("notes: " + "[" * 200_000)
    assert [p.code for p in read(folder)[1]] == ["too-deep"]


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "huge.yaml").write_text("# " + "x" * 2_000_001)
    assert [p.code for p in read(folder)[1]] == ["too-large"]


RULE = "  - {{id: r{0}, when: {{{1}}}, then: low, basis: local}}\n"


@pytest.mark.parametrize(
    "conditions",
    [
        [f"dose_gy: {{at_least: {n}, below: {n + 1}, unit: Gy}}" for n in range(100)],
        [f"{fact}: {level}" for fact in ("level", "histology") for level in FACTS[fact].levels]
        + [f"dose_gy: {{is: {n}, unit: Gy}}" for n in range(25)]
        + [f"sins: {n}" for n in range(19)],
    ],
    ids=["one fact", "many facts"],
)
def test_a_table_too_large_to_check_is_refused_at_once(tmp_path: Path, conditions: list[str]) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    text = (FOLDER / "unknown_outcome.yaml").read_text().replace("then: higher", "then: high")
    rules = "rules:\n" + "".join(RULE.format(n, c) for n, c in enumerate(conditions))
    (folder / "big.yaml").write_text(re.sub(r"(?s)rules:\n.*(?=otherwise)", rules, text))
    start = time.perf_counter()
    assert [p.code for p in read(folder)[1]] == ["too-many-cells"]
    assert time.perf_counter() - start < 10


def test_more_features_than_can_be_tried_under_every_split_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    text = (FOLDER / "unknown_outcome.yaml").read_text().replace("then: higher", "then: high")
    more = "".join(f"  - {{id: more{n}, when: {{hardware: yes}}, basis: local}}\n" for n in range(2))
    (folder / "big.yaml").write_text(text.replace("rules:\n", more + "rules:\n", 1))
    assert [p.code for p in read(folder)[1]] == ["too-many-features"]


def test_two_files_without_kind_are_not_called_twins(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.yaml").write_text("title: no kind, no id\n")
    assert [p.code for p in read(folder)[1]] == ["unknown-kind", "unknown-kind"]
