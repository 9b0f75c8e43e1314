"""Findings of an audit as a table, CSV, JSON, SARIF 2.1.0 and Markdown; and the page of each code."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from ... import __version__
from ...audits.auditing import Audit
from ...audits.codes import CODES
from ...audits.findings import Finding
from ...audits.reading_codes import READING
from ...tables.formulas import escape
from ..tabular import json_text

FORMATS = ("table", "csv", "json", "sarif", "markdown")
COLUMNS = ("severity", "code", "document", "file", "line", "column", "message", "counter_example", "advice", "waived")
SYMBOLS = {"error": "✗", "warning": "!", "note": "·"}
STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(audit: Audit, format_: str, manifest: Mapping[str, Any], title: str) -> str:
    """Give an audit in one of the formats."""
    if format_ == "csv":
        return _csv(audit)
    if format_ == "json":
        return json_text(_json(audit, manifest))
    if format_ == "sarif":
        return json_text(_sarif(audit))
    return _markdown(audit, title) if format_ == "markdown" else _table_text(audit, title)


def summary(audit: Audit) -> str:
    """Say in one line what was looked at and found."""
    counts = audit.counts()
    words = [f"{n} {name}{'s' if n != 1 and name != 'waived' else ''}" for name, n in counts.items()]
    return f"{audit.documents} documents, {audit.cells} cells, as of {audit.as_of}: {', '.join(words)}."


def _row(finding: Finding) -> tuple[str, ...]:
    place = finding.source
    return (
        finding.severity, finding.code, finding.document, place.file, str(place.line or ""), str(place.column or ""),
        finding.message, finding.example, finding.advice, finding.waived,
    )  # fmt: skip


def _csv(audit: Audit) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([escape(cell) for cell in _row(finding)] for finding in audit.findings)
    return buffer.getvalue()


def _json(audit: Audit, manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "as_of": audit.as_of.isoformat(),
        "documents": audit.documents,
        "cells": audit.cells,
        "passes": audit.passes(),
        "counts": audit.counts(),
        "findings": [
            {
                "severity": f.severity,
                "code": f.code,
                "document": f.document or None,
                "file": f.source.file or None,
                "line": f.source.line or None,
                "column": f.source.column or None,
                "message": f.message,
                "counter_example": dict(f.patient),
                "advice": f.advice or None,
                "waived": f.waived or None,
            }
            for f in audit.findings
        ],
        "manifest": dict(manifest),
    }


def _sarif(audit: Audit) -> dict[str, Any]:
    codes = sorted({f.code for f in audit.findings})
    rules = [
        {
            "id": code,
            "shortDescription": {"text": CODES[code].title if code in CODES else READING.get(code, code)},
            **({"fullDescription": {"text": CODES[code].why}, "help": {"text": CODES[code].advice}} if code in CODES else {}),
        }
        for code in codes
    ]  # fmt: skip
    results = []
    for f in audit.findings:
        example = f" Counter-example: {f.example}." if f.patient else ""
        region = {"startLine": max(f.source.line, 1), **({"startColumn": f.source.column} if f.source.column else {})}
        results.append(
            {
                "ruleId": f.code,
                "ruleIndex": codes.index(f.code),
                "level": f.severity,
                "message": {"text": f"{f.message}.{example}"},
                "locations": [
                    {"physicalLocation": {"artifactLocation": {"uri": f.source.file or "rules"}, "region": region}}
                ],
                **({"suppressions": [{"kind": "inSource", "justification": f.waived}]} if f.waived else {}),
            }
        )
    driver = {"name": "sbrt-followup", "version": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _markdown(audit: Audit, title: str) -> str:
    lines = [f"# {title}", "", summary(audit), ""]
    for heading, chosen in (
        ("Open", audit.open),
        ("Waived, with the document's reason", [f for f in audit.findings if f.waived]),
    ):
        if not chosen:
            continue
        last = "what to do" if heading == "Open" else "reason"
        lines += [
            f"## {heading}",
            "",
            f"| | code | place | what | counter-example | {last} |",
            "|---|---|---|---|---|---|",
        ]
        for f in chosen:
            cells = (f.severity, f"`{f.code}`", str(f.source), f.message, f.example, f.waived or f.advice)
            lines.append(f"| {' | '.join(_cell(c) for c in cells)} |")
        lines.append("")
    return "\n".join(lines)


def _table(audit: Audit, title: str, console: Any) -> None:
    from rich.text import Text

    console.print(Text(title, style="bold"))
    for f in audit.findings:
        style = "dim" if f.waived else STYLES[f.severity]
        console.print(Text(f"{SYMBOLS[f.severity]} {f.severity} {f.code}  {f.source}", style=style))
        console.print(Text(f"  {f.message}"))
        if f.patient:
            console.print(Text(f"  counter-example: {f.example}"))
        console.print(Text(f"  waived: {f.waived}" if f.waived else f"  → {f.advice}" if f.advice else "", style="dim"))
    console.print(Text(summary(audit), style="bold"))


def print_findings(audit: Audit, title: str) -> None:
    """Print the findings for a person."""
    from rich.console import Console

    _table(audit, title, Console(highlight=False))


def _table_text(audit: Audit, title: str) -> str:
    from rich.console import Console

    buffer = io.StringIO()
    _table(audit, title, Console(file=buffer, width=100, no_color=True, force_terminal=False, highlight=False))
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def known_codes() -> list[str]:
    """List every code a finding can have."""
    return [*CODES, *sorted(READING)]


def page(code: str) -> str:
    """Give the page of one code, as Markdown."""
    if code in CODES:
        known = CODES[code]
        lines = [
            f"### `{code}`",
            "",
            f"**{known.severity}** {known.title}",
            "",
            known.why,
            "",
            f"What to do: {known.advice}",
        ]
    else:
        lines = [f"### `{code}`", "", f"**error** {READING[code]}"]
    return "\n".join(lines) + "\n"


def pages(codes: Sequence[str]) -> str:
    """Give the pages of several codes."""
    return "\n".join(page(code) for code in codes)


def all_pages() -> str:
    """Give the whole page of codes (docs/audit-codes.md)."""
    return "\n".join(
        [
            "# Audit codes", "",
            "Generated from the program; `UPDATE_DOCS=1 pytest tests/audits/test_auditing.py` writes it anew. `sbrt-followup rules audit",
            "--explain CODE` shows one. Errors cannot be waived; a warning or note can, in the document, with a reason.", "",
            "## Proofs", "", pages(list(CODES)), "## Reading", "", pages(sorted(READING)),
        ]
    )  # fmt: skip
