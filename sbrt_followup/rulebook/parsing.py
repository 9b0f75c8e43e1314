"""YAML text → a strict tree of texts with places; the only importer of yaml.

Every scalar keeps its source text: `no`, `012` and `1:30` never turn into something else. What YAML would silently
reinterpret is refused here; what a text means is settled by the type that receives it (`structure.py`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from ..problems import InputRefused, Problem, Source

LARGEST_FILE = 2_000_000
DEEPEST = 40


@dataclass(frozen=True)
class Scalar:
    """One text; `plain` tells it stood without quotes."""

    text: str
    source: Source
    plain: bool = True


@dataclass(frozen=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    source: Source


@dataclass(frozen=True)
class Table:
    """A mapping with unique text keys, in file order."""

    items: dict[str, Node]
    source: Source
    keys: dict[str, Source] = field(default_factory=dict)


Node: TypeAlias = Scalar | Sequence | Table

# What YAML 1.1 would turn into a number, a flag, a null or a date behind the writer's back.
_TRAPS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i:on|off|y|n)"), "write yes or no for a fact, true or false for a flag"),
    (re.compile(r"(?!yes$|no$|true$|false$)(?i:yes|no|true|false)"), "write it in lower case"),
    (re.compile(r"(?i:null)|~|"), "leave the key out, or write the value"),
    (re.compile(r"[-+]?0\d+(\.\d*)?"), "a leading zero reads as octal; drop it, or quote the text"),
    (re.compile(r"[-+]?\d+(:[0-5]?\d)+(\.\d*)?"), "a colon reads as base 60; quote the text"),
    (re.compile(r"[-+]?0[xXoObB][0-9a-fA-F_]+"), "write a decimal number"),
    (re.compile(r"[-+]?\d[\d_]*_[\d_]*"), "write the number without underscores"),
    (re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+"), "write the number out"),
    (re.compile(r"[-+]?(\.\d+|\d+\.)"), "write a digit on both sides of the point"),
    (re.compile(r"\+\d.*"), "drop the plus sign"),
    (re.compile(r"[-+]?\.(?i:inf)|\.(?i:nan)"), "leave the limit out"),
    (re.compile(r"\d+,\d+"), "write a decimal point, not a comma"),
)


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Problems of reading a text: what follows from them at the same place is not worth a second line.
READING_CODES = frozenset({"yaml-trap", "alias", "tag"})


def without_consequences(problems: list[Problem]) -> list[Problem]:
    """Leave out what a later step said of a place that could not be read in the first place."""
    unread = {p.source for p in problems if p.code in READING_CODES}
    return [p for p in problems if p.code in READING_CODES or p.source is None or p.source not in unread]


def _trap(text: str) -> str | None:
    return next((advice for pattern, advice in _TRAPS if pattern.fullmatch(text)), None)


class _Reader:
    """Build the tree from YAML events, collecting problems instead of stopping at the first."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []

    def place(self, mark: object) -> Source:
        return Source(self.name, getattr(mark, "line", -1) + 1, getattr(mark, "column", -1) + 1)

    def problem(self, code: str, message: str, source: Source, hint: str = "") -> None:
        self.problems.append(Problem(code, message, source, hint=hint))

    def node(self, event: object, events: Iterator[object], depth: int) -> Node:
        kind = type(event).__name__
        source = self.place(getattr(event, "start_mark", None))
        if depth > DEEPEST:
            raise InputRefused([Problem("too-deep", f"nested deeper than {DEEPEST} levels", source)])
        if kind == "AliasEvent" or getattr(event, "anchor", None):
            self.problem("alias", "anchors and aliases (& and *) are not allowed", source, "Write the value out.")
        if kind == "AliasEvent":
            return Scalar("*", source, plain=False)
        tag = getattr(event, "tag", None)
        if tag and tag != "!":
            self.problem("tag", "type tags (!…) are not allowed", source, "Write the plain value.")
        if kind == "ScalarEvent":
            return self._scalar(event, source)
        if kind == "SequenceStartEvent":
            items: list[Node] = []
            while type(item := next(events)).__name__ != "SequenceEndEvent":
                items.append(self.node(item, events, depth + 1))
            return Sequence(tuple(items), source)
        return self._table(events, source, depth)

    def _scalar(self, event: object, source: Source) -> Scalar:
        text = str(getattr(event, "value", ""))
        plain = getattr(event, "style", None) in (None, "")
        if plain and (advice := _trap(text)) is not None:
            shown = f"'{text}'" if text else "an empty value"
            self.problem("yaml-trap", f"{shown} is ambiguous in YAML: {advice}", source)
        return Scalar(text, source, plain)

    def _table(self, events: Iterator[object], source: Source, depth: int) -> Table:
        items: dict[str, Node] = {}
        keys: dict[str, Source] = {}
        while type(event := next(events)).__name__ != "MappingEndEvent":
            key_node = self.node(event, events, depth + 1)
            value = self.node(next(events), events, depth + 1)
            if not isinstance(key_node, Scalar):
                self.problem("bad-key", "a key must be one word", key_node.source)
                continue
            key = key_node.text
            if key == "<<":
                self.problem("alias", "merge keys (<<) are not allowed", key_node.source, "Write the values out.")
            elif key in items:
                first = keys[key].line
                self.problem(
                    "duplicate-key",
                    f"the key '{key}' stands twice (first in line {first})",
                    key_node.source,
                    "Keep one of them.",
                )
            else:
                items[key] = value
                keys[key] = key_node.source
        return Table(items, source, keys)


def read_text(text: str, name: str) -> tuple[Table | None, list[Problem]]:
    """Read one document from text; `name` stands in every place. Gives the tree (None when unreadable) and problems."""
    import yaml

    if (bad := _CONTROL.search(text)) is not None:
        line_start = text.rfind("\n", 0, bad.start()) + 1
        source = Source(name, text.count("\n", 0, bad.start()) + 1, bad.start() - line_start + 1)
        return None, [Problem("yaml-syntax", "a control character stands in the text", source, hint="Delete it.")]
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    reader = _Reader(name)
    try:
        events = iter(yaml.parse(text, Loader=loader))
        root: Node | None = None
        for event in events:
            kind = type(event).__name__
            if kind in ("StreamStartEvent", "StreamEndEvent", "DocumentStartEvent", "DocumentEndEvent"):
                continue
            node = reader.node(event, events, 0)
            if root is not None:
                reader.problem("two-documents", "a file holds one document", node.source, "Move the second one out.")
                break
            root = node
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or "not readable as YAML"
        reader.problem("yaml-syntax", f"YAML syntax: {what}", reader.place(mark), "Check quotes, colons and indent.")
        return None, reader.problems
    except InputRefused as refused:
        return None, [*reader.problems, *refused.problems]
    if root is None:
        reader.problem("empty-document", "the file is empty", Source(name), "Write a document or delete the file.")
        return None, reader.problems
    if not isinstance(root, Table):
        reader.problem("not-a-mapping", "a document is a mapping with an id and a kind", root.source)
        return None, reader.problems
    return root, reader.problems


def read_file(path: Path, name: str | None = None) -> tuple[Table | None, list[Problem]]:
    """Read one document from a file, UTF-8, at most 2 MB."""
    shown = name or str(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        return None, [Problem("unreadable", f"cannot be read: {error.strerror or 'I/O error'}", Source(shown))]
    if len(data) > LARGEST_FILE:
        return None, [Problem("too-large", "larger than 2 MB, which no rule document is", Source(shown))]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return None, [Problem("not-utf8", "not UTF-8 text", Source(shown, line), hint="Save the file as UTF-8.")]
    return read_text(text, shown)


def plain(node: Node) -> object:
    """Give the tree as dicts, lists and texts, without places."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, value in node.items.items()}


def content_hash(tree: Table) -> str:
    """Hash what a document says: SHA-256 over its texts, without comments, layout and `verified`."""
    content = {key: plain(value) for key, value in tree.items.items() if key != "verified"}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
