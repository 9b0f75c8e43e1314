"""Proofs about sources: every number cited and found in its source, the level it was read at, dates, verifications.

A number is found in a source when the bibliography holds it for that source in the same unit, sign aside;
weeks and months also count as their whole days. Zero needs no source.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from fractions import Fraction
from typing import Any

from ..problems import Source
from ..rulebook.conditions import Count, Test, decimal
from ..rulebook.library import Rulebook, values_in
from ..rulebook.model import (
    Document,
    Evidence,
    Feature,
    First,
    Phase,
    Quantity,
    Reference,
    Rule,
    SinsScore,
    Span,
    Window,
)
from ..timing import DAYS_PER_MONTH
from ..vocabulary import FACTS
from .findings import Finding, found

LEVEL_WORDS = {
    "abstract": ("abstract",),
    "secondary": ("quoted", "secondary", "summary", "review"),
    "derived": ("derived", "computed"),
    "not_found": ("not found",),
}
MEASURED = ("months", "days", "weeks", "percent", "mm", "cc", "points", "ratio")
IN_DAYS = {"weeks": Fraction(7), "months": DAYS_PER_MONTH}
Number = tuple[Fraction, str, Source]


def audit_sources(book: Rulebook, today: date) -> Iterator[Finding]:
    """Give every finding about what the documents rest on."""
    sources = {s.key: s for d in book.documents.values() if isinstance(d, Evidence) for s in d.sources}
    used: set[str] = set()
    for document in book.documents.values():
        yield from _dates(document, today)
        yield from _verification(document)
        if not isinstance(document, Evidence):
            parts = elements(document)
            used |= {c.key for c in document.citations} | {k for p in parts for k in getattr(p, "cites", ())}
            yield from _document(document, parts)
            for element in parts:
                yield from _element(document, element, sources)
            yield from _levels(document, parts, sources)
            yield from _numbers(document, parts, sources)
    yield from _unverified(book)
    yield from _uncited_sources(book, used)


def elements(document: Document) -> list[Any]:
    """List the parts of a document that state how well they are known."""
    return [v for v in values_in(document) if v is not document and hasattr(v, "basis")]


def name_of(element: Any, document: Document) -> str:
    """Name a part of a document: by its id, else by the key it stands under."""
    own = getattr(element, "id", "") or getattr(element, "fact", "")
    if own:
        return f"{type(element).__name__.lower()} '{own}'"
    key = next((f.name for f in fields(document) if getattr(document, f.name) is element), "")
    return key or type(element).__name__.lower()


def numbers(element: Any) -> Iterator[Number]:
    """Give the clinical numbers a part states, each with its unit."""
    if isinstance(element, Quantity):
        yield element.value, element.unit, element.source
    elif isinstance(element, Window):
        yield Fraction(element.from_), "days", element.source
        yield Fraction(element.to), "days", element.source
    elif isinstance(element, First):
        for month in (element.at, element.no_later_than):
            if month is not None:
                yield month, "months", element.source
    elif isinstance(element, Phase):
        for span in (element.every, element.until, element.interval_ci):
            if isinstance(span, Span):
                yield from ((n, "months", span.source) for n in dict.fromkeys((span.low, span.high)))
        if element.target_yield_percent is not None:
            yield element.target_yield_percent, "percent", element.source
    elif isinstance(element, Rule | Feature):
        for part in element.when.parts:
            yield from _tested(part)


def _tested(part: Test | Count) -> Iterator[Number]:
    if isinstance(part, Test):
        unit = FACTS[part.fact].unit or "ratio"
        for operand in part.operands:
            if isinstance(operand, Fraction):
                yield operand, unit, part.source


def _document(document: Document, parts: Sequence[Any]) -> Iterator[Finding]:
    if not document.citations and document.basis not in ("assumption", "local"):
        yield found("uncited-document", document, f"a document of basis '{document.basis}' cites no source")
    if (
        document.basis == "published"
        and not isinstance(document, SinsScore)
        and parts
        and all(p.basis != "published" for p in parts)
    ):
        yield found(
            "basis-too-firm", document, "the document calls itself published, yet no part of it is", None,
            {"basis": parts[0].basis},
        )  # fmt: skip


def _element(document: Document, element: Any, sources: Mapping[str, Reference]) -> Iterator[Finding]:
    cites = getattr(element, "cites", ())
    name = name_of(element, document)
    if element.basis == "published" and not cites:
        yield found(
            "published-without-source", document, f"{name} is called published and cites nothing", element.source
        )
    elif element.basis != "published" and not (cites or getattr(element, "why", "") or document.notes):
        yield found(
            "assumption-without-why", document, f"{name} is {element.basis} and says neither why nor after whom",
            element.source,
        )  # fmt: skip
    read = [sources[key].read for key in cites if key in sources]
    if element.basis == "published" and read and all(r in ("derived", "not_found") for r in read):
        yield found(
            "basis-too-firm", document, f"{name} is called published, but its sources were only {' and '.join(sorted(set(read)))}",
            element.source, {"basis": read[0]},
        )  # fmt: skip


def _levels(document: Document, parts: Sequence[Any], sources: Mapping[str, Reference]) -> Iterator[Finding]:
    """A published part that rests on an abstract or on somebody's quotation must say so in its citation."""
    located = {c.key: c.locator.lower() for c in document.citations}
    told: set[str] = set()
    for element in parts:
        cites = [sources[k] for k in getattr(element, "cites", ()) if k in sources]
        for source in cites:
            if not source.findings and source.key not in told:
                told.add(source.key)
                yield found(
                    "source-without-findings", document, f"'{source.key}' is cited, yet the bibliography notes nothing it says",
                    element.source, {"source": source.key},
                )  # fmt: skip
        if element.basis != "published" or any(s.read == "full_text" for s in cites):
            continue
        for source in cites:
            words = LEVEL_WORDS.get(source.read, ())
            if source.key in located and source.key not in told and not any(w in located[source.key] for w in words):
                told.add(source.key)
                yield found(
                    "read-level-not-stated", document,
                    f"published after '{source.key}', which was read as {source.read.replace('_', ' ')}; the citation's locator does not say so",
                    element.source, {"source": source.key, "read": source.read},
                )  # fmt: skip


def _numbers(document: Document, parts: Sequence[Any], sources: Mapping[str, Reference]) -> Iterator[Finding]:
    for element in parts:
        if element.basis == "published" or (
            isinstance(element, Window) and element.basis not in ("local", "assumption")
        ):
            yield from _missing_numbers(
                document, name_of(element, document), numbers(element), getattr(element, "cites", ()), sources
            )
    if isinstance(document, SinsScore) and document.basis == "published":
        keys = tuple(c.key for c in document.citations)
        for item in document.items:
            stated = ((Fraction(s.points), "points", s.source) for s in item.scores)
            yield from _missing_numbers(document, f"item '{item.id}'", stated, keys, sources)
        for category in document.categories:
            both = ((Fraction(n), "points", category.source) for n in (category.from_, category.to))
            yield from _missing_numbers(document, f"category '{category.id}'", both, keys, sources)


def given_numbers(source: Reference) -> Iterator[tuple[Fraction, str]]:
    """Give every number noted for a source with its unit; weeks and months also in whole days."""
    for finding in source.findings:
        for value in finding.values:
            for number in (value.value, value.low, value.high):
                if number is None:
                    continue
                yield abs(number), value.unit
                if value.unit in IN_DAYS:
                    days = abs(number) * IN_DAYS[value.unit]
                    yield Fraction(int(days + Fraction(1, 2))), "days"


def _missing_numbers(document: Document, name: str, stated: Iterator[Number], cites: tuple[str, ...],
                     sources: Mapping[str, Reference]) -> Iterator[Finding]:  # fmt: skip
    known = {number for key in cites if key in sources for number in given_numbers(sources[key])}
    for value, unit, place in stated:
        if cites and value and unit in MEASURED and (abs(value), unit) not in known:
            yield found(
                "number-not-in-source", document,
                f"{name} states {decimal(value)} {unit}, which none of its sources ({', '.join(cites)}) is noted to give",
                place, {"number": decimal(value), "unit": unit},
            )  # fmt: skip


def _dates(document: Document, today: date) -> Iterator[Finding]:
    if not document.review_by:
        yield found("no-review-date", document, "no date says when the sources are due for another look")
    elif document.review_by < today.isoformat():
        yield found(
            "review-date-passed", document, f"another look at the sources was due by {document.review_by}", None,
            {"as_of": today.isoformat()},
        )  # fmt: skip


def _verification(document: Document) -> Iterator[Finding]:
    for entry in document.verified:
        if entry.content_hash != document.content_hash:
            yield found(
                "verification-void", document,
                f"verified on {entry.date} ({entry.role}) for another content: now {document.content_hash[:19]}…",
            )  # fmt: skip


def _unverified(book: Rulebook) -> Iterator[Finding]:
    open_ = [d for d in book.documents.values() if not any(v.content_hash == d.content_hash for v in d.verified)]
    if open_:
        yield found(
            "not-verified", book.profile, f"{len(open_)} of {len(book.documents)} documents are verified by nobody", None,
            {"document": open_[0].name},
        )  # fmt: skip


def _uncited_sources(book: Rulebook, used: Collection[str]) -> Iterator[Finding]:
    for document in book.documents.values():
        if isinstance(document, Evidence):
            idle = [s for s in document.sources if s.key not in used]
            if idle:
                yield found(
                    "unused-source", document,
                    f"{len(idle)} of {len(document.sources)} sources are cited by no document: {', '.join(s.key for s in idle)}",
                    idle[0].source, {"source": idle[0].key},
                )  # fmt: skip
