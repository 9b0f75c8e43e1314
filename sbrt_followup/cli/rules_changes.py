"""`rules diff` and `rules impact`: what a change of rules says, and what it does to these patients."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..problems import refuse
from . import options as o
from .rules import folder_of, name_of, open_rules, put, trace

if TYPE_CHECKING:
    from ..rulebook.library import Rulebook

Before = Annotated[
    str,
    typer.Argument(
        help="Rules folder or file, `packaged`, or a signed case pack (.csv).", metavar="A", show_default=False
    ),
]
After = Annotated[
    str, typer.Argument(help="Rules folder or file. Default: the packaged rulebook.", metavar="[B]", show_default=False)
]


def open_side(text: str, profile: str | None) -> Rulebook:
    """Read one side of a comparison."""
    if text == "packaged":
        return open_rules(None, profile)
    folder, _ = folder_of(Path(text), None)
    return open_rules(folder, profile)


def _name(text: str) -> str:
    return name_of(None if text == "packaged" else Path(text))


def diff(
    before: Before,
    after: After = "packaged",
    check_version: Annotated[
        bool, typer.Option("--check-version", help="Exit 1 when a version was raised by less than the change asks for.")
    ] = False,
    profile: o.ProfileName = None,
    format_: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
) -> None:
    """Say what changes from A to B in cells and dates, not in text; and which version number the change asks for.

    With a signed case pack (`rules show --pack`, signed_by filled in) as A, only the decisions that B changes are open again.

    Examples:

        sbrt-followup rules diff packaged our_rules/

        sbrt-followup rules diff old_rules/ new_rules/ -f json

        sbrt-followup rules diff signed.csv our_rules/
    """
    from ..audits.differences import diff as compare
    from ..audits.differences import reopened
    from ..report.rules.difference_text import FORMATS, pack_status, read_pack, render
    from . import outputs
    from .call import say

    to = outputs.destination(format_, output, force, quiet, FORMATS)
    title = f"From {_name(before)} to {_name(after)}"
    if before.endswith(".csv"):
        book = open_side(after, profile)
        signed = reopened(read_pack(Path(before)), book)
        manifest = trace("diff", book, None, {"to": _name(after)})
        put(pack_status(signed, to.format, manifest), to, manifest)
        again = sum(s.status == "reopened" for s in signed)
        say(f"{sum(s.status == 'signed' for s in signed)} signatures stand, {again} decisions are open again.", quiet)
        if again:
            raise typer.Exit(1)
        return
    one, other = open_side(before, profile), open_side(after, profile)
    changes = compare(one, other)
    manifest = trace("diff", other, None, {"from": _name(before), "to": _name(after)})
    put(render(changes, to.format, manifest, title), to, manifest)
    if check_version and any(c.version_short for c in changes):
        raise typer.Exit(1)


def impact(
    cohort: o.Cohort = None,
    before: Annotated[
        str, typer.Option("--from", metavar="RULES", help="Rules folder or file, or `packaged`.")
    ] = "packaged",
    after: Annotated[
        str, typer.Option("--to", metavar="RULES", help="Rules folder or file, or `packaged`.")
    ] = "packaged",
    plan: Annotated[
        str | None,
        typer.Option("--plan", help="Plan followed before and after. Default: each profile's.", show_default=False),
    ] = None,
    plan_to: Annotated[
        str | None, typer.Option("--plan-to", help="Plan followed after, where it is another one.", show_default=False)
    ] = None,
    imaging: o.Imaging = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            "--figure",
            metavar="FILE",
            help="Draw MRIs a month before and after (.png, .svg).",
            rich_help_panel=o.OUTPUT,
            show_default=False,
        ),
    ] = None,
    as_of: o.AsOf = None,
    profile: o.ProfileName = None,
    format_: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
    map_file: o.Map = None,
    sheet: o.Sheet = None,
    errors: o.Errors = None,
    date_format: o.DateFormat = None,
    on_error: o.OnError = "refuse",
) -> None:
    """Say what a change of rules does to these patients: tiers moved, MRIs a year, dates moved, newly overdue.

    CSV lists the patients concerned, one line each; table, JSON and Markdown also give the totals.

    Examples:

        sbrt-followup rules impact cohort.csv --from packaged --to our_rules/ --imaging mri.csv

        sbrt-followup rules impact cohort.csv --plan mri-review-2025 --plan-to chen-2024 --figure slots.png
    """
    from ..audits.impact import impact as measure
    from ..report.rules.impact_text import FORMATS, impact_figure, render, summary
    from . import inputs, outputs

    to = outputs.destination(format_, output, force, quiet, FORMATS)
    drawings = outputs.check_figures([figure], force)
    if before == after and (plan_to or plan) == plan:
        raise refuse("nothing-to-compare", "name two rulebooks (--from, --to) or two plans (--plan, --plan-to)")
    books = open_side(before, profile), open_side(after, profile)
    table = inputs.open_cohort(cohort, books[0], map_file, date_format, on_error, quiet)
    scans = inputs.placed(table, inputs.open_imaging(imaging, map_file, date_format, on_error, quiet), quiet)
    today = as_of or inputs.day_of(None, quiet).isoformat()
    sides = [
        inputs.request(book, name, None, today, True) for book, name in zip(books, (plan, plan_to or plan), strict=True)
    ]
    found = measure(table.frame, None if scans is None else scans.frame, *sides)
    used = {"cohort": table} if scans is None else {"cohort": table, "imaging": scans}
    arguments = {
        "from": _name(before),
        "to": _name(after),
        "plan": plan,
        "plan_to": plan_to,
        "cohort": cohort,
        "imaging": imaging,
    }
    documents = [d for side in sides for d in (side.plan, side.rulebook.risk, side.rulebook.sins)]
    body = inputs.manifest_of("rules impact", today, documents, used, arguments, ("cohort", "imaging"))
    title = f"From {_name(before)}, {sides[0].plan.id}, to {_name(after)}, {sides[1].plan.id}"
    put(render(found, to.format, body, title), to, body)
    if to.format == "csv":
        for line in summary(found):
            inputs.say(line, quiet)
    outputs.draw_files(drawings, lambda kind: impact_figure(found, kind), lambda: body, force)
