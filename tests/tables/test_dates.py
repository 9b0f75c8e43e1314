"""Styles of dates: what each reads, what it does not, and which style a column's texts can only be."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbrt_followup.problems import InputRefused
from sbrt_followup.tables.date_styles import STYLES, propose_styles
from sbrt_followup.tables.dates import Day, style_of


@pytest.mark.parametrize(
    ("style", "text", "day"),
    [
        ("DD.MM.YYYY", "31.1.2025", date(2025, 1, 31)),
        ("DD.MM.YYYY", "31.01.2025 10:30", date(2025, 1, 31)),
        ("TT.MM.JJJJ", "31.01.2025 10:30 Uhr", date(2025, 1, 31)),
        ("MM/DD/YYYY", "1/31/2025 3:05 PM", date(2025, 1, 31)),
        ("YYYY-MM-DD", "2025-01-31T09:15:00", date(2025, 1, 31)),
        ("YYYYMMDD", "20250131", date(2025, 1, 31)),
        ("DD MMM YYYY", "3 März 2025", date(2025, 3, 3)),
        ("DD-MMM-YYYY", "03-août-2025", date(2025, 8, 3)),
        ("MMM DD, YYYY", "January 3, 2025", date(2025, 1, 3)),
        ("DD.MM.YY", "31.01.25", date(2025, 1, 31)),
        ("%d.%m.%Y", "31.01.2025", date(2025, 1, 31)),
        ("serial", "45688", date(2025, 1, 31)),
        ("serial", "45688.39", date(2025, 1, 31)),
    ],
)
def test_a_style_reads_its_own(style: str, text: str, day: date) -> None:
    assert style_of(style).read(text) == Day(day)


def test_serials_of_1904_are_four_years_later() -> None:
    assert style_of("serial").read("44226", epoch_1904=True) == Day(date(2025, 1, 31))


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("DD.MM.YYYY", "2025-01-31"),
        ("DD.MM.YYYY", "31.02.2025"),
        ("MM/DD/YYYY", "31/01/2025"),
        ("YYYYMMDD", "2025131"),
        ("serial", "60"),
        ("serial", "-5"),
        ("DD MMM YYYY", "3 Foo 2025"),
        ("YYYY-MM-DD", "3025-01-01"),
    ],
)
def test_a_style_reads_nothing_else(style: str, text: str) -> None:
    assert style_of(style).read(text) is None


@pytest.mark.parametrize(
    "style", ["", "DD", "DD.MM", "YYYY-YYYY-MM", "QQ", "DD.DD.YYYY", "%d", "%H:%M", "%" * 50, "DDMM"]
)
def test_half_a_style_is_refused(style: str) -> None:
    with pytest.raises(InputRefused):
        style_of(style)


def test_a_month_is_the_first_day_and_says_so() -> None:
    day = style_of("YYYY-MM").read("2025-01")
    assert day == Day(date(2025, 1, 1), month_only=True)


def test_what_fits_two_styles_is_a_question() -> None:
    found = propose_styles([("03/04/2025", 2), ("01/12/2025", 1)], False)
    assert found.styles == ()
    assert [[s.text for s in styles] for styles in found.choices] == [["DD/MM/YYYY", "MM/DD/YYYY"]]


def test_one_day_over_twelve_settles_it_and_is_counted() -> None:
    found = propose_styles([("03/04/2025", 2), ("25/12/2025", 3)], False)
    assert [s.text for s in found.styles] == ["DD/MM/YYYY"]
    assert "3 of them name a day over 12" in found.reason


def test_day_first_and_month_first_in_one_column_is_a_question() -> None:
    found = propose_styles([("25/12/2025", 1), ("12/25/2025", 1)], False)
    assert found.styles == ()
    assert found.choices


@given(st.sampled_from(STYLES), st.lists(st.dates(date(2015, 1, 1), date(2035, 12, 28)), min_size=1, max_size=30))
def test_never_another_day_than_was_written(style: object, days: list[date]) -> None:
    """Whatever style is proposed for what was written in one style, it reads the days that were meant, or it asks."""
    texts = [_written(style.text, day) for day in days]  # type: ignore[attr-defined]
    found = propose_styles([(text, 1) for text in dict.fromkeys(texts)], False)
    if found.choices or not found.styles:
        return
    for text, day in zip(texts, days, strict=True):
        read = {r for s in found.styles if (r := s.read(text)) is not None}
        assert read == {Day(day)}, (text, found.styles)


def _written(style: str, day: date) -> str:
    if style == "serial":
        return str((day - date(1899, 12, 30)).days)
    for token, code in (("YYYY", "%Y"), ("YY", "%y"), ("MMM", "%b"), ("MM", "%m"), ("DD", "%d")):
        style = style.replace(token, code)
    return day.strftime(style)
