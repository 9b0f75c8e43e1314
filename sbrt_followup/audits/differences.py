"""What a change of rules says, in cells and dates: which patients conclude otherwise, which visits move by how much.

Versions: a changed outcome, interval, window or score is a major change; what was added and changes no decision made
before is a minor one; words alone are a patch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ..rulebook.library import Rulebook
from ..rulebook.model import DecisionTable, Document
from ..timing import DAYS_PER_MONTH
from .decisions import Decision, beside, conclusion_of, decisions, given_text, months_of
from .mutation import common_space, conclusions_on

Kind = Literal["added", "removed", "changed", "reworded", "same"]
Bump = Literal["none", "patch", "minor", "major"]
BUMPS: tuple[Bump, ...] = ("none", "patch", "minor", "major")


@dataclass(frozen=True)
class Moved:
    """One decision that came out otherwise; an empty side means there was, or is, none."""

    document: str
    given: str
    before: str
    after: str
    rule_before: str = ""
    rule_after: str = ""
    days: int | None = None
    """By how many days a visit moved, later above 0."""

    @property
    def decides(self) -> bool:
        """Whether more than the rule's name changed."""
        return self.before != self.after


@dataclass(frozen=True)
class DocumentChange:
    """What became of one document."""

    document: str
    kind: Kind
    version_before: str
    version_after: str
    moved: tuple[Moved, ...]
    advice: Bump

    @property
    def raised(self) -> Bump:
        """By how much the version was raised."""
        if not self.version_before or not self.version_after:
            return "none"
        before, after = ([int(n) for n in v.split(".")] for v in (self.version_before, self.version_after))
        places: tuple[Bump, ...] = ("major", "minor", "patch")
        return next((name for name, a, b in zip(places, before, after, strict=True) if b > a), "none")

    @property
    def version_short(self) -> bool:
        """Whether the version was raised by less than advised."""
        return self.kind not in ("added", "removed") and BUMPS.index(self.raised) < BUMPS.index(self.advice)


def diff(before: Rulebook, after: Rulebook) -> list[DocumentChange]:
    """Compare two rulebooks, document by document; unchanged ones are left out."""
    names = list(dict.fromkeys([*before.documents, *after.documents]))
    changes = (_compared(before, after, name) for name in names)
    return [c for c in changes if c.kind != "same"]


def _compared(before: Rulebook, after: Rulebook, name: str) -> DocumentChange:
    one, other = before.documents.get(name), after.documents.get(name)
    if one is None or other is None:
        present, book = (one, before) if one is not None else (other, after)
        assert present is not None
        rows = tuple(
            Moved(name, d.given, d.conclusion, "", d.rule) if other is None else Moved(name, d.given, "", d.conclusion, "", d.rule)
            for d in decisions(book, present)
        )  # fmt: skip
        gone = other is None
        versions = (present.version, "") if gone else ("", present.version)
        return DocumentChange(name, "removed" if gone else "added", *versions, rows, "major" if gone else "minor")
    moved = tuple(_moved(before, after, one, other))
    if not moved and one.content_hash == other.content_hash:
        return DocumentChange(name, "same", one.version, other.version, (), "none")
    advice: Bump = "patch" if not moved else "major" if any(m.before and m.decides for m in moved) else "minor"
    kind: Kind = "changed" if any(m.decides for m in moved) else "reworded"
    return DocumentChange(name, kind, one.version, other.version, moved, advice)


def _moved(before: Rulebook, after: Rulebook, one: Document, other: Document) -> Iterator[Moved]:
    if isinstance(one, DecisionTable) and isinstance(other, DecisionTable):
        yield from _cells(one, other)
        old, new = ({d.given: d for d in beside(t)} for t in (one, other))
    else:
        old = {d.given: d for d in decisions(before, one)}
        new = {d.given: d for d in decisions(after, other)}
    for given in dict.fromkeys([*old, *new]):
        yield from _difference(one.name, given, old.get(given), new.get(given))


def _cells(one: DecisionTable, other: DecisionTable) -> Iterator[Moved]:
    space = common_space(one, other)
    pairs = zip(conclusions_on(one, space), conclusions_on(other, space), strict=True)
    for cell, ((was, old_rule), (is_, new_rule)) in enumerate(pairs):
        if (was, old_rule) != (is_, new_rule):
            yield Moved(one.name, given_text(space, cell), was or "no_match", is_ or "no_match", old_rule, new_rule)


def _difference(name: str, given: str, was: Decision | None, now: Decision | None) -> Iterator[Moved]:
    old, new = (d.conclusion if d else "" for d in (was, now))
    rules = [d.rule if d else "" for d in (was, now)]
    if old == new and rules[0] == rules[1]:
        return
    months = [months_of(text) for text in (old, new)]
    days = None
    if months[0] is not None and months[1] is not None:
        days = round((months[1] - months[0]) * DAYS_PER_MONTH)
    yield Moved(name, given, old, new, rules[0], rules[1], days)


def transitions(change: DocumentChange) -> dict[tuple[str, str], list[Moved]]:
    """Group a table's changed cells by what they were and what they are."""
    groups: dict[tuple[str, str], list[Moved]] = {}
    for moved in change.moved:
        groups.setdefault((moved.before, moved.after), []).append(moved)
    return groups


# ---- signed decisions ----

SIGNED = "signed"
REOPENED = "reopened"
UNSIGNED = "unsigned"


@dataclass(frozen=True)
class Signed:
    """A decision of a case pack, and whether its signature still stands."""

    decision: Decision
    by: Mapping[str, str]
    status: str
    before: str = ""
    """What was signed, where that is no longer concluded."""


def reopened(pack: list[tuple[Decision, Mapping[str, str]]], book: Rulebook) -> list[Signed]:
    """Hold a signed pack against a rulebook: only what concludes otherwise is open again, and what is new is unsigned."""
    result: list[Signed] = []
    current = {d.key: d for document in book.documents.values() for d in decisions(book, document)}
    covered: set[tuple[str, str]] = set()
    for signed, by in pack:
        document = book.documents.get(signed.document)
        now = current.get(signed.key)
        if now is None and isinstance(document, DecisionTable) and "=" in signed.given:
            now = conclusion_of(document, signed.given)
        covered.add(signed.key)
        if now is None:
            result.append(Signed(signed, by, REOPENED, signed.conclusion))
            continue
        stands = now.conclusion == signed.conclusion and bool(by.get("signed_by"))
        changed = now.conclusion != signed.conclusion
        status = SIGNED if stands else REOPENED if changed else UNSIGNED
        result.append(Signed(now, by, status, signed.conclusion if changed else ""))
    documents = {d.document for d, _ in pack}
    tables = {n for n in documents if isinstance(book.documents.get(n), DecisionTable)}
    # The cells of a table are asked one by one above; a finer grid of the new one adds no question of its own.
    fresh = [d for d in current.values() if d.document in documents - tables and d.key not in covered]
    return [*result, *(Signed(d, {}, UNSIGNED) for d in fresh)]
