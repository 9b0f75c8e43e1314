"""What an audit found, as a value: code, severity, place, one sentence, the smallest counter-example, what to do.

A counter-example is a patient in the rulebook's own words: facts that are not named may have any value, known or not.
A waiver stands in the document, names the code, the reason and best the counter-example, and never covers an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..problems import Problem, Severity, Source
from ..rulebook.model import Document, Waiver
from .codes import CODES

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing an audit found."""

    code: str
    severity: Severity
    document: str
    source: Source
    message: str
    advice: str = ""
    patient: Mapping[str, str] = field(default_factory=dict)
    waived: str = ""
    """The reason the document gives for letting it stand."""

    @property
    def example(self) -> str:
        """The counter-example in one line."""
        return ", ".join(f"{name} {value}" for name, value in self.patient.items())


def found(
    code: str, document: Document, message: str, source: Source | None = None, patient: Mapping[str, str] | None = None
) -> Finding:
    """Build a finding of a known code."""
    known = CODES[code]
    return Finding(code, known.severity, document.name, source or document.source, message, known.advice, patient or {})


def from_problem(problem: Problem) -> Finding:
    """Turn a problem of reading into a finding."""
    return Finding(
        problem.code, problem.severity, "", problem.source or Source(""), problem.message, problem.hint,
        dict(problem.example),
    )  # fmt: skip


def waived(findings: Iterable[Finding], documents: Sequence[Document]) -> list[Finding]:
    """Apply the documents' waivers; a waiver that covers nothing, or an error, is a finding itself."""
    by_name = {d.name: d for d in documents}
    result: list[Finding] = []
    used: set[int] = set()
    for finding in findings:
        document = by_name.get(finding.document)
        waiver = next((w for w in document.waivers if _covers(w, finding)), None) if document else None
        if waiver is None or finding.severity == "error":
            result.append(finding)
            continue
        used.add(id(waiver))
        result.append(replace(finding, waived=waiver.reason))
    errors = {(f.document, f.code) for f in result if f.severity == "error"}
    for document in documents:
        for waiver in document.waivers:
            about = f"'{waiver.code}'" + (f" for {waiver.example}" if waiver.example else "")
            if waiver.code not in CODES:
                result.append(
                    found("waiver-unknown-code", document, f"no finding is called '{waiver.code}'", waiver.source)
                )
            elif (document.name, waiver.code) in errors:
                result.append(found("waiver-of-error", document, f"'{waiver.code}' is an error here", waiver.source))
            elif id(waiver) not in used:
                result.append(found("waiver-unused", document, f"nothing here is found as {about}", waiver.source))
    return result


def _covers(waiver: Waiver, finding: Finding) -> bool:
    return waiver.code == finding.code and waiver.example in ("", finding.example)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Put findings in order: open before waived, errors first, then by place."""
    return tuple(
        sorted(findings, key=lambda f: (bool(f.waived), SEVERITIES.index(f.severity), f.source, f.code, f.message))
    )
