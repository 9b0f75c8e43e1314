"""What is wrong with a user's file, as a value: code, severity, sentence, place.

A message never holds a cell value or an identifier: row number, column and rule text only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
# Control and bidirectional characters could move a cursor, forge a line or turn a text about.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
LONGEST_MESSAGE = 1_000


def clean(text: str, keep: str = "") -> str:
    """Show that an unsafe character stood there, without letting it act; `keep` names those that may stay."""
    return UNSAFE.sub(lambda found: found[0] if found[0] in keep else "\ufffd", text)


@dataclass(frozen=True, order=True)
class Source:
    """A place in a file: 1-based line and column (0: the file as a whole)."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join([self.file, *(str(n) for n in (self.line, self.column) if n)])


@dataclass(frozen=True)
class Problem:
    """One thing wrong, where it stands, and what to do about it."""

    code: str
    message: str
    source: Source | None = None
    severity: Severity = "error"
    hint: str = ""
    example: tuple[tuple[str, str], ...] = ()
    """A counter-example patient, fact by fact."""
    rows: tuple[int, ...] = ()
    """Every row of a table that has it; the message names the first ones."""
    column: str = ""

    def __str__(self) -> str:
        where = f"{self.source}: " if self.source else ""
        # A hint is a sentence of its own, or goes on after a colon: `: did you mean 'bilsky'?`
        hint = f"{'.' if self.hint[0].isupper() else ':'} {self.hint}" if self.hint else ""
        text = clean(f"{where}{self.message}{hint}")
        return f"{text if len(text) <= LONGEST_MESSAGE else text[:LONGEST_MESSAGE] + ' …'} [{self.code}]"


class InputRefused(Exception):  # noqa: N818 - the user's word for it, not a Python error
    """The input or the call cannot be used; carries every problem found, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{len(self.problems)} problem(s) in the input")


def refuse(code: str, message: str, source: Source | None = None, hint: str = "") -> InputRefused:
    """Build the refusal that holds one problem."""
    return InputRefused([Problem(code, message, source, hint=hint)])


def nearest(word: str, allowed: Iterable[str]) -> str:
    """Say which allowed name is meant, or list them: `did you mean 'bilsky'?` or `allowed: a, b`."""
    from difflib import get_close_matches

    names = list(allowed)
    close = get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    shown = ", ".join(names[:30]) + (", …" if len(names) > 30 else "")
    return f"allowed: {shown}" if names else ""
