"""The ledger of evidence: each number of the rulebook to its source, and back; numbers without one; the review's studies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from ..problems import Source
from ..rulebook.conditions import decimal
from ..rulebook.library import Rulebook
from ..rulebook.model import Document, Evidence, Finding, Reference, SinsScore
from .sources import MEASURED, elements, given_numbers, name_of, numbers

REVIEW = "daneshvar2025"


@dataclass(frozen=True)
class Entry:
    """One number of one document and one source it cites; without a source the last fields are empty."""

    document: str
    part: str
    number: str
    unit: str
    basis: str
    source: str = ""
    finding: str = ""
    locator: str = ""
    read: str = ""
    n: str = ""
    limits: str = ""
    in_source: str = ""
    """yes or no: whether the bibliography notes this number for this source; empty for zeros and for counts of scans."""
    verified_by: str = ""
    verified_on: str = ""
    file: str = ""
    line: str = ""

    @property
    def supported(self) -> bool:
        """Whether a source is noted to give this number."""
        return self.in_source == "yes"


FIELDS = (
    "document", "part", "number", "unit", "basis", "source", "finding", "locator", "read", "n", "limits", "in_source",
    "verified_by", "verified_on", "file", "line",
)  # fmt: skip


@dataclass(frozen=True)
class Study:
    """One study of the review's table, as the bibliography holds it."""

    key: str
    citation: str
    design: str
    n: str
    read: str
    findings: str
    used_by: str


STUDY_FIELDS = ("key", "citation", "design", "n", "read", "findings", "used_by")


def ledger(book: Rulebook) -> list[Entry]:
    """List every number of the rulebook with every source it cites."""
    sources = {s.key: s for s in book.evidence.sources}
    return [e for d in book.documents.values() if not isinstance(d, Evidence) for e in _entries(d, sources)]


def _entries(document: Document, sources: dict[str, Reference]) -> Iterator[Entry]:
    located = {c.key: c.locator for c in document.citations}
    signed = next((v for v in document.verified if v.content_hash == document.content_hash), None)
    who, when = (signed.who, signed.date) if signed else ("", "")
    stated = [
        (name_of(e, document), n, unit, e.basis, getattr(e, "cites", ()), place)
        for e in elements(document)
        for n, unit, place in numbers(e)
    ]
    if isinstance(document, SinsScore):
        stated += list(_points(document))
    for part, value, unit, basis, cites, place in stated:
        common = {
            "document": document.name, "part": part, "number": decimal(value), "unit": unit, "basis": basis,
            "verified_by": who, "verified_on": when, "file": place.file, "line": str(place.line),
        }  # fmt: skip
        if not cites:
            yield Entry(**common)
        for key in cites:
            source = sources.get(key)
            if source is None:
                continue
            finding = _giving(source, value, unit)
            yield Entry(
                **common, source=key, finding=finding.id if finding else "",
                locator=finding.locator if finding else located.get(key, ""), read=finding.read if finding else source.read,
                n=_size(source), limits=" ".join(source.limits),
                in_source=_looked_up(source, value, unit),
            )  # fmt: skip


def _looked_up(source: Reference, value: Fraction, unit: str) -> str:
    if not value or unit not in MEASURED:
        return ""
    return "yes" if (abs(value), unit) in set(given_numbers(source)) else "no"


def _points(sins: SinsScore) -> Iterator[tuple[str, Fraction, str, str, tuple[str, ...], Source]]:
    cites = tuple(c.key for c in sins.citations)
    for item in sins.items:
        for score in item.scores:
            yield f"item '{item.id}'", Fraction(score.points), "points", sins.basis, cites, score.source
    for category in sins.categories:
        for edge in (category.from_, category.to):
            yield f"category '{category.id}'", Fraction(edge), "points", sins.basis, cites, category.source


def _giving(source: Reference, value: Fraction, unit: str) -> Finding | None:
    """Find the statement of a source that gives a number."""
    for finding in source.findings:
        for v in finding.values:
            if abs(value) in (abs(n) for n in (v.value, v.low, v.high) if n is not None) and v.unit == unit:
                return finding
    return None


def _size(source: Reference) -> str:
    return "" if source.n is None else f"{source.n.count} {source.n.of}"


def unsupported(entries: list[Entry]) -> list[Entry]:
    """Keep the numbers that no cited source is noted to give, one line each."""
    given = {(e.document, e.part, e.number, e.unit) for e in entries if e.supported}
    kept: dict[tuple[str, ...], Entry] = {}
    for e in entries:
        key = (e.document, e.part, e.number, e.unit)
        if key not in given and e.unit in MEASURED and e.number != "0" and (e.in_source or not e.source):
            kept.setdefault(key, e)
    return list(kept.values())


def by_source(entries: list[Entry]) -> list[Entry]:
    """Order the ledger by source: what rests on each."""
    return sorted((e for e in entries if e.source), key=lambda e: (e.source, e.document, int(e.line or 0)))


def studies(book: Rulebook) -> list[Study]:
    """List the studies of the review's own table, with the documents that use each."""
    used: dict[str, set[str]] = {}
    for document in book.documents.values():
        keys = {c.key for c in document.citations} | {k for e in elements(document) for k in getattr(e, "cites", ())}
        for key in keys:
            used.setdefault(key, set()).add(document.name)
    return [
        Study(
            s.key, s.citation, s.design, _size(s), s.read.replace("_", " "), "; ".join(f.says for f in s.findings),
            ";".join(sorted(used.get(s.key, set()))),
        )
        for s in book.evidence.sources
        if s.in_review
    ]  # fmt: skip
