"""Dates by the contract: one step from the anchor, clamped to the month's end, the fraction × 30.4375 rounded half up."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbrt_followup.timing import NAT, add_months, analysis_days, as_date, days_between, months_since

DAYS = st.dates(date(1950, 1, 1), date(2150, 12, 31))
OFFSETS = st.fractions(min_value=0, max_value=120, max_denominator=40)


def added(day: date, months: Fraction | int | str) -> date:
    result: date = add_months(np.array([day], dtype="datetime64[D]"), Fraction(months))[0].item()
    return result


def meant(day: date, months: Fraction) -> date:
    whole, rest = divmod(months, 1)
    year, month = divmod(day.year * 12 + day.month - 1 + int(whole), 12)
    clamped = min(day.day, calendar.monthrange(year, month + 1)[1])
    exact = rest * Fraction("30.4375")
    days = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal(1), ROUND_HALF_UP)
    return date(year, month + 1, clamped) + timedelta(int(days))


@settings(max_examples=200, deadline=None)
@given(DAYS, OFFSETS)
def test_any_date_and_offset(day: date, months: Fraction) -> None:
    assert added(day, months) == meant(day, months)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2025, 1, 31), 1, date(2025, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2025, 1, 31), 3, date(2025, 4, 30)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2025, 1, 31), "5.5", date(2025, 7, 15)),
        (date(2025, 1, 10), "1.3", date(2025, 2, 19)),
        (date(2025, 1, 10), 0, date(2025, 1, 10)),
    ],
)
def test_dates_by_hand(day: date, months: int | str, expected: date) -> None:
    assert added(day, months) == expected


def test_a_chain_of_single_months_would_drift() -> None:
    one_step = added(date(2025, 1, 31), 3)
    chained = added(added(added(date(2025, 1, 31), 1), 1), 1)
    assert (one_step, chained) == (date(2025, 4, 30), date(2025, 4, 28))


def test_halves_are_rounded_up() -> None:
    # 8/487 of a month are exactly a quarter of a day, 16/487 half a day.
    assert added(date(2025, 1, 1), Fraction(16, 487) * Fraction(1, 2)) == date(2025, 1, 2)
    assert added(date(2025, 1, 1), Fraction(15, 974)) == date(2025, 1, 1)


def test_an_absent_date_stays_absent() -> None:
    assert np.isnat(add_months(np.array([NAT]), Fraction(3)))[0]
    assert as_date(NAT) is None
    assert np.isnan(days_between(np.array([NAT]), np.array(["2025-01-01"], dtype="datetime64[D]")))[0]


@settings(max_examples=100, deadline=None)
@given(DAYS, st.integers(0, 4000))
def test_months_since_and_back(start: date, days: int) -> None:
    stop = start + timedelta(days)
    whole, rest = months_since(np.array([start], dtype="datetime64[D]"), np.array([stop], dtype="datetime64[D]"))
    assert rest[0] >= 0
    assert added(start, int(whole[0])) + timedelta(int(rest[0])) == stop
    assert added(start, int(whole[0]) + 1) > stop


def test_an_analysis_month_is_a_twelfth_of_a_year() -> None:
    assert analysis_days(12) == 365.25
    assert analysis_days(1) == 30.4375
    assert analysis_days(Fraction(1, 2)) == 15.21875
