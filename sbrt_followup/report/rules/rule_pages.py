"""A rule document as a page a clinician can sign: blocks of words and tables, printed, as Markdown or as HTML.

Every row carries its basis as a word and a symbol; colour only adds to it. What is not published is marked.
"""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...rulebook.conditions import decimal
from ...rulebook.criteria import Criterion
from ...rulebook.library import Rulebook
from ...rulebook.model import (
    DecisionTable,
    Document,
    Evidence,
    Phase,
    Plan,
    PseudoprogressionWindow,
    Reference,
    RiskTable,
    SinsScore,
    Span,
)
from ...rulebook.offsets import visit_offsets

FORMATS = ("table", "markdown", "html")
WIDE = 120
MARKS = {"published": "●", "derived": "◐", "interpretation": "○", "local": "◇", "assumption": "△"}
COLOURS = {
    "published": "#1a7f37", "derived": "#0969da", "interpretation": "#9a6700", "local": "#8250df", "assumption": "#bc4c00",
}  # fmt: skip
STYLES = {"published": "green", "derived": "blue", "interpretation": "yellow", "local": "magenta", "assumption": "red"}


@dataclass(frozen=True)
class Block:
    """A heading with words or a table under it; one of a table's columns may be the basis."""

    heading: str
    words: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def blocks(book: Rulebook, document: Document) -> list[Block]:
    """Give a document as blocks."""
    parts = [Block(document.title, _header(document))]
    if isinstance(document, DecisionTable):
        parts += _table(document)
    elif isinstance(document, Plan):
        parts += _plan(document)
    elif isinstance(document, PseudoprogressionWindow):
        parts += _window(document)
    elif isinstance(document, SinsScore):
        parts += _score(document)
    elif isinstance(document, Evidence):
        held = tuple((s.key, s.citation, _read(s), s.design, "; ".join(s.limits)) for s in document.sources)
        parts.append(Block("Sources", (), ("key", "citation", "read", "design", "limits"), held))
    sources = {s.key: s for s in book.evidence.sources}
    cited = tuple((c.key, c.locator, _read(sources.get(c.key)), _text(sources.get(c.key))) for c in document.citations)
    if cited:
        parts.append(Block("Citations", (), ("source", "locator", "read as", "citation"), cited))
    if document.deviations:
        rows = tuple((d.at, d.why, d.approved_by) for d in document.deviations)
        parts.append(Block("Deviations from the packaged rule", (), ("at", "why", "approved by"), rows))
    if document.waivers:
        parts.append(
            Block("Waived findings", (), ("code", "reason"), tuple((w.code, w.reason) for w in document.waivers))
        )
    signed = tuple(
        (v.who, v.role, v.date, "stands" if v.content_hash == document.content_hash else "void: content changed")
        for v in document.verified
    )
    if not signed:
        signed = (("", "", "", "not verified"),)
    parts.append(Block("Signatures", (f"Content {document.content_hash}",), ("who", "role", "date", "status"), signed))
    return parts


def _read(source: Reference | None) -> str:
    return "" if source is None else source.read.replace("_", " ")


def _text(source: Reference | None) -> str:
    return "" if source is None else source.citation


def _header(document: Document) -> tuple[str, ...]:
    words = [f"{document.name}, version {document.version}, basis {basis(document.basis)}"]
    if document.review_by:
        words.append(f"Sources due for another look by {document.review_by}.")
    if document.extends is not None:
        words.append(f"Laid over {document.extends.document} {document.extends.version}.")
    return (*words, *([document.notes] if document.notes else []))


def basis(name: str) -> str:
    """Write a basis with its mark."""
    return f"{MARKS[name]} {name}"


def _table(table: DecisionTable) -> list[Block]:
    parts = []
    if table.features:
        rows = tuple((f.id, str(f.when), basis(f.basis), ", ".join(f.cites), f.why) for f in table.features)
        parts.append(Block("Features", (), ("feature", "holds when", "basis", "cites", "why"), rows))
    rules = tuple((r.id, str(r.when), r.then, basis(r.basis), ", ".join(r.cites), r.why) for r in table.rules)
    rest = f"Nothing of this: {table.otherwise if table.otherwise in table.outcomes else 'no conclusion'}."
    parts.append(Block("Rules", (rest,), ("rule", "when", "then", "basis", "cites", "why"), rules))
    if isinstance(table, Criterion):
        meanings = tuple((m.outcome, m.says, m.sign, "urgent" if m.urgent else "", m.disputed) for m in table.meanings)
        parts.append(Block("Outcomes", (), ("outcome", "says", "sign", "urgency", "disputed"), meanings))
    if isinstance(table, RiskTable):
        cuts = tuple((c.feature, ", ".join(c.at_least)) for c in table.sensitivity.cuts)
        words = (
            f"Sites within {decimal(table.course.value)} days of the first one form a course ({table.course.basis}).",
        )
        parts.append(
            Block("What the unpublished split could be", (*words, table.sensitivity.why), ("feature", "cut at"), cuts)
        )
    return parts


def _span(span: Span | None) -> str:
    return "" if span is None else f"{decimal(span.low)}–{decimal(span.high)}" if span.ranged else decimal(span.low)


def _plan(plan: Plan) -> list[Block]:
    parts = []
    words = [
        f"Counted from {plan.anchor.from_.replace('_', ' ')} ({plan.anchor.basis}: {plan.anchor.why})",
        f"Tolerance {decimal(plan.tolerance.value)} days ({plan.tolerance.basis}); horizon month {decimal(plan.horizon.value)} ({plan.horizon.basis}).",
    ]
    if plan.undecided:
        words.append(f"While the tier is not decided: plan/{plan.undecided}.")
    for schedule in plan.schedules:
        first = schedule.first
        rows: list[tuple[str, ...]] = [
            (
                first.id,
                f"first MRI at month {decimal(schedule.first_offset)}",
                "",
                basis(first.basis),
                ", ".join(first.cites),
                first.why,
            )
        ]
        rows += [_phase(p) for p in schedule.phases]
        tier = ", ".join(schedule.tiers)
        months = ", ".join(decimal(v.months) for v in visit_offsets(schedule, plan.horizon.value))
        said = (*(words if schedule is plan.schedules[0] else []), f"Months: {months}")
        heading = "Visits" if tier == "any" else f"Visits, tier {tier}"
        parts.append(Block(heading, said, ("rule", "visits", "until month", "basis", "cites", "why"), tuple(rows)))
    return parts


def _phase(phase: Phase) -> tuple[str, ...]:
    text = f"every {_span(phase.every)} months"
    known = basis(phase.basis)
    if phase.pick_basis is not None:
        text += f", picked {decimal(phase.interval)}"
        known += f"; pick {basis(phase.pick_basis)}"
    if phase.interval_ci is not None:
        text += f" (CI {_span(phase.interval_ci)})"
    if phase.target_yield_percent is not None:
        text += f" at {decimal(phase.target_yield_percent)} % per scan"
    until = _span(phase.until)
    if phase.until is not None and phase.until.ranged and phase.end is not None:
        until += f", picked {decimal(phase.end)}"
    return phase.id, text, until, known, ", ".join(phase.cites), phase.why


def _window(document: PseudoprogressionWindow) -> list[Block]:
    w = document.window
    for_whom = "anybody" if document.when is None else str(document.when)
    words = [f"Shields growth {document.shields.replace('_', ' ')}."]
    if document.unites_with:
        words.append(f"United with pseudoprogression/{document.unites_with}; never shortens it.")
    row = (for_whom, f"{w.from_} to {w.to}", basis(w.basis), ", ".join(w.cites), w.why)
    return [Block("Window", tuple(words), ("for", "days since time zero", "basis", "cites", "why"), (row,))]


def _score(sins: SinsScore) -> list[Block]:
    rows = tuple(
        (item.id, s.name or ", ".join(s.any_of).replace("_", " "), str(s.points), basis(sins.basis))
        for item in sins.items
        for s in item.scores
    )
    categories = tuple((c.id.replace("_", " "), f"{c.from_} to {c.to}") for c in sins.categories)
    several = sins.several_levels
    return [
        Block("Points", (), ("component", "finding", "points", "basis"), rows),
        Block(
            "Categories",
            (f"Several levels: {several.take} ({several.basis}: {several.why})",),
            ("category", "total"),
            categories,
        ),
    ]


# ---- renderings ----


def markdown(pages: Sequence[Sequence[Block]]) -> str:
    """Give documents as Markdown."""
    lines: list[str] = []
    for page in pages:
        for k, block in enumerate(page):
            lines += [f"{'#' if k == 0 else '##'} {block.heading}", ""]
            for words in block.words:
                lines += [words, ""]
            if block.columns:
                lines += [f"| {' | '.join(block.columns)} |", "|" + "---|" * len(block.columns)]
                lines += [f"| {' | '.join(c.replace('|', chr(92) + '|') for c in row)} |" for row in block.rows]
                lines.append("")
    return "\n".join(lines)


HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Rules</title><style>
body{font:15px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1f2328}
h1{margin-top:3rem;border-bottom:2px solid #d0d7de}table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}
th,td{border:1px solid #d0d7de;padding:.3rem .5rem;text-align:left;vertical-align:top}th{background:#f6f8fa}
code{font-size:85%}@media print{h1{break-before:page}tr{break-inside:avoid}}
</style></head><body>"""


def html_page(pages: Sequence[Sequence[Block]]) -> str:
    """Give documents as one self-contained HTML page."""
    parts = [HEAD]
    parts.append("<p>Basis: " + " · ".join(_coloured(f"{m} {n}") for n, m in MARKS.items()) + "</p>")
    for page in pages:
        for k, block in enumerate(page):
            level = "h1" if k == 0 else "h2"
            parts.append(f"<{level}>{html.escape(block.heading)}</{level}>")
            parts += [f"<p>{_coloured(html.escape(words))}</p>" for words in block.words]
            if block.columns:
                head = "".join(f"<th>{html.escape(c)}</th>" for c in block.columns)
                body = "".join(
                    "<tr>" + "".join(f"<td>{_coloured(html.escape(c))}</td>" for c in row) + "</tr>"
                    for row in block.rows
                )
                parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    return "\n".join([*parts, "</body></html>", ""])


def _coloured(text: str) -> str:
    for name, mark in MARKS.items():
        text = text.replace(f"{mark} {name}", f'<span style="color:{COLOURS[name]}">{mark} {name}</span>')
    return text


def _console(pages: Sequence[Sequence[Block]], console: Any) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    for page in pages:
        for k, block in enumerate(page):
            console.print(Text(block.heading, style="bold underline" if k == 0 else "bold"))
            for words in block.words:
                console.print(Text(words))
            if block.columns:
                columns, rows, notes = _fitted(block, console.width)
                table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
                for number, column in enumerate(columns):
                    table.add_column(column, overflow="fold", no_wrap=number == 0 or column == "basis")
                for row in rows:
                    table.add_row(*(Text(c, style=_style(c)) for c in row))
                console.print(table)
                for note in notes:
                    console.print(Text(note, style="dim"))


def _style(cell: str) -> str:
    return next((STYLES[name] for name, mark in MARKS.items() if cell.startswith(mark)), "")


def _fitted(block: Block, width: int) -> tuple[Sequence[str], Sequence[Sequence[str]], Sequence[str]]:
    """Where there is little room, put the reasons of the rows under the table."""
    if width >= WIDE or "why" not in block.columns:
        return block.columns, block.rows, ()
    kept = [k for k, c in enumerate(block.columns) if c not in ("why", "cites")]
    why, cites = block.columns.index("why"), block.columns.index("cites")
    notes = [
        f"  {row[0]}: {row[why]} [{row[cites]}]".replace(" []", "") for row in block.rows if row[why] or row[cites]
    ]
    return [block.columns[k] for k in kept], [[row[k] for k in kept] for row in block.rows], notes


def print_pages(pages: Sequence[Sequence[Block]]) -> None:
    """Print documents for a person."""
    from rich.console import Console

    _console(pages, Console(highlight=False))


def text_pages(pages: Sequence[Sequence[Block]]) -> str:
    """Give the same as plain text."""
    from rich.console import Console

    buffer = io.StringIO()
    _console(pages, Console(file=buffer, width=120, no_color=True, force_terminal=False, highlight=False))
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"
