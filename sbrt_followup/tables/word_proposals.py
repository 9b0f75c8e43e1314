"""What the words of a closed list mean: the usual ones by the file of words, unknown ones to be filled in by a person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .columns import ColumnSpec
from .left_out import VITAL
from .mapping import WordRule, fold
from .spine_levels import spine_range
from .words import LANGUAGES, words

UNITS = {
    "dose_gy": "gy",
    "gtv_cc": "cc|ml|ccm|cm3|cm³",
    "diameter_mm": "mm",
    "area_mm2": "mm2|mm²|qmm",
    "omed_mg": "mg",
    "field_strength_t": "t|tesla",
}
_NUMBER = r"([-+]?[0-9]+(?:[.,][0-9]+)?)"
_WHOLE_LANGUAGE = 12
"""Lists of a language up to this long are written whole, so that next month's words are known too."""


@dataclass
class WordProposal:
    """What `map` proposes for the words of one column."""

    values: dict[str, str] = field(default_factory=dict)
    """The user's word (or a pattern) → ours."""
    reasons: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)
    """Words to be filled in, with how often they stand there."""
    unread: int = 0
    """Cells that are no number; their words are not shown."""
    comma: int = 0
    point: int = 0


def propose_words(texts: Sequence[tuple[str, int]], spec: ColumnSpec) -> WordProposal:
    """Propose the meaning of a column's distinct texts, each with how often it stands there."""
    if spec.kind in ("number", "integer"):
        return _numbers(texts, spec)
    found = WordProposal()
    usual = words().meanings(spec)
    # Beside a plus, a minus says no, not nothing.
    signed = any(text == "+" for text, _ in texts)
    for text, count in texts:
        if text in spec.levels or (spec.kind == "level" and spine_range(text) is not None):
            continue
        if fold(text) in usual:
            found.values[text] = usual[fold(text)]
            found.reasons[text] = f"{count} cells; a usual word"
        elif (rule := _pattern_of(text, spec)) is not None:
            found.values[rule.word] = rule.meaning
            found.reasons[rule.word] = "a pattern of words"
        elif (fold(text) in words().missing_words() and not (signed and text == "-")) or (
            fold(text) in words().unsure_words() and spec.name not in VITAL
        ):
            found.missing.append(text)
        else:
            found.unknown[text] = count
    _add_language(found, spec)
    return found


def _pattern_of(text: str, spec: ColumnSpec) -> WordRule | None:
    """Find the pattern that reads a text as an allowed value."""
    for rule in words().patterns.get(spec.name, ()):
        meaning = rule.read(text)
        if meaning is not None and (
            meaning in spec.levels or (spec.kind == "level" and spine_range(meaning) is not None)
        ):
            return rule
    return None


def _add_language(found: WordProposal, spec: ColumnSpec) -> None:
    """Write the short list of yes and no whole, in the language that knows most of the words that stand there."""
    if not found.values or set(spec.levels) != {"yes", "no"}:
        return
    present = {fold(word) for word in found.values}
    lists = {language: words().meanings(spec, language) for language in LANGUAGES}
    best = max(LANGUAGES, key=lambda language: len(present & set(lists[language])))
    listed = {word: value for word, value in lists[best].items() if len(word) > 1 and word not in spec.levels}
    for word, value in listed.items():
        if len(listed) <= _WHOLE_LANGUAGE and word not in present and word not in found.unknown:
            found.values[word] = value
            found.reasons[word] = "the same language"


def _numbers(texts: Sequence[tuple[str, int]], spec: ColumnSpec) -> WordProposal:
    found = WordProposal()
    unit = UNITS.get(spec.name, "")
    with_unit = re.compile(rf"{_NUMBER} ?(?:{unit})", re.IGNORECASE) if unit else None
    for text, count in texts:
        number = re.fullmatch(_NUMBER, text)
        if number is None and with_unit is not None and (number := with_unit.fullmatch(text)):
            word = f"/{_NUMBER} ?(?:{unit})/"
            found.values[word] = "\\1"
            found.reasons[word] = "numbers with their unit"
        if number is not None:
            found.comma += count * ("," in number[1])
            found.point += count * ("." in number[1])
        elif fold(text) in words().missing_words() | words().unsure_words():
            found.missing.append(text)
        else:
            found.unread += count
    return found


def fits(texts: Sequence[tuple[str, int]], spec: ColumnSpec) -> bool:
    """Tell whether a column holds what ours should: at least half of its filled cells can be read."""
    cells = sum(count for _, count in texts)
    if not cells or spec.kind == "text":
        return True
    if spec.kind == "date":
        from .date_styles import propose_styles

        empty = words().missing_words() | words().unsure_words()
        dated = [(text, count) for text, count in texts if fold(text) not in empty]
        return not dated or propose_styles(dated, spec.month_allowed).unread * 2 <= sum(count for _, count in dated)
    proposed = propose_words(texts, spec)
    return (sum(proposed.unknown.values()) + proposed.unread) * 2 <= cells
