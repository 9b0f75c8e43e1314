"""How the user's files name, write and lay out what we read: the values of a map file.

One TableMap a table. `map_reading` reads them from YAML; `cells` and `records` apply them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from .dates import DateStyle
from .layout import Layout

LONGEST_PATTERN = 200


@dataclass(frozen=True)
class WordRule:
    """One of the user's words, or a /pattern/ of words, and what it means; an empty meaning is a missing value."""

    word: str
    meaning: str

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """The pattern, where the word is written /between slashes/."""
        if len(self.word) > 2 and self.word.startswith("/") and self.word.endswith("/"):
            return re.compile(self.word[1:-1], re.IGNORECASE)
        return None

    def read(self, text: str) -> str | None:
        """Give the meaning of a text; None where this rule does not speak of it."""
        if self.pattern is None:
            return self.meaning if fold(text) == fold(self.word) else None
        found = self.pattern.fullmatch(text)
        return found.expand(self.meaning) if found else None


def fold(text: str) -> str:
    """Give a word as maps compare it: case, outer and repeated spaces do not count."""
    return re.sub(r"\s+", " ", text).strip().casefold()


@dataclass(frozen=True)
class TableMap:
    """How one table of the user's is read."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Our column → the user's."""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Our column → {the user's word: ours}; exact words go before patterns."""
    dates: Mapping[str, tuple[DateStyle, ...]] = field(default_factory=dict)
    decimal: str = "."
    missing: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The user's column → what the rows of this table hold there (an empty text: nothing)."""
    patient_rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """As `where`: rows that hold what is the patient's, filled in where the table's own rows are empty."""
    own: tuple[str, ...] = ()
    """Columns that are the user's own although their names are near ours."""
    layout: Layout = field(default_factory=Layout)
    file: str = ""
    """The map's name, for problems."""
    old: bool = False
    """Whether the map speaks of both tables at once: what it names need not stand in this one."""

    @cached_property
    def missing_words(self) -> frozenset[str]:
        """The words for nothing, folded."""
        return frozenset(fold(word) for word in self.missing)

    def meaning(self, column: str, text: str) -> str:
        """Say in our words what a text of one of our columns means; "" is missing, an unknown word stays."""
        rules = self.rules(column)
        for rule in rules:
            meaning = rule.read(text)
            if meaning is not None:
                return meaning
        return "" if fold(text) in self.missing_words else text

    def rules(self, column: str) -> tuple[WordRule, ...]:
        """Give a column's rules, exact words first."""
        rules = [WordRule(word, meaning) for word, meaning in self.values.get(column, {}).items()]
        return tuple(sorted(rules, key=lambda rule: rule.pattern is not None))


@dataclass(frozen=True)
class MapFile:
    """A whole map: one part for each table."""

    cohort: TableMap = field(default_factory=TableMap)
    imaging: TableMap = field(default_factory=TableMap)
    notes: tuple[str, ...] = ()
    content_hash: str = ""


ColumnMap = TableMap
