"""A rulebook through its cases: results, coverage, and on demand what its mutants show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..problems import InputRefused, Problem
from ..rulebook.library import Rulebook
from ..rulebook.model import Document
from .case_coverage import TESTED, Coverage, coverage
from .cases import OWN, CaseFile, Result, case_files
from .conclusions import run
from .mutation import Tried, try_mutants


@dataclass(frozen=True)
class CaseReport:
    """What the cases of a rulebook showed; sets of cases other than the documents' own are scored apart."""

    results: tuple[Result, ...]
    coverage: tuple[Coverage, ...]
    without_cases: tuple[str, ...]
    tried: tuple[Tried, ...] | None
    """Every mutant, None where none was asked for."""

    @property
    def failed(self) -> tuple[Result, ...]:
        """The cases that came out otherwise."""
        return tuple(r for r in self.results if not r.passed)

    def by_set(self) -> dict[str, tuple[int, int]]:
        """Count agreeing and all cases, set by set."""
        sets = dict.fromkeys(r.set for r in self.results)
        return {
            s: (sum(r.agrees for r in self.results if r.set == s), sum(r.set == s for r in self.results)) for s in sets
        }

    @property
    def differing(self) -> tuple[Result, ...]:
        """The cases of a second set that come out otherwise and say why."""
        return tuple(r for r in self.results if r.passed and not r.agrees)

    @property
    def rules(self) -> tuple[int, int]:
        """How many rules are reached, of how many."""
        total = sum(c.rules for c in self.coverage)
        return total - sum(len(c.rules_missing) for c in self.coverage), total

    @property
    def boundaries(self) -> tuple[int, int]:
        """How many sides of boundaries are reached, of how many."""
        total = sum(c.boundaries for c in self.coverage)
        return total - sum(len(c.boundaries_missing) for c in self.coverage), total


def documents_under_test(book: Rulebook) -> list[Document]:
    """List the documents of the chosen folder that decide something; those it only builds on are tested where they are."""
    own = f"{book.folder.name}/" if book.folder.is_dir() else book.folder.name
    return [d for d in book.documents.values() if isinstance(d, TESTED) and d.source.file.startswith(own)]


def _passing(file: CaseFile, results: Sequence[Result]) -> CaseFile:
    """Leave out the cases that fail without any change: they would kill every mutant."""
    return replace(file, cases=tuple(r.case for r in results if r.passed))


def run_cases(book: Rulebook, mutate: bool = False, only: str = "") -> CaseReport:
    """Run every case of a rulebook; with `mutate` also try every one-token change."""
    files, problems = case_files(book.folder)
    documents = [d for d in documents_under_test(book) if not only or d.name == only]
    names = {d.name for d in documents}
    unknown = [f for f in files if f.document not in book.documents]
    if problems or unknown:
        raise InputRefused(
            [
                *problems,
                *(Problem("unknown-document", f"there is no document '{f.document}'", f.source) for f in unknown),
            ]
        )
    files = tuple(f for f in files if f.document in names)
    results = {id(f): run(book, f) for f in files}
    own: dict[str, list[CaseFile]] = {}
    for file in files:
        if file.set == OWN:
            own.setdefault(file.document, []).append(file)
    covered = [
        coverage(book, d, own[d.name], [r for f in own[d.name] for r in results[id(f)]])
        for d in documents
        if d.name in own
    ]
    tried: list[Tried] = []
    if mutate:
        for document in documents:
            sound = [_passing(f, results[id(f)]) for f in own.get(document.name, [])]
            tried.extend(try_mutants(book, document, sound))
    return CaseReport(
        tuple(r for f in files for r in results[id(f)]),
        tuple(covered),
        tuple(d.name for d in documents if d.name not in own),
        tuple(tried) if mutate else None,
    )
