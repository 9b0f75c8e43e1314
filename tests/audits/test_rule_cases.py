"""Cases run through the clinic's code; coverage; mutants killed, survived, equivalent and refused."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from sbrt_followup.audits.cases import Case, CaseFile, Said, case_files, same
from sbrt_followup.audits.conclusions import run
from sbrt_followup.audits.mutation import Tried, rate, score, try_mutants
from sbrt_followup.audits.testing import CaseReport, run_cases
from sbrt_followup.problems import InputRefused, Source
from sbrt_followup.report.rules.case_results import lines, summary
from sbrt_followup.rulebook.library import Rulebook, packaged_folder, read


def rulebook(folder: Path | None = None) -> Rulebook:
    book, problems = read(folder or packaged_folder())
    assert book is not None and not problems
    return book


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return rulebook()


@pytest.fixture(scope="module")
def tested(book: Rulebook) -> CaseReport:
    return run_cases(book)


def case(given: dict[str, object], expect: dict[str, object], document: str) -> CaseFile:
    one = Case(id="x", why="x", given=Said(given), expect=Said(expect), source=Source("x", 1))  # type: ignore[arg-type]
    return CaseFile(document, (one,), Source("x", 1))


def test_every_shipped_case_passes(tested: CaseReport) -> None:
    assert not tested.failed
    assert set(tested.by_set()) == {"own", "review-2025"}
    assert not tested.without_cases


def test_shipped_cases_reach_every_rule_and_boundary(tested: CaseReport) -> None:
    assert tested.rules[0] == tested.rules[1] > 200
    assert tested.boundaries[0] == tested.boundaries[1] > 200


def test_a_wrong_expectation_fails_and_names_what_differs(book: Rulebook) -> None:
    file = case(
        {"bilsky": "1a", "paraspinal": "no", "sins": "5"}, {"outcome": "low", "status": "decided"}, "risk/chen-2024"
    )
    result = run(book, file)[0]
    assert result.wrong == ("outcome",) and result.actual["outcome"] == "intermediate"


def test_an_unknown_name_under_expect_fails(book: Rulebook) -> None:
    file = case({"bilsky": "0", "paraspinal": "no", "sins": "5"}, {"outcom": "low"}, "risk/chen-2024")
    assert not run(book, file)[0].passed


@pytest.mark.parametrize("given", [{"bilski": "0"}, {"bilsky": "9"}, {"sins": "many"}])
def test_facts_that_do_not_exist_are_refused(book: Rulebook, given: dict[str, object]) -> None:
    with pytest.raises(InputRefused):
        run(book, case(given, {"outcome": "low"}, "risk/chen-2024"))


def test_numbers_are_compared_by_value_and_texts_as_texts() -> None:
    assert same(("3", "5.50"), ("3", "5.5")) and same("low", ("low",))
    assert not same(("3", "5.5"), ("3",)) and not same("1a", "1b") and not same("low", None)


def test_a_missing_tier_is_refused(book: Rulebook) -> None:
    with pytest.raises(InputRefused, match="1 problem"):
        run(book, case({"horizon": "12"}, {"offsets": ("3",)}, "plan/chen-2024"))


def _second_set(tmp_path: Path, outcome: str, differs: str, folder: str = "others/risk") -> CaseReport:
    home = tmp_path / "cases" / folder
    home.mkdir(parents=True)
    case = f"{{id: none-adverse, why: w, given: {{bilsky: 0, paraspinal: no, sins: 3}}, expect: {{outcome: {outcome}}}{differs}}}"
    (home / "chen-2024.yaml").write_text(f"document: risk/chen-2024\ncases:\n  - {case}\n", encoding="utf-8")
    files, problems = case_files(tmp_path)
    assert not problems
    results = run(rulebook(), files[0])
    return CaseReport(results, (), (), None)


def test_a_case_of_another_set_may_differ_with_a_reason(tmp_path: Path) -> None:
    report = _second_set(tmp_path, "high", ', differs: "read otherwise"')
    assert report.by_set() == {"others": (0, 1)} and not report.failed
    assert any("read otherwise" in line for line in lines(report))
    assert any("each with its reason: 1." in line for line in summary(report))


def test_a_case_that_differs_no_more_fails(tmp_path: Path) -> None:
    report = _second_set(tmp_path, "low", ', differs: "read otherwise"')
    assert report.by_set() == {"others": (1, 1)} and len(report.failed) == 1
    assert "agrees now" in lines(report)[0]


def test_a_case_of_another_set_that_differs_without_a_reason_fails(tmp_path: Path) -> None:
    assert len(_second_set(tmp_path, "high", "").failed) == 1


def test_a_document_agrees_with_its_own_cases(tmp_path: Path) -> None:
    home = tmp_path / "cases" / "risk"
    home.mkdir(parents=True)
    (home / "chen-2024.yaml").write_text(
        "document: risk/chen-2024\ncases:\n  - {id: a, why: w, given: {}, expect: {outcome: low}, differs: because}\n",
        encoding="utf-8",
    )
    assert [p.code for p in case_files(tmp_path)[1]] == ["own-case-differs"]


def test_case_files_must_stand_beside_their_document(tmp_path: Path) -> None:
    path = tmp_path / "cases" / "plan" / "wrong.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("document: plan/chen-2024\ncases: []\n")
    assert [p.code for p in case_files(tmp_path)[1]] == ["misplaced-cases"]


# ---- mutants ----


def fates(book: Rulebook, name: str, files: list[CaseFile] | None = None) -> list[Tried]:
    document = book.documents[name]
    own = [f for f in case_files(book.folder)[0] if f.document == name and f.set == "own"]
    return list(try_mutants(book, document, own if files is None else files))


@pytest.mark.slow
def test_at_least_95_percent_of_the_mutants_are_killed_in_under_a_minute(book: Rulebook) -> None:
    start = time.process_time()
    tested = run_cases(book, mutate=True)
    assert tested.tried is not None
    counts = score(tested.tried)
    assert (rate(counts) or 0) >= 0.95
    assert counts["killed"] > 900
    assert time.process_time() - start < 60


def test_a_mutant_that_changes_no_day_is_equivalent(book: Rulebook) -> None:
    tried = fates(book, "pseudoprogression/renal-cell")
    opening = [t for t in tried if t.mutant.before == "106"]
    # The default window holds days 68 to 171 anyway.
    assert {t.fate for t in opening} == {"equivalent"} and len(opening) == 2
    closing = [t for t in tried if t.mutant.before == "504"]
    assert {t.fate for t in closing} == {"killed"}


def test_equivalence_is_claimed_only_where_every_visit_is_the_same(book: Rulebook) -> None:
    tried = fates(book, "plan/chen-2024", [])
    # High tier's first interval (1.3) is far below the bound of 3 months, so that bound may move.
    assert {(t.mutant.source.line, t.mutant.before) for t in tried if t.fate == "equivalent"} == {(30, "3")}


@pytest.mark.slow
def test_without_cases_everything_survives_and_a_killer_is_named(book: Rulebook) -> None:
    tried = [t for t in fates(book, "risk/chen-2024", []) if t.fate not in ("refused", "equivalent")]
    assert tried and all(t.fate == "survived" for t in tried)
    for t in tried:
        if t.killer is not None:
            file = case(dict(t.killer["given"]), dict(t.killer["expect"]), "risk/chen-2024")
            assert run(book, file)[0].passed
            again = fates(book, "risk/chen-2024", [file])
            assert (
                next(a for a in again if str(a.mutant) == str(t.mutant) and a.mutant.source == t.mutant.source).fate
                == "killed"
            )


def test_a_mutant_that_overlaps_is_refused(book: Rulebook) -> None:
    assert any(t.fate == "refused" for t in fates(book, "risk/chen-2024", []))


def test_a_case_that_fails_anyway_kills_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(packaged_folder(), folder)
    path = folder / "cases" / "pseudoprogression" / "default.yaml"
    path.write_text(
        "document: pseudoprogression/default\ncases:\n"
        "  - {id: wrong, why: x, given: {day: 300}, expect: {inside: yes}}\n"
    )
    tested = run_cases(rulebook(folder), mutate=True, only="pseudoprogression/default")
    assert len(tested.failed) >= 1 and tested.tried is not None
    assert score(tested.tried)["killed"] == 0
