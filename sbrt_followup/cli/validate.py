"""`validate`: does a risk model, or a score, hold in a cohort."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..problems import refuse
from . import options as o
from .curves import RISK_GROUP
from .rates import Rates

if TYPE_CHECKING:
    from ..surveillance.validated import Asked, Validation
    from .outputs import Destination

SECRET = ("cohort", "imaging", "hazards", "figure", "title")
MODEL, NUMBERS = "Model", "Numbers"


def validate(
    cohort: o.Cohort = None,
    score: Annotated[
        str | None,
        typer.Option(
            "--score",
            metavar="COLUMN | 12=COLUMN,24=COLUMN",
            help="Column of a score (higher is worse; discrimination only), or of the risks foretold by each month (shares from 0 to 1).",
            rich_help_panel=MODEL,
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="COLUMN",
            help="Column of groups, or risk_group (computed from the rules): the model itself, or beside --score what is told apart.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    hazards: Annotated[
        Path | None,
        typer.Option(
            "--hazards",
            metavar="FILE",
            help="JSON of `intervals`: the groups' risks. Default for risk_group: published and derived ones.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    order: Annotated[
        str | None, typer.Option("--order", help='Groups, mildest first: "a;b;c".', rich_help_panel=MODEL)
    ] = None,
    apparent: Annotated[
        bool, typer.Option("--apparent", help="The score was fitted on this cohort: say so.", rich_help_panel=MODEL)
    ] = False,
    times: Annotated[
        str | None,
        typer.Option("--times", help="Months. Default: those of --score, else 12,24,48.", rich_help_panel=NUMBERS),
    ] = None,
    thresholds: Annotated[
        str, typer.Option("--thresholds", help="Risks at which to give the net benefit.", rich_help_panel=NUMBERS)
    ] = "0.05,0.1,0.15,0.2,0.25,0.3,0.4,0.5",
    level: Annotated[float, typer.Option("--level", help="Confidence level.", rich_help_panel=NUMBERS)] = 0.95,
    table: Annotated[
        str,
        typer.Option(
            "--table",
            help="Which table csv, parquet and xlsx hold: horizons, groups, scan-days, between-mris, net-benefit, calibration, published, sample-size, "
            "tripod or excluded.",
            rich_help_panel=NUMBERS,
        ),
    ] = "horizons",
    figure: Annotated[
        list[Path] | None,
        typer.Option(
            "--figure",
            metavar="FILE",
            help="Draw calibration, decision curve and O/E by group (.png, .svg or .pdf); may be repeated.",
            rich_help_panel=NUMBERS,
        ),
    ] = None,
    title: Annotated[str, typer.Option("--title", help="Title of the figure.", rich_help_panel=NUMBERS)] = "",
    endpoint: Annotated[
        str, typer.Option("--endpoint", help="progression, local_progression, death, progression_or_death or vcf.")
    ] = "progression",
    unit: Annotated[str, typer.Option("--unit", help="patient, or site (local_progression and vcf only).")] = "patient",
    censor_at: Annotated[
        str | None,
        typer.Option("--censor-at", help="last_mri or last_contact. Default: last_mri for progression."),
    ] = None,
    retreatment: Annotated[
        str, typer.Option("--retreatment", help="Re-treatment of a site: censor (the day before), ignore or event.")
    ] = "censor",
    rates: Rates = "spine-progression",
    imaging: o.Imaging = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE", help="Censor at this day. Default: every date counts as given."),
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
    """Hold a risk model or a score against a cohort: discrimination, calibration, net benefit, corrected for the days of scanning.

    With --imaging what was found is held against what these MRIs should have found: 1 for a perfect model, whatever the plan.

    Examples:

        sbrt-followup validate cohort.csv --by risk_group --imaging mri.csv --figure validation.pdf

        sbrt-followup validate cohort.csv --score 12=risk12,24=risk24 --by site_of_care --format json

        sbrt-followup validate cohort.csv --score marker --times 6,12
    """
    from dataclasses import replace

    from ..report.surveillance.validation_tables import TABLES
    from ..surveillance.validated import validated
    from . import curves, inputs, outputs
    from .rates import document_of, fitted_here, hazards_of

    curves.check_words({"--table": (table, tuple(TABLES))}, endpoint, unit, censor_at, retreatment)
    asked = _asked(score, by, times, thresholds, order, level, apparent)
    drawings = outputs.check_figures(figure or [], force)
    to = outputs.destination(format_, output, force, quiet)
    rulebook = inputs.open_rulebook(rules, profile)
    records = inputs.open_cohort(cohort, rulebook, map_file, date_format, on_error, quiet)
    scans = inputs.open_imaging(imaging, map_file, date_format, on_error, quiet)
    scans = inputs.placed(records, scans, quiet)
    for name in asked.columns.values():
        curves.need_column(records, name)
    curves.need_outcome(records, endpoint, None)
    asked = replace(asked, apparent=apparent or fitted_here(hazards, records))
    question = curves.question_of(rulebook, endpoint, unit, censor_at, retreatment, as_of, None, None, None)
    simulation = document_of(rulebook, rates)
    known, published = hazards_of(rulebook, simulation, hazards, by if not asked.columns else None, endpoint)
    result = validated(
        records,
        question,
        asked,
        grouping=curves.grouping_of(records, rulebook, by, unit),
        hazards=known,
        published=published,
        imaging=scans,
        on_error=on_error,
        file="stdin" if cohort == "-" else Path(str(cohort)).name,
    )
    arguments = {
        "cohort": cohort, "imaging": imaging, "score": score, "by": by, "hazards": str(hazards) if hazards else None, "order": order,
        "apparent": asked.apparent, "times": list(asked.months), "thresholds": list(asked.thresholds), "level": level, "table": table,
        "endpoint": endpoint, "unit": unit, "censor_at": question.censored_at, "retreatment": retreatment, "rates": rates,
        "figure": [str(p) for p in drawings] or None, "title": title or None, "profile": rulebook.profile.id,
    }  # fmt: skip
    documents = [
        rulebook.profile,
        rulebook.risk,
        *([rulebook.sins] if by == RISK_GROUP else []),
        simulation,
        rulebook.evidence,
    ]
    tables = {"cohort": records, **({"imaging": scans} if scans else {})}

    def trace() -> dict[str, Any]:
        return inputs.manifest_of("validate", as_of, documents, tables, arguments, SECRET)

    _deliver(result, to, table, trace)
    outputs.draw_files(drawings, lambda kind: _figure(result, kind, title), trace, force)


def _figure(result: Validation, kind: str, title: str) -> bytes:
    from ..report.surveillance.validation_figure import figure_bytes

    return figure_bytes(result, kind, title)


def _asked(
    score: str | None,
    by: str | None,
    times: str | None,
    thresholds: str,
    order: str | None,
    level: float,
    apparent: bool,
) -> Asked:
    """Check the options that say what to validate."""
    from ..surveillance.validated import Asked
    from . import curves

    if score is None and by is None:
        raise refuse("no-model", "say what to validate", hint="--score COLUMN, --score 24=COLUMN, or --by risk_group.")
    if not 0.5 <= level < 1:
        raise refuse("not-allowed", "--level takes a share from 0.5 to below 1, such as 0.95")
    at = tuple(sorted(set(curves.numbers("--thresholds", thresholds))))
    if not at or not (at[0] > 0 and at[-1] < 1):
        raise refuse("not-allowed", "--thresholds takes risks above 0 and below 1, such as 0.1,0.2,0.3")
    columns, plain = _columns(score)
    months = (
        tuple(sorted(set(curves.numbers("--times", times)))) if times else tuple(sorted(columns)) or (12.0, 24.0, 48.0)
    )
    if not months or months[0] <= 0:
        raise refuse("not-allowed", "--times takes months above 0, such as 12,24,48")
    if plain:
        columns = dict.fromkeys(months, plain)
    absent = [f"{m:g}" for m in months if columns and m not in columns]
    if absent:
        text = f"--score names no column of risks for month {', '.join(absent)}"
        raise refuse(
            "no-risk", text, hint=f"Name it, or ask for --times {','.join(f'{m:g}' for m in sorted(columns))}."
        )
    kept = {m: columns[m] for m in months} if columns else {}
    levels = tuple(part.strip() for part in order.split(";") if part.strip()) if order else ()
    return Asked(months, at, kept, bool(plain), levels, level, apparent)


def _columns(score: str | None) -> tuple[dict[float, str], str]:
    """Read --score: the column of each month, or one plain column."""
    if score is None:
        return {}, ""
    if "=" not in score:
        return {}, score
    found: dict[float, str] = {}
    for part in score.split(","):
        month, _, name = part.partition("=")
        try:
            months = float(month)
        except ValueError:
            months = 0.0
        if not (0 < months < float("inf")) or not name.strip() or months in found:
            raise refuse("not-allowed", "--score takes a column, or months and columns: 12=risk12,24=risk24")
        found[months] = name.strip()
    return found, ""


def _deliver(result: Validation, to: Destination, table: str, trace: Any) -> None:
    from ..report import tabular
    from ..report.surveillance import printed, validation_document, validation_tables, validation_text
    from . import outputs

    text = validation_text.methods(result)
    if to.format == "table" and to.path is None:
        outputs.current().show(lambda: validation_text.render(result, text, printed.terminal()))
        return
    body = outputs.Result(
        validation_tables.frame(result, table),
        "Validation",
        "rows",
        trace,
        notes=[
            *(c.message for c in result.cautions),
            *([f"{len(result.excluded)} rows excluded; --table excluded lists them"] if result.excluded else []),
        ],
    )
    others = {
        "json": lambda: tabular.json_text(validation_document.document(result, text, trace())).encode(),
        "table": lambda: printed.as_text(lambda console: validation_text.render(result, text, console)).encode(),
    }
    outputs.deliver(body, to, others)
