"""Changes between rulebooks, and signed case packs, as a table, CSV, JSON and Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...audits.decisions import Decision
from ...audits.differences import DocumentChange, Moved, Signed, transitions
from ...problems import Source, refuse
from ...tables.formulas import escape
from ..tabular import json_text

FORMATS = ("table", "csv", "json", "markdown")
COLUMNS = ("document", "given", "before", "after", "rule_before", "rule_after", "days")
PACK = ("document", "given", "conclusion", "rule", "signed_by", "role", "signed_on")
SHOWN = 12


def render(changes: Sequence[DocumentChange], format_: str, manifest: Mapping[str, Any], title: str) -> str:
    """Give a comparison in one of the formats."""
    if format_ == "csv":
        return _rows(COLUMNS, ((m.document, m.given, m.before, m.after, m.rule_before, m.rule_after, "" if m.days is None else str(m.days)) for c in changes for m in c.moved))  # fmt: skip
    if format_ == "json":
        return json_text({"schema_version": 1, "documents": [_json(c) for c in changes], "manifest": dict(manifest)})
    said = lines(changes)
    return "\n".join([f"# {title}", "", *(f"- {s}" if not s.startswith("  ") else f"  - {s.strip()}" for s in said), ""]) if format_ == "markdown" else "\n".join([title, *said, ""])  # fmt: skip


def _rows(columns: Sequence[str], rows: Any) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([escape(str(cell)) for cell in row] for row in rows)
    return buffer.getvalue()


def _json(change: DocumentChange) -> dict[str, Any]:
    return {
        "document": change.document,
        "kind": change.kind,
        "version_before": change.version_before or None,
        "version_after": change.version_after or None,
        "version_advice": change.advice,
        "version_raised_enough": not change.version_short,
        "decisions": [
            {
                "given": m.given, "before": m.before or None, "after": m.after or None,
                "rule_before": m.rule_before or None, "rule_after": m.rule_after or None, "days": m.days,
            }
            for m in change.moved
        ],
    }  # fmt: skip


def lines(changes: Sequence[DocumentChange]) -> list[str]:
    """Say what changed, document by document."""
    if not changes:
        return ["No document changed."]
    said: list[str] = []
    for change in changes:
        versions = " → ".join(v for v in (change.version_before, change.version_after) if v)
        said.append(
            f"{change.document} {change.kind} ({versions}): {len(change.moved)} decisions; a {change.advice} version is due{' – raised by less' if change.version_short else ''}"
        )
        if change.kind in ("added", "removed"):
            continue
        for (was, now), moved in transitions(change).items():
            said += _group(was, now, moved)
    return said


def _group(was: str, now: str, moved: Sequence[Moved]) -> list[str]:
    what = f"{was or 'nothing'} → {now or 'nothing'}" if was != now else f"{was}, by another rule"
    days = f", {moved[0].days:+d} days" if len(moved) == 1 and moved[0].days else ""
    if len(moved) == 1:
        return [f"  {moved[0].given}: {what}{days}"]
    more = f" and {len(moved) - 3} more" if len(moved) > 3 else ""
    return [f"  {len(moved)} × {what}: {' | '.join(m.given for m in moved[:3])}{more}"]


# ---- case packs ----


def pack_text(decisions: Sequence[Decision]) -> str:
    """Give decisions as a case pack to sign: who, in which role, when."""
    return _rows(PACK, ((d.document, d.given, d.conclusion, d.rule, "", "", "") for d in decisions))


def read_pack(path: Path) -> list[tuple[Decision, Mapping[str, str]]]:
    """Read a signed case pack."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise refuse("unreadable", "the case pack cannot be read as UTF-8 text", Source(path.name)) from None
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if text.partition("\n")[0].count(";") > 3 else ",")
    missing = [c for c in PACK[:3] if c not in (reader.fieldnames or ())]
    if missing:
        raise refuse("missing-column", f"a case pack has the columns {', '.join(PACK)}", Source(path.name, 1))
    pack: list[tuple[Decision, Mapping[str, str]]] = []
    for row in reader:
        cells = {
            k: (v or "").removeprefix("'")
            for k, v in row.items()
            if isinstance(k, str) and (v is None or isinstance(v, str))
        }
        decision = Decision(cells["document"], cells["given"], cells["conclusion"], cells.get("rule", ""))
        pack.append((decision, {k: cells.get(k, "") for k in PACK[4:]}))
    return pack


def pack_status(signed: Sequence[Signed], format_: str, manifest: Mapping[str, Any]) -> str:
    """Give what still stands of a signed pack, in one of the formats."""
    columns = (*PACK, "status", "signed_conclusion")
    rows = [
        (
            s.decision.document,
            s.decision.given,
            s.decision.conclusion,
            s.decision.rule,
            *(s.by.get(k, "") for k in PACK[4:]),
            s.status,
            s.before,
        )
        for s in signed
    ]
    if format_ == "csv":
        return _rows(columns, rows)
    if format_ == "json":
        return json_text(
            {
                "schema_version": 1,
                "decisions": [dict(zip(columns, row, strict=True)) for row in rows],
                "manifest": dict(manifest),
            }
        )
    counts = {name: sum(s.status == name for s in signed) for name in ("signed", "reopened", "unsigned")}
    said = [
        f"{s.decision.document} {s.decision.given}: signed {s.before}, now {s.decision.conclusion}"
        for s in signed
        if s.status == "reopened"
    ]
    bullet = "- " if format_ == "markdown" else ""
    return "\n".join(
        [*(bullet + line for line in said), "", ", ".join(f"{n} {name}" for name, n in counts.items()) + ".", ""]
    )
