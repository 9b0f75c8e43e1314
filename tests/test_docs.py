"""The documentation says what is there: every command, option, column and rule file."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from sbrt_followup.cli.app import app
from sbrt_followup.tables.columns import COHORT, IMAGING, ColumnSpec

ROOT = Path(__file__).parents[1]
UPDATE = os.environ.get("UPDATE_DOCS") == "1"


def commands_page() -> str:
    lines = [
        "# Commands",
        "",
        "Generated from the program; `UPDATE_DOCS=1 pytest tests/test_docs.py` writes it anew.",
        "",
    ]

    def walk(command: object, name: str) -> None:
        children = getattr(command, "commands", None)
        if children:
            for child in sorted(children):
                walk(children[child], f"{name} {child}".strip())
            return
        lines.extend(
            [
                f"## `sbrt-followup {name}`",
                "",
                (getattr(command, "help", "") or "").split("\n\n")[0].replace("\n", " "),
                "",
            ]
        )
        lines.extend(["| option | what it does |", "|---|---|"])
        for parameter in getattr(command, "params", []):
            if parameter.name == "help":
                continue
            names = (
                ", ".join(f"`{o}`" for o in parameter.opts)
                if parameter.param_type_name == "option"
                else f"`{parameter.name.upper()}`"
            )
            lines.append(
                f"| {names} | {(getattr(parameter, 'help', '') or '').replace(chr(10), ' ').replace('|', chr(92) + '|')} |"
            )
        lines.append("")

    walk(typer.main.get_command(app), "")
    return "\n".join(lines)


def columns_page() -> str:
    def table(specs: tuple[ColumnSpec, ...]) -> list[str]:
        rows = ["| column | what | allowed |", "|---|---|---|"]
        for s in specs:
            allowed = "text" if s.kind == "text" else s.allowed.replace("|", "\\|")
            rows.append(f"| `{s.name}`{' (required)' if s.required else ''} | {s.help} | {allowed} |")
        return rows

    return "\n".join(
        [
            "# Columns", "",
            "CSV or text (UTF-8, UTF-16, Windows-1252; comma, semicolon, tab), a workbook (.xlsx, .xls, .ods) or Parquet. Without a map only the",
            "empty cell is missing and dates are written YYYY-MM-DD. Other columns are kept and can be used",
            "in `--by`. Generated from the program; `UPDATE_DOCS=1 pytest tests/test_docs.py` writes it anew.", "",
            "## Cohort: one row per treated site", "", *table(COHORT), "",
            "## Imaging: one row per MRI per site", "", *table(IMAGING), "",
        ]
    )  # fmt: skip


def check(page: str, name: str) -> None:
    path = ROOT / "docs" / name
    if UPDATE:
        path.write_text(page, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == page, "run UPDATE_DOCS=1 pytest tests/test_docs.py"


def test_every_command_and_option_is_documented() -> None:
    check(commands_page(), "commands.md")


def test_every_column_is_documented() -> None:
    check(columns_page(), "columns.md")


def documents_table() -> str:
    rows = ["| document | what it says | basis |", "|---|---|---|"]
    for path in sorted((ROOT / "rules").rglob("*.yaml")):
        if "cases" not in path.parts:
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
            rows.append(f"| `{path.relative_to(ROOT).as_posix()}` | {document['title']} | {document['basis']} |")
    return "\n".join(rows) + "\n"


def test_every_rule_file_is_documented() -> None:
    before, rest = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8").split("anew -->\n", 1)
    _, after = rest.split("<!-- end", 1)
    check(f"{before}anew -->\n{documents_table()}<!-- end{after}", "rules.md")


def test_the_readme_opens_with_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first = text[text.index("```") :].splitlines()
    assert first[1:3] == ["make demo", "make test"]


PAGES = ["README.md", "docs/rules.md", "docs/intended-use.md", "sample_cohorts/README.md", "benchmarks/README.md"]


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_tells_to_type_exists(page: str) -> None:
    root: Any = typer.main.get_command(app)
    text = (ROOT / page).read_text(encoding="utf-8")
    code = "\n".join(text.split("```")[1::2] + re.findall(r"`(sbrt-followup [^`]+)`", text))
    for line in re.findall(r"^sbrt-followup (.*)", code, re.MULTILINE):
        words = line.split("#")[0].split()
        command = root
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        assert command is not root or words[0] in ("--help", "--version"), line
        known = {o for parameter in command.params for o in parameter.opts} | {"--help"}
        assert [w for w in words if re.fullmatch(r"--?[a-z][a-z-]*", w) and w not in known] == [], line
