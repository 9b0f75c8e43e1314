"""The command line: every command by name. Nothing heavy is imported before a command runs."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import __version__
from . import (
    assess,
    check,
    curves,
    explain,
    init,
    intervals,
    key,
    policy,
    risk,
    rules,
    rules_changes,
    rules_show,
    schedule,
    simulate,
    validate,
    verify,
    worklist,
)
from . import map as map_command
from .call import Commands

app = Commands(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="MRI follow-up after spine SBRT, from cited rules: schedules, response, cohort curves, rule audits.\n\n"
    "Decision support for trained staff; it does not replace clinical judgement.",
    epilog="Example: sbrt-followup schedule cohort.csv --imaging mri.csv --as-of 2025-06-15",
)


def _version(value: bool) -> None:
    if value:
        print(f"sbrt-followup {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """MRI follow-up after spine SBRT, from cited rules: schedules, response, cohort curves, rule audits."""


app.command("schedule")(schedule.schedule)
app.command("worklist")(worklist.worklist)
app.command("map")(map_command.map_)
app.command("check")(check.check)
app.command("init")(init.init)
app.command("key")(key.key)
app.command("risk")(risk.risk)
app.command("assess")(assess.assess)
app.command("explain")(explain.explain)
app.command("curves")(curves.curves)
app.command("intervals")(intervals.intervals)
app.command("policy")(policy.policy)
app.command("validate")(validate.validate)
app.command("simulate", public=True)(simulate.simulate)
app.command("verify")(verify.verify)
rules.app.command("show", public=True)(rules_show.show)
rules.app.command("diff", public=True)(rules_changes.diff)
rules.app.command("impact")(rules_changes.impact)
rules.app.command("evidence", public=True)(rules_show.evidence)
rules.app.command("schema", public=True)(rules_show.schema)
app.add_typer(rules.app, name="rules")
