"""Publication figures of curves: PNG, SVG, PDF.

Conventions. Colours are Okabe and Ito's, told apart in colour blindness; each group also has its own line style, so that
a grey print stays legible. Curves are steps, bands pointwise intervals, ticks censorings. Where fewer than 10 are at
risk the curve is faint. Under the plot, aligned with its axis: at risk, cumulative events, cumulative censored.
The same analysis gives the same bytes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...estimators.interval_censored import Npmle
from ...outcomes.analysis import FEW_AT_RISK, Analysis, GroupResult, at_risk
from ...outcomes.curves import Curves
from ...problems import refuse
from ...timing import analysis_days
from ..drawing import image
from .axis import last_month, month_ticks
from .curve_words import TEST, curve_name, p_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
POLICY_DASHES: tuple[Any, ...] = ((0, (4, 1.5)), (0, (1, 1)), (0, (7, 1.5, 1, 1.5)), (0, (2, 3)))
STYLES: tuple[Any, ...] = (
    "-",
    (0, (6, 2)),
    (0, (1.5, 1.5)),
    (0, (6, 2, 1.5, 2)),
    (0, (3, 1)),
    (0, (9, 3)),
    (0, (9, 2, 1.5, 2, 1.5, 2)),
)
FAINT = 0.35
WIDTH = 7.0
MOST_INSIDE, LONGEST_INSIDE = 6, 40  # entries, and letters of one, that have room in the plot; others stand above it
LONGEST_LABEL, LONGEST_IN_TABLE = 42, 22
TITLE_WIDTH = 60
HALF_A_LINE = 0.004
MONTH = analysis_days(1)


def figure_bytes(result: Curves, kind: str, *, title: str = "") -> bytes:
    """Draw the curves with their risk table as a file of this kind (`.png`, `.svg` or `.pdf`)."""
    return image(
        lambda: draw(result.analysis, title=title, notes=notes_of(result), others=result.others), kind, dpi=300
    )


def notes_of(result: Curves) -> tuple[str, ...]:
    """Say what must stand under the figure: bands, faint parts, and what the groups rest on."""
    analysis = result.analysis
    method = analysis.method
    level = f"{100 * method.level:g} %"
    if method.estimator == "turnbull":
        parts = ["Boxes: intervals between MRIs in which the curve is not unique"]
        parts += [f"Bands: pointwise {level} bootstrap intervals ({method.ci_type})"] if method.bootstrap else []
    else:
        parts = [f"Bands: pointwise {level} intervals ({method.ci_type})", "Ticks: censored"]
    if result.others:
        parts.append("Thin: the same patients under the other event-date policies")
    notes = [". ".join([*parts, f"Faint: fewer than {FEW_AT_RISK} at risk."])]
    end = month_ticks(analysis)[-1]
    if last_month(analysis) > end + 0.5:
        notes.append(
            f"Not drawn: months {end:g} to {last_month(analysis):.0f}, where fewer than {FEW_AT_RISK} of any group are left."
        )
    if result.grouping is not None and result.grouping.note:
        notes.append(f"{result.grouping.note}.")
    notes += [c.message + "." for c in result.cautions if c.group is None]
    return tuple(note[:1].upper() + note[1:] for note in notes)


def draw(
    analysis: Analysis,
    *,
    title: str = "",
    notes: tuple[str, ...] = (),
    others: Sequence[tuple[str, Analysis]] = (),
) -> Figure:
    """Draw the curves with their risk table; `others` are the same groups under other event-date policies."""
    from matplotlib.figure import Figure

    groups = [g for g in analysis.groups if g.counts.n]
    if not groups:
        raise refuse("nothing-to-draw", "nobody is left to draw: every row is excluded")
    ticks = month_ticks(analysis)
    lines = 3 * (len(groups) + 1)
    table, plot, foot = 0.17 * lines + 0.1, 3.9, 0.62 + 0.16 * len(_wrapped(notes))
    heading = textwrap.wrap(title, TITLE_WIDTH)
    names = _names(groups, LONGEST_LABEL)
    entries = [*(_legend(*pair, analysis) for pair in zip(names, groups, strict=True)), *(name for name, _ in others)]
    above = len(entries) > MOST_INSIDE or max(map(len, entries)) > LONGEST_INSIDE
    head = 0.12 + 0.18 * len(heading) + (_legend_height(entries) if above else 0.0)
    height = plot + table + foot + head
    figure = Figure(figsize=(WIDTH, height))
    left = 0.075 + 0.0105 * min(22, max(len(g.label) for g in groups))
    box = (left, 1 - head / height - plot / height, 0.975 - left, plot / height)
    axes = figure.add_axes(box)
    for place, group in enumerate(groups):
        _draw_group(axes, group, place, analysis, entries[place])
    _draw_policies(axes, others)
    _dress(axes, analysis, ticks, groups, entries if above else [])
    under = figure.add_axes((left, (foot - 0.45) / height, 0.975 - left, table / height), sharex=axes)
    _risk_table(under, groups, ticks, analysis)
    if title:
        figure.text(left, 1 - 0.06 / height, "\n".join(heading), weight="bold", va="top", size=10)
    for k, note in enumerate(reversed(_wrapped(notes))):
        figure.text(0.02, (0.06 + 0.16 * k) / height, note, size=7, color="0.25", va="bottom")
    return figure


def _wrapped(notes: tuple[str, ...]) -> list[str]:
    return [line for note in notes for line in textwrap.wrap(note, 130)]


def _legend_height(entries: list[str]) -> float:
    """Give the inches that a legend above the plot needs, with its heading."""
    return 0.2 * (-(-len(entries) // _legend_columns(entries)) + 1) + 0.05


def _legend_columns(entries: list[str]) -> int:
    """Give as many columns as the longest entry leaves room for."""
    longest = max(map(len, entries))
    return max(1, min(3, int(WIDTH * 0.78 / (0.62 + 0.078 * longest))))


def _style(place: int) -> tuple[str, Any]:
    """Give a group's colour and line, no pair twice before 49 groups."""
    return COLOURS[place % len(COLOURS)], STYLES[(place + place // len(COLOURS)) % len(STYLES)]


def _darker(place: int) -> tuple[float, float, float]:
    """Give a group's colour dark enough for small print, in grey too."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(COLOURS[place % len(COLOURS)])
    return 0.65 * red, 0.65 * green, 0.65 * blue


def _draw_group(axes: Axes, group: GroupResult, place: int, analysis: Analysis, label: str) -> None:
    colour, style = _style(place)
    band = min(0.15, 0.4 / len(analysis.groups))  # paler where more of them overlap
    curve, counts = group.curve, group.counts
    time, value = _path(group)
    days, *limits = group.band()
    edges = np.concatenate([[0.0], days]) / MONTH
    low, high = (np.concatenate([[np.nan], limit]) for limit in limits)
    many, many_in_band = _many(group, time), _many(group, edges)
    for thick in (True, False):
        keep, keep_band = (many, many_in_band) if thick else (~many, ~many_in_band)
        shade = 1.0 if thick else FAINT
        if keep.any() or thick:
            x, y = _steps(time, value, keep)
            axes.plot(x, y, color=colour, linestyle=style, linewidth=1.6, alpha=shade, label=label if thick else None)
        (x, a), (_, b) = _steps(edges, low, keep_band), _steps(edges, high, keep_band)
        axes.fill_between(x, a, b, color=colour, alpha=band * shade, linewidth=0)
    if group.fit is not None:
        _shade_intervals(axes, group.fit.npmle, colour)
        return
    lost = counts.n_censor > 0
    axes.plot(
        curve.time[lost] / MONTH, curve.estimate[lost], "|", color=colour, markersize=5, markeredgewidth=0.8, alpha=0.75
    )


def _path(group: GroupResult) -> tuple[Any, Any]:
    """Give the months of the curve's steps and its value from each on; between MRIs up to the last clear one."""
    curve = group.curve
    time, value = np.concatenate([[0.0], curve.time]), np.concatenate([[curve.start], curve.estimate])
    if group.fit is not None and time[-1] < curve.reach < np.inf:
        time, value = np.append(time, curve.reach), np.append(value, value[-1])
    return time / MONTH, value


def _draw_policies(axes: Axes, others: Sequence[tuple[str, Analysis]]) -> None:
    """Draw the same curves thin under the other event-date policies, each policy with its own dashes."""
    for k, (policy, analysis) in enumerate(others):
        dashes = POLICY_DASHES[k % len(POLICY_DASHES)]
        axes.plot([], [], color="0.35", linestyle=dashes, linewidth=0.9, label=policy)
        for place, group in enumerate(g for g in analysis.groups if g.counts.n):
            time, value = _path(group)
            x, y = _steps(time, value, np.ones(len(time), dtype=bool))
            axes.plot(x, y, color=_style(place)[0], linestyle=dashes, linewidth=0.8, alpha=0.8)


def _many(group: GroupResult, months: Any) -> Any:
    """Tell for the step that begins at each time whether ten or more are still at risk just after it."""
    many = group.counts.at_risk(np.nextafter(months * MONTH, np.inf)) >= FEW_AT_RISK
    many[0] = group.counts.n >= FEW_AT_RISK or bool(many[0])
    return many


def _shade_intervals(axes: Axes, fit: Npmle, colour: str) -> None:
    """Show where the curve is not unique: it may fall anywhere inside these boxes."""
    from matplotlib.patches import Rectangle

    for left, right, low, high in zip(fit.left_days, fit.right_days, fit.surv_low, fit.surv_high, strict=True):
        if np.isfinite(right) and right > left:
            box = Rectangle(
                (left / MONTH, low), (right - left) / MONTH, high - low, color=colour, alpha=0.22, linewidth=0
            )
            axes.add_patch(box)


def _steps(time: Any, value: Any, keep: Any) -> tuple[Any, Any]:
    """Give the step path over the kept steps, each with the riser that begins it, broken by NaN elsewhere."""
    x: list[float] = []
    y: list[float] = []
    for k in np.flatnonzero(keep):
        if k and not keep[k - 1]:
            x.append(float("nan"))
            y.append(float("nan"))
        if k:
            x.append(time[k])
            y.append(value[k - 1])
        x += [time[k], time[k + 1] if k + 1 < len(time) else time[k]]
        y += [value[k], value[k]]
    return np.array(x), np.array(y)


def _names(groups: list[GroupResult], longest: int) -> list[str]:
    """Shorten labels; number them where the risk table could not tell them apart."""
    alike = len({_short(g.label, LONGEST_IN_TABLE) for g in groups}) < len(groups)
    return [
        f"{k}: {_short(g.label, longest - 3)}" if alike else _short(g.label, longest) for k, g in enumerate(groups, 1)
    ]


def _legend(label: str, group: GroupResult, analysis: Analysis) -> str:
    """Name a group with its size: patients, or sites and their patients."""
    if analysis.study.question.unit == "site":
        return f"{label} ({group.counts.n} sites of {group.patients})"
    return f"{label} (n = {group.counts.n})"


def _dress(axes: Axes, analysis: Analysis, ticks: list[float], groups: list[GroupResult], above: list[str]) -> None:
    """Give axes, labels and legend; `above` holds the entries of a legend that stands above the plot."""
    rising = analysis.method.estimator == "cif"
    axes.set_xlim(0, ticks[-1])
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    top, highest = 1.0, max((_highest(g, ticks[-1] * MONTH) for g in groups), default=1.0)
    if rising:
        # Room for the legend above the curves, or below them where they rise to the top.
        wanted = min(1.0, max(0.3, 1.3 * highest))
        unit = 0.2 if wanted > 0.6 else 0.1
        top = min(1.0, unit * float(np.ceil(wanted / unit - 1e-9)))
    axes.set_ylim(-HALF_A_LINE * top, (1 + HALF_A_LINE) * top)  # a curve along the edge is drawn whole
    grid = np.arange(0, top + 1e-9, 0.2 if top > 0.6 else 0.1)
    axes.set_yticks(grid, [f"{100 * v:.0f}" for v in grid])
    axes.set_ylabel(curve_name(analysis.method.estimator, analysis.study.question.endpoint) + ", %")
    axes.set_xlabel("Months since SBRT" if not analysis.study.question.landmark_day else "Months since the landmark")
    text = test_text(analysis)
    where = ("upper left" if highest < 0.75 else "lower right") if rising else "lower left"
    if len(groups) > 1 or text:
        place: dict[str, Any] = {"loc": where}
        if above:
            place = {
                "loc": "lower left",
                "bbox_to_anchor": (0, 1.0),
                "ncol": _legend_columns(above),
                "borderaxespad": 0.2,
            }
        legend = axes.legend(**place, frameon=False, handlelength=3.4, title=text or None, alignment="left")
        legend.get_title().set_fontsize(9)


def _highest(group: GroupResult, end: float) -> float:
    """Give the highest value to be seen up to a day where enough are at risk, or of the curve itself."""
    curve = group.curve
    shown = curve.time <= end
    if not shown.any():
        return 0.0
    sure = shown & (group.counts.at_risk(curve.time) >= FEW_AT_RISK)
    limits = curve.ci_high[sure & np.isfinite(curve.ci_high)]
    return max(float(curve.estimate[shown].max()), float(limits.max()) if limits.size else 0.0)


def test_text(analysis: Analysis) -> str:
    """Give the overall test for a figure, or why there is none."""
    own = {"km": "logrank", "cif": "gray", "turnbull": "interval_score"}
    overall = {t.name: t for t in analysis.tests if t.groups is None}
    test = overall.get(own[analysis.method.estimator]) or overall.get("logrank")
    if test is None:
        return ""
    if not np.isfinite(test.p_value):
        test = overall.get("logrank", test)
    if not analysis.printable(test):
        return "No p-value: a group has fewer than 20 patients"
    return f"{TEST[test.name].capitalize()}, {p_text(test.p_value)}" if np.isfinite(test.p_value) else ""


def _risk_table(axes: Axes, groups: list[GroupResult], ticks: list[float], analysis: Analysis) -> None:
    axes.set_axis_off()
    axes.set_xlim(0, ticks[-1])
    lines = 3 * (len(groups) + 1)
    axes.set_ylim(lines, 0)
    blocks = (("At risk", "n_risk"), ("Cumulative events", "events"), ("Cumulative censored", "censored"))
    competing = any(g.counts.competing for g in groups)
    for b, (heading, column) in enumerate(blocks):
        line = b * (len(groups) + 1) + 0.5
        if competing and column == "censored":
            heading = "Cumulative censored or dead first"
        axes.annotate(
            heading,
            (0, line),
            xycoords=("axes fraction", "data"),
            xytext=(-6, 0),
            textcoords="offset points",
            size=7.5,
            weight="bold",
            va="center",
            ha="left",
            annotation_clip=False,
        )
        for place, (group, name) in enumerate(zip(groups, _names(groups, LONGEST_IN_TABLE), strict=True)):
            y = line + 1 + place
            axes.annotate(
                name,
                (0, y),
                xycoords=("axes fraction", "data"),
                xytext=(-14, 0),
                textcoords="offset points",
                size=7.5,
                va="center",
                ha="right",
                color=_darker(place),
                annotation_clip=False,
            )
            for t in ticks:
                row = at_risk(group.counts, t)
                number = row.censored + row.competing if column == "censored" else getattr(row, column)
                axes.text(t, y, f"{number}", size=7.5, va="center", ha="center", clip_on=False)


def _short(label: str, longest: int) -> str:
    """Leave out the middle of a long label: beginnings are often alike."""
    half = longest // 2
    return label if len(label) <= longest else f"{label[: longest - half - 1]}…{label[-half:]}"
