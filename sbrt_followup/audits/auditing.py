"""A whole rulebook through every proof: the audit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from ..rulebook.deciding import fact_space
from ..rulebook.library import Rulebook, packaged_folder, read
from ..rulebook.model import DecisionTable, Evidence, Plan, SinsScore
from .decision_tables import audit_table
from .findings import SEVERITIES, Finding, from_problem, ordered, waived
from .plan_checks import audit_plan
from .rulebooks import audit_overlays, audit_profiles, audit_scores, audit_use
from .sources import audit_sources
from .window_checks import audit_growth, audit_windows


@dataclass(frozen=True)
class Audit:
    """Everything found in a rulebook, and how much was looked at."""

    findings: tuple[Finding, ...]
    documents: int
    cells: int
    as_of: date

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings no document waives."""
        return tuple(f for f in self.findings if not f.waived)

    def counts(self) -> dict[str, int]:
        """Count open findings by severity, and the waived ones."""
        result: dict[str, int] = {s: sum(f.severity == s for f in self.open) for s in SEVERITIES}
        return {**result, "waived": len(self.findings) - len(self.open)}

    def passes(self, strict: bool = False) -> bool:
        """Whether nothing stands open; notes count when strict."""
        return all(f.severity == "note" and not strict for f in self.open)


def reading_findings(folder: Path | None, profile: str | None) -> tuple[Rulebook | None, tuple[Finding, ...]]:
    """Read a rulebook; what is wrong with it is found, not raised."""
    book, problems = read(folder or packaged_folder(), profile)
    return (None if problems else book), ordered(from_problem(p) for p in problems)


def audit_folder(
    folder: Path | None, profile: str | None, today: date, only: str = ""
) -> tuple[Audit, Rulebook | None]:
    """Audit a rules folder; `only` keeps the findings of one file."""
    book, findings = reading_findings(folder, profile)
    result = Audit(findings, 0, 0, today) if book is None else audit(book, today)
    if only:
        result = replace(result, findings=tuple(f for f in result.findings if f.source.file == only))
    return result, book


def audit(book: Rulebook, today: date) -> Audit:
    """Audit a rulebook that could be read."""
    documents = list(book.documents.values())
    tables = [d for d in documents if isinstance(d, DecisionTable)]
    cells = sum(fact_space(t, whole=True).size for t in tables)
    return Audit(ordered(waived(_findings(book, today), documents)), len(documents), cells, today)


def _findings(book: Rulebook, today: date) -> Iterator[Finding]:
    documents = list(book.documents.values())
    plans = [d for d in documents if isinstance(d, Plan)]
    evidence = next((d for d in documents if isinstance(d, Evidence)), None)
    for document in documents:
        if isinstance(document, DecisionTable):
            yield from audit_table(document)
        elif isinstance(document, SinsScore):
            yield from audit_scores(document)
    for plan in plans:
        stand_in = book.documents.get(f"plan/{plan.undecided}")
        yield from audit_plan(plan, evidence, stand_in if isinstance(stand_in, Plan) else None)
    yield from audit_windows(book, plans)
    yield from audit_growth(book)
    yield from audit_sources(book, today)
    yield from audit_profiles(book, today)
    yield from audit_use(book)
    if any(d.extends for d in documents):
        packaged, _ = read(packaged_folder())
        yield from audit_overlays(book, packaged.documents if packaged else {})
