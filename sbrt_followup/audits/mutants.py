"""One-token changes of a document: what a slip of the pen could make of it.

Changed are thresholds and day or month numbers (one step up and down: the last digit written), levels (to the next), operators
(with or without the edge), outcomes, picks, anchors, and single entries of lists. Words that decide nothing are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..problems import Source
from ..rulebook.conditions import OPERATORS, decimal
from ..rulebook.model import DecisionTable, Document, Plan, PseudoprogressionWindow, SinsScore
from ..rulebook.parsing import Node, Scalar, Table
from ..rulebook.parsing import Sequence as Items
from ..vocabulary import FACTS

EDGES = {"at_least": "above", "above": "at_least", "at_most": "below", "below": "at_most"}
PICKS = ("min", "middle", "max")
ANCHORS = ("last_mri", "time_zero")
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Mutant:
    """One changed document, as a tree, and the token that changed."""

    document: str
    source: Source
    before: str
    after: str
    tree: Table

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"


@dataclass(frozen=True)
class _Change:
    path: Path
    source: Source
    before: str
    after: str
    node: Node | None
    """The new value; None drops the entry."""
    key: str = ""
    """A new name for the last key of the path."""


def mutants(document: Document, tree: Table) -> Iterator[Mutant]:
    """Give every one-token change of a document that could change a conclusion."""
    for change in _changes(document, tree):
        changed = _put(tree, change.path, change)
        assert isinstance(changed, Table)
        yield Mutant(document.name, change.source, change.before, change.after, changed)


def _put(node: Node, path: Path, change: _Change) -> Node:
    head, rest = path[0], path[1:]
    if isinstance(node, Table):
        items: dict[str, Node] = {}
        for key, child in node.items.items():
            if key != head:
                items[key] = child
            elif rest:
                items[key] = _put(child, rest, change)
            elif change.node is not None:
                items[change.key or key] = change.node
        return Table(items, node.source, {**node.keys, change.key: node.source})
    assert isinstance(node, Items)
    entries: list[Node] = []
    for number, child in enumerate(node.items):
        if number != head:
            entries.append(child)
        elif rest:
            entries.append(_put(child, rest, change))
        elif change.node is not None:
            entries.append(change.node)
    return Items(tuple(entries), node.source)


def _changes(document: Document, tree: Table) -> Iterator[_Change]:
    if isinstance(document, DecisionTable):
        yield from _of_table(document, tree)
    elif isinstance(document, Plan):
        yield from _of_plan(tree)
    elif isinstance(document, PseudoprogressionWindow):
        for edge in ("from", "to"):
            yield from _numbers(tree, ("window", edge))
        if "when" in tree.items:
            yield from _of_condition(tree.items["when"], ("when",))
        yield from _dropped(tree, ("unites_with",))
    elif isinstance(document, SinsScore):
        for i, item in enumerate(_entries(tree, "items")):
            for k, _ in enumerate(_entries(item, "scores")):
                yield from _numbers(tree, ("items", i, "scores", k, "points"))
        for i, _ in enumerate(_entries(tree, "categories")):
            for edge in ("from", "to"):
                yield from _numbers(tree, ("categories", i, edge))


# ---- reading the tree ----


def _entries(node: Node, key: str) -> tuple[Node, ...]:
    child = node.items.get(key) if isinstance(node, Table) else None
    return child.items if isinstance(child, Items) else ()


def _at(node: Node, path: Path) -> Node | None:
    for step in path:
        if isinstance(step, str):
            found = node.items.get(step) if isinstance(node, Table) else None
        else:
            found = node.items[step] if isinstance(node, Items) and step < len(node.items) else None
        if found is None:
            return None
        node = found
    return node


def _scalar(text: str, like: Scalar) -> Scalar:
    return Scalar(text, like.source, like.plain)


def step_of(text: str) -> Fraction:
    """Give one step of a number as written: its last digit."""
    return Fraction(1, 10 ** len(text.partition(".")[2]))


# ---- changing it ----


def _numbers(tree: Table, path: Path) -> Iterator[_Change]:
    """Move a number, or each end of a range, one step up and down."""
    node = _at(tree, path)
    if isinstance(node, Items):
        for i, _ in enumerate(node.items):
            yield from _numbers(tree, (*path, i))
    elif isinstance(node, Scalar):
        yield from _moved(node, path)


def _moved(node: Scalar, path: Path) -> Iterator[_Change]:
    value, step = Fraction(node.text), step_of(node.text)
    for other in (value - step, value + step):
        text = decimal(other)
        yield _Change(path, node.source, node.text, text, _scalar(text, node))


def _words(tree: Table, path: Path, words: Sequence[str]) -> Iterator[_Change]:
    node = _at(tree, path)
    if isinstance(node, Scalar):
        for word in words:
            if word != node.text:
                yield _Change(path, node.source, node.text, word, _scalar(word, node))


def _dropped(tree: Table, path: Path) -> Iterator[_Change]:
    node = _at(tree, path)
    if isinstance(node, Scalar):
        yield _Change(path, node.source, node.text, "(dropped)", None)


def _of_plan(tree: Table) -> Iterator[_Change]:
    for i, schedule in enumerate(_entries(tree, "schedules")):
        here: Path = ("schedules", i)
        for key in ("at", "no_later_than"):
            yield from _numbers(tree, (*here, "first", key))
        for k, _ in enumerate(_entries(schedule, "phases")):
            for key in ("every", "until"):
                yield from _numbers(tree, (*here, "phases", k, key))
                yield from _words(tree, (*here, "phases", k, f"{key}_pick"), PICKS)
    yield from _numbers(tree, ("tolerance", "value"))
    yield from _numbers(tree, ("horizon", "value"))
    yield from _words(tree, ("anchor", "from"), ANCHORS)


def _of_table(table: DecisionTable, tree: Table) -> Iterator[_Change]:
    for part in ("features", "rules"):
        for i, entry in enumerate(_entries(tree, part)):
            condition = _at(entry, ("when",))
            if condition is not None:
                yield from _of_condition(condition, (part, i, "when"))
            yield from _words(tree, (part, i, "then"), table.outcomes)
    yield from _words(tree, ("otherwise",), [*table.outcomes, "none"])
    yield from _numbers(tree, ("course", "value"))
    for i, cut in enumerate(_entries(_at(tree, ("sensitivity",)) or tree, "cuts")):
        for k, entry in enumerate(_entries(cut, "at_least")):
            if isinstance(entry, Scalar):
                yield _Change(
                    ("sensitivity", "cuts", i, "at_least", k), entry.source, entry.text, "(dropped)", None
                )  # fmt: skip


def _of_condition(node: Node, path: Path) -> Iterator[_Change]:
    if not isinstance(node, Table):
        return
    for name, child in node.items.items():
        here = (*path, name)
        if isinstance(child, Scalar):
            yield from _of_operand(name, child, here)
            continue
        if not isinstance(child, Table):
            continue
        for op, operand in child.items.items():
            if op not in OPERATORS:
                continue
            if op in EDGES and _edges_matter(name):
                yield _Change((*here, op), child.keys[op], op, EDGES[op], operand, EDGES[op])
            if op == "is" and name == "count":
                for other in ("at_least", "at_most"):
                    yield _Change((*here, op), child.keys[op], op, other, operand, other)
            entries = operand.items if isinstance(operand, Items) else ()
            for k, entry in enumerate(entries):
                if isinstance(entry, Scalar):
                    yield from _of_operand(name, entry, (*here, op, k))
                    if op == "any_of" and len(entries) > 1:
                        yield _Change((*here, op, k), entry.source, entry.text, "(dropped)", None)
            if isinstance(operand, Scalar):
                yield from _of_operand(name, operand, (*here, op))
        for k, feature in enumerate(_entries(child, "of")):
            if isinstance(feature, Scalar):
                yield _Change((*here, "of", k), feature.source, feature.text, "(dropped)", None)


def _edges_matter(name: str) -> bool:
    return name == "count" or FACTS[name].ordered


def _of_operand(name: str, node: Scalar, path: Path) -> Iterator[_Change]:
    """Move a threshold one step, a level to its neighbours, another label to the next one."""
    if name == "count" or not FACTS[name].finite:
        yield from _moved(node, path)
        return
    fact = FACTS[name]
    at = fact.levels.index(node.text)
    others = (at - 1, at + 1) if fact.ordered else ((at + 1) % len(fact.levels),)
    for i in others:
        if 0 <= i < len(fact.levels):
            yield _Change(path, node.source, node.text, fact.levels[i], _scalar(fact.levels[i], node))
