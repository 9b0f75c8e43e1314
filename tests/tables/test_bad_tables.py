"""Every file in `bad_tables/` holds one mistake; `expected.csv` says which, in which rows and column.

No message ever holds a cell of the file: rows are named by number, columns by name.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from sbrt_followup.cli import inputs
from sbrt_followup.problems import InputRefused, Problem
from sbrt_followup.rulebook.library import Rulebook, load
from sbrt_followup.tables.columns import COHORT, IMAGING
from sbrt_followup.tables.records import Records
from sbrt_followup.vocabulary import SPINE_LEVELS

FOLDER = Path(__file__).parents[1] / "bad_tables"
EXPECTED = list(csv.DictReader((FOLDER / "expected.csv").open(encoding="utf-8")))
# Mistakes of single rows: with `--on-error exclude` the others go on.
OF_ROWS = {
    "impossible-dates", "not-a-date", "missing-value", "repeated-site", "repeated-scan", "out-of-range", "not-a-number", "not-a-level",
    "not-allowed", "sins-disagrees",
}  # fmt: skip


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load()


def read_table(path: Path, rulebook: Rulebook, on_error: str = "refuse") -> Records:
    if path.name.startswith("imaging_"):
        records = inputs.open_imaging(str(path), None, None, on_error, True)
        assert records is not None
        return records
    return inputs.open_cohort(str(path), rulebook, None, None, on_error, True)


def cells_of(path: Path) -> set[str]:
    """All cells below the header that no declared list of allowed values holds."""
    text = path.read_bytes().decode("latin-1" if b"\xfc" in path.read_bytes() else "utf-8", errors="ignore")
    allowed = {level for spec in (*COHORT, *IMAGING) for level in spec.levels} | set(SPINE_LEVELS)
    separator = "\t" if "\t" in text else "|" if "|" in text else ","
    rows = list(csv.reader(re.split(r"[\r\n]+", text.replace("\0", "")), delimiter=separator))
    first = 0 if path.name.startswith("no_header") else 1
    found = {cell.strip() for row in rows[first:] for cell in row}
    return {cell for cell in found - allowed if len(cell) > 2 or re.search(r"[^0-9]", cell)} - {""}


def assert_no_cell(path: Path, said: str) -> None:
    words = said.replace(path.name, "")
    for cell in cells_of(path):
        assert not re.search(rf"(?<![\w-]){re.escape(cell)}(?![\w-])", words), f"a cell of the file stands in: {said}"


def test_there_are_enough() -> None:
    assert len(EXPECTED) >= 30
    assert {e["file"] for e in EXPECTED} == {p.name for p in FOLDER.glob("*.csv")} - {"expected.csv"}


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda e: str(e["file"]))
def test_one_mistake_is_one_problem_with_row_and_column(expected: dict[str, str], rulebook: Rulebook) -> None:
    path = FOLDER / expected["file"]
    with pytest.raises(InputRefused) as refused:
        read_table(path, rulebook)
    problems = refused.value.problems
    assert [p.code for p in problems] == [expected["code"]], "\n".join(map(str, problems))
    (problem,) = problems
    assert problem.source is not None
    assert problem.source.file == path.name
    check_place(problem, expected)
    assert_no_cell(path, str(problem))


def check_place(problem: Problem, expected: dict[str, str]) -> None:
    rows, column = expected["rows"], expected["column"]
    if expected["code"] in OF_ROWS:
        named = re.match(r"rows? ([\d, ]+), column (\w+): ", problem.message)
        assert named, problem.message
        assert named[1].replace(",", "") == rows
        assert named[2] == column
    elif rows != "-":
        assert problem.source is not None
        assert problem.source.line == int(rows)
        if column != "-":
            assert f"'{column}'" in problem.message


@pytest.mark.parametrize("expected", [e for e in EXPECTED if e["code"] in OF_ROWS], ids=lambda e: str(e["file"]))
def test_bad_rows_can_be_left_out_and_are_listed(expected: dict[str, str], rulebook: Rulebook) -> None:
    path = FOLDER / expected["file"]
    records = read_table(path, rulebook, "exclude")
    rows = [int(r) for r in expected["rows"].split()]
    assert [e.row for e in records.excluded] == rows
    used = records.frame["row"].tolist()
    assert not set(used) & set(rows)
    total = len(list(csv.reader(path.open(encoding="utf-8")))) - 1
    assert len(used) + len(rows) == total, "every row is used or listed"
    for excluded in records.excluded:
        assert f"column {expected['column']}: " in excluded.reason
        assert_no_cell(path, excluded.reason)


@pytest.mark.parametrize("expected", [e for e in EXPECTED if e["code"] not in OF_ROWS], ids=lambda e: str(e["file"]))
def test_a_bad_file_is_refused_all_the_same(expected: dict[str, str], rulebook: Rulebook) -> None:
    with pytest.raises(InputRefused):
        read_table(FOLDER / expected["file"], rulebook, "exclude")


def test_all_mistakes_of_a_table_are_reported_in_one_go(tmp_path: Path, rulebook: Rulebook) -> None:
    path = tmp_path / "many.csv"
    path.write_text(
        "patient_id,sbrt_date,sins,bilsky,level,death_date\n"
        "ZQ-4711,2024-01-31,19,1a,T10,\n"
        "ZQ-4712,05.03.2024,4,9,T10,\n"
        ",2024-01-31,x,1a,T14,2023-01-01\n"
    )
    with pytest.raises(InputRefused) as refused:
        read_table(path, rulebook)
    found = sorted((p.code, p.message.split(":")[0]) for p in refused.value.problems)
    assert found == [
        ("impossible-dates", "row 4, column death_date"),
        ("missing-value", "row 4, column patient_id"),
        ("not-a-date", "row 3, column sbrt_date"),
        ("not-a-level", "row 4, column level"),
        ("not-a-number", "row 4, column sins"),
        ("not-allowed", "row 3, column bilsky"),
        ("out-of-range", "row 2, column sins"),
    ]


def test_many_bad_rows_are_counted_not_listed(tmp_path: Path, rulebook: Rulebook) -> None:
    path = tmp_path / "many.csv"
    path.write_text("patient_id,sbrt_date\n" + "".join(f"ZQ-{n},soon\n" for n in range(500)))
    with pytest.raises(InputRefused) as refused:
        read_table(path, rulebook)
    (problem,) = refused.value.problems
    assert problem.message.startswith("rows 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 490 more, column sbrt_date: ")
