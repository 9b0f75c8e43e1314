"""A strict tree → frozen typed values, driven by the dataclasses themselves; every problem in one go.

A field's type says what its text may be: `str`, `bool` (true/false), `int`, `Fraction` (a decimal number), `Literal`
(a closed list), a dataclass, `tuple[T, ...]` (a list), `dict[str, T]`, `T | None`. A class may bring its own
`from_node`. A field named `source` receives the place. Metadata: `key` (name in the file), `pattern`, `says`.
"""

from __future__ import annotations

import dataclasses
import re
import types
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ..problems import Problem, Source, nearest
from .parsing import Node, Scalar, Sequence, Table

T = TypeVar("T")
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)
INTEGER = re.compile(r"-?(0|[1-9]\d*)", re.ASCII)
DATE = r"\d{4}-\d{2}-\d{2}"


class Unreadable(Exception):  # noqa: N818 - control flow inside this module and `from_node`
    """A value could not be built; its problems are already noted."""


@dataclass
class Notes:
    """Collects the problems of one document."""

    problems: list[Problem] = field(default_factory=list)

    def add(self, code: str, message: str, source: Source, hint: str = "") -> None:
        """Note one problem."""
        self.problems.append(Problem(code, message, source, hint=hint))

    def fail(self, code: str, message: str, source: Source, hint: str = "") -> Unreadable:
        """Note one problem and give the exception to raise."""
        self.add(code, message, source, hint)
        return Unreadable()


@cache
def fields_of(cls: type) -> tuple[tuple[str, str, Any, bool, str, str], ...]:
    """List a dataclass's fields: (name, key in the file, type, required, pattern, what it says)."""
    hints = get_type_hints(cls)
    return tuple(
        (
            f.name,
            f.metadata.get("key", f.name),
            hints[f.name],
            f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING,
            f.metadata.get("pattern", ""),
            f.metadata.get("says", ""),
        )
        for f in dataclasses.fields(cls)
        # A document's own hash is computed; the hash an approval or an overlay names is written down.
        if f.init and f.name != "source" and not (f.name == "content_hash" and f.default == "")
    )


def number(node: Node, notes: Notes) -> Fraction:
    """Read a decimal number, exactly."""
    if isinstance(node, Scalar) and node.plain and NUMBER.fullmatch(node.text):
        return Fraction(node.text)
    what = f"'{node.text}' is" if isinstance(node, Scalar) else "this is"
    raise notes.fail("not-a-number", f"{what} not a number", node.source, "Write a plain number, the unit apart.")


def text(node: Node, notes: Notes) -> str:
    """Read one text, not empty."""
    if not isinstance(node, Scalar):
        raise notes.fail("not-a-text", "a text was expected here, not a list or mapping", node.source)
    if not node.text.strip():
        raise notes.fail("empty-text", "the text is empty", node.source)
    return node.text.strip()


def table(node: Node, notes: Notes, what: str) -> Table:
    """Read a mapping."""
    if not isinstance(node, Table):
        raise notes.fail("not-a-mapping", f"{what} must be a mapping (key: value)", node.source)
    return node


def build(kind: Any, node: Node, notes: Notes, what: str = "this") -> Any:
    """Build a value of a type from a node; raises Unreadable after noting why."""
    if hasattr(kind, "from_node"):
        return kind.from_node(node, notes)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return build(next(a for a in get_args(kind) if a is not type(None)), node, notes, what)
    if origin is Literal:
        word = text(node, notes)
        if word not in get_args(kind):
            raise notes.fail(
                "not-allowed", f"'{word}' is not allowed for {what}", node.source, f"{nearest(word, get_args(kind))}"
            )
        return word
    if origin is tuple:
        return _build_list(get_args(kind)[0], node, notes, what)
    if origin is dict:
        entries = table(node, notes, what)
        return {key: build(get_args(kind)[1], value, notes, key) for key, value in entries.items.items()}
    if dataclasses.is_dataclass(kind):
        return build_dataclass(kind, node, notes, what)  # type: ignore[arg-type]
    if kind is bool:
        word = text(node, notes)
        if word not in ("true", "false"):
            raise notes.fail("not-a-flag", f"{what} is a document flag", node.source, "Write true or false.")
        return word == "true"
    if kind is Fraction:
        return number(node, notes)
    if kind is int:
        if isinstance(node, Scalar) and node.plain and INTEGER.fullmatch(node.text):
            return int(node.text)
        raise notes.fail("not-an-integer", f"{what} must be a whole number", node.source)
    return text(node, notes)


def _build_list(kind: Any, node: Node, notes: Notes, what: str) -> tuple[Any, ...]:
    if not isinstance(node, Sequence):
        raise notes.fail("not-a-list", f"{what} must be a list ([a, b] or lines with -)", node.source)
    values: list[Any] = []
    failed = False
    for item in node.items:
        try:
            values.append(build(kind, item, notes, f"an entry of {what}"))
        except Unreadable:
            failed = True
    if failed:
        raise Unreadable
    return tuple(values)


def _has_form(word: str, pattern: str) -> bool:
    if not re.fullmatch(pattern, word, re.ASCII):
        return False
    if pattern != DATE:
        return True
    try:
        date.fromisoformat(word)
    except ValueError:
        return False
    return True


def build_dataclass(cls: type[T], node: Node, notes: Notes, what: str) -> T:
    """Build one frozen value from a mapping: unknown, missing and wrong keys are all noted before giving up."""
    entries = table(node, notes, what)
    known = fields_of(cls)  # type: ignore[arg-type]
    allowed = [key for _, key, *_ in known]
    failed = False
    for key in entries.items:
        if key not in allowed:
            notes.add(
                "unknown-key", f"the key '{key}' is not known in {what}", entries.keys[key], nearest(key, allowed)
            )
            failed = True
    values: dict[str, Any] = {}
    for name, key, kind, required, pattern, says in known:
        child = entries.items.get(key)
        if child is None:
            if required:
                notes.add("missing-key", f"{what} needs the key '{key}'", entries.source)
                failed = True
            continue
        try:
            values[name] = build(kind, child, notes, f"'{key}'")
        except Unreadable:
            failed = True
            continue
        if pattern and isinstance(values[name], str) and not _has_form(values[name], pattern):
            notes.add("bad-form", f"'{key}' must be {says or pattern}", child.source)
            failed = True
    if failed:
        raise Unreadable
    if "source" in cls.__dataclass_fields__:  # type: ignore[attr-defined]
        values["source"] = entries.source
    return cls(**values)
