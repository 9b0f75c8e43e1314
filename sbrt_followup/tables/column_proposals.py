"""Which of the user's columns is which of ours: by name, near name or a word of six languages, held against what it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .columns import ColumnSpec
from .guards import meant, plain_name
from .words import words

EXACT, NEAR, WORD, PART = 100, 90, 80, 60
SHORTEST_PART = 8
"""Letters that a word needs to be recognised inside a longer name."""
LANGUAGE = {"en": "English", "de": "German", "fr": "French", "it": "Italian", "es": "Spanish", "nl": "Dutch"}


@dataclass(frozen=True)
class Candidate:
    """A column of the user's that could be one of ours."""

    ours: str
    theirs: str
    score: int
    reason: str


def candidates(names: Sequence[str], specs: Sequence[ColumnSpec]) -> list[Candidate]:
    """List every pair of one of our columns and one of the user's that belong together by name."""
    found = [
        _candidate(name, spec.name, known)
        for spec, known in ((spec, words().names(spec.name)) for spec in specs)
        for name in names
        if name
    ]
    return [candidate for candidate in found if candidate is not None]


def _candidate(name: str, ours: str, known: Mapping[str, str]) -> Candidate | None:
    if name == ours:
        return Candidate(ours, name, EXACT, "our name")
    if meant(name, [ours]):
        return Candidate(ours, name, NEAR, "nearly our name")
    # What stands in brackets is a unit or a remark: Volumen (cc).
    for plain in dict.fromkeys((plain_name(name), plain_name(re.sub(r"[(\[].*?[)\]]", "", name)))):
        if plain in known:
            return Candidate(ours, name, WORD, f"the {LANGUAGE[known[plain]]} word for it")
    plain = plain_name(name)
    part = next((word for word in known if len(word) >= SHORTEST_PART and word in plain), "")
    return Candidate(ours, name, PART, f"holds the {LANGUAGE[known[part]]} word for it") if part else None


def header_score(specs: Sequence[ColumnSpec]) -> Mapping[str, int]:
    """Give how much each plain name says that its row is a header of this table: required columns count thrice."""
    weight: dict[str, int] = {}
    for spec in specs:
        for plain in (plain_name(spec.name), *words().names(spec.name)):
            weight[plain] = max(weight.get(plain, 0), 3 if spec.required else 2)
    return weight


def settle(
    found: Sequence[Candidate], fits: Mapping[tuple[str, str], bool]
) -> tuple[dict[str, Candidate], dict[str, list[Candidate]]]:
    """Give each of our columns its best candidate that holds what it should; columns with two equals are asked about."""
    taken: dict[str, Candidate] = {}
    asked: dict[str, list[Candidate]] = {}
    used: set[str] = set()
    usable = [c for c in found if fits.get((c.ours, c.theirs), True)]
    for score in sorted({c.score for c in usable}, reverse=True):
        level = [
            c
            for c in usable
            if c.score == score and c.ours not in taken and c.ours not in asked and c.theirs not in used
        ]
        for ours in dict.fromkeys(c.ours for c in level):
            mine = [c for c in level if c.ours == ours and c.theirs not in used]
            rivals = {c.ours for c in level if any(c.theirs == m.theirs for m in mine)}
            if len(mine) == 1 and (len(rivals) == 1 or score >= NEAR or _is_first(mine[0], level)):
                taken[ours] = mine[0]
                used.add(mine[0].theirs)
            elif len(mine) > 1:
                asked[ours] = mine
    return taken, asked


def _is_first(candidate: Candidate, level: Sequence[Candidate]) -> bool:
    """Of several of our columns for one of the user's, the one declared first."""
    return next(c for c in level if c.theirs == candidate.theirs) == candidate
