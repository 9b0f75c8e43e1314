"""Proofs about how documents fit together: profile, overlays, scores, what nobody uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from ..rulebook.library import Rulebook
from ..rulebook.model import Document, Evidence, Plan, Profile, PseudoprogressionWindow, SinsScore
from ..rulebook.simulation import Simulation
from ..vocabulary import FACTS
from .findings import Finding, found


def audit_profiles(book: Rulebook, today: date) -> Iterator[Finding]:
    """Hold each profile's documents against one another and the calendar."""
    for profile in (d for d in book.documents.values() if isinstance(d, Profile)):
        for name in named_by(profile):
            document = book.documents.get(name)
            if document is None:
                continue
            if document.superseded_by:
                yield found(
                    "superseded", profile, f"{name} is superseded by {document.superseded_by}", None, {"document": name}
                )
            if document.effective_from > today.isoformat():
                yield found(
                    "not-yet-effective", profile, f"{name} takes effect on {document.effective_from} only", None,
                    {"document": name, "as_of": today.isoformat()},
                )  # fmt: skip
    for plan in (d for d in book.documents.values() if isinstance(d, Plan)):
        if plan.tiered and plan.risk != book.profile.risk:
            yield found(
                "risk-documents-differ", plan,
                f"the plan's tiers are those of risk/{plan.risk}, the profile decides them by risk/{book.profile.risk}",
                None, {"plan": plan.id, "profile": book.profile.id},
            )  # fmt: skip


def named_by(profile: Profile) -> list[str]:
    """List the documents a profile names."""
    names = [f"plan/{profile.plan}", f"risk/{profile.risk}", f"sins/{profile.sins}"]
    names += [f"pseudoprogression/{n}" for n in profile.pseudoprogression] + [f"response/{n}" for n in profile.response]
    return [*names, *([f"protocol/{profile.protocol}"] if profile.protocol else [])]


def audit_use(book: Rulebook) -> Iterator[Finding]:
    """Find documents that no profile, plan or window names; a plan or simulation can always be asked for by name."""
    used = {n for d in book.documents.values() if isinstance(d, Profile) for n in named_by(d)}
    for document in book.documents.values():
        if isinstance(document, Plan) and document.tiered:
            used |= {f"risk/{document.risk}", f"plan/{document.undecided}"}
        if isinstance(document, PseudoprogressionWindow) and document.unites_with and document.name in used:
            used.add(f"pseudoprogression/{document.unites_with}")
    for document in book.documents.values():
        if not isinstance(document, Plan | Profile | Evidence | Simulation) and document.name not in used:
            yield found("unused-document", document, "no profile names this document, so it decides nothing")


def audit_overlays(book: Rulebook, packaged: Mapping[str, Document]) -> Iterator[Finding]:
    """Hold every overlay against the base it was approved for."""
    for document in book.documents.values():
        extends = document.extends
        if extends is None:
            continue
        base = packaged.get(extends.document)
        if base is not None and extends.content_hash != base.content_hash:
            yield found(
                "base-changed", document,
                f"approved against {extends.document} {extends.version}, whose content is another one now ({base.version}, {base.content_hash[:19]}…)",
                extends.source, {"document": extends.document},
            )  # fmt: skip
        elif base is not None and extends.version != base.version:
            yield found(
                "base-changed", document,
                f"names version {extends.version} of {extends.document}, the packaged one is {base.version}",
                extends.source, {"document": extends.document},
            )  # fmt: skip
        for deviation in document.deviations:
            yield found(
                "deviation", document, f"{deviation.at}: {deviation.why} (approved by {deviation.approved_by})",
                deviation.source, {"at": deviation.at},
            )  # fmt: skip


def audit_scores(sins: SinsScore) -> Iterator[Finding]:
    """A worse level of an ordered component must never score less."""
    for item in sins.items:
        fact = FACTS[item.fact]
        if not fact.ordered:
            continue
        points = {label: score.points for score in item.scores for label in score.any_of}
        for mild, worse in zip(fact.levels, fact.levels[1:], strict=False):
            if points.get(worse, 0) < points.get(mild, 0):
                yield found(
                    "points-not-monotone", sins,
                    f"{item.fact} '{worse}' scores {points[worse]}, the milder '{mild}' {points[mild]}",
                    next(s.source for s in item.scores if worse in s.any_of), {item.fact: worse},
                )  # fmt: skip
