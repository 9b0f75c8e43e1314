"""Cases: what a document must conclude for a patient, in a file that is its twin (`rules/cases/<kind>/<id>.yaml`).

A case gives facts (`given`) and what must follow (`expect`); only the keys it names are compared. A fact it does not
name is unknown. Files in `rules/cases/<folder>/<kind>/<id>.yaml` form a set of their own, told apart in the report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..problems import Problem, Source
from ..rulebook.parsing import Node, Sequence, read_file
from ..rulebook.structure import Notes, Unreadable, build_dataclass, table, text

OWN = "own"
Word = str | tuple[str, ...]
Words = Mapping[str, Word]


@dataclass(frozen=True)
class Said:
    """Texts by name, each a word or a list of words."""

    words: Words

    @staticmethod
    def from_node(node: Node, notes: Notes) -> Said:
        """Read `{name: word, name: [word, word]}`."""
        words: dict[str, Word] = {}
        for name, child in table(node, notes, "this").items.items():
            if isinstance(child, Sequence):
                words[name] = tuple(text(item, notes) for item in child.items)
            else:
                words[name] = text(child, notes)
        return Said(words)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One patient and what must follow."""

    id: str
    why: str
    given: Said
    expect: Said
    source: Source
    differs: str = ""
    """Why the document concludes otherwise: an open difference of reading, kept in a second set."""


@dataclass(frozen=True, kw_only=True)
class _File:
    document: str
    cases: tuple[Case, ...]
    source: Source
    written_from: str = ""


@dataclass(frozen=True)
class CaseFile:
    """The cases of one document, and the set they belong to."""

    document: str
    cases: tuple[Case, ...]
    source: Source
    set: str = OWN
    written_from: str = ""


def case_files(folder: Path) -> tuple[tuple[CaseFile, ...], list[Problem]]:
    """Read every case file of a rules folder."""
    files: list[CaseFile] = []
    problems: list[Problem] = []
    root = folder / "cases"
    for path in sorted(root.rglob("*.yaml")) if root.is_dir() else []:
        place = path.relative_to(root)
        shown = f"{folder.name}/cases/{place}"
        tree, found = read_file(path, shown)
        problems.extend(found)
        if tree is None:
            continue
        notes = Notes()
        try:
            one = build_dataclass(_File, tree, notes, "a case file")
        except Unreadable:
            problems.extend(notes.problems)
            continue
        problems.extend(_checked(one, place, shown))
        own = place.parts[0] if len(place.parts) > 2 else OWN
        files.append(CaseFile(one.document, one.cases, one.source, own, one.written_from))
    return tuple(files), problems


def _checked(one: _File, place: Path, shown: str) -> list[Problem]:
    problems: list[Problem] = []
    if "/".join(place.with_suffix("").parts[-2:]) != one.document:
        problems.append(
            Problem("misplaced-cases", f"the cases of '{one.document}' belong into <kind>/<id>.yaml", Source(shown, 1))
        )
    seen: set[str] = set()
    for case in one.cases:
        if case.id in seen:
            problems.append(Problem("repeated-id", f"case '{case.id}' stands twice", case.source))
        seen.add(case.id)
        if case.differs and len(place.parts) <= 2:
            problems.append(
                Problem(
                    "own-case-differs",
                    f"case '{case.id}' of the document's own cases differs from it",
                    case.source,
                    hint="A document agrees with its own cases; only a set of others' cases may differ, with a reason.",
                )
            )
    return problems


@dataclass(frozen=True)
class Result:
    """What a document concluded for a case, and where that differs from what must follow."""

    document: str
    set: str
    case: Case
    actual: Mapping[str, Word]
    wrong: tuple[str, ...]
    """The names under `expect` that came out otherwise."""

    @property
    def agrees(self) -> bool:
        """Whether everything came out as expected."""
        return not self.wrong

    @property
    def passed(self) -> bool:
        """Whether the case agrees, or differs as it says it does."""
        return self.agrees is not bool(self.case.differs)


def compared(file: CaseFile, case: Case, actual: Mapping[str, Word]) -> Result:
    """Hold what followed against what must follow."""
    wrong = tuple(name for name, value in case.expect.words.items() if not same(value, actual.get(name)))
    return Result(file.document, file.set, case, actual, wrong)


def same(expected: Word, actual: Word | None) -> bool:
    """Whether two words agree; numbers by value, a lone word also as a list of one."""
    if actual is None:
        return False
    one = (expected,) if isinstance(expected, str) else expected
    other = (actual,) if isinstance(actual, str) else actual
    return len(one) == len(other) and all(
        a == b or _number(a) == _number(b) != a for a, b in zip(one, other, strict=True)
    )


def _number(word: str) -> object:
    from fractions import Fraction

    try:
        return Fraction(word)
    except (ValueError, ZeroDivisionError):
        return word
