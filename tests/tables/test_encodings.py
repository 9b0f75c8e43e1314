"""Bytes to text: as they say, else the one code page in which the words are words; two that fit are asked about."""

from __future__ import annotations

import pytest

from sbrt_followup.problems import InputRefused
from sbrt_followup.tables.encodings import PAGES, decoded

WORDS = {
    "de": "Höhe;Schilddrüse;Größe;für später;ä;Ü",
    "fr": "œsophage;thyroïde;côté;à gauche;reçu;Élodie",
    "it": "età;più;perché;sì",
    "es": "riñón;próstata;señal;año;Ñ",
    "nl": "patiënt;geïrriteerd;één",
}


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("page", PAGES)
def test_a_code_page_is_found_by_its_words(language: str, page: str) -> None:
    text = f"patient_id;sbrt_date\n{WORDS[language]}\n" * 5
    try:
        data = text.encode(page)
    except UnicodeEncodeError:
        pytest.skip("the page lacks a letter")
    try:
        read, found, note = decoded(data, "x.csv")
    except InputRefused as refused:
        assert refused.problems[0].code == "which-encoding"
        return
    assert read == text, f"{page} was taken for {found}"
    assert "x.csv" in note


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_needs_no_guess(encoding: str) -> None:
    text = "patient_id;sbrt_date\nMüller – 1;2025-01-31\n"
    assert decoded(text.encode(encoding), "x.csv")[0] == text


def test_windows_is_read_without_being_told() -> None:
    for words in WORDS.values():
        text = f"patient_id;sbrt_date\n{words}\n"
        assert decoded(text.encode("cp1252"), "x.csv")[0] == text


def test_noise_is_refused_with_its_line_and_never_shown() -> None:
    with pytest.raises(InputRefused) as refused:
        decoded(b"patient_id\nA\nB\x81\x8d\x8f\x90\x9d\n", "x.csv")
    (problem,) = refused.value.problems
    assert problem.source is not None
    assert (problem.code, problem.source.line) == ("which-encoding", 3)


def test_what_the_map_says_goes_first() -> None:
    assert decoded("Größe".encode("mac_roman"), "x.csv", "mac-roman")[0] == "Größe"
    with pytest.raises(InputRefused):
        decoded(b"x", "x.csv", "klingon")
