"""`rules`: is a rulebook sound, sourced and tested, and what would a change do. Exit 1 when something is found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..problems import InputRefused, Problem, Source, nearest, refuse
from . import options as o
from .call import Commands, current, say

if TYPE_CHECKING:
    from ..rulebook.library import Rulebook
    from .outputs import Destination

app = Commands(
    no_args_is_help=True,
    help="Check, prove, test and compare rule documents.\n\n"
    "For guideline authors and auditors: is a rulebook complete, consistent, sourced and tested, and whom would a change affect.",
)

Where = Annotated[
    Path | None,
    typer.Argument(help="Rules folder or file. Default: the packaged rulebook.", metavar="[RULES]", show_default=False),
]
Strict = Annotated[bool, typer.Option("--strict", help="Notes count as findings too.")]


def folder_of(where: Path | None, rules: Path | None) -> tuple[Path | None, str]:
    """Settle which rules are meant; a file inside a rulebook stands for that rulebook, shown for that file only."""
    if where is not None and rules is not None and where != rules:
        raise refuse("two-rulebooks", "name the rules once: as an argument or with --rules")
    chosen = where or rules
    if chosen is not None and not chosen.exists():
        raise refuse("no-folder", "the rules folder or file does not exist", Source(chosen.name))
    if chosen is not None and chosen.is_file():
        for parent in chosen.resolve().parents:
            if (parent / "evidence.yaml").is_file():
                return parent, f"{parent.name}/{chosen.resolve().relative_to(parent)}"
    return chosen, ""


def name_of(folder: Path | None) -> str:
    """Name a rulebook for a title."""
    return "the packaged rulebook" if folder is None else folder.name


def put(text: str, to: Destination, manifest: Mapping[str, Any]) -> None:
    """Give a text to stdout or to a file with its manifest."""
    from .outputs import give

    give(text.encode(), to, lambda: manifest)


def open_rules(folder: Path | None, profile: str | None) -> Rulebook:
    """Read a rulebook whole, every document."""
    from ..rulebook.library import packaged_folder, read

    book, problems = read(folder or packaged_folder(), profile)
    if book is None or problems:
        raise InputRefused(problems)
    return book


def trace(command: str, book: Rulebook | None, as_of: str | None, arguments: dict[str, Any]) -> dict[str, Any]:
    """Give the manifest of a command about rules."""
    from .inputs import manifest_of

    documents = list(book.documents.values()) if book is not None else []
    return manifest_of(f"rules {command}", as_of, documents, {}, arguments)


@app.command("check", public=True)
def check(
    where: Where = None,
    rules: o.Rules = None,
    profile: o.ProfileName = None,
    format_: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
) -> None:
    """Check that every document can be read and used: keys, units, levels, names, overlaps. Lists every problem at once.

    Examples:

        sbrt-followup rules check our_rules/

        sbrt-followup rules check our_rules/plan.yaml -f json
    """
    from datetime import date

    from ..audits.auditing import Audit, reading_findings
    from ..report.rules.finding_text import FORMATS, print_findings, render
    from . import outputs

    to = outputs.destination(format_, output, force, quiet, FORMATS)
    folder, only = folder_of(where, rules)
    book, findings = reading_findings(folder, profile)
    findings = tuple(f for f in findings if not only or f.source.file == only)
    found = Audit(findings, len(book.documents) if book else 0, 0, date.today())
    title = f"Check of {only or name_of(folder)}"
    if to.format == "table" and to.path is None:
        current().show(lambda: print_findings(found, title))
    else:
        manifest = trace("check", book, None, {"rules": name_of(folder)})
        put(render(found, to.format, manifest, title), to, manifest)
    if findings:
        say(f"{len(findings)} problem(s): the rules cannot be used.", quiet)
        raise typer.Exit(1)
    say(f"{found.documents} documents can be used; `rules audit` proves what they say.", quiet)


@app.command("audit", public=True)
def audit(
    where: Where = None,
    explain: Annotated[
        str | None,
        typer.Option("--explain", metavar="CODE", help="Explain a code (all: every code).", show_default=False),
    ] = None,
    strict: Strict = False,
    as_of: o.AsOf = None,
    rules: o.Rules = None,
    profile: o.ProfileName = None,
    format_: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
) -> None:
    """Prove what the rules say, over every cell of their fact space; each finding with its smallest counter-example.

    Examples:

        sbrt-followup rules audit

        sbrt-followup rules audit our_rules/ -o audit.sarif

        sbrt-followup rules audit --explain window-gap
    """
    from ..audits.auditing import audit_folder
    from ..report.rules.finding_text import FORMATS, all_pages, known_codes, page, print_findings, render, summary
    from . import outputs
    from .inputs import day_of

    to = outputs.destination(format_ or ("markdown" if explain else None), output, force, quiet, FORMATS)
    if explain is not None:
        if explain != "all" and explain not in known_codes():
            raise InputRefused(
                [Problem("unknown-code", "no finding has this code", hint=nearest(explain, known_codes()))]
            )
        put(all_pages() if explain == "all" else page(explain), to, trace("audit", None, None, {}))
        return
    folder, only = folder_of(where, rules)
    today = day_of(as_of, quiet)
    found, book = audit_folder(folder, profile, today, only)
    title = f"Audit of {only or name_of(folder)}"
    if to.format == "table" and to.path is None:
        current().show(lambda: print_findings(found, title))
    else:
        arguments = {"rules": name_of(folder), "strict": strict}
        manifest = trace("audit", book, today.isoformat(), arguments)
        put(render(found, to.format, manifest, title), to, manifest)
        say(summary(found), quiet)
    if not found.passes(strict):
        raise typer.Exit(1)


@app.command("test", public=True)
def test(
    where: Where = None,
    document: Annotated[
        str | None, typer.Option("--document", metavar="NAME", help="One document only, e.g. plan/chen-2024.")
    ] = None,
    mutate: Annotated[
        bool, typer.Option("--mutate", help="Try every one-token change; list those no case notices.")
    ] = False,
    minimum: Annotated[
        float, typer.Option("--min", metavar="PERCENT", help="Least coverage of rules and of boundaries.")
    ] = 0.0,
    min_killed: Annotated[
        float, typer.Option("--min-killed", metavar="PERCENT", help="With --mutate: least share of mutants killed.")
    ] = 0.0,
    rules: o.Rules = None,
    profile: o.ProfileName = None,
    format_: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
) -> None:
    """Run the case files of a rulebook (cases/KIND/ID.yaml): results, coverage, and what no case would notice.

    Examples:

        sbrt-followup rules test --min 100

        sbrt-followup rules test our_rules/ --mutate --min-killed 95 -f json -o cases.json
    """
    from ..audits.mutation import rate, score
    from ..audits.testing import run_cases
    from ..report.rules.case_results import FORMATS, lines, render, share, summary
    from . import outputs

    to = outputs.destination(format_, output, force, quiet, FORMATS)
    folder, only = folder_of(where, rules)
    book = open_rules(folder, profile)
    if document is not None:
        book.document(document)
    chosen = document or next((d.name for d in book.documents.values() if only and d.source.file == only), "")
    if mutate:
        say("trying every one-token change (about half a minute for the packaged rulebook) …", quiet)
    tested = run_cases(book, mutate, only=chosen)
    title = f"Cases of {chosen or name_of(folder)}"
    arguments = {"rules": name_of(folder), "mutate": mutate, "min": minimum, "min_killed": min_killed}
    if to.format == "table" and to.path is None:
        put("\n".join([title, *lines(tested), ""]), to, {})
    else:
        manifest = trace("test", book, None, arguments)
        put(render(tested, to.format, manifest, title), to, manifest)
        for line in summary(tested):
            say(line, quiet)
    killed = rate(score(tested.tried)) if tested.tried is not None else None
    short = share(tested) < minimum or (min_killed > 0 and (killed is None or 100 * killed < min_killed))
    if tested.failed or short:
        raise typer.Exit(1)
