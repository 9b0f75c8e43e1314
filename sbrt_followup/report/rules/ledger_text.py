"""The ledger of evidence as a table, CSV, JSON and Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from ...tables.formulas import escape
from ..tabular import json_text

FORMATS = ("table", "csv", "json", "markdown")
NARROW = (
    "document",
    "part",
    "number",
    "unit",
    "basis",
    "source",
    "read",
    "in_source",
    "key",
    "n",
    "findings",
    "used_by",
)


def render(
    entries: Sequence[Any], fields: Sequence[str], rows: str, title: str, format_: str, manifest: Mapping[str, Any]
) -> str:
    """Give the entries in one of the formats."""
    cells = [[str(getattr(e, f)) for f in fields] for e in entries]
    if format_ == "csv":
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(fields)
        writer.writerows([escape(c) for c in row] for row in cells)
        return buffer.getvalue()
    if format_ == "json":
        listed = [{f: c or None for f, c in zip(fields, row, strict=True)} for row in cells]
        return json_text({"schema_version": 1, rows: listed, "manifest": dict(manifest)})
    shown = [f for f in fields if f in NARROW]
    narrow = [[row[fields.index(f)] for f in shown] for row in cells]
    if format_ == "markdown":
        body = [f"| {' | '.join(c.replace('|', chr(92) + '|') for c in row)} |" for row in narrow]
        return "\n".join([f"# {title}", "", f"| {' | '.join(shown)} |", "|" + "---|" * len(shown), *body, ""])
    return _table(title, shown, narrow)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*row)
    buffer = io.StringIO()
    Console(file=buffer, width=max(100, Console().width), no_color=True, force_terminal=False).print(table)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"
