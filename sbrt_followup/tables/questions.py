"""What `map` proposes for one table, and what only a person can say."""

from __future__ import annotations

from dataclasses import dataclass, field

from .columns import ColumnSpec
from .layout import Raw
from .mapping import TableMap


@dataclass(frozen=True)
class Question:
    """What only a person can say: where the answer belongs in the map, and what may be answered."""

    part: str
    """columns, dates, values, decimal or sheet."""
    column: str
    text: str
    choices: tuple[str, ...] = ()
    word: str = ""


@dataclass
class Proposal:
    """How one table may be read, why, and what is still to be asked."""

    section: str
    file: str
    specs: tuple[ColumnSpec, ...]
    how: TableMap = field(default_factory=TableMap)
    reasons: dict[tuple[str, ...], str] = field(default_factory=dict)
    """(part, column, word) → why."""
    questions: list[Question] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What a person should know beside."""
    dated: frozenset[str] = frozenset()
    """The user's columns in which dates are stored as such."""
    raw: Raw | None = None
