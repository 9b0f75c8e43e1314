"""`schedule`: every visit of every patient to the horizon, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options as o
from . import patient as p

if TYPE_CHECKING:
    import pandas as pd

    from ..tables.records import Records
    from ..visits.patterns import Request
    from ..visits.schedule import Scheduled
    from .outputs import Destination

FORMATS = ("table", "csv", "json", "parquet", "xlsx", "ics", "fhir")
NARROW = ("patient_id", "site_ids", "visit", "phase", "earliest", "due", "latest", "status")
CHUNK = 25_000
THREADS = 2  # numpy lets go of the interpreter while it works on large columns

PlanName = Annotated[
    str | None,
    typer.Option(
        "--plan",
        help="Plan: mri-review-2025 (default), mri-review-2025-tiered, chen-2024, or your own.",
        rich_help_panel=o.RULES,
        show_default=False,
    ),
]
Horizon = Annotated[
    str | None,
    typer.Option(
        "--horizon",
        metavar="MONTHS",
        help="Months since time zero to schedule to. Default: the plan's.",
        rich_help_panel=o.RULES,
        show_default=False,
    ),
]


def schedule(
    cohort: o.Cohort = None,
    imaging: o.Imaging = None,
    plan: PlanName = None,
    horizon: Horizon = None,
    as_of: o.AsOf = None,
    rules: o.Rules = None,
    profile: o.ProfileName = None,
    format_: o.Format = None,
    output: o.Output = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            "--figure",
            metavar="FILE",
            help="Draw the timeline (.png, .svg or .pdf).",
            rich_help_panel=o.OUTPUT,
            show_default=False,
        ),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(
            "--key-file",
            metavar="FILE",
            help="Secret key for pseudonyms in ics and fhir.",
            rich_help_panel=o.OUTPUT,
            show_default=False,
        ),
    ] = None,
    previous: Annotated[
        Path | None,
        typer.Option(
            "--previous",
            metavar="FILE",
            help="The .ics exported last time: moved visits are updated, gone ones cancelled.",
            rich_help_panel=o.OUTPUT,
            show_default=False,
        ),
    ] = None,
    identify: Annotated[
        bool, typer.Option("--identify", help="Write patient ids into ics and fhir.", rich_help_panel=o.OUTPUT)
    ] = False,
    fhir_release: Annotated[
        str,
        typer.Option(
            "--fhir-release",
            metavar="RELEASE",
            help="R4 (default) or R5.",
            rich_help_panel=o.OUTPUT,
            show_default=False,
        ),
    ] = "R4",
    force: o.Force = False,
    quiet: o.Quiet = False,
    map_file: o.Map = None,
    sheet: o.Sheet = None,
    errors: o.Errors = None,
    date_format: o.DateFormat = None,
    on_error: o.OnError = "refuse",
    sbrt_date: p.SbrtDate = None,
    level: p.Level = None,
    histology: p.Histology = None,
    bilsky: p.Bilsky = None,
    paraspinal: p.Paraspinal = None,
    sins: p.Sins = None,
    lesion_type: p.LesionType = None,
    mri: p.Mri = None,
) -> None:
    """Schedule every patient's MRIs to the horizon, each with its window, status, rule and reason.

    Examples:

        sbrt-followup schedule cohort.csv --as-of 2025-06-15

        sbrt-followup schedule cohort.csv --imaging mri.csv -o visits.xlsx

        sbrt-followup schedule --sbrt-date 2025-01-31 --bilsky 1b --paraspinal no --sins 9 --plan chen-2024
    """  # fmt: skip
    from ..visits.visit_table import EXPORT_COLUMNS
    from . import exports, inputs, outputs

    to = outputs.destination(format_, output, force, quiet, FORMATS)
    release = exports.fhir_release(fhir_release)
    drawings = outputs.check_figures([figure], force)
    facts = {
        "sbrt_date": sbrt_date, "level": level, "histology": histology, "bilsky": bilsky, "paraspinal": paraspinal,
        "sins": sins, "lesion_type": lesion_type,
    }  # fmt: skip
    rulebook = inputs.open_rulebook(rules, profile)
    single = p.one_patient(cohort, imaging, facts, mri, date_format)
    if single is None:
        unasked = inputs.unasked_by(rulebook, plan)
        table = inputs.open_cohort(cohort, rulebook, map_file, date_format, on_error, quiet, unasked=unasked)
        scans = inputs.open_imaging(imaging, map_file, date_format, on_error, quiet)
    else:
        table, scans = single
    drawn = bool(drawings)
    request = inputs.request(rulebook, plan, horizon, as_of, quiet, keys=drawn or to.format in ("ics", "fhir"))
    table = inputs.check_days(table, request.as_of, on_error)
    scans = inputs.placed(table, scans, quiet, on_error)
    arguments = {
        "plan": request.plan.id, "horizon": horizon, "profile": rulebook.profile.id, "cohort": cohort, "imaging": imaging,
        **{k: v for k, v in facts.items() if v}, "mri": mri,
    }  # fmt: skip
    secret = ("cohort", "imaging", "mri", *facts)
    trace = inputs.trace("schedule", request, table, scans, arguments, secret)
    if to.format == "parquet" and to.path is not None and len(table.frame) > CHUNK and not drawn:
        _stream(table, scans, request, to, trace)
        return
    scheduled = in_parts(table, scans, request, quiet)
    result = outputs.Result(
        frame=scheduled.visits.drop(columns=list(EXPORT_COLUMNS)) if request.keys else scheduled.visits,
        title=f"MRI schedule, plan {request.plan.id}, as of {request.as_of}",
        rows="visits",
        manifest=trace,
        body=_body(scheduled, request, table),
        notes=notes(scheduled, request, scans),
        narrow=NARROW,
    )
    outputs.draw_files(drawings, lambda kind: exports.timeline(kind, table, scheduled, request), trace, force)
    others = {
        "ics": lambda: exports.calendar(scheduled.visits, request, key_file, previous, identify),
        "fhir": lambda: exports.fhir(scheduled.visits, request, key_file, identify, trace(), release),
    }
    outputs.deliver(result, to, others)


def in_parts(table: Records, scans: Records | None, request: Request, quiet: bool) -> Scheduled:
    """Schedule a cohort in parts of whole patients, so that a large one needs little memory at a time."""
    import pandas as pd

    from ..visits.confirming import joined
    from ..visits.schedule import Scheduled, schedule

    if len(table.frame) <= CHUNK:
        return schedule(table.frame, None if scans is None else scans.frame, request)
    parts = list(_parts(table, scans, request, quiet))
    return Scheduled(
        pd.concat([p.visits for p in parts], ignore_index=True),
        pd.concat([p.waiting for p in parts], ignore_index=True),
        joined([p.asked for p in parts]),
    )


def _parts(table: Records, scans: Records | None, request: Request, quiet: bool) -> Iterator[Scheduled]:
    """Schedule part by part, in order of patient; while one is handed on, the next ones are computed."""
    from collections import deque
    from concurrent.futures import Future, ThreadPoolExecutor

    from ..visits.schedule import chunks, schedule
    from .progress import progress

    def done(part: pd.DataFrame) -> tuple[int, Scheduled]:
        own = None if scans is None else scans.frame[scans.frame["patient_id"].isin(part["patient_id"])]
        return len(part), schedule(part, own, request)

    waiting: deque[Future[tuple[int, Scheduled]]] = deque()
    with progress(len(table.frame), "scheduling", quiet) as advance, ThreadPoolExecutor(THREADS) as pool:

        def first() -> Scheduled:
            size, scheduled = waiting.popleft().result()
            advance(size)
            return scheduled

        for part in chunks(table.frame, CHUNK):
            waiting.append(pool.submit(done, part))
            if len(waiting) > THREADS:
                yield first()
        while waiting:
            yield first()


def _stream(
    table: Records, scans: Records | None, request: Request, to: Destination, trace: Callable[[], dict[str, Any]]
) -> None:
    """Write a large schedule to Parquet part by part."""
    from ..report.tabular import parquet_writer
    from .call import current

    assert to.path is not None
    rows = 0
    call = current()
    with parquet_writer(call.file(to.path, to.force, trace)) as write:
        for part in _parts(table, scans, request, to.quiet):
            write(part.visits)
            rows += len(part.visits)
    call.tell(f"written: {to.path.name} ({rows} rows)")


def _body(scheduled: Scheduled, request: Request, table: Records) -> dict[str, Any]:
    from ..report.tabular import json_rows

    return {
        "as_of": request.as_of.isoformat(),
        "plan": request.plan.id,
        "waiting_for_data": json_rows(scheduled.waiting),
        "excluded": [{"row": e.row, "reason": e.reason} for e in table.excluded],
    }


def notes(scheduled: Scheduled, request: Request, scans: Records | None) -> list[str]:
    """Say what a reader of the schedule must know."""
    plan, risk = request.plan, request.rulebook.risk
    lines = [f"Plan {plan.name} {plan.version}, basis {plan.basis}; what rests on an assumption says so in its reason."]
    if scans is None:
        lines.append("No imaging table: past visits are unknown, not overdue.")
    if risk.basis != "published":
        lines.append(
            f"risk_group rests on this project's own split ({risk.basis}); the published one is not available."
        )
    if len(scheduled.waiting):
        facts = sorted({f for cell in scheduled.waiting["missing"] for f in cell.split(";") if f})
        lines.append(
            f"Waiting for data: {len(scheduled.waiting)} site(s) without a decided tier follow {plan.undecided} meanwhile; ask for {', '.join(facts)}."
        )
    lines.append("Decision support for trained staff; it does not replace clinical judgement.")
    return lines
