"""What a change of rules does to a cohort, as a table, CSV, JSON, Markdown and a figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...audits.impact import UNDECIDED, Impact
from ...vocabulary import TIERS
from ..drawing import image
from ..tabular import csv_text, json_rows, json_text, json_value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("table", "csv", "json", "markdown")
TOTALS = {
    "mris": "MRIs to the horizon",
    "mris_next_year": "MRIs due in the next twelve months",
    "overdue": "visits overdue",
}
NARROW = (
    "patient_id",
    "tiers_before",
    "tiers_after",
    "mris_before",
    "mris_after",
    "visits_moved",
    "most_days_moved",
    "newly_overdue",
)


def render(found: Impact, format_: str, manifest: Mapping[str, Any], title: str) -> str:
    """Give the comparison in one of the formats; CSV holds the patients concerned."""
    if format_ == "csv":
        return csv_text(found.concerned)
    if format_ == "json":
        body = {
            "schema_version": 1, "patients": found.patients, "sites": found.sites,
            "tiers": [{"before": a, "after": b, "sites": n} for (a, b), n in sorted(found.tiers.items())],
            "totals": {name: {"before": a, "after": b} for name, (a, b) in found.totals.items()},
            "months": json_rows(found.months), "concerned": json_rows(found.concerned), "manifest": dict(manifest),
        }  # fmt: skip
        return json_text(body)
    if format_ == "markdown":
        names = list(found.concerned.columns)
        rows = [[_cell(c) for c in row] for row in found.concerned.itertuples(index=False, name=None)]
        body_ = [f"| {' | '.join(row)} |" for row in rows]
        head = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
        matrix = _matrix(found)
        return "\n".join(
            [
                f"# {title}",
                "",
                *(f"- {s}" for s in summary(found)),
                "",
                *(f"    {s}" for s in matrix),
                "",
                *head,
                *body_,
                "",
            ]
        )
    from ..console import table_text

    shown = found.concerned[list(NARROW)]
    return table_text(shown, title, ["", *_matrix(found), "", *summary(found)], 100)


def _cell(value: Any) -> str:
    plain = json_value(value)
    return "" if plain is None else str(plain)


def summary(found: Impact) -> list[str]:
    """Say in a few lines what changes."""
    moved = sum(n for (a, b), n in found.tiers.items() if a != b)
    newly = int((found.concerned["newly_overdue"] == "yes").sum())
    said = [
        f"{len(found.concerned)} of {found.patients} patients concerned; {moved} of {found.sites} sites get another tier; {newly} patients newly overdue."
    ]
    for name, words in TOTALS.items():
        before, after = found.totals[name]
        said.append(f"{words[0].upper()}{words[1:]}: {before} before, {after} after ({after - before:+d}).")
    return said


def _matrix(found: Impact) -> list[str]:
    names = [t for t in (*TIERS, UNDECIDED) if any(t in pair for pair in found.tiers)]
    lines = ["Sites by tier, before (down) and after (across):", " " * 14 + "".join(f"{n:>14}" for n in names)]
    lines += [f"{a:<14}" + "".join(f"{found.tiers.get((a, b), 0):>14}" for b in names) for a in names]
    return lines


def impact_figure(found: Impact, kind: str) -> bytes:
    """Draw the MRI slots needed a month, before and after, as a file of this kind (`.png`, `.svg` or `.pdf`)."""
    return image(lambda: _drawn(found), kind)


def _drawn(found: Impact) -> Figure:
    from matplotlib.figure import Figure

    months = found.months[found.months["month"] >= found.as_of.strftime("%Y-%m")].reset_index(drop=True)
    figure = Figure(figsize=(10, 4))
    axes = figure.add_subplot()
    at = range(len(months))
    axes.step(at, months["before"], where="mid", color="#57606a", linewidth=1.6, label="before")
    axes.step(at, months["after"], where="mid", color="#bc4c00", linewidth=1.6, linestyle="--", label="after")
    years = [k for k, m in enumerate(months["month"]) if m.endswith("-01")]
    axes.set_xticks(years, [months["month"][k][:4] for k in years])
    axes.set_ylim(bottom=0)
    axes.set_ylabel("MRIs due a month")
    axes.set_title(f"MRI slots needed by calendar month, from {found.as_of} on", loc="left", fontsize=10)
    axes.legend(frameon=False, loc="upper right")
    figure.tight_layout()
    return figure
