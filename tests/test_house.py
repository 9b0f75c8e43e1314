"""The rules of the house that no other tool checks."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sbrt_followup"
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = (
    "pandas",
    "numpy",
    "yaml",
    "lifelines",
    "pyarrow",
    "openpyxl",
    "matplotlib",
    "scipy",
    "narwhals",
    "jinja2",
    "icalendar",
)
RELATIVE = {path: str(path.relative_to(PACKAGE)) for path in MODULES}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: RELATIVE[p])
def test_every_module_says_what_it_is(path: Path) -> None:
    if path.read_text().strip():
        assert ast.get_docstring(tree(path)), "a module docstring states its conventions once"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: RELATIVE[p])
def test_every_public_function_says_what_it_gives(path: Path) -> None:
    for node in tree(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


def imported(arguments: list[str]) -> set[str]:
    code = (
        "import sys\nsys.argv = ['sbrt-followup', *sys.argv[1:]]\nfrom sbrt_followup.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\nprint('\\n' + ' '.join(sys.modules), file=sys.stderr)"
    )
    environment = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True, env=environment
    )
    return {name.partition(".")[0] for name in done.stderr.splitlines()[-1].split()}


def test_help_imports_nothing_heavy() -> None:
    assert not imported(["--help"]) & set(HEAVY)
    assert not imported(["schedule", "--help"]) & set(HEAVY)
    assert not imported(["--version"]) & set(HEAVY)


def test_a_schedule_does_not_import_what_only_curves_need() -> None:
    found = imported(["schedule", "--sbrt-date", "2025-01-31", "--as-of", "2025-02-01", "-f", "csv"])
    assert "pandas" in found
    assert not found & {"lifelines", "scipy", "matplotlib", "openpyxl", "jinja2", "icalendar"}


# Numbers of the clinic stand in rules/. What Python may hold beside 0, 1, 2 and 10: the contract's own definitions,
# sizes, dates of the calendar and limits of what a table may hold.
CLINICAL_FILES = [p for p in MODULES if RELATIVE[p].startswith(("sites/", "response/", "visits/")) or RELATIVE[p] == "arrays.py" or RELATIVE[p] in ("rulebook/sins.py", "rulebook/offsets.py", "rulebook/deciding.py", "rulebook/robustness.py")]  # fmt: skip
ALLOWED = {0, 1, 2, 10, 100}
TECHNICAL = {
    "rulebook/offsets.py": {2000},  # a plan with tiny intervals must end
    "rulebook/deciding.py": {20, 60, 200_000, 256},  # bits, cells and tables kept
    "rulebook/robustness.py": {4, 16},  # features that can be enumerated, documents kept
    "visits/series.py": {3, 4, 5, 32, 100_000},  # kinds of lines, fields of a step, bits, an end for tiny intervals
    "visits/status.py": {30},  # a day later than any
    "visits/visit_table.py": {34},  # bits of packed numbers
    "visits/visit_words.py": {3},  # texts of endings
    "visits/served.py": {20},  # bits of packed numbers
    "response/measures.py": {9},  # decimals
    "response/thresholds.py": {9},
    "response/episodes.py": {3, 4},  # codes
    "sites/windows.py": {3},
    "response/false_alarms.py": {0.5, 8, 4001},  # the grid of a numerical integral
    "sites/scans.py": {20, 22},  # bits of packed numbers
    "arrays.py": {50},
    "response/answers.py": {256},  # tables kept
    "response/chance_findings.py": {0.5, 0.01, 200.0, 2000},  # a quantile, a least volume, courses drawn
    "response/cards.py": {6, 1.001},  # decimals shown, a size just above a limit
    "response/tallies.py": {3},  # places in a row of published figures
    "visits/closures.py": {3, 7, 20, 1970},  # days of a week, letters shown, the first day of the count
    "visits/levelling.py": {4, 1e-6},  # columns of a class, how near a whole number
    "visits/worklist.py": {9},  # a rank behind all others
}


@pytest.mark.parametrize("path", CLINICAL_FILES, ids=lambda p: RELATIVE[p])
def test_no_clinical_number_stands_in_python(path: Path) -> None:
    numbers = {
        node.value
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and type(node.value) in (int, float)
    }
    assert numbers - ALLOWED <= TECHNICAL.get(RELATIVE[path], set())


# Files that are still longer than the house wants, with their length: they may shrink, no other may join them.
LONG = {
    "cli/curves.py": 574,
    "outcomes/analysis.py": 417,
    "report/files.py": 414,
    "response/reading_words.py": 496,
    "rulebook/library.py": 437,
    "rulebook/model.py": 492,
}
LONGEST = 400
COMMANDS = {p for p in MODULES if RELATIVE[p].startswith("cli/")}  # a command's file bears its command's name


@pytest.mark.parametrize("path", MODULES, ids=lambda p: RELATIVE[p])
def test_no_file_grows_too_long(path: Path) -> None:
    length = len(path.read_text(encoding="utf-8").splitlines())
    assert length <= max(LONG.get(RELATIVE[path], 0), LONGEST)


def test_a_module_name_occurs_once() -> None:
    names = [p.stem for p in MODULES if p not in COMMANDS and not p.stem.startswith("__")]
    assert sorted({n for n in names if names.count(n) > 1}) == []


def test_messages_quote_no_machine() -> None:
    for path in [*MODULES, *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "rules").rglob("*.yaml")]:
        assert not re.search(r"(?<![\w.])/(work|tmp|root|home)/", path.read_text(encoding="utf-8")), path


def test_layers_are_kept() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    if not lint.exists():
        pytest.skip("import-linter is not installed")
    done = subprocess.run([str(lint), "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_wheel_carries_the_rules() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    assert 'rules = "sbrt_followup/rules"' in project
