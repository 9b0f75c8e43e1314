"""Results of cases, coverage and mutants as a table, CSV, JSON and Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from ...audits.cases import Result, Word
from ...audits.mutation import Tried, rate, score
from ...audits.testing import CaseReport
from ...tables.formulas import escape
from ..tabular import json_text

FORMATS = ("table", "csv", "json", "markdown")
COLUMNS = ("document", "set", "case", "passed", "expected", "actual", "file", "line")


def words(word: Word | None) -> str:
    """Give a word or a list of words as one text."""
    return "" if word is None else word if isinstance(word, str) else ";".join(word)


def render(tested: CaseReport, format_: str, manifest: Mapping[str, Any], title: str) -> str:
    """Give the results in one of the formats."""
    if format_ == "csv":
        return _csv(tested)
    if format_ == "json":
        return json_text({**_json(tested), "manifest": dict(manifest)})
    if format_ == "markdown":
        return "\n".join([f"# {title}", "", *(f"- {line}" for line in lines(tested)), ""])
    return "\n".join([title, *lines(tested), ""])


def summary(tested: CaseReport) -> list[str]:
    """Say what was run, reached and killed."""
    said = [
        f"Cases: {', '.join(f'{agree} of {all_} pass (set {name})' for name, (agree, all_) in tested.by_set().items()) or 'none'}."
    ]
    if tested.differing:
        said.append(f"Known to differ, each with its reason: {len(tested.differing)}.")
    for name, (reached, total) in (("Rules", tested.rules), ("Boundaries", tested.boundaries)):
        said.append(f"{name} reached: {reached} of {total}{_percent(reached, total)}.")
    if tested.tried is not None:
        counts = score(tested.tried)
        said.append(
            f"Mutants: {len(tested.tried)}; killed {counts['killed']}, survived {counts['survived']}{_percent(counts['killed'], counts['killed'] + counts['survived'])}; "
            f"{counts['equivalent']} proved equivalent and {counts['refused']} refused by the loader are left out."
        )
    if tested.without_cases:
        said.append(f"Without cases: {', '.join(tested.without_cases)}.")
    return said


def _percent(part: int, whole: int) -> str:
    return f" ({100 * part / whole:.1f} %)" if whole else ""


def lines(tested: CaseReport) -> list[str]:
    """List what failed, what is not reached, what survived, then the summary."""
    said = [f"{failure(r)} (differs: {r.case.differs})" for r in tested.differing]
    said += [failure(r) for r in tested.failed]
    for c in tested.coverage:
        said += [f"{c.document}: no case reaches rule {name}" for name in c.rules_missing]
        said += [f"{c.document}: no case stands at {name}" for name in c.boundaries_missing]
    said += [survivor(t) for t in tested.tried or () if t.fate == "survived"]
    return [*said, *summary(tested)]


def failure(result: Result) -> str:
    """Say how a case came out otherwise."""
    if not result.wrong:
        return f"{result.case.source}: {result.document} {result.case.id}: agrees now; take its `differs` away"
    parts = (
        f"{name}: expected {words(result.case.expect.words[name]) or 'nothing'}, got {words(result.actual.get(name)) or 'nothing'}"
        for name in result.wrong
    )
    return f"{result.case.source}: {result.document} {result.case.id}: {'; '.join(parts)}"


def survivor(tried: Tried) -> str:
    """Say which change no case notices, and which case would."""
    killer = ""
    if tried.killer is not None:
        given, expect = ({k: words(v) for k, v in tried.killer[part].items()} for part in ("given", "expect"))
        killer = f"; would be killed by given {_flow(given)} expect {_flow(expect)}"
    return f"{tried.mutant.source}: {tried.mutant.document}: {tried.mutant} is noticed by no case{killer}"


def _flow(named: Mapping[str, str]) -> str:
    shown = (f"{k}: [{v.replace(';', ', ')}]" if ";" in v else f"{k}: {v}" for k, v in named.items())
    return "{" + ", ".join(shown) + "}"


def _csv(tested: CaseReport) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for r in tested.results:
        expected = "; ".join(f"{k}={words(v)}" for k, v in r.case.expect.words.items())
        actual = "; ".join(f"{k}={words(r.actual.get(k))}" for k in r.case.expect.words)
        row = (r.document, r.set, r.case.id, "yes" if r.agrees else "no", expected, actual, r.case.source.file)
        writer.writerow([*(escape(cell) for cell in row), r.case.source.line])
    return buffer.getvalue()


def _json(tested: CaseReport) -> dict[str, Any]:
    body: dict[str, Any] = {
        "schema_version": 1,
        "sets": {name: {"passed": agree, "cases": all_} for name, (agree, all_) in tested.by_set().items()},
        "differing": [
            {"document": r.document, "set": r.set, "case": r.case.id, "why": r.case.differs} for r in tested.differing
        ],
        "failed": [
            {
                "document": r.document, "set": r.set, "case": r.case.id, "file": r.case.source.file, "line": r.case.source.line,
                "wrong": [
                    {"name": n, "expected": words(r.case.expect.words[n]), "actual": words(r.actual.get(n)) or None}
                    for n in r.wrong
                ],
            }
            for r in tested.failed
        ],
        "coverage": [
            {
                "document": c.document, "cases": c.cases, "rules": c.rules, "rules_missing": list(c.rules_missing),
                "boundaries": c.boundaries, "boundaries_missing": list(c.boundaries_missing),
            }
            for c in tested.coverage
        ],
        "without_cases": list(tested.without_cases),
    }  # fmt: skip
    if tested.tried is not None:
        counts = score(tested.tried)
        by_document: dict[str, list[Tried]] = {}
        for one in tested.tried:
            by_document.setdefault(one.mutant.document, []).append(one)
        body["mutation"] = {
            **counts,
            "kill_rate": rate(counts),
            "documents": {name: {**score(ones), "kill_rate": rate(score(ones))} for name, ones in by_document.items()},
            "survivors": [
                {
                    "document": t.mutant.document, "file": t.mutant.source.file, "line": t.mutant.source.line,
                    "column": t.mutant.source.column, "before": t.mutant.before, "after": t.mutant.after,
                    "killer": None if t.killer is None else {
                        part: {k: words(v) for k, v in t.killer[part].items()} for part in ("given", "expect")
                    },
                }
                for t in tested.tried
                if t.fate == "survived"
            ],
        }  # fmt: skip
    return body


def share(tested: CaseReport) -> float:
    """Give the smaller of rule and boundary coverage, in percent."""
    return min((100 * reached / total if total else 100.0) for reached, total in (tested.rules, tested.boundaries))
