"""`check`: all problems of a table with stable codes, and nothing else done."""

from __future__ import annotations

import typer

from ..problems import refuse
from . import options as o

NARROW = ("rows", "column", "code", "problem")


def check(
    cohort: o.Cohort = None,
    imaging: o.Imaging = None,
    as_of: o.AsOf = None,
    rules: o.Rules = None,
    profile: o.ProfileName = None,
    format_: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
    map_file: o.Map = None,
    sheet: o.Sheet = None,
    date_format: o.DateFormat = None,
) -> None:
    """Check a cohort and its MRIs: every problem with file, row, column and a stable code; never a cell's content.

    A table shows one line a kind, CSV and JSON every row. Exit 0: nothing stops a command; 1: something does.

    Examples:

        sbrt-followup check cohort.csv --imaging mri.csv

        sbrt-followup check ours.xlsx --map map.yaml -f csv -o problems.csv
    """
    from ..report.row_list import kind_list, row_list
    from ..sites.table_check import check_tables
    from . import inputs, outputs

    if cohort is None:
        raise refuse("no-cohort", "name a cohort table to check")
    to = outputs.destination(format_, output, force, quiet)
    rulebook = inputs.open_rulebook(rules, profile)
    day = inputs.day_of(as_of, quiet)
    how = inputs.map_file_of(map_file, quiet)
    found = check_tables(cohort, imaging, inputs.with_sheet(how), date_format, rulebook.sins, day)
    for note in found.notes:
        inputs.say(note, quiet)
    notes = [
        f"{role}: {len(table.frame):,} of {len(table.frame) + len(table.excluded):,} rows can be used"
        for role, table in found.tables.items()
    ]
    if not found.problems:
        notes.append("No problem was found.")
    result = outputs.Result(
        frame=kind_list(found.problems) if to.format == "table" else row_list(found.problems),
        title=f"Problems of {cohort.rpartition('/')[2]}",
        rows="problems",
        manifest=lambda: inputs.manifest_of(
            "check",
            day.isoformat(),
            [rulebook.sins],
            found.tables,
            {"cohort": cohort, "imaging": imaging},
            ("cohort", "imaging"),
        ),
        body={"errors": found.errors, "warnings": len(found.problems) - found.errors},
        notes=notes,
        narrow=NARROW if to.format == "table" else (),
    )
    outputs.deliver(result, to)
    if found.errors:
        raise typer.Exit(1)
