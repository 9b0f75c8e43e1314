"""The schedule as a picture: one line a patient, or one a site for a single patient.

A visit is a marker on its due date with its window as a bar; status is told by shape first, colour (Okabe–Ito) second.
Pseudo-progression windows are hatched, the as-of day is a dashed line. No decisions and no dates are made here.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

MOST_LINES = 40
STYLE: dict[str, tuple[str, str, str]] = {
    # status: marker, colour, filled or not
    "done": ("o", "#009E73", "full"),
    "missed": ("X", "#CC79A7", "full"),
    "overdue": ("^", "#D55E00", "full"),
    "due": ("D", "#E69F00", "full"),
    "booked": ("s", "#0072B2", "full"),
    "upcoming": ("o", "#56B4E9", "none"),
    "unknown": ("P", "#999999", "none"),
}
PSEUDO = "#BBBBBB"


@dataclass(frozen=True)
class Shade:
    """A stretch of days on one line of the picture."""

    patient_id: str
    site_id: str
    start: date
    stop: date
    label: str


def timeline(visits: pd.DataFrame, shades: Sequence[Shade], as_of: date, title: str, kind: str) -> bytes:
    """Draw the schedule; `kind` is png, svg or pdf. At most 40 lines, the most urgent first; the rest are counted."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    single = visits["patient_id"].nunique() == 1
    if single:
        # A visit that serves several sites stands on the line of each.
        visits = visits.assign(site_ids=visits["site_ids"].str.split(";")).explode("site_ids").reset_index(drop=True)
    key = visits["site_ids"] if single else visits["patient_id"]
    names, hidden = _order(visits, key)
    with plt.rc_context(
        {"svg.hashsalt": "sbrt-followup", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    ):
        figure, axes = plt.subplots(figsize=(10, 1.7 + 0.34 * max(len(names), 1)), layout="constrained")
        _draw_shades(axes, shades, names, single)
        _draw_visits(axes, visits, key, names)
        axes.axvline(_number(as_of), color="black", linestyle="--", linewidth=1)
        axes.annotate(f"as of {as_of}", (_number(as_of), 1), xycoords=("data", "axes fraction"), xytext=(3, 2),
                      textcoords="offset points", fontsize=8)  # fmt: skip
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.7)
        axes.xaxis_date()
        axes.grid(axis="x", color="#E5E5E5", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_ylabel("site" if single else "patient")
        more = f" ({hidden} more not drawn)" if hidden else ""
        axes.set_title(title + more, loc="left", fontsize=10, pad=16)
        _legend(axes, visits, bool(shades))
        buffer = io.BytesIO()
        metadata = {"Date": None} if kind == "svg" else {"CreationDate": None} if kind == "pdf" else None
        figure.savefig(buffer, format=kind, dpi=200, metadata=metadata)
        plt.close(figure)
    return buffer.getvalue()


def _number(day: Any) -> float:
    from matplotlib.dates import date2num

    return float(date2num(day))


def _order(visits: pd.DataFrame, key: pd.Series[str]) -> tuple[list[str], int]:
    """Sort the lines by their next open visit, most urgent first."""
    import pandas as pd

    open_ = visits["status"].astype(str).isin(["overdue", "due", "booked", "upcoming"])
    following = visits["due"].where(open_).groupby(key, sort=False).min()
    order = pd.DataFrame({"due": following, "name": following.index}).sort_values(["due", "name"], na_position="last")
    names = [str(name) for name in order["name"]]
    return names[:MOST_LINES], max(len(names) - MOST_LINES, 0)


def _draw_shades(axes: Any, shades: Sequence[Shade], names: Sequence[str], single: bool) -> None:
    for shade in shades:
        lines = [i for i, n in enumerate(names) if (shade.site_id if single else shade.patient_id) == n]
        for line in lines:
            axes.broken_barh(
                [(_number(shade.start), (shade.stop - shade.start).days + 1)], (line - 0.36, 0.72),
                facecolor="#F2F2F2", edgecolor=PSEUDO, hatch="////", linewidth=0, zorder=0.5,
            )  # fmt: skip


def _draw_visits(axes: Any, visits: pd.DataFrame, key: pd.Series[str], names: Sequence[str]) -> None:
    place = {name: i for i, name in enumerate(names)}
    for name, line in zip(key, visits.itertuples(), strict=True):
        y = place.get(str(name))
        if y is None:
            continue
        status = str(line.status)
        if status in STYLE and str(line.due) != "NaT":
            marker, colour, fill = STYLE[status]
            low, high = _number(line.earliest), _number(line.latest)
            axes.plot([low, high], [y, y], color=colour, linewidth=3, alpha=0.35, solid_capstyle="butt", zorder=2)
            at = line.satisfied_by if status == "done" else line.due
            face = colour if fill == "full" else "white"
            axes.plot([_number(at)], [y], marker=marker, color=colour, markerfacecolor=face, markersize=6, zorder=3)
        elif line.phase == "extra":
            axes.plot([_number(line.satisfied_by)], [y], marker="|", color="#009E73", markersize=10, zorder=3)
        elif status == "stopped":
            axes.annotate("■ stopped", (1, y), xycoords=("axes fraction", "data"), ha="right", va="center", fontsize=8)


def _legend(axes: Any, visits: pd.DataFrame, shaded: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    seen = set(visits["status"].astype(str))
    handles: list[Any] = []
    for status, (marker, colour, fill) in STYLE.items():
        if status in seen:
            face = colour if fill == "full" else "white"
            handles.append(
                Line2D([], [], marker=marker, color=colour, markerfacecolor=face, linewidth=3, alpha=0.9, label=status)
            )
    if (visits["phase"].astype(str) == "extra").any():
        handles.append(Line2D([], [], marker="|", color="#009E73", linestyle="", markersize=10, label="extra scan"))
    if shaded:
        handles.append(
            Patch(
                facecolor="#F2F2F2", edgecolor=PSEUDO, hatch="////", label="pseudo-progression window (interpretation)"
            )
        )
    axes.figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False, fontsize=8)
