"""What is wrong in which rows of a table, gathered by kind while it is checked; never a cell's content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..problems import Problem, Source

MOST_ROWS_NAMED = 10


@dataclass(frozen=True)
class Kind:
    """One kind of problem in one column (our name of it)."""

    code: str
    column: str
    message: str
    hint: str = ""


def rows_named(rows: list[int]) -> str:
    """Name rows by number, at most MOST_ROWS_NAMED of them: `rows 2, 4 and 272 more`."""
    shown = ", ".join(str(row) for row in rows[:MOST_ROWS_NAMED])
    more = f" and {len(rows) - MOST_ROWS_NAMED} more" if len(rows) > MOST_ROWS_NAMED else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{more}"


@dataclass
class RowProblems:
    """Rows with something wrong, by kind."""

    file: str
    theirs: Mapping[str, str] = field(default_factory=dict)
    """How the user's file calls our columns."""
    kinds: dict[Kind, list[int]] = field(default_factory=dict)

    def add(self, code: str, column: str, message: str, rows: Iterable[int], hint: str = "") -> None:
        """Note rows; none is no problem."""
        found = [int(row) for row in rows]
        if found:
            self.kinds.setdefault(Kind(code, column, message, hint), []).extend(found)

    def problems(self, kinds: Iterable[Kind] | None = None) -> list[Problem]:
        """Give one problem a kind, its rows counted and the first ones named."""
        return [self._problem(kind, self.kinds[kind]) for kind in (self.kinds if kinds is None else kinds)]

    def _problem(self, kind: Kind, rows: list[int]) -> Problem:
        text = f"{rows_named(rows)}, column {self.their(kind.column)}: {self.said(kind)}"
        return Problem(
            kind.code, text, Source(self.file), hint=kind.hint, rows=tuple(rows), column=self.their(kind.column)
        )

    def caution(self, kind: Kind) -> Problem:
        """Say that the cells of one kind are taken as unknown."""
        problem = self._problem(kind, self.kinds[kind])
        return replace(problem, message=f"{problem.message}; taken as unknown", severity="warning")

    def their(self, column: str) -> str:
        """Name a column as the user's file does."""
        return self.theirs.get(column, column)

    def said(self, kind: Kind) -> str:
        """Give a kind's sentence, with the user's names of columns."""
        if kind.code != "impossible-dates":
            return kind.message
        return " ".join(self.their(word) for word in kind.message.split(" "))

    def reasons(self, kinds: Iterable[Kind]) -> dict[int, str]:
        """Give each row's reasons, in order of rows."""
        found: dict[int, list[str]] = {}
        for kind in kinds:
            for row in self.kinds[kind]:
                found.setdefault(row, []).append(f"column {self.their(kind.column)}: {self.said(kind)}")
        return {row: "; ".join(texts) for row, texts in sorted(found.items())}
