"""`map`: look at a clinic's own files and write down how to read them, asking about what is ambiguous."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..problems import InputRefused, refuse
from . import options as o
from .call import current, put_bytes

if TYPE_CHECKING:
    from ..tables.mapping import MapFile, TableMap
    from ..tables.questions import Proposal


def map_(
    cohort: o.Cohort = None,
    imaging: o.Imaging = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The map to write, or to bring up to date.", show_default=False
        ),
    ] = None,
    sheet: o.Sheet = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of a map, and do nothing else.")
    ] = False,
    quiet: o.Quiet = False,
) -> None:
    """Look at your own files and write a map: which column is which, how dates and words are written, each with why.

    What only you can say is asked on a terminal, else left in the map as a question. Exit 0: nothing is left to fill in; 1:
    something is; 2: a file cannot be read.

    Examples:

        sbrt-followup map ours.xlsx --imaging mri.csv -o map.yaml

        sbrt-followup worklist ours.xlsx --imaging mri.csv --map map.yaml
    """
    from ..tables.columns import COHORT, IMAGING
    from ..tables.map_writing import map_text
    from ..tables.mapping import MapFile
    from ..tables.proposing import propose
    from . import inputs

    if schema:
        from ..report.tabular import json_text
        from ..tables.map_schema import map_schema

        print(json_text(map_schema()), end="")
        return
    if cohort is None or cohort == "-":
        raise refuse(
            "no-cohort", "name a cohort file", hint="Example: sbrt-followup map ours.xlsx --imaging mri.csv -o map.yaml"
        )
    before = MapFile() if output is None or not output.exists() else _earlier(output)
    proposals = [propose(cohort, "cohort", COHORT, _sheet_of(before, sheet))]
    if imaging is not None:
        proposals.append(propose(imaging, "imaging", IMAGING, before.imaging))
    if sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty():
        from .asking import ask

        for proposal in proposals:
            ask(proposal)
    text = map_text(proposals)
    call = current()
    if output is None:
        call.show(lambda: put_bytes(text.encode()))
    else:
        call.write(output, text.encode(), True, None, f"written: {output.name}")
    open_questions = sum(len(proposal.questions) for proposal in proposals)
    for line in _report(proposals, cohort, imaging):
        inputs.say(line, quiet)
    if open_questions:
        place = output.name if output is not None else "the map"
        inputs.say(f"{open_questions} question(s) to answer: fill in every ? of {place}, then use it with --map")
        raise typer.Exit(1)


def _earlier(path: Path) -> MapFile:
    """Read the map that is brought up to date; another file is never written over."""
    from ..tables.map_reading import read_map

    try:
        return read_map(path, lenient=True)
    except InputRefused as refused:
        from ..problems import Problem, Source

        hint = "Name another file with -o, or mend this one."
        raise InputRefused(
            [
                Problem(
                    "file-exists", "this file exists and is not a map that can be read", Source(path.name), hint=hint
                ),
                *refused.problems,
            ]
        ) from None


def _sheet_of(before: MapFile, sheet: str | None) -> TableMap:
    from dataclasses import replace

    how = before.cohort
    return how if sheet is None else replace(how, layout=replace(how.layout, sheet=sheet))


def _report(proposals: list[Proposal], cohort: str, imaging: str | None) -> list[str]:
    """Say how much of both files the map reads: rows used, MRIs matched."""
    from ..sites.placing import matched_text
    from ..tables.records import read_cohort, read_imaging

    lines: list[str] = []
    try:
        table = read_cohort(cohort, column_map=proposals[0].how, on_error="exclude")
        lines.append(f"cohort: {len(table.frame):,} of {len(table.frame) + len(table.excluded):,} rows read")
        if imaging is not None:
            scans = read_imaging(imaging, column_map=proposals[1].how, on_error="exclude")
            lines.append(f"imaging: {len(scans.frame):,} of {len(scans.frame) + len(scans.excluded):,} rows read")
            lines += matched_text(table, scans)
    except InputRefused as refused:
        lines += [f"not readable yet: {problem}" for problem in refused.problems[:5]]
    if any(table_excluded for table_excluded in lines if " of " in table_excluded):
        lines.append("`sbrt-followup check` with this map names every row that is not read, and why")
    return lines
