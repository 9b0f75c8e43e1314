"""An explanation as text for people and as JSON for machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..rulebook.explaining import Explanation


def as_text(explanation: Explanation) -> str:
    """Write the chain as plain text."""
    lines: list[str] = []
    for step in explanation.steps:
        lines += ["", step.title]
        for line in step.lines:
            mark = {"met": "[met]     ", "not met": "[not met] ", "unknown": "[unknown] ", "": ""}[line.verdict]
            tail = ", ".join(_unless_empty([line.basis, line.rule, *(f"cites {c}" for c in line.cites)]))
            lines.append("  " + "  " * line.depth + mark + line.text + (f"  ({tail})" if tail else ""))
    lines += ["", "Sources"]
    for source in explanation.sources:
        lines.append(f"  {source.key}: {source.citation} Read: {source.read.replace('_', ' ')}.")
        lines += [f"    limit: {limit}" for limit in source.limits]
    return "\n".join(lines).strip() + "\n"


def as_json(explanation: Explanation) -> dict[str, Any]:
    """Give the chain as JSON values."""
    return {
        "steps": [
            {
                "title": step.title,
                "lines": [
                    {
                        "text": line.text,
                        "verdict": line.verdict or None,
                        "basis": line.basis or None,
                        "rule": line.rule or None,
                        "cites": list(line.cites),
                    }
                    for line in step.lines
                ],
            }
            for step in explanation.steps
        ],
        "sources": [
            {"key": s.key, "citation": s.citation, "doi": s.doi or None, "read": s.read, "limits": list(s.limits)}
            for s in explanation.sources
        ],
    }


def _unless_empty(texts: Iterable[str]) -> Sequence[str]:
    return [t for t in texts if t]
