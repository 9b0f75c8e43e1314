"""Every file in `sabotage/` breaks the shipped rulebook in one way; the audit finds it by its code, with its patient.

The shipped rulebook is the sound twin of all of them: the same finding does not stand open there.
"""

from __future__ import annotations

import shutil
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import yaml

from sbrt_followup.audits.auditing import Audit, audit_folder
from sbrt_followup.audits.findings import Finding
from sbrt_followup.rulebook.conditions import Column, Interval, Levels
from sbrt_followup.rulebook.deciding import decide
from sbrt_followup.rulebook.library import Rulebook, packaged_folder
from sbrt_followup.rulebook.model import DecisionTable
from sbrt_followup.vocabulary import FACTS

FOLDER = Path(__file__).parents[1] / "sabotage"
FILES = sorted(FOLDER.glob("*.yaml"))
DAY = date(2025, 6, 15)


@pytest.fixture(scope="module")
def sound() -> Audit:
    return audit_folder(None, None, DAY)[0]


def broken(case: dict[str, object], tmp_path: Path) -> tuple[Audit, Rulebook | None]:
    folder = tmp_path / "rules"
    shutil.copytree(packaged_folder(), folder, ignore=shutil.ignore_patterns("cases"))
    for change in case["changes"]:  # type: ignore[attr-defined]
        path = folder / change["file"]
        text = path.read_text(encoding="utf-8")
        assert change["from"] in text, "the shipped document changed; so must this sabotage"
        path.write_text(text.replace(change["from"], change["to"]), encoding="utf-8")
    return audit_folder(folder, None, DAY)


def row(patient: dict[str, str]) -> dict[str, Column]:
    """One patient as columns of facts; what is not named stays unknown."""
    columns: dict[str, Column] = {}
    for name, value in patient.items():
        fact = FACTS[name]
        if fact.finite:
            columns[name] = Levels(np.array([1 << fact.levels.index(value)], dtype=np.int64))
        else:
            number = np.array([float(Fraction(value))])
            columns[name] = Interval(number, number)
    return columns


def key(finding: Finding) -> tuple[str, str]:
    return finding.code, finding.document


def test_there_are_many() -> None:
    assert len(FILES) >= 30


@pytest.mark.parametrize("path", FILES, ids=[p.stem for p in FILES])
def test_found(path: Path, tmp_path: Path, sound: Audit) -> None:
    case = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    audit, book = broken(case, tmp_path)
    mine = [f for f in audit.open if f.code == case["finds"]]
    assert mine, f"not found; found {[f.code for f in audit.open]}"
    assert not {key(f) for f in mine} & {key(f) for f in sound.open}, "the sound twin has it too"
    assert all(f.source.file and f.source.line for f in mine)
    assert all(f.advice or book is None for f in mine)
    files = {Path(change["file"]).name for change in case["changes"]}
    if "patient" in case:
        assert case["patient"] in [dict(f.patient) for f in mine], [dict(f.patient) for f in mine]
    if case["finds"] == "overlapping-rules":
        assert mine[0].patient
        assert Path(mine[0].source.file).name in files
    if book is not None:
        confirm(mine[0], book)


def confirm(finding: Finding, book: Rulebook) -> None:
    """Send the counter-example through the evaluator: it must show the defect."""
    table = book.documents.get(finding.document)
    if not isinstance(table, DecisionTable) or finding.code not in ("incomplete-table", "tier-not-monotone"):
        return
    worse = decide(table, row(dict(finding.patient)), 1)
    if finding.code == "incomplete-table":
        assert worse.case_status[worse.case[0]] == "no_match"
        return
    for name, value in finding.patient.items():
        fact = FACTS[name]
        milder = (
            fact.levels[: fact.levels.index(value)]
            if fact.finite
            else [str(Fraction(value) - Fraction(1, 10)), str(Fraction(value) - 1)]
        )
        for other in milder:
            before = decide(table, row({**finding.patient, name: other}), 1)
            if before.outcome[0] > worse.outcome[0]:
                return
    pytest.fail("no milder patient has a worse outcome")


def test_sound_twin_passes(sound: Audit) -> None:
    assert sound.passes(), [str(f) for f in sound.open]
    waived = {f.code for f in sound.findings if f.waived}
    assert waived >= {"unpublished-split", "interval-not-monotone", "first-scan-after-median-fracture"}
    assert waived >= {"window-ends-before-onset", "window-gap"}
