"""In which styles a column's dates are written, with the evidence; what fits two styles is a question, never a guess."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .dates import SERIAL, DateStyle

STYLES = tuple(
    DateStyle(text)
    for text in (
        "YYYY-MM-DD", "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY", "MM-DD-YYYY", "YYYY/MM/DD", "YYYY.MM.DD",
        "DD.MM.YY", "DD/MM/YY", "MM/DD/YY", "YYYYMMDD", "DD MMM YYYY", "DD. MMM YYYY", "DD-MMM-YYYY", "DD.MMM.YYYY",
        "MMM DD, YYYY", "MMM DD YYYY", "DD MMM YY", "DD-MMM-YY", SERIAL,
    )
)  # fmt: skip
MONTH_STYLES = tuple(DateStyle(text) for text in ("YYYY-MM", "MM.YYYY", "MM/YYYY", "MM-YYYY", "MMM YYYY", "YYYY"))
FIRST_YEAR, LAST_YEAR = 1970, 2100
"""Only to tell styles apart: a serial number or a two-digit year outside is another thing."""
_TIME = re.compile(r"[T ,]+[0-9]{1,2}:[0-9]{2}.*$")


@dataclass(frozen=True)
class StyleProposal:
    """The styles of one column, why, and what could not be settled."""

    styles: tuple[DateStyle, ...]
    reason: str
    choices: tuple[tuple[DateStyle, ...], ...] = ()
    """Where texts fit several styles: the styles of each such form."""
    unread: int = 0
    """Cells in no known style."""


def propose_styles(texts: Sequence[tuple[str, int]], month_allowed: bool) -> StyleProposal:
    """Find the styles of a column's distinct texts, each with how often it stands there."""
    shapes: dict[str, list[tuple[str, int]]] = {}
    for text, count in texts:
        shapes.setdefault(_shape(text), []).append((text, count))
    styles: list[DateStyle] = []
    choices: list[tuple[DateStyle, ...]] = []
    reasons: list[str] = []
    unread = 0
    known = (*STYLES, *MONTH_STYLES) if month_allowed else STYLES
    for group in sorted(shapes.values(), key=lambda g: -sum(count for _, count in g)):
        fitting = _fitting([text for text, _ in group], known)
        cells = sum(count for _, count in group)
        if len(fitting) == 1:
            styles.append(fitting[0])
            reasons.append(f"{cells} cells fit {fitting[0].text} only" + _evidence(group, fitting[0], known))
        elif fitting:
            choices.append(fitting)
        elif any(_fitting([text], known) for text, _ in group):
            # Day first in some cells, month first in others: each cell alone would be a guess.
            choices.append(tuple(dict.fromkeys(s for text, _ in group for s in _fitting([text], known))))
        else:
            unread += cells
    return StyleProposal(tuple(dict.fromkeys(styles)), "; ".join(reasons), tuple(choices), unread)


def _shape(text: str) -> str:
    plain = _TIME.sub("", text)
    return re.sub(
        r"[^\W\d_]+", "A", re.sub(r"[0-9]+", lambda m: "Y" if len(m[0]) == 4 else "9" if len(m[0]) < 3 else "N", plain)
    )


def _fitting(texts: Iterable[str], known: Sequence[DateStyle]) -> tuple[DateStyle, ...]:
    """List the styles that read every text; of those that read the same days only the first."""
    listed = list(texts)
    seen: dict[tuple[object, ...], DateStyle] = {}
    for style in known:
        days = [style.read(text) for text in listed]
        if all(day is not None and FIRST_YEAR <= day.day.year <= LAST_YEAR for day in days):
            seen.setdefault(tuple(days), style)
    return tuple(seen.values())


def _evidence(group: Sequence[tuple[str, int]], style: DateStyle, known: Sequence[DateStyle]) -> str:
    """Say how many cells settle the order of day and month."""
    twin = {"DD/MM": "MM/DD", "MM/DD": "DD/MM", "DD-MM": "MM-DD", "MM-DD": "DD-MM"}.get(style.text[:5])
    if twin is None:
        return ""
    other = DateStyle(twin + style.text[5:])
    settle = sum(count for text, count in group if other.read(text) is None)
    return f" ({settle} of them name a day over 12)"
