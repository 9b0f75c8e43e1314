"""How dates are written: a style such as DD.MM.YYYY, and what it reads.

A style reads a text or it does not; nothing is guessed. A time of day after the date is allowed and dropped. A style
without a day (YYYY-MM) gives the first day of the month and says that only the month is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from ..problems import InputRefused, refuse

EARLIEST_YEAR, LATEST_YEAR = 1900, 2200
"""What lies outside is a slip of the keyboard, not a day of any treatment."""
ISO = "YYYY-MM-DD"
SERIAL = "serial"
_TIME = r"(?:[T ,]+[0-9]{1,2}[:.][0-9]{2}(?::?[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[AaPp]\.?[Mm]\.?| ?Uhr)?Z?)?"
_TOKENS = re.compile(r"YYYY|YY|MMM|MM|DD|[^A-Za-z]|.")
_NUMBER = r"[0-9]{1,2}"
_PARTS = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "YY": r"(?P<short>[0-9]{2})",
    "MMM": r"(?P<name>[^\W\d_]+)\.?",
    "MM": rf"(?P<month>{_NUMBER})",
    "DD": rf"(?P<day>{_NUMBER})",
}
_STRICT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CENTURY, _TURN = 2000, 69
"""A year of two digits is 1970–2069, as POSIX reads it."""
_EPOCH, _EPOCH_1904 = date(1899, 12, 30), date(1904, 1, 1)


@dataclass(frozen=True)
class Day:
    """A day, or the first day of a month of which no more is known."""

    day: date
    month_only: bool = False


@dataclass(frozen=True)
class DateStyle:
    """One way to write dates; `text` is how a map names it."""

    text: str
    strict: bool = False
    """Without a map a date is written YYYY-MM-DD to the letter."""

    @property
    def month_only(self) -> bool:
        """Whether the style names no day."""
        return "DD" not in self.text and self.text != SERIAL and "%" not in self.text

    def read(self, text: str, epoch_1904: bool = False) -> Day | None:
        """Read a text; None where it is not written in this style, or is no day of the calendar."""
        if self.strict and not _STRICT.fullmatch(text):
            return None
        if self.text == SERIAL:
            return _serial(text, epoch_1904)
        if "%" in self.text:
            return _python(text, self.text)
        found = _pattern(self.text).fullmatch(text)
        return _day(found.groupdict()) if found else None


def style_of(text: str) -> DateStyle:
    """Check a style; raises InputRefused where it names no month and year, or a sign that no style has."""
    plain = text.strip()
    if plain.lower() == SERIAL:
        return DateStyle(SERIAL)
    if "%" in plain:
        _check_python(plain)
        return DateStyle(plain)
    plain = plain.upper().replace("JJJJ", "YYYY").replace("TT", "DD").replace("MMMM", "MMM")
    plain = re.sub(r"(?<!D)D(?!D)", "DD", re.sub(r"(?<!M)M(?!M)", "MM", plain))
    plain = re.sub(r"[ T,]*HH[:.]MM(?:[:.]SS)?$", "", plain)
    tokens = _TOKENS.findall(plain)
    named = [token for token in tokens if token in _PARTS]
    letters = [token for token in tokens if token not in _PARTS and token.isalpha()]
    years = [token for token in named if token.startswith("Y")]
    months = [token for token in named if token.startswith("M")]
    if letters or len(years) != 1 or len(months) != 1 or len(set(named)) != len(named):
        raise _bad_style()
    return DateStyle(plain)


def _bad_style() -> InputRefused:
    return refuse(
        "bad-date-format",
        "a date format must name day, month and year, e.g. DD.MM.YYYY, MM/DD/YYYY or %d.%m.%Y",
    )


@lru_cache(maxsize=200)
def _pattern(style: str) -> re.Pattern[str]:
    tokens = _TOKENS.findall(style)
    compact = not re.search(r"[^A-Z]", style)
    parts = {**_PARTS, "MM": r"(?P<month>[0-9]{2})", "DD": r"(?P<day>[0-9]{2})"} if compact else _PARTS
    body = "".join(parts.get(token, r"\s*" if token == " " else re.escape(token)) for token in tokens)
    return re.compile(body + _TIME)


def _day(parts: Mapping[str, str | None]) -> Day | None:
    year = parts.get("year")
    if year is not None:
        number = int(year)
    else:
        short = int(parts.get("short") or 0)
        number = _CENTURY + short if short < _TURN else _CENTURY - 100 + short
    name = parts.get("name")
    month = month_numbers().get(name.casefold(), 0) if name is not None else int(parts.get("month") or 0)
    day = parts.get("day")
    try:
        return _plausible(date(number, month, int(day) if day is not None else 1), day is None)
    except ValueError:
        return None


def _plausible(day: date, month_only: bool = False) -> Day | None:
    return Day(day, month_only) if EARLIEST_YEAR <= day.year <= LATEST_YEAR else None


def _serial(text: str, epoch_1904: bool) -> Day | None:
    if not re.fullmatch(r"[0-9]{1,6}(?:[.,][0-9]+)?", text):
        return None
    days = int(re.split(r"[.,]", text)[0])
    # Before March 1900 a spreadsheet counts a day that never was.
    if days <= 60 and not epoch_1904:
        return None
    return _plausible((_EPOCH_1904 if epoch_1904 else _EPOCH) + timedelta(days=days))


def _python(text: str, style: str) -> Day | None:
    try:
        return _plausible(datetime.strptime(text, style).date())
    except (ValueError, OverflowError, re.error):
        return None


def _check_python(style: str) -> None:
    days = date(2001, 2, 3), date(2003, 11, 24)
    if len(style) > 40 or any(_python(day.strftime(style), style) != Day(day) for day in days):
        raise _bad_style()


@lru_cache(maxsize=1)
def month_numbers() -> dict[str, int]:
    """Give the months by their names and usual short forms, in every language of the words."""
    from .words import words

    return {name.casefold().rstrip("."): number for number, names in enumerate(words().months, 1) for name in names}
