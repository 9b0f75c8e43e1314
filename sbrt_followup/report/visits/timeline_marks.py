"""The marks of a timeline: shape tells what they are, colour (Okabe–Ito) only adds to it.

Each function draws one kind and gives what the legend shows of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# status: marker, colour, filled, size; in the order drawn, so that what needs action lies on top
STYLE: dict[str, tuple[str, str, bool, float]] = {
    "upcoming": ("o", "#0072B2", False, 4.5),
    "unknown": ("$?$", "#595959", True, 6),
    "done": ("o", "#009E73", True, 6),
    "missed": ("X", "#A8407F", True, 6.5),
    "booked": ("s", "#0072B2", True, 6.5),
    "due": ("D", "#E69F00", True, 6.5),
    "overdue": ("^", "#D55E00", True, 8),
}
EXTRA, TREATED, STOPPED = "extra scan", "SBRT", "follow-up stopped"
HORIZON = "plan's horizon, not the end of surveillance"
OTHERS: dict[str, tuple[str, str, float]] = {
    EXTRA: ("+", "#009E73", 8),
    TREATED: ("*", "black", 8),
    STOPPED: ("|", "black", 13),
    HORIZON: ("4", "#595959", 9),
}
STROKES = "|+4"
SHADE, WINDOW, LINE, GREY = "#E4E4E4", "#A9A9A9", "#D5D5D5", "#444444"
BAR = 2.2  # points


@dataclass(frozen=True)
class Shade:
    """A stretch of days of one site, both ends included, with how well it is known."""

    patient_id: str
    site_id: str
    start: date
    stop: date
    label: str
    basis: str


@dataclass(frozen=True)
class Treatment:
    """The day one site was treated: its time zero."""

    patient_id: str
    site_id: str
    day: date


@dataclass(frozen=True)
class Lines:
    """Who or what stands on which line of the picture."""

    single: bool
    names: tuple[str, ...]
    hidden: int

    def place(self, patient: object, site: object) -> int | None:
        """Give the line of a site, None where it is not drawn."""
        name = str(site if self.single else patient)
        return self.names.index(name) if name in self.names else None


def draw_visits(axes: Any, rows: pd.DataFrame, lines: Lines) -> list[Any]:
    """Draw every visit with its window, extra scans, stops and horizons."""
    known = rows.loc[rows["at"].notna()]
    span = known.groupby("line")["at"].agg(["min", "max"])
    axes.hlines(span.index, span["min"], span["max"], color=LINE, linewidth=0.8, zorder=1)
    planned = known.loc[known["due"].notna()]
    axes.hlines(planned["line"], planned["earliest"], planned["latest"], color=WINDOW, linewidth=BAR, zorder=2)
    handles = []
    for status, (marker, colour, filled, size) in STYLE.items():
        some = planned.loc[planned["status"] == status]
        if len(some):
            handles.append(_marks(axes, some["at"], some["line"], (marker, colour, filled, size), status))
    for label, which in ((EXTRA, known["phase"] == "extra"), (STOPPED, known["status"] == "stopped")):
        if which.any():
            handles.append(_other(axes, known["at"][which], known["line"][which], label))
    handles += _draw_horizon(axes, rows, planned)
    if len(planned):
        from matplotlib.lines import Line2D

        handles.append(Line2D([], [], color=WINDOW, linewidth=BAR, label="window, earliest to latest"))
    if lines.single:
        for line in planned.itertuples():
            axes.annotate(
                str(line.visit), (line.at, line.line), xytext=(0, 6), textcoords="offset points", ha="center",
                fontsize=7, color=GREY,
            )  # fmt: skip
    return handles


def draw_treatments(axes: Any, treatments: Sequence[Treatment], lines: Lines) -> list[Any]:
    """Draw each time zero."""
    placed = [(t.day, lines.place(t.patient_id, t.site_id)) for t in treatments]
    days, at = [day for day, line in placed if line is not None], [line for _, line in placed if line is not None]
    return [_other(axes, days, at, TREATED)] if at else []


def draw_shades(axes: Any, shades: Sequence[Shade], lines: Lines) -> list[Any]:
    """Shade the stretches that are drawn."""
    from matplotlib.dates import date2num
    from matplotlib.patches import Patch

    bases: set[str] = set()
    for shade in shades:
        line = lines.place(shade.patient_id, shade.site_id)
        if line is not None:
            start = float(date2num(shade.start))
            width = float(date2num(shade.stop)) + 1 - start
            axes.broken_barh([(start, width)], (line - 0.4, 0.8), facecolor=SHADE, zorder=0.5)
            bases.add(shade.basis)
    label = f"pseudo-progression window ({', '.join(sorted(bases))})"
    return [Patch(facecolor=SHADE, label=label)] if bases else []


def draw_day(axes: Any, as_of: date) -> Any:
    """Draw the as-of day."""
    return axes.axvline(as_of, color="black", linestyle=(0, (4, 3)), linewidth=1, zorder=3, label=f"as of {as_of}")


def _draw_horizon(axes: Any, rows: pd.DataFrame, planned: pd.DataFrame) -> list[Any]:
    """Mark the lines that end at the plan's horizon, a little after the last window: the mark itself has no date."""
    from matplotlib.transforms import offset_copy

    ended = rows.loc[rows["status"] == "horizon", "line"]
    last = planned.loc[planned["line"].isin(ended)].groupby("line")["latest"].max()
    if not len(last):
        return []
    drawn = _other(axes, last, last.index, HORIZON)
    drawn.set_transform(offset_copy(axes.transData, axes.figure, x=6, units="points"))
    return [drawn]


def _other(axes: Any, x: Any, y: Any, label: str) -> Any:
    marker, colour, size = OTHERS[label]
    return _marks(axes, x, y, (marker, colour, True, size), label)


def _marks(axes: Any, x: Any, y: Any, style: tuple[str, str, bool, float], label: str) -> Any:
    marker, colour, filled, size = style
    stroke = marker in STROKES
    (drawn,) = axes.plot(
        x, y, linestyle="none", marker=marker, color=colour, markerfacecolor=colour if filled else "white",
        markersize=size, markeredgewidth=1.6 if stroke else 0.5 if filled else 1.2,
        markeredgecolor="white" if filled and not stroke else colour, label=label, zorder=4,
    )  # fmt: skip
    return drawn
