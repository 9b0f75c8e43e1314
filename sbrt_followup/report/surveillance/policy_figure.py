"""The figure of `policy`: the frontier of MRIs against months undetected, and the schedules themselves.

Conventions. Colours are Okabe and Ito's; every family also has its own line or mark and its name beside it. The same result
gives the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...surveillance.compared import Compared
from ...surveillance.plan_comparison import Origin, Scored
from ..curves.curve_figure import COLOURS
from ..drawing import image

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREY = "#595959"
ROOM, LINE = 0.24, 0.05  # of the axes, that a name takes
FAMILY: dict[Origin, tuple[str, Any, str]] = {
    "optimum": (COLOURS[0], "-", "optimum, to the day"),
    "square_root": (COLOURS[2], (0, (5, 2)), "square-root rule"),
    "phased": (COLOURS[1], (0, (1.5, 1.5)), "phases of whole weeks"),
}
MARKS: dict[Origin, str] = {
    "plan": "o",
    "every": "s",
    "equal_yield": "^",
    "phased": "D",
    "square_root": "v",
    "optimum": "*",
}


def figure_bytes(result: Compared, kind: str, title: str = "") -> bytes:
    """Draw the comparison as a file of this kind (`.png`, `.svg` or `.pdf`)."""
    return image(lambda: draw(result, title), kind)


def draw(result: Compared, title: str = "") -> Figure:
    """Lay out the frontier above the schedules of each plan."""
    from matplotlib.figure import Figure

    rows = len(result.scored) * len(result.setting.groups)
    below = 0.19 * rows + 0.13 * len(result.scored) + 0.5
    height = 4.5 + below + 1.9
    figure = Figure(figsize=(8.2, height))
    figure.suptitle(
        title or "MRIs against months with progression that nobody knows of",
        x=0.1,
        y=1 - 0.12 / height,
        ha="left",
        va="top",
        fontsize=11,
    )
    top = figure.add_axes((0.1, 1 - 4.35 / height, 0.86, 3.8 / height))
    _frontier(top, result)
    bottom = figure.add_axes((0.27, 1.25 / height, 0.69, below / height))
    _schedules(bottom, result)
    figure.text(0.1, 0.12 / height, _note(result), fontsize=7.5, color=GREY, va="bottom", linespacing=1.4)
    return figure


def _note(result: Compared) -> str:
    known = " and ".join(result.hazards.known)
    mix = ", ".join(f"{g} {100 * s:.0f} %" for g, s in zip(result.setting.groups, result.setting.shares, strict=True))
    lines = [f"Hazards {known}; {mix} ({result.mix.known}); death competing; {result.setting.horizon:g} months."]
    if result.drawn:
        lines.append(f"Bars: {100 * result.asked.level:g} % limits over {result.drawn} draws of the hazards.")
    if any(w != 1 for w in result.setting.weights):
        lines.append("Months are weighted by group, as the user asked.")
    lines.append("That progression is found sooner does not prove that patients fare better.")
    return "\n".join(lines)


def _frontier(axes: Axes, result: Compared) -> None:
    for origin, points in result.frontier.items():
        if points:
            colour, style, name = FAMILY[origin]
            mris, months, _ = np.array(points).T
            axes.plot(mris, months, color=colour, ls=style, lw=1.6, label=name)
    named: list[tuple[float, float, str]] = []
    for s in result.scored:
        if s.candidate.origin not in ("plan", "every", "equal_yield", "phased"):
            continue
        x, y = s.given.total("mris"), s.undetected
        colour = FAMILY["phased"][0] if s.candidate.origin == "phased" else "black"
        _bars(axes, s, x, y, colour, plain=all(w == 1 for w in result.setting.weights))
        filled = colour if s.candidate.origin == "plan" else "white"
        axes.plot(x, y, MARKS[s.candidate.origin], color=colour, ms=6, mfc=filled)
        named.append((x, y, s.candidate.name))
    low, high = axes.get_ylim()
    axes.set_ylim(max(0.0, low), high + 0.12 * (high - low))
    _name(axes, named)
    axes.set_xlabel(f"MRIs per {result.hazards.unit}, {result.setting.horizon:g} months")
    axes.set_ylabel("months undetected")
    axes.legend(frameon=False, fontsize=8, loc="upper right")


def _name(axes: Axes, points: list[tuple[float, float, str]]) -> None:
    """Write names to the right of points, each above the one before where they would cover each other."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    taken: list[tuple[float, float]] = []
    for x, y, name in sorted(points, key=lambda p: p[1]):
        at = y + 0.02 * (high - low)
        for other_x, other_y in sorted(taken, key=lambda p: p[1]):
            if abs(other_x - x) < ROOM * (right - left) and abs(at - other_y) < LINE * (high - low):
                at = other_y + LINE * (high - low)
        taken.append((x, at))
        axes.annotate(
            name,
            (x, y),
            xytext=(x + 0.025 * (right - left), at),
            fontsize=8,
            va="center",
            arrowprops={"arrowstyle": "-", "lw": 0.5, "color": GREY, "shrinkA": 0, "shrinkB": 3},
        )


def _bars(axes: Axes, s: Scored, x: float, y: float, colour: str, *, plain: bool) -> None:
    spread = s.spread.get("undetected")
    if spread is not None and plain:
        axes.plot([x, x], [spread.low, spread.high], color=colour, lw=0.8, alpha=0.6)


def _schedules(axes: Axes, result: Compared) -> None:
    place = 0.0
    ticks, labels = [], []
    for s in result.scored:
        for k, (group, part) in enumerate(zip(result.setting.groups, s.given.parts, strict=True)):
            colour = FAMILY[s.candidate.origin][0] if s.candidate.origin in FAMILY else "black"
            axes.plot(part.visits, np.full(len(part.visits), place), "|", color=colour, ms=7, mew=1.2)
            ticks.append(place)
            labels.append(f"{s.candidate.name}  {group}" if k == 0 else group)
            place -= 1.0
        place -= 0.7
    axes.set_yticks(ticks, labels, fontsize=7.5)
    axes.set_ylim(place + 1.0, 0.9)
    axes.set_xlim(0, result.setting.horizon * 1.01)
    axes.set_xlabel("months since SBRT")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
