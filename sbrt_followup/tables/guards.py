"""Columns and days that are very probably not what they seem: near-miss names, years far off."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from ..problems import InputRefused, Problem, Source
from .header import MOST_NAMES, shown_name
from .row_problems import RowProblems

if TYPE_CHECKING:
    import pandas as pd

SHORTEST_NEAR = 5
"""Names shorter than this are near ours only when they are the same but for case and signs."""
YEARS_AHEAD = 2
VITAL_NAMES = ("death_date", "stop_reason")
"""Columns that nobody may overlook because they are called by another word."""
DATED_NOW = ("sbrt_date", "booked_date", "last_contact_date")
"""Columns whose day cannot lie years after the day of asking."""


def plain_name(name: str) -> str:
    """Give a name without case, accents, spaces and signs."""
    bare = unicodedata.normalize("NFKD", name)
    return re.sub(r"[\W_]+", "", "".join(c for c in bare if not unicodedata.combining(c))).casefold()


def _one_letter_apart(a: str, b: str) -> bool:
    """Tell whether one letter more, less, other or swapped makes one name the other."""
    if abs(len(a) - len(b)) > 1 or a == b:
        return a == b
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[at:], b[at:]
    swapped = len(rest_a) > 1 and rest_a[:2] == rest_b[:2][::-1] and rest_a[2:] == rest_b[2:]
    return rest_a[1:] == rest_b or rest_a == rest_b[1:] or rest_a[1:] == rest_b[1:] or swapped


def meant(name: str, ours: Iterable[str]) -> str:
    """Give the name of ours that a column's name differs from only by case, signs or a letter; "" where none."""
    plain = plain_name(name)
    if not plain:
        return ""
    names = {plain_name(our): our for our in ours}
    if plain in names:
        return names[plain]
    if len(plain) < SHORTEST_NEAR:
        return ""
    near = [our for key, our in names.items() if len(key) >= SHORTEST_NEAR and _one_letter_apart(plain, key)]
    return near[0] if near else ""


def vital(name: str, ours: Sequence[str]) -> str:
    """Give the column that may say who is dead or has stopped, where a name is a word for it in another language."""
    from .words import words

    plain = plain_name(name)
    named = [our for our in VITAL_NAMES if our in ours and len(plain) >= SHORTEST_NEAR]
    return next((our for our in named if plain in words().names(our)), "")


def check_names(extra: Sequence[str], ours: Sequence[str], own: Iterable[str], file: str) -> None:
    """Refuse columns taken for the user's own although their names are near ours.

    `ours` are our columns of both tables; `own` those that the map says are the user's own all the same.
    """
    kept = set(own)
    near = [(name, our) for name in extra if name not in kept and (our := meant(name, ours) or vital(name, ours))]
    if near:
        raise InputRefused(
            Problem(
                "near-name",
                f"the column '{shown_name(name)}' is not used; '{our}' seems to be meant",
                Source(file, 1),
                hint=f"Rename it, or say in a map `columns: {{{our}: …}}`, or `own: […]` if it is another thing.",
            )
            for name, our in near[:MOST_NAMES]
        )


def far_dates(frame: pd.DataFrame, as_of: date, file: str, theirs: Mapping[str, str]) -> RowProblems:
    """Find days of treatment, booking and contact more than two years after the as-of day: slips of the year."""
    import pandas as pd

    latest = pd.Timestamp(as_of) + pd.DateOffset(years=YEARS_AHEAD)
    found = RowProblems(file, theirs)
    for column in DATED_NOW:
        late = (frame[column] > latest).to_numpy()
        message = f"lies more than {YEARS_AHEAD} years after the as-of day"
        found.add("far-date", column, message, frame["row"].to_numpy()[late], "Correct the year.")
    return found
