"""Tables and progress for people at a terminal: at most 80 columns unless there is more room, dates never cut.

Status is told by a word and a symbol, colour only adds to it; NO_COLOR is honoured by rich.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .files import json_value

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

NARROWEST = 80
SYMBOLS = {
    "done": "✓", "missed": "✗", "overdue": "!", "due": "●", "booked": "◆", "upcoming": "○", "unknown": "?", "stopped": "■", "horizon": "…",
    "decided": "✓", "indeterminate": "?", "no_match": "✗", "conflict": "✗",
}  # fmt: skip
STYLES = {
    "overdue": "bold red", "due": "bold yellow", "booked": "cyan", "done": "green", "missed": "magenta", "stopped": "dim",
    "indeterminate": "yellow",
}  # fmt: skip
HEADINGS = {
    "patient_id": "patient", "site_ids": "sites", "site_id": "site", "satisfied_by": "MRI", "risk_group": "risk",
    "days_overdue": "days late", "next_due": "next due", "possible_groups": "possible", "sins_low": "SINS ≥", "sins_high": "SINS ≤",
    "change_baseline_percent": "% v base", "mri_date": "MRI", "next_date": "next",
}  # fmt: skip
NEVER_CUT = ("phase", "earliest", "due", "latest", "next_due", "satisfied_by", "visit", "status", "state", "called")


def _text(cell: Any) -> str:
    value = json_value(cell)
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _table(frame: pd.DataFrame, title: str, notes: Sequence[str], console: Console) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=0, show_edge=False)
    names = list(frame.columns)
    for name in names:
        fixed = name in NEVER_CUT or "date" in name
        table.add_column(HEADINGS.get(name, name.replace("_", " ")), no_wrap=fixed, overflow="fold")
    previous = None
    for cells in frame.itertuples(index=False, name=None):
        shown: list[Text] = []
        for name, cell in zip(names, cells, strict=True):
            text = _text(cell)
            if name == "status":
                shown.append(Text(f"{SYMBOLS.get(text, ' ')} {text}", style=STYLES.get(text, "")))
            else:
                shown.append(Text(text.replace(";", "; ")))
        if previous is not None and names[0] == "patient_id" and "visit" in names and cells[0] != previous:
            table.add_section()
        previous = cells[0] if names else None
        table.add_row(*shown)
    console.print(table)
    for note in notes:
        console.print(Text(note, style="dim"))


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


@contextmanager
def progress(total: int, label: str, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on stderr while work goes on, only on a terminal; gives the function that advances it."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda steps: bar.advance(task, steps)
