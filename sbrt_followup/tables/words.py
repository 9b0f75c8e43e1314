"""The words people use for our columns and their values, from `words.yaml`, in six languages.

They are no clinical content: they only help to propose a map, in which every proposal is written out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..rulebook.parsing import plain, read_file
from .columns import COHORT, IMAGING, ColumnSpec
from .guards import plain_name
from .mapping import WordRule, fold

FILE = Path(__file__).with_name("words.yaml")
LANGUAGES = ("en", "de", "fr", "it", "es", "nl")


@dataclass(frozen=True)
class Words:
    """The file's content, by use."""

    columns: Mapping[str, Mapping[str, tuple[str, ...]]]
    """Our column → language → names."""
    values: Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]]
    """Column (or yes_no) → our value → language → words."""
    patterns: Mapping[str, tuple[WordRule, ...]]
    missing: Mapping[str, tuple[str, ...]]
    unsure: Mapping[str, tuple[str, ...]]
    totals: Mapping[str, tuple[str, ...]]
    months: tuple[tuple[str, ...], ...]

    def names(self, column: str) -> dict[str, str]:
        """Give the plain names of a column, each with its language."""
        found: dict[str, str] = {}
        for language, names in self.columns.get(column, {}).items():
            for name in names:
                found.setdefault(plain_name(name), language)
        return found

    def meanings(self, spec: ColumnSpec, language: str = "") -> dict[str, str]:
        """Give the usual words of a column, folded, each with our value; of one language or of all."""
        key = "yes_no" if set(spec.levels) == {"yes", "no"} else spec.name
        found: dict[str, str] = {}
        for value, languages in self.values.get(key, {}).items():
            for name, listed in languages.items():
                for word in listed if language in ("", name) else ():
                    found.setdefault(fold(word), value)
        return found

    def missing_words(self) -> frozenset[str]:
        """Give every word for nothing, folded."""
        return frozenset(fold(word) for listed in self.missing.values() for word in listed)

    def unsure_words(self) -> frozenset[str]:
        """Give every word for "not known", folded."""
        return frozenset(fold(word) for listed in self.unsure.values() for word in listed)

    def total_words(self) -> tuple[str, ...]:
        """Give the words that a row of totals begins with, folded."""
        return tuple(dict.fromkeys(fold(word) for listed in self.totals.values() for word in listed))


@lru_cache(maxsize=1)
def words() -> Words:
    """Read the file of words."""
    tree, problems = read_file(FILE, FILE.name)
    # Y, N, no and the like are what this file is about.
    wrong = [problem for problem in problems if problem.code != "yaml-trap"]
    assert tree is not None and not wrong, wrong
    content: Any = plain(tree)
    return Words(
        {column: _lists(languages) for column, languages in content["columns"].items()},
        {
            column: {value: _lists(languages) for value, languages in meanings.items()}
            for column, meanings in content["values"].items()
        },
        {
            column: tuple(WordRule(f"/{rule['pattern']}/", rule["meaning"]) for rule in rules)
            for column, rules in content["patterns"].items()
        },
        _lists(content["missing"]),
        _lists(content["unsure"]),
        _lists(content["totals"]),
        tuple(tuple(names) for names in content["months"]),
    )


def _lists(languages: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {language: tuple(listed) for language, listed in languages.items()}


def declared_columns() -> dict[str, ColumnSpec]:
    """Give every declared column of both tables by its name."""
    return {spec.name: spec for spec in (*COHORT, *IMAGING)}
