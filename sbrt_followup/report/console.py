"""Tables and progress for people at a terminal: at most 80 columns unless there is more room, no date or id ever cut.

Status is told by a word and a symbol, colour only adds to it; NO_COLOR is honoured by rich.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..problems import clean
from .tabular import json_value

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

NARROWEST = 80
SYMBOLS = {
    "urgent": "‼", "confirm": "⁇", "awaiting_decision": "▲", "left_out": "–",
    "done": "✓", "missed": "✗", "overdue": "!", "due": "●", "booked": "◆", "upcoming": "○", "unknown": "?", "stopped": "■", "horizon": "…",
    "decided": "✓", "indeterminate": "?", "no_match": "✗", "conflict": "✗",
}  # fmt: skip
STYLES = {
    "urgent": "bold white on red", "confirm": "bold magenta", "awaiting_decision": "bold yellow",
    "overdue": "bold red", "due": "bold yellow", "booked": "cyan", "done": "green", "missed": "magenta", "stopped": "dim",
    "indeterminate": "yellow",
}  # fmt: skip
HEADINGS = {
    "patient_id": "patient", "site_ids": "sites", "site_id": "site", "satisfied_by": "MRI", "risk_group": "risk",
    "days_overdue": "days late", "next_due": "next due", "possible_groups": "possible", "sins_low": "SINS ≥", "sins_high": "SINS ≤",
    "change_baseline_percent": "% v base", "mri_date": "MRI", "next_date": "next",
}  # fmt: skip
# Never wrapped and never left out, however narrow the terminal; every date belongs to them.
NEVER_CUT = ("earliest", "due", "latest", "next_due", "satisfied_by", "visit", "status", "state", "called")
KEPT = ("patient_id", "site_ids", "site_id", "why")
FLOOR = 8  # columns of the terminal below which a text is not squeezed
ROOM = {"why": 28}  # a text that a person acts on keeps room; numbers beside it give way


def _text(name: str, cell: Any) -> str:
    value = json_value(cell)
    text = "" if value is None else f"{value:g}" if isinstance(value, float) else clean(str(value))
    return f"{SYMBOLS.get(text, ' ')} {text}" if name == "status" else text.replace(";", "; ")


def _heading(name: str) -> str:
    return HEADINGS.get(name, clean(name.replace("_", " ")))


def _fixed(name: str) -> bool:
    return name in NEVER_CUT or "date" in name


@dataclass(frozen=True)
class Layout:
    """The columns that are shown, each with its width, and those for which there is no room."""

    shown: tuple[int, ...]
    widths: tuple[int, ...]
    left_out: tuple[int, ...]

    @property
    def total(self) -> int:
        """The width of the table, one space between columns."""
        return sum(self.widths) + len(self.widths) - 1


def layout(names: Sequence[str], cells: Sequence[Sequence[str]], width: int) -> Layout:
    """Fit columns into a width: texts are folded first, then columns left out from the right, never a date or an id.

    Where even that is not enough, the table is wider than asked: nothing is cut.
    """
    from rich.cells import cell_len

    natural, least = [], []
    for name, column in zip(names, cells, strict=True):
        heading = _heading(name)
        longest = max((cell_len(text) for text in column), default=0)
        natural.append(max(longest, cell_len(heading)))
        word = max((cell_len(part) for part in heading.split()), default=1)
        least.append(max(longest if _fixed(name) else min(longest, ROOM.get(name, FLOOR)), word))
    shown = list(range(len(names)))
    while sum(least[i] for i in shown) + len(shown) - 1 > width:
        free = [i for i in shown if not _fixed(names[i]) and names[i] not in KEPT]
        if not free:
            break
        shown.remove(free[-1])
    # The widest texts give way first: the highest cap under which all fits.
    widths = [least[i] for i in shown]
    for cap in range(1, max((natural[i] for i in shown), default=0) + 1):
        capped = [max(least[i], min(natural[i], cap)) for i in shown]
        if sum(capped) + len(shown) - 1 > width:
            break
        widths = capped
    left_out = tuple(i for i in range(len(names)) if i not in shown)
    return Layout(tuple(shown), tuple(widths), left_out)


def _table(frame: pd.DataFrame, title: str, notes: Sequence[str], console: Console) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    names = [str(name) for name in frame.columns]
    cells = [[_text(name, cell) for cell in frame.iloc[:, i].tolist()] for i, name in enumerate(names)]
    room = console.width
    plan = layout(names, cells, room)
    console.width = max(room, plan.total)
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=0, show_edge=False)
    for i, wide in zip(plan.shown, plan.widths, strict=True):
        table.add_column(_heading(names[i]), width=wide, no_wrap=False, overflow="fold")
    grouped = names[:1] == ["patient_id"] and "visit" in names
    status = names.index("status") if "status" in names else None
    previous = None
    for row in zip(*cells, strict=True):
        if grouped and previous is not None and row[0] != previous:
            table.add_section()
        previous = row[0]
        style = STYLES.get(row[status][2:], "") if status is not None else ""
        table.add_row(*(Text(row[i], style=style if i == status else "") for i in plan.shown))
    console.print(table)
    if plan.left_out:
        gone = ", ".join(_heading(names[i]) for i in plan.left_out)
        notes = [f"No room here for: {gone}. Every column stands in csv, json and xlsx.", *notes]
    for note in notes:
        console.print(Text(note, style="dim"), width=room)


def print_table(frame: pd.DataFrame, title: str, notes: Sequence[str], width: int | None = None) -> None:
    """Print a table on stdout."""
    from rich.console import Console

    _table(frame, title, notes, Console(width=width))


def table_text(frame: pd.DataFrame, title: str, notes: Sequence[str], width: int = NARROWEST) -> str:
    """Give the same table as plain text."""
    import io

    from rich.console import Console

    buffer = io.StringIO()
    _table(frame, title, notes, Console(file=buffer, width=width, no_color=True, force_terminal=False))
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"
