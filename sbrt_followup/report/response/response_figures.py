"""Readings as pictures: one patient's course, and a cohort's spider plot, waterfall and swimmer plot.

Every state has a marker and two letters beside its colour (Okabe and Ito's), every kind of line its own dashes, every kind
of bar its own hatch: nothing is told by colour alone. Windows are hatched, the detectable difference is a grey band. The
same assessment gives the same bytes. No state, date or threshold is decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from ...problems import refuse
from ...response.assessment import Assessment
from ...response.event_dates import cohort_table
from ...response.tallies import volume_groups
from ...timing import analysis_days
from ..drawing import image

if TYPE_CHECKING:
    import pandas as pd

MONTH = analysis_days(1)
MOST_PANELS = 6
MOST_SWIMMERS = 60
MOST_BARS = 400
# state: letters, colour, marker
STATE_STYLE: dict[str, tuple[str, str, str]] = {
    "baseline": ("BL", "#000000", "s"),
    "response": ("RE", "#009E73", "v"),
    "stable": ("ST", "#0072B2", "o"),
    "equivocal": ("EQ", "#E69F00", "D"),
    "progression": ("PD", "#D55E00", "^"),
    "pseudoprogression": ("PP", "#CC79A7", "P"),
    "indeterminate": ("?", "#777777", "X"),
}
# what growth came to: colour, dashes, words
COURSE_STYLE: dict[str, tuple[str, Any, str]] = {
    "none": ("#0072B2", "-", "no growth"),
    "retracted": ("#56B4E9", (0, (1, 1)), "growth gone again (outside every window)"),
    "pseudoprogression": ("#CC79A7", (0, (5, 1.5)), "pseudo-progression (in retrospect)"),
    "open": ("#E69F00", (0, (3, 1, 1, 1)), "growth still open"),
    "confirmed": ("#D55E00", "-", "progression"),
}
VOLUME_STYLE = {"decreased": ("#009E73", "\\\\\\"), "unchanged": ("#BBBBBB", ""), "increased": ("#D55E00", "///")}


def figure(assessment: Assessment, shown: str, kind: str) -> bytes:
    """Draw one of FIGURES as a file of this kind (`.png`, `.svg` or `.pdf`)."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    try:
        return image(lambda: FIGURES[shown](assessment, plt), kind)
    finally:
        plt.close("all")


def _limit(assessment: Assessment) -> float | None:
    """Give the detectable difference of volume in percent, from its document."""
    found = [c.repeatability for c in assessment.reading.criteria.sizes if c.repeatability is not None]
    return float(found[0].limit_percent) if found else None


def _footnote(fig: Any, text: str) -> None:
    # About 17 letters of this size to the inch.
    lines = wrap(text, int(17 * fig.get_size_inches()[0]))
    fig.supxlabel("\n".join(lines), fontsize=7.5, x=0.01, ha="left", color="#444444")


def _month_axis(axes: Any, months: float) -> None:
    from matplotlib.ticker import MultipleLocator

    axes.xaxis.set_major_locator(MultipleLocator(3 if months <= 36 else 12 if months > 72 else 6))
    axes.set_xlabel("months since SBRT")


# ---- one patient ----


def course(assessment: Assessment, plt: Any) -> Any:
    """Draw volume and diameter over time, one row of panels a site."""
    table = assessment.table
    scans = assessment.reading.scans
    sites = list(dict.fromkeys(scans.site.tolist()))
    if not sites:
        raise refuse("nothing-to-draw", "there is no MRI to draw")
    if len(sites) > MOST_PANELS:
        raise refuse(
            "too-many-sites", f"--draw course shows up to {MOST_PANELS} sites", hint="Name one with --patient ID."
        )
    both = bool(table["diameter_mm"].notna().any())
    fig, grid = plt.subplots(
        len(sites),
        2 if both else 1,
        figsize=(10 if both else 7.5, 0.9 + 3.3 * len(sites)),
        layout="constrained",
        squeeze=False,
    )
    for line, site in zip(grid, sites, strict=True):
        own = table.loc[scans.site == site].reset_index(drop=True)
        _course_panel(assessment, line[0], own, site, "gtv_cc", "volume, cc")
        if both:
            _course_panel(assessment, line[1], own, site, "diameter_mm", "largest diameter, mm")
    handles = _state_legend(plt, list(dict.fromkeys(table["state"].astype(str))), assessment)
    fig.legend(handles=handles, loc="outside upper center", ncols=5, frameon=False, fontsize=8)
    limit = _limit(assessment)
    band = f"Grey band: within the detectable difference of {limit:g} % of baseline. " if limit is not None else ""
    _footnote(fig, f"{band}Hatched: pseudo-progression window (shields growth inside the bone only). State as known by the as-of day; "
                   "in brackets what was called on the day.")  # fmt: skip
    return fig


def _course_panel(assessment: Assessment, axes: Any, own: pd.DataFrame, site: int, column: str, label: str) -> None:
    windows = assessment.reading.windows
    months = own["days"].to_numpy() / MONTH
    values = own[column].to_numpy(dtype=float)
    known = ~np.isnan(values)
    last = max(float(months.max()), 1.0)
    for s in windows.sets[int(windows.case[site])][0]:
        axes.axvspan(
            s.start / MONTH,
            s.stop / MONTH,
            facecolor="#F4F4F4",
            edgecolor="#BBBBBB",
            hatch="////",
            linewidth=0,
            zorder=0,
        )
    limit = _limit(assessment)
    baseline = values[(own["state"].astype(str) == "baseline").to_numpy() & known]
    if len(baseline) and limit is not None and column == "gtv_cc":
        axes.axhspan(
            baseline[0] * (1 - limit / 100),
            baseline[0] * (1 + limit / 100),
            color="#BDBDBD",
            alpha=0.55,
            linewidth=0,
            zorder=1,
        )
    axes.plot(months[known], values[known], color="#555555", linewidth=1.2, zorder=2)
    for at, value, state, called, urgent in zip(
        months[known], values[known], own["state"].astype(str)[known], own["called"].astype(str)[known],
        own["urgent"].astype(object)[known], strict=True,
    ):  # fmt: skip
        letters, colour, marker = STATE_STYLE[state]
        axes.plot(
            at, value, marker=marker, color=colour, markersize=8, markeredgecolor="black", markeredgewidth=0.6, zorder=3
        )
        text = letters + (f" ({STATE_STYLE[called][0]})" if called != state else "") + (" !" if urgent == "yes" else "")
        axes.annotate(text, (at, value), xytext=(0, 8), textcoords="offset points", ha="center", fontsize=8,
                      fontweight="bold" if urgent == "yes" else "normal", zorder=4)  # fmt: skip
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlim(min(float(months.min()), 0) - 0.6, last * 1.06 + 0.6)
    top = float(values[known].max()) if known.any() else 1.0
    axes.set_ylim(0, top * 1.22)
    _month_axis(axes, last)
    axes.set_ylabel(label)
    first = own.iloc[0]
    axes.set_title(f"{first['patient_id']}, site {first['site_id']}", loc="left", fontsize=9)
    if not known.any():
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color="#777777")


def _state_legend(plt: Any, states: list[str], assessment: Assessment) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D([], [], marker=m, color=c, markeredgecolor="black", markeredgewidth=0.6, linestyle="", markersize=7,
               label=f"{letters} {name}")
        for name, (letters, c, m) in STATE_STYLE.items() if name in states
    ]  # fmt: skip
    if assessment.reading.windows.sets:
        handles.append(Patch(facecolor="#F4F4F4", edgecolor="#BBBBBB", hatch="////", linewidth=0, label="window"))
    return handles


# ---- a cohort ----


def _outcomes(assessment: Assessment) -> list[str]:
    """Give, per row of the cohort, what its growth came to."""
    from ...response.episodes import RESOLUTIONS

    e, scans = assessment.episodes, assessment.reading.scans
    found = np.full(len(assessment.reading.frame), -1, dtype=np.int64)
    inside = (e.episode >= 0).nonzero()[0]
    np.maximum.at(found, scans.site[inside], e.resolution[inside])
    return ["none" if r < 0 else RESOLUTIONS[r] for r in found.tolist()]


def _changes(assessment: Assessment) -> tuple[Any, Any, Any]:
    """Give site, months and percent change from baseline of every MRI that has one, the baseline as 0."""
    table, scans = assessment.table, assessment.reading.scans
    change = table["change_baseline_percent"].to_numpy(dtype=float).copy()
    has = np.zeros(len(assessment.reading.frame), dtype=bool)
    has[scans.site[~np.isnan(change)]] = True
    change[scans.baseline & has[scans.site]] = 0.0
    known = ~np.isnan(change)
    return scans.site[known], np.maximum(scans.since[known] / MONTH, 0.0), change[known]


def _need_volumes(found: Any) -> None:
    if not len(found):
        raise refuse("nothing-to-draw", "no site has a volume at baseline and after treatment")


def spider(assessment: Assessment, plt: Any) -> Any:
    """Draw every site's volume change from baseline over time, told apart by what its growth came to."""
    from matplotlib.lines import Line2D

    site, months, change = _changes(assessment)
    _need_volumes(site)
    outcome = _outcomes(assessment)
    fig, axes = plt.subplots(figsize=(8.5, 5.2), layout="constrained")
    top = float(np.clip(np.nanmax(change) * 1.08, 60, 220))
    faint = 0.85 if len(set(site.tolist())) < 80 else 0.35
    limit = _limit(assessment)
    if limit is not None:
        axes.axhspan(-limit, limit, color="#BDBDBD", alpha=0.55, linewidth=0, zorder=0)
    beyond = 0
    starts = np.concatenate([[0], (np.diff(site) != 0).nonzero()[0] + 1, [len(site)]])
    order = list(COURSE_STYLE)
    pieces = sorted(range(len(starts) - 1), key=lambda i: order.index(outcome[int(site[starts[i]])]))
    for i in pieces:
        here = slice(starts[i], starts[i + 1])
        colour, dashes, _ = COURSE_STYLE[outcome[int(site[starts[i]])]]
        axes.plot(months[here], np.minimum(change[here], top), color=colour, linestyle=dashes, linewidth=1.1, alpha=faint,
                  marker="o", markersize=2.2)  # fmt: skip
        over = change[here] > top
        beyond += bool(over.any())
        axes.plot(
            months[here][over], np.full(int(over.sum()), top), linestyle="", marker=10, color=colour, markersize=6
        )
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_ylim(-105, top * 1.05)
    axes.set_xlim(left=0)
    _month_axis(axes, float(months.max()))
    axes.set_ylabel("volume against baseline, %")
    shown = [outcome[int(site[s])] for s in starts[:-1]]
    handles = [
        Line2D([], [], color=c, linestyle=d, linewidth=1.6, label=f"{words} ({shown.count(name)})")
        for name, (c, d, words) in COURSE_STYLE.items()
        if name in shown
    ]
    fig.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    more = f" {beyond} site(s) go beyond the top (arrowheads)." if beyond else ""
    _footnote(fig, f"{len(shown)} sites with a volume at baseline and after. Grey band: detectable difference, ±{limit:g} %.{more}"
              if limit is not None else f"{len(shown)} sites.{more}")  # fmt: skip
    return fig


def waterfall(assessment: Assessment, plt: Any) -> Any:
    """Draw each site's volume change at its last MRI as a bar, largest growth first."""
    from matplotlib.patches import Patch

    site, months, change = _changes(assessment)
    _need_volumes(site)
    labels, code = volume_groups(assessment)
    scans = assessment.reading.scans
    last: dict[int, tuple[float, int]] = {}
    group = np.full(len(assessment.reading.frame), -1, dtype=np.int64)
    after = (code >= 0) & ~scans.baseline
    group[scans.site[after]] = code[after]
    for s, m, c in zip(site.tolist(), months.tolist(), change.tolist(), strict=True):
        if group[s] >= 0 and m > 0:
            last[s] = (c, int(group[s]))
    bars = sorted(last.values(), key=lambda b: -b[0])
    counts = {label: sum(labels[g] == label for _, g in bars) for label in labels}
    step = max(1, -(-len(bars) // MOST_BARS))
    drawn = bars[::step]
    fig, axes = plt.subplots(figsize=(8.5, 4.6), layout="constrained")
    top = float(np.clip(max(b[0] for b in bars) * 1.08, 40, 220))
    for x, (value, g) in enumerate(drawn):
        colour, hatch = VOLUME_STYLE[labels[g]]
        axes.bar(
            x,
            min(value, top),
            width=0.86,
            color=colour,
            hatch=hatch,
            edgecolor="white" if hatch else colour,
            linewidth=0,
        )
        if value > top:
            axes.plot(x, top, marker=10, color=colour, markersize=6)
    limit = _limit(assessment)
    if limit is not None:
        for sign in (-1, 1):
            axes.axhline(sign * limit, color="#444444", linestyle=(0, (4, 2)), linewidth=0.9)
        axes.annotate(f"±{limit:g} %", (len(drawn) - 0.4, limit), fontsize=8, va="bottom", ha="right")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_ylim(max(-105, min(b[0] for b in bars) * 1.15 - 5), top * 1.05)
    axes.set_xlim(-0.8, len(drawn) - 0.2)
    axes.set_xticks([])
    axes.set_xlabel("sites, largest growth first" + (f" (every {step}th of {len(bars)})" if step > 1 else ""))
    axes.set_ylabel("volume at the last MRI against baseline, %")
    total = len(bars)
    handles = [
        Patch(facecolor=VOLUME_STYLE[x][0], hatch=VOLUME_STYLE[x][1], edgecolor="white", linewidth=0,
              label=f"{x}: {counts[x]} of {total} ({100 * counts[x] / total:.1f} %)")
        for x in labels
    ]  # fmt: skip
    fig.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    _footnote(
        fig,
        "Increased: by at least the detectable difference; whether that is growth depends on size class and scan (response/volume-growth).",
    )
    return fig


def swimmer(assessment: Assessment, plt: Any) -> Any:
    """Draw each site's MRIs along its follow-up: the state of each stretch, growth, death."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    table, scans = assessment.table, assessment.reading.scans
    ends = cohort_table(assessment, frozenset({"death_date"}), ())
    frame = assessment.reading.frame
    lengths = np.zeros(len(frame))
    np.maximum.at(lengths, scans.site, scans.since / MONTH)
    followed = [s for s in np.argsort(-lengths, kind="stable").tolist() if lengths[s] > 0]
    if not followed:
        raise refuse("nothing-to-draw", "no site has an MRI after treatment")
    shown = followed[:MOST_SWIMMERS]
    fig, axes = plt.subplots(figsize=(9, 1.6 + 0.27 * len(shown)), layout="constrained")
    states = table["state"].astype(str).to_numpy()
    for y, s in enumerate(shown):
        own = ((scans.site == s) & ~scans.baseline).nonzero()[0]
        start = 0.0
        for r in own:
            stop = scans.since[r] / MONTH
            _, colour, marker = STATE_STYLE[states[r]]
            axes.barh(y, stop - start, left=start, height=0.52, color=colour, alpha=0.35, linewidth=0)
            axes.plot(
                stop,
                y,
                marker=marker,
                color=colour,
                markersize=6,
                markeredgecolor="black",
                markeredgewidth=0.5,
                zorder=3,
            )
            start = stop
        progressed = ends["progression_date"].iloc[s]
        if str(progressed) != "NaT":
            at = (progressed - frame["sbrt_date"].iloc[s]).days / MONTH
            axes.plot([at, at], [y - 0.42, y + 0.42], color="black", linewidth=2, zorder=4)
        died = frame["death_date"].iloc[s]
        if str(died) != "NaT":
            at = (died - frame["sbrt_date"].iloc[s]).days / MONTH
            axes.plot(at, y, marker="x", color="black", markersize=7, markeredgewidth=1.6, zorder=4)
    names = [f"{frame['patient_id'].iloc[s]}, {frame['site_id'].iloc[s]}" for s in shown]
    axes.set_yticks(range(len(shown)), names, fontsize=7.5)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(left=0)
    _month_axis(axes, float(lengths.max()))
    seen = set(states[np.isin(scans.site, shown) & ~scans.baseline].tolist())
    handles: list[Any] = [
        h for h in _state_legend(plt, [s for s in STATE_STYLE if s in seen], assessment) if not isinstance(h, Patch)
    ]
    handles.append(
        Line2D(
            [], [], marker="|", color="black", linestyle="", markersize=10, markeredgewidth=2, label="progression dated"
        )
    )
    handles.append(Line2D([], [], marker="x", color="black", linestyle="", markersize=7, label="death"))
    fig.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False, fontsize=8)
    more = f" The {len(shown)} longest of {len(followed)} sites." if len(followed) > len(shown) else ""
    _footnote(fig, f"Each stretch has the state of the MRI at its end, as known by the as-of day.{more}")
    return fig


FIGURES: dict[str, Callable[[Assessment, Any], Any]] = {
    "course": course,
    "spider": spider,
    "waterfall": waterfall,
    "swimmer": swimmer,
}
"""What --draw takes."""
