"""`policy`: plans compared on hazards, the frontier, and the best plan for a number of MRIs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..problems import nearest, refuse
from . import options as o
from .rates import Rates

if TYPE_CHECKING:
    from ..rulebook.library import Rulebook
    from ..rulebook.model import Plan
    from ..surveillance.compared import Asked, Compared, Mix
    from ..surveillance.hazards import Hazards
    from ..tables.records import Records
    from .outputs import Destination

SECRET = ("cohort", "hazards", "figure", "title", "plan_output")
COMPARED, PATIENTS, BEST, NUMBERS = "What is compared", "Patients", "Best plan", "Numbers"
PARTS = 4  # of the work, for the progress bar


def policy(
    cohort: o.Cohort = None,
    plan: Annotated[
        str | None,
        typer.Option(
            "--plan",
            metavar="ID,ID…",
            help="Plans to compare; the first is what others are held against. Default: the profile's, then every other.",
            rich_help_panel=COMPARED,
        ),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(
            "--every", metavar="MONTHS,…", help="MRIs at constant gaps beside them.", rich_help_panel=COMPARED
        ),
    ] = None,
    horizon: Annotated[
        float | None,
        typer.Option(
            "--horizon", metavar="MONTHS", help="Months looked at. Default: the first plan's.", rich_help_panel=COMPARED
        ),
    ] = None,
    hazards: Annotated[
        Path | None,
        typer.Option(
            "--hazards",
            metavar="FILE",
            help="JSON of `intervals`: hazards fitted to a cohort. Default: derived from published intervals.",
            rich_help_panel=PATIENTS,
        ),
    ] = None,
    death: Annotated[
        float | None,
        typer.Option(
            "--death", metavar="RATE", help="Death a month, in place of the hazards' own.", rich_help_panel=PATIENTS
        ),
    ] = None,
    mix: Annotated[
        str | None,
        typer.Option(
            "--mix",
            metavar="GROUP=SHARE,…",
            help="Shares of the groups. Default: the cohort's, those the hazards were fitted to, or the document's (an assumption).",
            rich_help_panel=PATIENTS,
        ),
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            "--by", metavar="COLUMN", help="The groups of COHORT, for their shares.", rich_help_panel=PATIENTS
        ),
    ] = "risk_group",
    sensitivity: Annotated[
        float, typer.Option("--sensitivity", help="Share of progressions an MRI finds.", rich_help_panel=PATIENTS)
    ] = 1.0,
    rates: Rates = "spine-progression",
    budget: Annotated[
        float | None,
        typer.Option(
            "--budget",
            metavar="MRIS",
            help="MRIs per patient up to the horizon. Default: those of the first plan.",
            rich_help_panel=BEST,
        ),
    ] = None,
    phases: Annotated[
        int, typer.Option("--phases", help="Phases of the best plan, at most.", rich_help_panel=BEST)
    ] = 3,
    gaps: Annotated[
        str | None,
        typer.Option(
            "--gaps",
            metavar="MIN,MAX",
            help="Weeks between MRIs. Default: as in the plans compared.",
            rich_help_panel=BEST,
        ),
    ] = None,
    first: Annotated[
        int | None,
        typer.Option(
            "--first", metavar="WEEK", help="Week of the first MRI. Default: the first plan's.", rich_help_panel=BEST
        ),
    ] = None,
    weight: Annotated[
        str | None,
        typer.Option(
            "--weight",
            metavar="GROUP=FACTOR,…",
            help="How much worse a month undetected is in a group; yours to say.",
            rich_help_panel=BEST,
        ),
    ] = None,
    lead: Annotated[
        float | None,
        typer.Option(
            "--lead",
            metavar="MONTHS",
            help="Months by which an MRI precedes symptoms: says when MRIs no longer pay.",
            rich_help_panel=BEST,
        ),
    ] = None,
    plan_output: Annotated[
        Path | None,
        typer.Option(
            "--plan-output",
            metavar="DIR",
            help="Write the best plan in whole weeks as an overlay rule document, to be signed.",
            rich_help_panel=BEST,
        ),
    ] = None,
    within: Annotated[
        str, typer.Option("--within", help="Months within which the share found is given.", rich_help_panel=NUMBERS)
    ] = "3",
    draws: Annotated[
        int, typer.Option("--draws", help="Draws of the hazards for the limits; 0: none.", rich_help_panel=NUMBERS)
    ] = 200,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the draws.", rich_help_panel=NUMBERS)] = 1,
    level: Annotated[float, typer.Option("--level", help="Confidence level.", rich_help_panel=NUMBERS)] = 0.95,
    table: Annotated[
        str,
        typer.Option(
            "--table",
            help="Which table csv, parquet and xlsx hold: plans, groups, visits, hazards, best or frontier.",
            rich_help_panel=NUMBERS,
        ),
    ] = "plans",
    figure: Annotated[
        list[Path] | None,
        typer.Option(
            "--figure",
            metavar="FILE",
            help="Draw the frontier and the schedules (.png, .svg or .pdf); may be repeated.",
            rich_help_panel=NUMBERS,
        ),
    ] = None,
    title: Annotated[str, typer.Option("--title", help="Title of the figure.", rich_help_panel=NUMBERS)] = "",
    rules: o.Rules = None,
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
    """Compare plans: MRIs, findings, delay, months undetected, false alarms; find the best plan for a number of MRIs.

    Hazards come from `intervals`, or are derived from published intervals and marked so. COHORT only says how many patients are in each group.

    Examples:

        sbrt-followup policy --plan mri-review-2025,chen-2024 --every 3,6 --figure frontier.pdf

        sbrt-followup policy cohort.csv --hazards intervals.json --budget 9 --plan-output our_rules

        sbrt-followup policy --budget 8 --weight high=2 --sensitivity 0.9 --format json
    """
    from ..report.curves import curve_figure
    from ..report.files import check_free
    from ..report.surveillance.policy_tables import TABLES
    from ..surveillance.compared import compared
    from . import curves, inputs, outputs
    from .progress import progress
    from .rates import document_of, fitted_or_derived

    if table not in TABLES:
        raise refuse("not-allowed", f"--table takes {', '.join(TABLES)}", hint=nearest(table, TABLES))
    drawings = figure or []
    for path in drawings:
        curve_figure.check_kind(path)
        check_free(path, force)
    to = outputs.destination(format_, output, force, quiet)
    rulebook = inputs.open_rulebook(rules, profile)
    simulation = document_of(rulebook, rates)
    known = fitted_or_derived(rulebook, simulation, hazards, death)
    asked = _asked(
        _plans(rulebook, plan), every, budget, horizon, sensitivity, within, weight, phases, gaps, first, lead, draws, seed, level,
        bool(drawings) or to.format == "json" or table == "frontier",
    )  # fmt: skip
    records = None
    if cohort is not None:
        records = inputs.open_cohort(cohort, rulebook, map_file, date_format, on_error, quiet)
    shares = _mix(rulebook, simulation, known, mix, records, by, quiet)
    with progress(PARTS, "comparing", quiet) as step:
        result = compared(rulebook, simulation, known, shares, asked, step)
    arguments = {
        "cohort": cohort, "plan": [p.id for p in asked.plans], "every": list(asked.every) or None, "horizon": result.setting.horizon,
        "hazards": str(hazards) if hazards else None, "death": death, "mix": dict(shares.shares), "by": by if cohort else None,
        "sensitivity": sensitivity, "rates": rates, "budget": result.budget, "phases": phases, "gaps": list(result.gaps), "first": first,
        "weight": weight, "lead": lead, "within": list(asked.within), "draws": draws, "seed": seed, "level": level, "table": table,
        "figure": [str(p) for p in drawings] or None, "title": title or None, "plan_output": str(plan_output) if plan_output else None,
        "profile": rulebook.profile.id,
    }  # fmt: skip
    documents = [rulebook.profile, *asked.plans, rulebook.risk, simulation, *rulebook.windows, rulebook.evidence]
    tables = {} if records is None else {"cohort": records}

    def trace() -> dict[str, Any]:
        from ..report.manifest import manifest

        return manifest("policy", None, documents, tables, arguments, SECRET)

    _deliver(result, to, table, trace)
    curves.draw_files(drawings, lambda kind: _figure(result, kind, title), trace, force, quiet)
    if plan_output is not None:
        _write_plan(result, rulebook, plan_output, trace, force, quiet)


def _figure(result: Compared, kind: str, title: str) -> bytes:
    from ..report.surveillance.policy_figure import figure_bytes

    return figure_bytes(result, kind, title)


def _plans(rulebook: Rulebook, names: str | None) -> tuple[Plan, ...]:
    """Give the plans to compare, the profile's first unless others are named."""
    from ..rulebook.model import Plan

    if names is not None:
        chosen = list(dict.fromkeys(part.strip() for part in names.split(",") if part.strip()))
        if not chosen:
            raise refuse("not-allowed", "--plan takes ids joined by commas, such as mri-review-2025,chen-2024")
        return tuple(rulebook.get(Plan, name) for name in chosen)
    others = [d for d in rulebook.documents.values() if isinstance(d, Plan) and d.id != rulebook.plan.id]
    return (rulebook.plan, *sorted(others, key=lambda d: d.id))


def _asked(
    plans: tuple[Plan, ...],
    every: str | None,
    budget: float | None,
    horizon: float | None,
    sensitivity: float,
    within: str,
    weight: str | None,
    phases: int,
    gaps: str | None,
    first: int | None,
    lead: float | None,
    draws: int,
    seed: int,
    level: float,
    frontier: bool,
) -> Asked:
    """Check the options."""
    from ..problems import InputRefused, Problem
    from ..surveillance.compared import Asked
    from . import curves

    constant = tuple(dict.fromkeys(curves.numbers("--every", every))) if every else ()
    near = tuple(curves.numbers("--within", within))
    weeks = tuple(curves.numbers("--gaps", gaps)) if gaps else None
    wrong = []
    if constant and min(constant) < 0.25:
        wrong.append("--every takes months, 0.25 or more")
    if budget is not None and not 0 < budget <= 500:
        wrong.append("--budget takes a number of MRIs above 0, at most 500")
    if horizon is not None and not 0 < horizon <= 600:
        wrong.append("--horizon takes a number of months above 0, at most 600")
    if not 0 < sensitivity <= 1:
        wrong.append("--sensitivity takes a share above 0, at most 1, such as 0.9")
    if not near or min(near) <= 0:
        wrong.append("--within takes months above 0, such as 3")
    if not 1 <= phases <= 5:
        wrong.append("--phases takes a number from 1 to 5")
    if weeks is not None and (len(weeks) != 2 or not 1 <= weeks[0] <= weeks[1] <= 104 or any(w % 1 for w in weeks)):
        wrong.append("--gaps takes two whole numbers of weeks, such as 6,26")
    if first is not None and not 1 <= first <= 104:
        wrong.append("--first takes a week from 1 to 104")
    if lead is not None and not lead > 0:
        wrong.append("--lead takes a number of months above 0")
    if not (draws == 0 or 20 <= draws <= 100_000):
        wrong.append("--draws takes 0, or a number from 20 to 100,000")
    if seed < 0:
        wrong.append("--seed takes a whole number, 0 or more")
    if not 0.5 <= level < 1:
        wrong.append("--level takes a share from 0.5 to below 1, such as 0.95")
    if wrong:
        raise InputRefused(Problem("not-allowed", text) for text in wrong)
    return Asked(
        plans,
        constant,
        budget,
        horizon,
        sensitivity,
        near,
        _pairs("--weight", weight) if weight else None,
        phases,
        None if weeks is None else (int(weeks[0]), int(weeks[1])),
        first,
        lead,
        draws,
        seed,
        level,
        frontier,
    )


def _pairs(flag: str, text: str) -> dict[str, float]:
    """Read names with numbers: low=52,high=48."""
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if not name.strip() or not 0 < number < float("inf") or name.strip() in found:
            raise refuse("not-allowed", f"{flag} takes groups with numbers above 0, such as low=52,high=48")
        found[name.strip()] = number
    return found


def _mix(
    rulebook: Rulebook,
    simulation: Any,
    hazards: Hazards,
    mix: str | None,
    records: Records | None,
    by: str,
    quiet: bool,
) -> Mix:
    """Settle the shares of the groups."""
    from ..surveillance.compared import Mix, mix_of
    from ..surveillance.document_rates import document_mix
    from . import curves, inputs

    if mix is not None or records is None:
        given = _pairs("--mix", mix) if mix is not None else None
        return mix_of(hazards, document_mix(simulation, rulebook.evidence), given, simulation.name)
    grouping = curves.grouping_of(records, rulebook, by, hazards.unit)
    if grouping is None:
        raise refuse("no-mix", "--by names the groups of the cohort")
    per = ["patient_id"] if hazards.unit == "patient" else ["patient_id", "site_id"]
    rows = records.frame[per].assign(group=grouping.values.astype(object)).drop_duplicates(per)
    counts = rows["group"].dropna().astype(str).value_counts()
    names = [g.group for g in hazards.groups]
    strangers = sorted(set(counts.index) - set(names))
    if strangers:
        text = f"there are no hazards of the group{'s' if len(strangers) > 1 else ''} {', '.join(strangers)}"
        raise refuse("unknown-group", text, hint=f"The hazards know {', '.join(names)}; --by names the column.")
    lost = int(rows["group"].isna().sum())
    if lost:
        inputs.say(f"{lost} of {len(rows)} {hazards.unit}s have no {by}: not counted", quiet)
    if counts.empty:
        raise refuse("no-mix", f"nobody in the cohort has a {by}", hint="Give --mix.")
    whole = float(counts.sum())
    return Mix(
        {g: float(counts.get(g, 0)) / whole for g in names},
        f"{int(whole)} {hazards.unit}s of the cohort by {by}",
        "cohort",
    )


def _deliver(result: Compared, to: Destination, table: str, trace: Any) -> None:
    from ..report import files
    from ..report.surveillance import policy_tables, policy_text, printed
    from . import outputs

    text = policy_text.methods(result)
    if to.format == "table" and to.path is None:
        policy_text.render(result, text, printed.terminal())
        return
    body = outputs.Result(
        policy_tables.frame(result, table), "Plans compared", "rows", trace, notes=[c.message for c in result.cautions]
    )
    others = {
        "json": lambda: files.json_text(policy_tables.document(result, text, trace())).encode(),
        "table": lambda: printed.as_text(lambda console: policy_text.render(result, text, console)).encode(),
    }
    outputs.deliver(body, to, others)


def _write_plan(result: Compared, rulebook: Rulebook, folder: Path, trace: Any, force: bool, quiet: bool) -> None:
    """Write the best plan in whole weeks as an overlay that nobody has signed yet."""
    from ..report import files
    from ..report.surveillance.proposal import NAME, proposal
    from . import inputs

    text = proposal(result, rulebook)
    folder.mkdir(exist_ok=True)
    path = folder / f"{NAME}.yaml"
    files.write_bytes(path, text.encode(), force)
    files.write_bytes(folder / f"{NAME}.manifest.json", files.json_text(trace()).encode(), force=True)
    inputs.say(
        f"written: {path.name}, a proposal: sign approved_by in it, then run `sbrt-followup rules check {folder.name}` and "
        f"`sbrt-followup rules impact COHORT --to {folder.name} --plan {result.asked.plans[0].id} --plan-to {NAME}`",
        quiet,
    )
