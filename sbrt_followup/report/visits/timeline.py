"""The schedule as a picture: one line a patient, or one a site for a single patient.

A visit is a marker with its window as a bar: done ones stand on the scan's day, booked ones on the booked day, others on
the due day. Pseudo-progression windows are shaded, the as-of day is a dashed line, the next MRI stands in words at the
right. No decisions and no dates are made here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from ...problems import clean
from ...timing import analysis_days
from ...vocabulary import OPEN_VISITS, STANDING
from ..drawing import image
from ..manifest import INTENDED_USE
from .timeline_marks import GREY, Lines, Shade, Treatment, draw_day, draw_shades, draw_treatments, draw_visits

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MOST_LINES = 40
FEW_LINES = 20
LONGEST_NAME = 24
WIDTH, FRAME = 10.0, 2.0  # inches: of the picture, and of what stands above and below the lines
SITE_PITCH, WIDE_PITCH, NARROW_PITCH = 0.6, 0.34, 0.235  # inches between lines
LEGEND = ("done", "missed", "overdue", "due", "booked", "upcoming", "unknown")
GRID = "#EDEDED"
WORDS = {"urgent": "URGENT REVIEW", "confirm": "confirm", "awaiting_decision": "decision awaited"}


def timeline(
    visits: pd.DataFrame,
    shades: Sequence[Shade],
    treatments: Sequence[Treatment],
    as_of: date,
    title: str,
    kind: str,
    standing: Sequence[tuple[str, str, str]] = (),
) -> bytes:
    """Draw the schedule; `kind` is `.png`, `.svg` or `.pdf`. At most 40 lines, the most urgent first; the rest are counted.

    `visits` has the contract's columns and, where known, `booked_date` and `stop_date`; `standing` holds patient, site and
    status of what the readings ask for beyond the next visit, the most pressing first.
    """
    pressing = _pressing(visits, standing)
    rows, lines = _lines(visits, pressing)

    def draw() -> Figure:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(WIDTH, _inches(lines)), layout="constrained")
        axes = figure.add_subplot()
        handles = [*draw_visits(axes, rows, lines), *draw_treatments(axes, treatments, lines)]
        handles += [*draw_shades(axes, shades, lines), draw_day(axes, as_of)]
        _label(axes, rows, lines, treatments, pressing)
        _caption(axes, rows, lines, title)
        handles.sort(key=lambda h: LEGEND.index(h.get_label()) if h.get_label() in LEGEND else len(LEGEND))
        figure.legend(handles=handles, loc="outside lower left", ncols=4, frameon=False, fontsize=8)
        return figure

    return image(draw, kind, settings={"axes.spines.left": False})


def _inches(lines: Lines) -> float:
    pitch = SITE_PITCH if lines.single else WIDE_PITCH if len(lines.names) <= FEW_LINES else NARROW_PITCH
    return FRAME + pitch * max(len(lines.names), 1)


def _pressing(visits: pd.DataFrame, standing: Sequence[tuple[str, str, str]]) -> dict[str, str]:
    """Give the status of each line that readings ask something for: lines are sites for a single patient."""
    single = visits["patient_id"].nunique() == 1
    found: dict[str, str] = {}
    for patient, site, status in standing:
        found.setdefault(site if single else patient, status)
    return found


def _lines(visits: pd.DataFrame, pressing: Mapping[str, str]) -> tuple[pd.DataFrame, Lines]:
    """Put every row on its line and sort the lines: what readings ask for, then their next open visit."""
    import pandas as pd

    single = visits["patient_id"].nunique() == 1
    if single:
        # A visit that serves several sites stands on the line of each.
        visits = visits.assign(site_ids=visits["site_ids"].str.split(";")).explode("site_ids")
    visits = visits.assign(status=visits["status"].astype(str), phase=visits["phase"].astype(str)).reset_index(drop=True)  # fmt: skip
    visits["at"] = _days(visits)
    key = visits["site_ids" if single else "patient_id"].astype(str)
    following = visits["at"].where(visits["status"].isin(OPEN_VISITS)).groupby(key, sort=False).min()
    rank = [STANDING.index(pressing[name]) if name in pressing else len(STANDING) for name in following.index]
    order = pd.DataFrame({"rank": rank, "due": following, "name": following.index})
    order = order.sort_values(["rank", "due", "name"], na_position="last")
    names = tuple(str(name) for name in order["name"])
    lines = Lines(single, names[:MOST_LINES], max(len(names) - MOST_LINES, 0))
    number = {name: i for i, name in enumerate(lines.names)}
    rows = visits.assign(line=key.map(number))
    return rows.loc[rows["line"].notna()].reset_index(drop=True), lines


def _days(rows: pd.DataFrame) -> pd.Series[Any]:
    """Give the day on which each row's marker stands."""
    day = rows["due"].where((rows["status"] != "done") & (rows["phase"] != "extra"), rows["satisfied_by"])
    if "booked_date" in rows:
        day = rows["booked_date"].where((rows["status"] == "booked") & rows["booked_date"].notna(), day)
    if "stop_date" in rows:
        day = rows["stop_date"].where(rows["status"] == "stopped", day)
    return day


def _label(
    axes: Any, rows: pd.DataFrame, lines: Lines, treatments: Sequence[Treatment], pressing: Mapping[str, str]
) -> None:
    """Name the lines at the left, the next MRI at the right, the days below."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(maxticks=10)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    axes.grid(axis="x", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_ylim(max(len(lines.names), 1) - 0.4, -0.8 if lines.single else -0.6)
    axes.set_yticks(range(len(lines.names)), [_shown(name) for name in lines.names])
    axes.tick_params(axis="y", length=0)
    for text in axes.get_yticklabels():
        text.set_parse_math(False)
    right: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center", "fontsize": 8}
    for number, words in enumerate(_next(rows, lines)):
        status = pressing.get(lines.names[number])
        weight = "bold" if status else "normal"
        told = f"{WORDS[status]}; {words}" if status else words
        axes.annotate(told, (1.01, number), **right, weight=weight, parse_math=False)
    head: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "fontsize": 8, "color": GREY}
    axes.annotate("next MRI", (1.01, 1), xytext=(0, 3), **head)
    axes.annotate("site" if lines.single else "patient", (0, 1), xytext=(-4, 3), ha="right", **head)
    starts = {t.day for t in treatments}
    if lines.single and len(starts) == 1:
        _months(axes, next(iter(starts)))


def _months(axes: Any, start: date) -> None:
    """Count months since the one treatment along the top."""
    from matplotlib.dates import date2num
    from matplotlib.ticker import MaxNLocator

    zero, month = float(date2num(start)), float(analysis_days(1))
    top = axes.secondary_xaxis("top", functions=(lambda x: (x - zero) / month, lambda m: zero + m * month))
    top.spines["top"].set_visible(False)
    top.xaxis.set_major_locator(MaxNLocator(nbins=12, steps=[1, 2, 3, 6, 10], integer=True))
    top.tick_params(length=2, labelsize=7, colors=GREY)
    top.set_xlabel("months since SBRT", fontsize=7, color=GREY)


def _shown(name: str) -> str:
    name = clean(name)
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _next(rows: pd.DataFrame, lines: Lines) -> list[str]:
    """Say in words what comes next on each line: the first open visit, else how it ended."""
    texts = []
    for number in range(len(lines.names)):
        own = rows.loc[rows["line"] == number]
        waiting = own.loc[own["status"].isin(OPEN_VISITS)].sort_values("at", kind="stable")
        stops = own.loc[own["status"] == "stopped"]
        if len(waiting):
            first = waiting.iloc[0]
            texts.append(f"{first['at']:%Y-%m-%d} {first['status']}")
        elif len(stops):
            texts.append(str(stops.iloc[-1]["reason"]).removeprefix("follow-up "))
        else:
            texts.append("horizon reached")
    return texts


def _caption(axes: Any, rows: pd.DataFrame, lines: Lines, title: str) -> None:
    """Say what is drawn, what is not, and what it rests on."""
    bases = sorted({str(basis) for basis in rows["basis"] if str(basis)})
    count = len(lines.names)
    what = "sites" if lines.single else "patients"
    more = f"{count} of {count + lines.hidden} {what}, the most urgent first; {lines.hidden} not drawn"
    axes.set_title("\n".join([title, more] if lines.hidden else [title]), loc="left", fontsize=10, pad=16)
    said = f"Basis of the dates: {', '.join(bases) or 'none'}. {INTENDED_USE}"
    axes.set_xlabel(said, loc="left", fontsize=7.5, color=GREY)
