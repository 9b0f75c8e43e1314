"""Days on which a clinic takes no MRI: its own list, public holidays, weekends; and where a due day that falls on one goes.

Conventions. Days are whole numbers since 1970. A due day moves inside its window only; where the window holds no open
day it stays and is said. Holidays come from a kept library that changes with its data: its version and the days used
belong in the manifest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path

import numpy as np

from ..arrays import Flags, Ints
from ..problems import InputRefused, Problem, Source, refuse

EPOCH = date(1970, 1, 1)
THURSDAY = 3  # 1970-01-01
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
RULES = ("previous", "next", "nearest")


@dataclass(frozen=True)
class Closures:
    """Closed days, closed weekdays (0 = Monday), and where they come from, in words for the manifest."""

    days: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    sources: tuple[str, ...] = ()

    def __or__(self, other: Closures) -> Closures:
        """Give the days closed by either."""
        return Closures(self.days | other.days, self.weekdays | other.weekdays, self.sources + other.sources)

    def holds(self, days: Ints) -> Flags:
        """Say of each day whether it is closed."""
        listed = np.isin(days, np.fromiter(self.days, dtype=np.int64, count=len(self.days)))
        week = np.isin((days + THURSDAY) % 7, np.fromiter(self.weekdays, dtype=np.int64, count=len(self.weekdays)))
        return np.asarray(listed | week)


def read_closures(path: Path) -> Closures:
    """Read a clinic's closures: one date (YYYY-MM-DD) or weekday name a line; what follows a comma or `#` is a remark.

    Raises:
        InputRefused: with every line that is neither, by number.

    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise refuse("unreadable", f"cannot be read: {reason}", Source(path.name)) from None
    days, weekdays, problems = set(), set(), []
    for number, line in enumerate(lines, start=1):
        word = line.partition("#")[0].partition(",")[0].partition(";")[0].strip().strip('"').lower()
        if not word or (number == 1 and word in ("date", "day")):
            continue
        if word in WEEKDAYS:
            weekdays.add(WEEKDAYS.index(word))
            continue
        try:
            days.add((date.fromisoformat(word) - EPOCH).days)
        except ValueError:
            problems.append(
                Problem(
                    "not-a-closure",
                    "a line of closures begins with a date YYYY-MM-DD or a weekday",
                    Source(path.name, number),
                    hint=f"Weekdays: {', '.join(WEEKDAYS)}.",
                )
            )
    if problems:
        raise InputRefused(problems)
    return Closures(
        frozenset(days), frozenset(weekdays), (f"closures file: {len(days)} days, {len(weekdays)} weekdays",)
    )


def public_holidays(region: str, first: date, last: date) -> Closures:
    """Give the public holidays and weekend of a country or region (`DE`, `DE-BY`, `US-CA`) between two days.

    Raises:
        InputRefused: for a region the library does not know, or when the library is not installed.

    """
    try:
        import holidays
    except ImportError:
        raise refuse(
            "needs-extra", "--holidays needs the package holidays", hint="pip install 'sbrt-followup[holidays]'"
        ) from None
    country, _, part = region.upper().partition("-")
    try:
        calendar = holidays.country_holidays(country, subdiv=part or None, years=range(first.year, last.year + 1))
    except NotImplementedError:
        known = holidays.list_supported_countries()
        parts = ", ".join(known.get(country, ())) if country in known else ""
        hint = (
            f"Parts of {country}: {parts or 'none'}."
            if country in known
            else "Use a country code such as DE, or DE-BY."
        )
        raise refuse("unknown-region", f"no holidays are known for '{region[:20]}'", hint=hint) from None
    days = frozenset((day - EPOCH).days for day in calendar if first <= day <= last)
    listed = " ".join((EPOCH + timedelta(days=n)).isoformat() for n in sorted(days))
    source = f"public holidays of {region.upper()} (holidays {version('holidays')}): {listed}"
    return Closures(days, frozenset(calendar.weekend), (source,))


def off_closed_days(due: Ints, earliest: Ints, latest: Ints, closures: Closures, rule: str) -> tuple[Ints, Flags]:
    """Move each due day that is closed to an open day of its window; give the days and which had nowhere to go.

    Args:
        due: days, with their windows `earliest` and `latest` (closed on both ends).
        earliest: first day of each window.
        latest: last day of each window.
        closures: the closed days.
        rule: `previous`, `next` or `nearest` (the earlier of two as near).

    """
    assert rule in RULES, rule
    day, open_ = due.copy(), ~closures.holds(due)
    steps = {"previous": (-1,), "next": (1,), "nearest": (-1, 1)}[rule]
    widest = int((latest - earliest).max(initial=0))
    for distance in range(1, widest + 1):
        if open_.all():
            break
        for sign in steps:
            place = np.flatnonzero(~open_)
            tried = due[place] + sign * distance
            fits = (tried >= earliest[place]) & (tried <= latest[place]) & ~closures.holds(tried)
            day[place[fits]] = tried[fits]
            open_[place[fits]] = True
    return day, ~open_


def open_days(weeks: int, monday: int, closures: Closures) -> Sequence[Ints]:
    """Give the open days of each week from a Monday on."""
    days = monday + np.arange(weeks * 7).reshape(weeks, 7)
    return [week[~closed] for week, closed in zip(days, closures.holds(days), strict=True)]


def union(parts: Iterable[Closures]) -> Closures:
    """Put several lists together."""
    whole = Closures()
    for part in parts:
        whole = whole | part
    return whole
