"""`rules show`, `rules evidence`, `rules schema`: documents to read, to sign, to trace, to edit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..problems import refuse
from . import options as o
from .call import current
from .rules import folder_of, name_of, open_rules, put, trace

Figure = Annotated[
    Path | None,
    typer.Option(
        "--figure", metavar="FILE", help="Draw it (.png, .svg).", rich_help_panel=o.OUTPUT, show_default=False
    ),
]


def show(
    document: Annotated[
        str | None,
        typer.Argument(
            metavar="[DOCUMENT]", help="E.g. plan/chen-2024. Default: all of the profile.", show_default=False
        ),
    ] = None,
    pack: Annotated[
        bool, typer.Option("--pack", help="Give the decisions to sign instead, one a line (CSV case pack).")
    ] = False,
    figure: Figure = None,
    rules: o.Rules = None,
    profile: o.ProfileName = None,
    format_: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
) -> None:
    """Show a rule document as a page a clinician can sign off: rules, numbers, basis, sources, signatures.

    Examples:

        sbrt-followup rules show plan/chen-2024 --figure plan.png

        sbrt-followup rules show -o rules.html

        sbrt-followup rules show risk/chen-2024 --pack -o to_sign.csv
    """
    from ..audits.decisions import decisions
    from ..audits.rulebooks import named_by
    from ..report.rules.difference_text import pack_text
    from ..report.rules.rule_pages import FORMATS, blocks, html_page, markdown, print_pages, text_pages
    from . import outputs

    # A page is for people, also in a pipe.
    usual = None if output is not None else "csv" if pack else "table"
    to = outputs.destination(format_ or usual, output, force, quiet, ("csv",) if pack else FORMATS)
    drawings = outputs.check_figures([figure], force)
    folder, only = folder_of(None, rules)
    book = open_rules(folder, profile)
    if document is not None:
        chosen = [book.document(document)]
    elif only:
        chosen = [d for d in book.documents.values() if d.source.file == only]
    else:
        chosen = [book.profile, *(book.documents[n] for n in named_by(book.profile) if n in book.documents)]
    manifest = trace("show", book, None, {"rules": name_of(folder), "document": document, "pack": pack})
    if drawings:
        from ..report.rules.rule_figures import plan_figure

        outputs.draw_files(drawings, lambda kind: plan_figure(book, chosen, kind), lambda: manifest, force)
    if pack:
        put(pack_text([d for one in chosen for d in decisions(book, one)]), to, manifest)
        return
    pages = [blocks(book, one) for one in chosen]
    if to.format == "table" and to.path is None:
        current().show(lambda: print_pages(pages))
    else:
        render = {"table": text_pages, "markdown": markdown, "html": html_page}[to.format]
        put(render(pages), to, manifest)


def evidence(
    by_source: Annotated[bool, typer.Option("--by-source", help="Order by source: what rests on each.")] = False,
    unsupported: Annotated[
        bool, typer.Option("--unsupported", help="Only numbers that no cited source is noted to give.")
    ] = False,
    studies: Annotated[bool, typer.Option("--studies", help="The studies of the review's own table.")] = False,
    rules: o.Rules = None,
    profile: o.ProfileName = None,
    format_: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
) -> None:
    """Give the ledger of evidence: each number → source, locator, level read, n, limits, verified by whom; and back.

    Examples:

        sbrt-followup rules evidence -o ledger.csv

        sbrt-followup rules evidence --by-source

        sbrt-followup rules evidence --unsupported
    """
    from ..audits import ledger
    from ..report.rules.ledger_text import FORMATS, render
    from . import outputs
    from .call import say

    if studies and (by_source or unsupported):
        raise refuse("not-together", "--studies stands alone")
    to = outputs.destination(format_, output, force, quiet, FORMATS)
    folder, _ = folder_of(None, rules)
    book = open_rules(folder, profile)
    manifest = trace("evidence", book, None, {"rules": name_of(folder), "by_source": by_source, "studies": studies})
    if studies:
        told = ledger.studies(book), ledger.STUDY_FIELDS, "studies", "Studies of the review"
        put(render(*told, to.format, manifest), to, manifest)
        return
    entries = ledger.ledger(book)
    missing = ledger.unsupported(entries)
    shown = missing if unsupported else entries
    if by_source:
        shown = ledger.by_source(shown)
    put(render(shown, ledger.FIELDS, "numbers", "Ledger of evidence", to.format, manifest), to, manifest)
    published = [e for e in missing if e.basis == "published"]
    said = f"{len({(e.document, e.part, e.number, e.unit) for e in entries})} numbers; {len(missing)} not noted for a cited source, {len(published)} of them called published."
    say(said, quiet)


def schema(
    kind: Annotated[
        str | None,
        typer.Option("--kind", help="One kind of document, or cases. Default: every document.", show_default=False),
    ] = None,
    output: o.Output = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
) -> None:
    """Give the JSON Schema of rule documents, for completion and checks in an editor.

    Examples:

        sbrt-followup rules schema -o rules.schema.json
    """
    from ..audits.schema import schema as make
    from ..problems import nearest
    from ..report.tabular import json_text
    from ..rulebook.kinds import KINDS
    from . import outputs

    if kind is not None and kind not in (*KINDS, "cases"):
        raise refuse("unknown-kind", "no kind of document is called so", hint=nearest(kind, [*KINDS, "cases"]))
    to = outputs.destination("json", output, force, quiet, ("json",))
    put(json_text(make(kind)), to, {})
