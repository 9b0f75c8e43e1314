"""The file of words: every language is there, no word means two things, and every pattern gives what it should."""

from __future__ import annotations

import pytest

from sbrt_followup.tables.column_proposals import candidates
from sbrt_followup.tables.columns import COHORT, IMAGING
from sbrt_followup.tables.mapping import fold
from sbrt_followup.tables.spine_levels import spine_range
from sbrt_followup.tables.word_proposals import propose_words
from sbrt_followup.tables.words import LANGUAGES, declared_columns, words

SPECS = declared_columns()


def test_only_our_columns_and_values_are_named() -> None:
    assert set(words().columns) <= set(SPECS)
    for column, values in words().values.items():
        levels = ("yes", "no") if column == "yes_no" else SPECS[column].levels
        assert set(values) <= set(levels), column


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_names_what_a_list_needs(language: str) -> None:
    for column in (
        "patient_id",
        "sbrt_date",
        "mri_date",
        "death_date",
        "stop_reason",
        "level",
        "histology",
        "booked_date",
    ):
        assert words().columns[column][language], column
    assert set(words().values["histology"]["breast"][language])
    assert words().values["yes_no"]["yes"][language]
    assert words().values["yes_no"]["no"][language]
    assert words().missing[language]
    assert words().unsure[language]
    assert words().totals[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_name_of_a_column_is_recognised(language: str) -> None:
    for specs in (COHORT, IMAGING):
        for spec in specs:
            for name in words().columns.get(spec.name, {}).get(language, ()):
                found = {c.ours for c in candidates([name, name.title(), f"{name} (x)"], specs)}
                assert spec.name in found, (language, name)


def test_no_word_means_two_values() -> None:
    for column, values in words().values.items():
        seen: dict[str, str] = {}
        for value, languages in values.items():
            for listed in languages.values():
                for word in listed:
                    assert seen.setdefault(fold(word), value) == value, (column, word)


def test_words_for_nothing_mean_no_value() -> None:
    nothing = words().missing_words() | words().unsure_words()
    for spec in SPECS.values():
        assert not nothing & set(words().meanings(spec)), spec.name


@pytest.mark.parametrize(
    ("written", "level"),
    [
        ("Th8", "T8"),
        ("th 8", "T8"),
        ("D8", "T8"),
        ("BWK 8", "T8"),
        ("BWK8", "T8"),
        ("LWK 3", "L3"),
        ("HWK7", "C7"),
        ("L2-3", "L2-L3"),
        ("L2/3", "L2-L3"),
        ("T12/L1", "T12-L1"),
        ("Th11-12", "T11-T12"),
        ("BWK 12/LWK 1", "T12-L1"),
        ("C7/Th1", "C7-T1"),
        ("S 1", "S1"),
        ("L5/S1", "L5-S1"),
    ],
)
def test_levels_as_people_write_them(written: str, level: str) -> None:
    found = propose_words([(written, 1)], SPECS["level"])
    assert not found.unknown
    from sbrt_followup.tables.mapping import TableMap

    assert TableMap(values={"level": found.values}).meaning("level", written) == level
    assert spine_range(level) is not None


@pytest.mark.parametrize(("written", "grade"), [("1B", "1b"), ("Bilsky 1b", "1b"), ("grade 2", "2"), ("Grad 1 c", "1c"), ("none", "0")])  # fmt: skip
def test_grades_as_people_write_them(written: str, grade: str) -> None:
    from sbrt_followup.tables.mapping import TableMap

    found = propose_words([(written, 1)], SPECS["bilsky"])
    assert TableMap(values={"bilsky": found.values}).meaning("bilsky", written) == grade


def test_not_known_is_never_taken_for_alive() -> None:
    from sbrt_followup.tables.proposing import _words_for_dates

    found = _words_for_dates([("unbekannt", 2), ("n/a", 1)], SPECS["death_date"])
    assert found.unknown == {"unbekannt": 2}
    assert found.missing == ["n/a"]


def test_minus_beside_plus_is_asked_about() -> None:
    found = propose_words([("+", 3), ("-", 5)], SPECS["pet"])
    assert found.values == {"+": "positive"}
    assert found.unknown == {"-": 5}
