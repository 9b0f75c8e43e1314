"""`policy`: plans compared on hazards, the frontier, and the best plan for a number of MRIs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..problems import nearest, refuse
from . import options as o
from .rates import Rates

if TYPE_CHECKING:
    from ..surveillance.compared import Compared
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
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", metavar="DATE", help="The day from which a proposed plan's impact is told. Default: today."
        ),
    ] = None,
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
    from ..report.surveillance.policy_tables import TABLES
    from ..report.surveillance.proposal import NAME, proposal
    from ..surveillance.compared import compared
    from . import inputs, outputs, proposals
    from .policy_options import asked_of, mix_from, plans_of
    from .progress import progress
    from .rates import document_of, fitted_or_derived

    if table not in TABLES:
        raise refuse("not-allowed", f"--table takes {', '.join(TABLES)}", hint=nearest(table, TABLES))
    drawings = outputs.check_figures(figure or [], force)
    if plan_output is not None:
        proposals.check_room(plan_output, NAME, force)
    to = outputs.destination(format_, output, force, quiet)
    rulebook = inputs.open_rulebook(rules, profile)
    simulation = document_of(rulebook, rates)
    known = fitted_or_derived(rulebook, simulation, hazards, death)
    asked = asked_of(
        plans_of(rulebook, plan), every, budget, horizon, sensitivity, within, weight, phases, gaps, first, lead, draws, seed, level,
        bool(drawings) or to.format == "json" or table == "frontier",
    )  # fmt: skip
    records = None
    if cohort is not None:
        records = inputs.open_cohort(cohort, rulebook, map_file, date_format, on_error, quiet)
    shares = mix_from(rulebook, simulation, known, mix, records, by, quiet)
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
    confirming = [c for c in rulebook.criteria if c.role == "next_step"]
    sins = [rulebook.sins] if records is not None else []
    documents = [
        rulebook.profile, *asked.plans, rulebook.risk, *sins, simulation, *rulebook.windows, *confirming, rulebook.evidence,
    ]  # fmt: skip
    tables = {} if records is None else {"cohort": records}

    def trace() -> dict[str, Any]:
        return inputs.manifest_of("policy", as_of, documents, tables, arguments, SECRET)

    _deliver(result, to, table, trace)
    outputs.draw_files(drawings, lambda kind: _figure(result, kind, title), trace, force)
    if plan_output is not None:
        text = proposal(result, rulebook)
        proposals.write(text, NAME, plan_output, asked.plans[0], trace, force)
        if records is not None:
            proposals.say_impact(text, NAME, rulebook, asked.plans[0], records, None, as_of, quiet)


def _figure(result: Compared, kind: str, title: str) -> bytes:
    from ..report.surveillance.policy_figure import figure_bytes

    return figure_bytes(result, kind, title)


def _deliver(result: Compared, to: Destination, table: str, trace: Any) -> None:
    from ..report import tabular
    from ..report.surveillance import policy_tables, policy_text, printed
    from . import outputs

    text = policy_text.methods(result)
    if to.format == "table" and to.path is None:
        outputs.current().show(lambda: policy_text.render(result, text, printed.terminal()))
        return
    body = outputs.Result(
        policy_tables.frame(result, table), "Plans compared", "rows", trace, notes=[c.message for c in result.cautions]
    )
    others = {
        "json": lambda: tabular.json_text(policy_tables.document(result, text, trace())).encode(),
        "table": lambda: printed.as_text(lambda console: policy_text.render(result, text, console)).encode(),
    }
    outputs.deliver(body, to, others)
