"""Closed days: read, refused, and left inside the window only."""

from __future__ import annotations

from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbrt_followup.problems import InputRefused
from sbrt_followup.visits.closures import (
    EPOCH,
    RULES,
    WEEKDAYS,
    Closures,
    off_closed_days,
    open_days,
    public_holidays,
    read_closures,
)


def number(text: str) -> int:
    return (date.fromisoformat(text) - EPOCH).days


def test_a_clinics_list_holds_dates_and_weekdays(tmp_path: Path) -> None:
    path = tmp_path / "closed.csv"
    path.write_text("date,why\n2025-06-16,service\nsaturday\n\n# Sundays too\nSunday\n", encoding="utf-8")
    closures = read_closures(path)
    asked = np.array([number(f"2025-06-{d}") for d in range(13, 18)])
    assert closures.holds(asked).tolist() == [False, True, True, True, False]


def test_every_bad_line_is_named_and_none_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "closed.csv"
    path.write_text("2025-06-16\n16.06.2025\nMeier\n", encoding="utf-8")
    with pytest.raises(InputRefused) as refused:
        read_closures(path)
    assert [p.source.line for p in refused.value.problems if p.source] == [2, 3]
    assert "Meier" not in " ".join(map(str, refused.value.problems))


def test_holidays_of_a_region_come_with_their_weekend_and_the_days_used() -> None:
    pytest.importorskip("holidays")
    bavaria = public_holidays("de-by", date(2025, 1, 1), date(2025, 12, 31))
    asked = np.array([number("2025-01-06"), number("2025-01-07"), number("2025-01-11")])
    assert bavaria.holds(asked).tolist() == [True, False, True]
    assert version("holidays") in bavaria.sources[0]
    assert "2025-01-06" in bavaria.sources[0]
    berlin = public_holidays("DE-BE", date(2025, 1, 1), date(2025, 12, 31))
    assert not berlin.holds(asked)[0]


@pytest.mark.parametrize("region", ["XX", "DE-ZZ"])
def test_an_unknown_region_is_refused(region: str) -> None:
    pytest.importorskip("holidays")
    with pytest.raises(InputRefused, match="1 problem"):
        public_holidays(region, date(2025, 1, 1), date(2025, 12, 31))


DAYS = st.integers(20_000, 20_030)


@given(
    st.lists(st.tuples(DAYS, st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8),
    st.sets(DAYS, max_size=20),
    st.sampled_from(RULES),
)
def test_a_day_moves_by_the_rule_inside_its_window_or_stays_and_is_said(
    visits: list[tuple[int, int, int]], closed: set[int], rule: str
) -> None:
    due = np.array([d for d, _, _ in visits])
    earliest, latest = due - [b for _, b, _ in visits], due + [a for _, _, a in visits]
    day, nowhere = off_closed_days(due, earliest, latest, Closures(frozenset(closed)), rule)
    for asked, low, high, given_, stuck in zip(due, earliest, latest, day, nowhere, strict=True):
        sides = {"previous": range(asked, low - 1, -1), "next": range(asked, high + 1)}
        able = [n for n in sides.get(rule, range(low, high + 1)) if n not in closed]
        best = min(able, key=lambda n, asked=asked: (abs(n - asked), n), default=None)
        assert given_ == (asked if best is None else best)
        assert stuck == (best is None)


def test_the_open_days_of_each_week_leave_out_the_closed_ones() -> None:
    monday = number("2025-06-09")
    weekend = Closures(frozenset({monday}), frozenset({WEEKDAYS.index("saturday"), WEEKDAYS.index("sunday")}))
    assert [len(week) for week in open_days(2, monday, weekend)] == [4, 5]
