"""A folder of documents → one frozen `Rulebook`: read, laid over its base, cross-checked; all problems at once.

A folder with its own evidence document stands alone. Any other folder is laid over the packaged rulebook: it adds
documents, and changes packaged ones only through `extends` + `changes`, each change with why and by whom.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar, cast

from ..problems import InputRefused, Problem, Source, nearest
from .criteria import Criterion, Protocol
from .kinds import KINDS, build_document
from .model import Deviation, Document, Evidence, Extends, Plan, Profile, PseudoprogressionWindow, RiskTable, SinsScore
from .parsing import Node, Scalar, Sequence, Table, content_hash, read_file, without_consequences
from .simulation import Simulation, look_up, lookups
from .structure import Notes, Unreadable, build_dataclass, text

D = TypeVar("D", bound=Document)
DEFAULT_PROFILE = "review-2025"


def packaged_folder() -> Path:
    """Find the rules that ship with the program, installed or in a checkout."""
    inside = Path(__file__).parents[1] / "rules"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "rules"


@dataclass(frozen=True)
class Rulebook:
    """Documents by full name (`plan/chen-2024`) and the profile in use."""

    documents: Mapping[str, Document]
    profile: Profile
    folder: Path

    def get(self, kind: type[D], name: str) -> D:
        """Give one document by kind and id; refuse with the nearest name."""
        word = next(k for k, cls in KINDS.items() if cls is kind)
        return cast("D", self.document(f"{word}/{name}"))

    def document(self, name: str) -> Document:
        """Give one document by its full name; refuse with the nearest name."""
        if name not in self.documents:
            raise InputRefused(
                [
                    Problem(
                        "unknown-document",
                        f"the rulebook has no document '{name}'",
                        hint=nearest(name, [n for n in self.documents if n.startswith(f"{name.partition('/')[0]}/")]),
                    )
                ]
            )
        return self.documents[name]

    @cached_property
    def plan(self) -> Plan:
        """The profile's plan."""
        return self.get(Plan, self.profile.plan)

    @cached_property
    def risk(self) -> RiskTable:
        """The profile's risk table."""
        return self.get(RiskTable, self.profile.risk)

    @cached_property
    def sins(self) -> SinsScore:
        """The profile's SINS document."""
        return self.get(SinsScore, self.profile.sins)

    @cached_property
    def windows(self) -> tuple[PseudoprogressionWindow, ...]:
        """The profile's pseudo-progression windows."""
        return tuple(self.get(PseudoprogressionWindow, name) for name in self.profile.pseudoprogression)

    @cached_property
    def criteria(self) -> tuple[Criterion, ...]:
        """The profile's response criteria."""
        return tuple(self.get(Criterion, name) for name in self.profile.response)

    @cached_property
    def protocol(self) -> Protocol | None:
        """The profile's MRI protocol, if it names one."""
        return self.get(Protocol, self.profile.protocol) if self.profile.protocol else None

    @cached_property
    def evidence(self) -> Evidence:
        """The bibliography."""
        return next(cast("Evidence", self.documents[n]) for n in self.documents if n.startswith("evidence/"))


@dataclass(frozen=True)
class _Draft:
    """A document on its way: its tree, and what it is laid over."""

    tree: Table
    path: Path
    shown: str


def _paths(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    return sorted(
        p
        for p in folder.rglob("*.y*ml")
        if p.suffix in (".yaml", ".yml") and "cases" not in p.relative_to(folder).parts
    )


def _drafts(folder: Path, problems: list[Problem]) -> dict[str, _Draft]:
    drafts: dict[str, _Draft] = {}
    for path in _paths(folder):
        shown = path.name if path == folder else f"{folder.name}/{path.relative_to(folder)}"
        tree, found = read_file(path, shown)
        problems.extend(found)
        if tree is None:
            continue
        kind, name = (getattr(tree.items.get(k), "text", "") for k in ("kind", "id"))
        # A document without kind or id is told so later; it is not a second one of its name.
        full = f"{kind}/{name}" if kind and name else shown
        if full in drafts:
            problems.append(
                Problem(
                    "repeated-id", f"two documents are called '{full}' (also {drafts[full].shown})", Source(shown, 1)
                )
            )
            continue
        drafts[full] = _Draft(tree, path, shown)
    return drafts


FOLDERS = {
    "risk": "risk", "plan": "plans", "pseudoprogression": "pseudoprogression", "response": "response", "sins": "sins",
    "protocol": "protocols", "simulation": "simulation", "profile": "profiles",
}  # fmt: skip


class Shelf(Mapping[str, Document]):
    """The packaged documents, each read when first asked for: a schedule needs four of them.

    They are checked whole before they ship; a user's folder is always read and checked whole.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths = {"evidence/evidence": folder / "evidence.yaml"}
        for kind, name in FOLDERS.items():
            self._paths |= {f"{kind}/{path.stem}": path for path in sorted((folder / name).glob("*.yaml"))}
        self._read: dict[str, Document] = {}

    def __getitem__(self, name: str) -> Document:
        if name not in self._read:
            path = self._paths[name]
            tree, problems = read_file(path, f"rules/{path.relative_to(self._folder)}")
            document, found = build_document(tree, content_hash(tree)) if tree is not None else (None, [])
            if document is None or document.name != name:
                raise InputRefused([*problems, *found, Problem("broken-package", f"the packaged document '{name}' is damaged",
                                                               hint="Install the program again.")])  # fmt: skip
            self._read[name] = document
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def load(folder: Path | None = None, profile: str | None = None) -> Rulebook:
    """Read a rulebook; raises InputRefused with every problem in every document."""
    if folder is None:
        shelf = Shelf(packaged_folder())
        name = f"profile/{profile or DEFAULT_PROFILE}"
        if name not in shelf:
            known = [n.partition("/")[2] for n in shelf if n.startswith("profile/")]
            raise InputRefused(
                [Problem("unknown-profile", f"no profile is called '{profile}'", hint=nearest(profile or "", known))]
            )
        return Rulebook(shelf, cast("Profile", shelf[name]), packaged_folder())
    rulebook, problems = read(folder, profile)
    if problems or rulebook is None:
        raise InputRefused(problems)
    return rulebook


def read(folder: Path | None = None, profile: str | None = None) -> tuple[Rulebook | None, list[Problem]]:
    """Read a rulebook and every problem in it; the rulebook is None when it cannot be used."""
    problems: list[Problem] = []
    packaged = packaged_folder()
    chosen = packaged if folder is None else folder
    if not chosen.exists():
        return None, [Problem("no-folder", "the rules folder or file does not exist", Source(str(chosen)))]
    drafts = _drafts(chosen, problems)
    alone = any(name.startswith("evidence/") and "extends" not in d.tree.items for name, d in drafts.items())
    base = {} if alone or chosen == packaged else _drafts(packaged, problems)
    if not drafts and not problems:
        problems.append(Problem("empty-folder", "the folder holds no rule documents (*.yaml)", Source(str(chosen))))
    documents: dict[str, Document] = {}
    for name, draft in {**base, **drafts}.items():
        over = name in drafts and name in base
        document = _document(draft, base.get(name) if over else None, base, problems)
        if document is not None:
            documents[document.name] = document
    problems.extend(_cross_check(documents, {**base, **drafts}))
    problems = without_consequences(problems)
    wanted = profile or next(
        (d.id for n, d in documents.items() if n in drafts and isinstance(d, Profile) and base), DEFAULT_PROFILE
    )
    found = documents.get(f"profile/{wanted}")
    if not isinstance(found, Profile):
        profiles = [d.id for d in documents.values() if isinstance(d, Profile)]
        if not problems or profile:
            problems.append(
                Problem(
                    "unknown-profile",
                    f"no profile is called '{wanted}'",
                    Source(str(chosen)),
                    hint=nearest(wanted, profiles),
                )
            )
        return None, problems
    return Rulebook(documents, found, chosen), problems


def _document(
    draft: _Draft, replaced: _Draft | None, base: Mapping[str, _Draft], problems: list[Problem]
) -> Document | None:
    tree = draft.tree
    extends: Extends | None = None
    deviations: tuple[Deviation, ...] = ()
    if "extends" in tree.items:
        notes = Notes()
        with contextlib.suppress(Unreadable):
            tree, extends, deviations = _laid_over(tree, base, notes)
        problems.extend(notes.problems)
        if notes.problems:
            return None
    elif replaced is not None:
        problems.append(
            Problem(
                "replaced-silently",
                "this document is in the packaged rulebook already",
                Source(draft.shown, 1),
                hint="Name the base with 'extends' and list the changes, or give it another id.",
            )
        )
        return None
    document, found = build_document(tree, content_hash(tree))
    problems.extend(found)
    if document is not None and extends is not None:
        object.__setattr__(document, "extends", extends)
        object.__setattr__(document, "deviations", deviations)
    return document


@dataclass(frozen=True)
class _Change:
    at: str
    why: str
    approved_by: str
    source: Source


OVERLAY_KEYS = ("id", "version", "kind", "title", "extends", "changes", "verified", "notes", "effective_from")


def _laid_over(tree: Table, base: Mapping[str, _Draft], notes: Notes) -> tuple[Table, Extends, tuple[Deviation, ...]]:
    """Apply an overlay's changes to its base; only what it names changes."""
    for key in tree.items:
        if key not in OVERLAY_KEYS:
            notes.add(
                "unknown-key",
                f"an overlay has no key '{key}'",
                tree.keys[key],
                f"Put it under 'changes'. Keys: {', '.join(OVERLAY_KEYS)}.",
            )
    extends = build_dataclass(Extends, tree.items["extends"], notes, "'extends'")
    draft = base.get(extends.document)
    if draft is None:
        raise notes.fail(
            "unknown-document",
            f"the packaged rulebook has no document '{extends.document}'",
            extends.source,
            nearest(extends.document, base),
        )
    changes = tree.items.get("changes")
    if not isinstance(changes, Sequence) or not changes.items:
        raise notes.fail(
            "missing-key", "an overlay lists its 'changes', each with at, to, why and approved_by", tree.source
        )
    kind = tree.items.get("kind")
    if isinstance(kind, Scalar) and kind.text != extends.document.partition("/")[0]:
        raise notes.fail("wrong-kind", f"the base '{extends.document}' is of another kind", kind.source)
    result = draft.tree
    deviations: list[Deviation] = []
    for item in changes.items:
        if not isinstance(item, Table) or "to" not in item.items:
            notes.add("missing-key", "a change needs 'at', 'to', 'why' and 'approved_by'", item.source)
            continue
        rest = Table({k: v for k, v in item.items.items() if k != "to"}, item.source, item.keys)
        try:
            change = build_dataclass(_Change, rest, notes, "a change")
            if change.at in {d.at for d in deviations}:
                raise notes.fail(
                    "repeated-value", f"'{change.at}' is changed twice", item.items["at"].source, "Keep one of them."
                )
            place, path = item.items["at"].source, change.at.split(".")
            result = cast("Table", _set(result, path, item.items["to"], place, notes))
            result = _marked_local(result, path, place)
        except Unreadable:
            continue
        deviations.append(Deviation(at=change.at, why=change.why, approved_by=change.approved_by, source=item.source))
    items = dict(result.items)
    for key in ("id", "version", "kind", "title", "verified", "notes", "effective_from"):
        if key in tree.items:
            items[key] = tree.items[key]
    if "verified" not in tree.items:
        items["verified"] = Sequence((), tree.source)
    return Table(items, tree.source, {**result.keys, **tree.keys}), extends, tuple(deviations)


def _set(node: Node, path: list[str], value: Node, place: Source, notes: Notes) -> Node:
    """Give the tree with one value changed; list entries are named by id, or by position from 0."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(node, Table):
        if head not in node.items and rest:
            raise notes.fail("unknown-key", f"the base has no '{head}' here", place, nearest(head, node.items))
        child = _set(node.items[head], rest, value, place, notes) if head in node.items else value
        return Table({**node.items, head: child}, node.source, {head: place, **node.keys})
    if isinstance(node, Sequence):
        names = [_entry_name(item, i) for i, item in enumerate(node.items)]
        if head not in names:
            raise notes.fail("unknown-key", f"the base's list has no entry '{head}'", place, nearest(head, names))
        at = names.index(head)
        child = _set(node.items[at], rest, value, place, notes)
        return Sequence((*node.items[:at], child, *node.items[at + 1 :]), node.source)
    raise notes.fail("unknown-key", f"the base has a single value before '{head}'", place)


def _marked_local(tree: Table, path: list[str], place: Source) -> Table:
    """Give the changed part the basis `local`: a clinic's own number is not what its source published."""
    node: Node = tree
    depth = 0
    for step, head in enumerate(path):
        if isinstance(node, Table):
            depth = step if "basis" in node.items else depth
            node = node.items[head]
        elif isinstance(node, Sequence):
            node = node.items[[_entry_name(item, i) for i, item in enumerate(node.items)].index(head)]
    if path[-1] in ("basis", "title", "notes", "review_by", "version"):
        return tree
    return cast("Table", _set(tree, [*path[:depth], "basis"], Scalar("local", place), place, Notes()))


def _entry_name(node: Node, position: int) -> str:
    own = node.items.get("id") or node.items.get("key") if isinstance(node, Table) else None
    return own.text if isinstance(own, Scalar) else str(position)


def values_in(value: object) -> Iterator[object]:
    """Walk every typed value inside a document, itself included."""
    yield value
    if isinstance(value, tuple | list):
        for item in value:
            yield from values_in(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for f in fields(value):
            yield from values_in(getattr(value, f.name))


def _cross_check(documents: Mapping[str, Document], written: Collection[str]) -> list[Problem]:
    """Check names that point from one document to another; `written` are all, unusable ones included."""
    problems: list[Problem] = []
    evidence = [d for d in documents.values() if isinstance(d, Evidence)]
    keys = {reference.key for d in evidence for reference in d.sources}

    def points(name: str, source: Source) -> None:
        if name not in written:
            problems.append(
                Problem("unknown-document", f"there is no document '{name}'", source, hint=nearest(name, documents))
            )

    for document in documents.values():
        for value in values_in(document):
            source = getattr(value, "source", document.source)
            cited = [value.key] if type(value).__name__ == "Citation" else getattr(value, "cites", ())  # type: ignore[attr-defined]
            problems.extend(
                Problem("unknown-citation", f"no source is called '{key}'", source, hint=nearest(key, sorted(keys)))
                for key in cited
                if keys and key not in keys
            )
        if isinstance(document, Plan):
            if document.risk:
                points(f"risk/{document.risk}", document.source)
            if document.undecided:
                points(f"plan/{document.undecided}", document.source)
                other = documents.get(f"plan/{document.undecided}")
                if isinstance(other, Plan) and other.tiered:
                    problems.append(
                        Problem(
                            "undecided-needs-tier",
                            "the plan followed while undecided needs a tier itself",
                            document.source,
                        )
                    )
        if isinstance(document, PseudoprogressionWindow) and document.unites_with:
            points(f"pseudoprogression/{document.unites_with}", document.source)
            if document.unites_with == document.id:
                problems.append(Problem("circular", "a window cannot be united with itself", document.source))
        if isinstance(document, Simulation):
            for bibliography in (d for d in documents.values() if isinstance(d, Evidence)):
                for taken in lookups(document):
                    try:
                        look_up(taken, bibliography)
                    except InputRefused as refused:
                        problems.extend(refused.problems)
        if isinstance(document, Profile):
            points(f"plan/{document.plan}", document.source)
            points(f"risk/{document.risk}", document.source)
            points(f"sins/{document.sins}", document.source)
            for kind in ("pseudoprogression", "response"):
                for name in getattr(document, kind):
                    points(f"{kind}/{name}", document.source)
            if document.protocol:
                points(f"protocol/{document.protocol}", document.source)
    return problems


__all__ = ["DEFAULT_PROFILE", "Rulebook", "load", "packaged_folder", "read", "text", "values_in"]
