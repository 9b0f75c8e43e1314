"""`assess`: what each MRI says (response, progression, pseudo-progression), why, what next, and when a site progressed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..problems import refuse
from . import options as o

if TYPE_CHECKING:
    from ..response.assessment import Assessment
    from ..tables.records import Records
    from .outputs import Destination

NARROW = ("patient_id", "mri_date", "called", "urgent", "change_baseline_percent", "next_action", "next_date")
WIDE = (
    "patient_id",
    "site_id",
    "mri_date",
    "days",
    "called",
    "state",
    "urgent",
    "change_baseline_percent",
    "signs_for",
    "reasons",
    "next_action",
    "next_date",
)
WIDE_FROM = 140  # columns of a terminal
PANEL = "What to show"
ROWS_SHOWN = 5  # of imaging rows that took no part


def assess(
    cohort: o.Cohort = None,
    imaging: o.Imaging = None,
    patient_id: Annotated[
        str | None, typer.Option("--patient", metavar="ID", help="This patient only.", show_default=False)
    ] = None,
    policy: Annotated[
        str,
        typer.Option("--policy", help="Event dates: first_growth, confirmation or detected.", rich_help_panel=PANEL),
    ] = "first_growth",
    sites: Annotated[
        bool,
        typer.Option(
            "--sites", help="One line per site: progression under each event-date policy.", rich_help_panel=PANEL
        ),
    ] = False,
    patients: Annotated[
        bool,
        typer.Option(
            "--patients",
            help="One line per patient: the earliest event over the first course's sites.",
            rich_help_panel=PANEL,
        ),
    ] = False,
    summary: Annotated[
        bool,
        typer.Option(
            "--summary",
            help="Volume, T2 patterns, pain, fractures and states, with denominators, beside published figures.",
            rich_help_panel=PANEL,
        ),
    ] = False,
    card: Annotated[
        bool,
        typer.Option(
            "--card", help="One page per site before the next MRI: what would count as growth.", rich_help_panel=PANEL
        ),
    ] = False,
    scan_date: Annotated[
        str | None,
        typer.Option(
            "--scan-date",
            metavar="DATE",
            help="The day of the MRI that --card is for. Default: the as-of day.",
            rich_help_panel=PANEL,
            show_default=False,
        ),
    ] = None,
    reasoning: Annotated[
        bool,
        typer.Option(
            "--reasoning", help="Every criterion asked of each MRI: facts, rule, citation.", rich_help_panel=PANEL
        ),
    ] = False,
    report: Annotated[
        bool,
        typer.Option(
            "--report",
            help="Each MRI in six to eight lines ready to paste, the urgent line first (text, markdown, html, json).",
            rich_help_panel=PANEL,
        ),
    ] = False,
    figure: Annotated[
        Path | None,
        typer.Option(
            "--figure",
            metavar="FILE",
            help="Draw into this file (.png, .svg or .pdf).",
            rich_help_panel=o.OUTPUT,
            show_default=False,
        ),
    ] = None,
    draw: Annotated[
        str | None,
        typer.Option(
            "--draw",
            help="course (default with --patient), spider (default), waterfall or swimmer.",
            rich_help_panel=o.OUTPUT,
            show_default=False,
        ),
    ] = None,
    endpoints: Annotated[
        Path | None,
        typer.Option(
            "--endpoints",
            metavar="FILE",
            help="Write the cohort with its event dates, for schedule and curves (.csv, .parquet, .xlsx).",
            rich_help_panel=o.OUTPUT,
            show_default=False,
        ),
    ] = None,
    as_of: o.AsOf = None,
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
    """Assess every MRI: state, signs for and against, threshold, window, next action, and the rules behind them.

    Examples:

        sbrt-followup assess cohort.csv --imaging mri.csv

        sbrt-followup assess cohort.csv --imaging mri.csv --endpoints events.csv

        sbrt-followup assess cohort.csv --imaging mri.csv --patient P-001 --figure course.png

        sbrt-followup assess cohort.csv --imaging mri.csv --card --scan-date 2025-06-15

        sbrt-followup assess cohort.csv --imaging mri.csv --patient P-001 --report -o report.html
    """
    import numpy as np

    from ..response.assessment import assess as assess_all
    from ..vocabulary import POLICIES
    from . import inputs, outputs

    if imaging is None:
        raise refuse("no-imaging", "assess reads MRIs: name the imaging table with --imaging FILE")
    if policy not in POLICIES:
        raise refuse("not-allowed", f"--policy takes {', '.join(POLICIES)}")
    if sum((sites, patients, summary, card, reasoning, report)) > 1:
        raise refuse(
            "two-outputs", "--sites, --patients, --summary, --card, --reasoning and --report exclude each other"
        )
    if scan_date is not None and not card:
        raise refuse("needs-card", "--scan-date goes with --card")
    if draw is not None and figure is None:
        raise refuse("needs-figure", "--draw goes with --figure FILE")
    as_text = card or reasoning or report
    text_formats = ("table", "markdown", "html", "json") if report else ("table", "json")
    allowed: tuple[str, ...] = text_formats if as_text else outputs.TABULAR
    to = outputs.destination(
        format_ or ("table" if as_text and output is None else None), output, force, quiet, allowed
    )
    events = (
        None if endpoints is None else outputs.destination(None, endpoints, force, quiet, ("csv", "parquet", "xlsx"))
    )
    drawings = outputs.check_figures([figure], force)
    rulebook = inputs.open_rulebook(rules, profile)
    table = inputs.open_cohort(cohort, rulebook, map_file, date_format, on_error, quiet)
    scans = inputs.open_imaging(imaging, map_file, date_format, on_error, quiet)
    assert scans is not None
    today = inputs.day_of(as_of, quiet)
    scans = inputs.placed(table, scans, quiet)
    assert scans is not None
    if patient_id is not None:
        table, scans = _only(table, patient_id), _only(scans, patient_id)
        if table.frame.empty:
            raise refuse("no-such-patient", "the cohort has no such patient")
    day = int(np.datetime64(today, "D").astype(np.int64))
    assessment = assess_all(table.frame, scans.frame, rulebook, day)
    _tell_unused(assessment.reading.scans.unused, quiet)
    arguments = {
        "profile": rulebook.profile.id, "policy": policy, "sites": sites, "patients": patients, "summary": summary, "card": card,
        "scan_date": scan_date, "reasoning": reasoning, "report": report, "cohort": cohort, "imaging": imaging, "patient": patient_id,
    }  # fmt: skip
    run = _Run(assessment, table, scans, policy, today.isoformat(), arguments)
    if events is not None:
        outputs.deliver(outputs.Result(run.site_table(), "Cohort with event dates", "rows", run.manifest), events)
    shown = draw or ("course" if patient_id else "spider")
    outputs.draw_files(drawings, lambda kind: _figure(assessment, shown, kind), run.manifest, force)
    if as_text:
        _text(run, to, scan_date, "reasoning" if reasoning else "report" if report else "card")
        return
    outputs.deliver(run.result(sites, patients, summary, to.format == "json"), to)


def _tell_unused(unused: dict[int, str], quiet: bool) -> None:
    """Say once per reason which imaging rows took no part; the manifest lists every one."""
    from . import inputs

    for reason in dict.fromkeys(unused.values()):
        rows = [row for row, why in unused.items() if why == reason]
        shown = ", ".join(str(row) for row in rows[:ROWS_SHOWN])
        more = f" and {len(rows) - ROWS_SHOWN:,} more (the manifest lists them)" if len(rows) > ROWS_SHOWN else ""
        inputs.say(f"imaging row{'s' if len(rows) > 1 else ''} {shown}{more} took no part: {reason}", quiet)


class _Run:
    """One call: what was assessed, of which tables."""

    def __init__(self, assessment: Assessment, table: Records, scans: Records, policy: str, as_of: str,
                 arguments: dict[str, Any]) -> None:  # fmt: skip
        self.assessment, self.table, self.scans = assessment, table, scans
        self.policy, self.as_of, self.arguments = policy, as_of, arguments

    def manifest(self) -> dict[str, Any]:
        """Build the manifest of this call."""
        from dataclasses import replace

        from ..tables.records import Exclusion
        from .inputs import manifest_of

        book = self.assessment.rulebook
        documents = [book.profile, *book.windows, *book.criteria, book.sins, book.evidence]
        if book.protocol is not None:
            documents.append(book.protocol)
        unused = self.assessment.reading.scans.unused
        read = self.scans.frame[~self.scans.frame["row"].isin(list(unused))]
        left_out = tuple(Exclusion(row, reason) for row, reason in unused.items())
        inputs = {
            "cohort": self.table,
            "imaging": replace(self.scans, frame=read, excluded=(*self.scans.excluded, *left_out)),
        }
        return manifest_of("assess", self.as_of, documents, inputs, self.arguments, ("cohort", "imaging", "patient"))

    def site_table(self) -> Any:
        """Give the cohort with its event dates."""
        from ..response.event_dates import cohort_table

        return cohort_table(self.assessment, self.table.given, self.table.extra_columns, self.policy)

    def result(self, sites: bool, patients: bool, summary: bool, whole: bool) -> Any:
        """Give what is printed: MRIs, sites, patients or the summary; `whole` adds what only JSON holds beside them."""
        from ..report.tabular import json_rows
        from . import outputs

        body: dict[str, Any] = {
            "as_of": self.as_of,
            "policy": self.policy,
            "not_read": [{"row": r, "reason": why} for r, why in self.assessment.reading.scans.unused.items()],
            "excluded": [{"row": e.row, "reason": e.reason} for e in (*self.table.excluded, *self.scans.excluded)],
        }
        if sites:
            return outputs.Result(
                self.site_table(), f"Progression per site, policy {self.policy}", "rows", self.manifest, body, self.notes(),
                ("patient_id", "site_id", "progression_date", "progression_site", "last_clear_mri_date", "unresolved"),
            )  # fmt: skip
        if patients:
            from ..response.event_dates import patient_table

            within = int(self.assessment.rulebook.risk.course.value)
            frame = patient_table(self.assessment, within)
            shown = (
                "patient_id",
                "site_ids",
                *(c for c in frame.columns if c.startswith("progression_date")),
                "unresolved",
            )
            return outputs.Result(frame, "Progression per patient", "rows", self.manifest, body, self.notes(), shown)
        if summary:
            from ..response.tallies import tallies

            return outputs.Result(tallies(self.assessment), "Response in this cohort beside published figures", "rows",
                                  self.manifest, body, self.notes())  # fmt: skip
        from ..response.assessment import confirming_visits

        if whole:
            body["confirming_visits"] = json_rows(confirming_visits(self.assessment))
            body["sites"] = json_rows(self.site_table())
        return outputs.Result(
            self.assessment.table, f"Reading of each MRI, as of {self.as_of}", "rows", self.manifest, body, self.notes(),
            WIDE if shutil.get_terminal_size().columns >= WIDE_FROM else NARROW,
        )  # fmt: skip

    def notes(self) -> list[str]:
        """Say what a reader must know."""
        from ..response.false_alarms import chances
        from ..response.reading_words import never_recorded

        lines = [
            "state: what the MRI turned out to show by the as-of day; called: what could be said on its own day.",
            "Pseudo-progression is given in retrospect only, without a histological reference standard.",
            "Confirming intervals are this project's assumptions; windows are an interpretation of published days.",
        ]
        volume = next((c for c in self.assessment.reading.criteria.sizes if c.repeatability is not None), None)
        if volume is not None and volume.repeatability is not None:
            nadir, baseline = chances(volume.repeatability, 8)
            limit = float(volume.repeatability.limit_percent)
            lines.append(
                f"A stable lesion breaches {limit:g} % against its smallest volume at least once in {nadir[8]:g} % of courses of 8 "
                f"follow-up MRIs ({baseline[8]:g} % against baseline), if {limit:g} % is a two-sided "
                f"{float(volume.repeatability.coverage_percent):g} % limit of test-retest error ({volume.repeatability.basis})."
            )
        if never := never_recorded(self.assessment.reading):
            lines.append(f"Not recorded on any MRI, so neither for nor against: {', '.join(never)}.")
        lines.append("Decision support for trained staff; it does not replace clinical judgement.")
        return lines


def _only(records: Records, patient_id: str) -> Records:
    from dataclasses import replace

    return replace(records, frame=records.frame.loc[records.frame["patient_id"] == patient_id].reset_index(drop=True))


def _figure(assessment: Assessment, shown: str, kind: str) -> bytes:
    from ..report.response.response_figures import FIGURES, figure

    if shown not in FIGURES:
        raise refuse("not-allowed", f"--draw takes {', '.join(FIGURES)}")
    return figure(assessment, shown, kind)


def _text(run: _Run, to: Destination, scan_date: str | None, kind: str) -> None:
    """Print or write reports, cards or the reasoning, as text or JSON; a file gets its manifest beside it."""

    from ..report.tabular import json_text
    from . import outputs

    body, text = {"reasoning": _reasoning, "report": _report, "card": _cards}[kind](run, to.format, scan_date)
    if to.format == "json":
        data = json_text({"schema_version": 1, "as_of": run.as_of, **body, "manifest": run.manifest()}).encode()
    else:
        data = text.encode()
    outputs.give(data, to, run.manifest)


def _reasoning(run: _Run, format_: str, scan_date: str | None) -> tuple[dict[str, Any], str]:
    from ..report.explanation_text import as_json, as_text
    from ..response.reasoning import reasoning as chains

    found = chains(run.assessment)
    return as_json(found), as_text(found)


def _report(run: _Run, format_: str, scan_date: str | None) -> tuple[dict[str, Any], str]:
    from dataclasses import asdict

    from ..report.response import reading_report as pages
    from ..response.reports import reports

    made = reports(run.assessment)
    if format_ == "html":
        text = pages.as_html(made, f"MRI reports after spine SBRT, as of {run.as_of}")
    else:
        text = pages.as_markdown(made) if format_ == "markdown" else pages.as_text(made)
    return {"reports": [asdict(r) for r in made]}, text


def _cards(run: _Run, format_: str, scan_date: str | None) -> tuple[dict[str, Any], str]:
    from datetime import date

    from ..report.response.card import as_text
    from ..response.cards import cards

    try:
        day = date.fromisoformat(scan_date or run.as_of)
    except ValueError:
        raise refuse("not-a-date", "--scan-date takes a date written YYYY-MM-DD") from None
    made = cards(run.table.frame, run.scans.frame, run.assessment.rulebook, day)
    return {"scan_date": day.isoformat(), "cards": made}, as_text(made, day)
