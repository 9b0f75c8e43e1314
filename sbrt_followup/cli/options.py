"""The options that commands share, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

INPUT = "Input"
OUTPUT = "Output"
RULES = "Rules"

Cohort = Annotated[
    str | None,
    typer.Argument(
        help="Cohort table: CSV, a workbook (.xlsx, .xls, .ods) or Parquet; - reads CSV from stdin.", show_default=False
    ),
]
Rules = Annotated[
    Path | None,
    typer.Option(
        "--rules", help="Rules folder. Default: the packaged rulebook.", rich_help_panel=RULES, show_default=False
    ),
]
ProfileName = Annotated[
    str | None, typer.Option("--profile", help="Profile of the rulebook.", rich_help_panel=RULES, show_default=False)
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="DATE", help="The day to judge from, YYYY-MM-DD. Default: today.", show_default=False
    ),
]
Imaging = Annotated[
    str | None,
    typer.Option(
        "--imaging",
        metavar="FILE",
        help="Imaging table, one row per MRI per site.",
        rich_help_panel=INPUT,
        show_default=False,
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        "-f",
        help="Output format. Default: table on a terminal, else csv.",
        rich_help_panel=OUTPUT,
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write to a file (format by its ending).",
        rich_help_panel=OUTPUT,
        show_default=False,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Write over an existing file.", rich_help_panel=OUTPUT)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No notes on stderr.", rich_help_panel=OUTPUT)]
Map = Annotated[
    Path | None,
    typer.Option(
        "--map",
        metavar="FILE",
        help="YAML file that says how your tables are written; `map` makes it.",
        rich_help_panel=INPUT,
        show_default=False,
    ),
]
DateFormat = Annotated[
    str | None,
    typer.Option(
        "--date-format", help="How your dates are written, e.g. DD.MM.YYYY.", rich_help_panel=INPUT, show_default=False
    ),
]
OnError = Annotated[
    str,
    typer.Option(
        "--on-error",
        help="refuse; exclude: go on without rows that cannot be used; keep: take cells that cannot be used as unknown.",
        rich_help_panel=INPUT,
    ),
]
Sheet = Annotated[
    str | None,
    typer.Option(
        "--sheet",
        metavar="NAME",
        help="The sheet of the cohort's workbook, where several could be meant.",
        rich_help_panel=INPUT,
        show_default=False,
    ),
]
Errors = Annotated[
    Path | None,
    typer.Option(
        "--errors",
        metavar="FILE",
        help="Write every row with a problem to this CSV file.",
        rich_help_panel=INPUT,
        show_default=False,
    ),
]
