"""Options → rulebook, cohort and imaging; every problem in the input in one go."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..problems import InputRefused, Problem, Source, nearest, refuse

if TYPE_CHECKING:
    from ..rulebook.library import Rulebook
    from ..rulebook.model import Document
    from ..tables.records import ColumnMap, Records
    from ..visits.schedule import Request

ON_ERROR = ("refuse", "exclude")


def say(text: str, quiet: bool = False) -> None:
    """Tell the user something, on stderr."""
    if not quiet:
        print(text, file=sys.stderr)


def day_of(text: str | None, quiet: bool = False) -> date:
    """Read --as-of; without it today, said aloud."""
    if text is None:
        today = date.today()
        say(f"as of {today.isoformat()} (today; --as-of sets another day)", quiet)
        return today
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise refuse("not-a-date", "--as-of takes a date written YYYY-MM-DD") from None


def open_rulebook(folder: Path | None, profile: str | None) -> Rulebook:
    """Load the rules."""
    from ..rulebook.library import load

    return load(folder, profile)


def column_map(path: Path | None) -> ColumnMap | None:
    """Read a --map file: `columns: {ours: theirs}` and `values: {column: {theirs: ours}}`, or the first one alone."""
    if path is None:
        return None
    from ..rulebook.parsing import Scalar, Table, read_file
    from ..tables.columns import COHORT, IMAGING
    from ..tables.records import ColumnMap

    tree, problems = read_file(path, path.name)
    # What a spreadsheet calls yes or no may be any word: Y, N, on, TRUE are fine as keys of a map.
    problems = [p for p in problems if p.code != "yaml-trap"]
    if tree is None or problems:
        raise InputRefused(problems)
    nested = {"columns", "values"} & set(tree.items)
    columns = tree.items.get("columns") if nested else tree
    values = tree.items.get("values") if nested else None
    known = [spec.name for spec in (*COHORT, *IMAGING)]
    found: list[Problem] = []
    result: dict[str, str] = {}
    words: dict[str, dict[str, str]] = {}
    for part, target in ((columns, result), (values, words)):
        if part is None:
            continue
        if not isinstance(part, Table):
            found.append(Problem("not-a-mapping", "a map file is a mapping", part.source))
            continue
        for name, node in part.items.items():
            if name not in known:
                found.append(
                    Problem(
                        "unknown-column", f"no column is called '{name}'", part.keys[name], hint=nearest(name, known)
                    )
                )
            elif part is columns and isinstance(node, Scalar):
                result[name] = node.text
            elif part is values and isinstance(node, Table) and all(isinstance(v, Scalar) for v in node.items.values()):
                words[name] = {k: v.text for k, v in node.items.items() if isinstance(v, Scalar)}
            else:
                found.append(
                    Problem("bad-map", "write `ours: theirs` under columns, `theirs: ours` under values", node.source)
                )
        del target
    if found:
        raise InputRefused(found)
    return ColumnMap(result, words)


def open_cohort(
    path: str | None, rulebook: Rulebook, map_file: Path | None, date_format: str | None, on_error: str, quiet: bool
) -> Records:
    """Read the cohort and hold its SINS totals against their components."""
    from ..tables.records import read_cohort

    if path is None:
        raise refuse("no-cohort", "name a cohort table (CSV, Parquet, xlsx), or - for CSV from stdin")
    _check_on_error(on_error)
    records = read_cohort(path, column_map=column_map(map_file), date_format=date_format, on_error=on_error)
    records = _check_sins(records, rulebook, "stdin" if path == "-" else Path(path).name, on_error)
    tell_excluded(records, "cohort", quiet)
    return records


def _check_on_error(on_error: str) -> None:
    if on_error not in ON_ERROR:
        raise refuse("not-allowed", f"--on-error takes {' or '.join(ON_ERROR)}")


def _check_sins(records: Records, rulebook: Rulebook, name: str, on_error: str) -> Records:
    from ..sites.facts import site_facts
    from ..tables.records import Exclusion

    if "sins" not in records.given:
        return records
    wrong = site_facts(records.frame, rulebook.sins).disagrees
    rows = records.frame["row"].to_numpy()[wrong]
    if not len(rows):
        return records
    message = "the SINS total does not fit its components"
    if on_error != "exclude":
        shown = ", ".join(str(r) for r in rows[:10]) + (f" and {len(rows) - 10} more" if len(rows) > 10 else "")
        word = "row" if len(rows) == 1 else "rows"
        raise refuse("sins-disagrees", f"{word} {shown}, column sins: {message}", Source(name), "Correct one of them.")
    gone = tuple(Exclusion(int(r), f"column sins: {message}") for r in rows)
    frame = records.frame.loc[~wrong].reset_index(drop=True)
    return replace(records, frame=frame, excluded=tuple(sorted((*records.excluded, *gone), key=lambda e: e.row)))


def open_imaging(
    path: str | None, map_file: Path | None, date_format: str | None, on_error: str, quiet: bool
) -> Records | None:
    """Read the imaging table, if one is given."""
    from ..tables.records import read_imaging

    if path is None:
        return None
    _check_on_error(on_error)
    records = read_imaging(path, column_map=column_map(map_file), date_format=date_format, on_error=on_error)
    tell_excluded(records, "imaging", quiet)
    return records


def tell_excluded(records: Records, what: str, quiet: bool) -> None:
    """List the rows left out, with the reason."""
    for e in records.excluded:
        say(f"excluded: {what} row {e.row}: {e.reason}", quiet)


def request(
    rulebook: Rulebook,
    plan: str | None,
    horizon: str | None,
    as_of: str | None,
    quiet: bool,
    *,
    keys: bool = False,
    assume_none_done: bool = False,
) -> Request:
    """Settle the plan, the horizon and the day."""
    from fractions import Fraction

    from ..rulebook.model import Plan
    from ..rulebook.structure import NUMBER
    from ..visits.schedule import Request

    chosen = rulebook.get(Plan, plan) if plan else rulebook.plan
    if chosen.tiered and chosen.risk != rulebook.profile.risk:
        # Tiers come from the profile's risk document; another one's would be scheduled under this plan's name.
        raise refuse(
            "plan-risk-differs",
            f"{chosen.name} goes by the tiers of risk/{chosen.risk}, the profile '{rulebook.profile.id}' by risk/{rulebook.profile.risk}",
            hint="Name the same risk document in both.",
        )
    months = None
    if horizon is not None:
        if not NUMBER.fullmatch(horizon) or not 0 < Fraction(horizon) <= 600:
            raise refuse("bad-horizon", "--horizon takes a number of months above 0, at most 600")
        months = Fraction(horizon)
    return Request(rulebook, chosen, day_of(as_of, quiet), months, assume_none_done, keys)


def placed(cohort: Records, imaging: Records | None, quiet: bool, on_error: str = "refuse") -> Records | None:
    """Leave out MRIs of no site in the cohort, and say so; refuse MRIs after a death."""
    from ..sites.history import scans_after_death, unplaced
    from ..tables.records import Exclusion

    if imaging is None:
        return None
    reasons = unplaced(cohort.frame, imaging.frame)
    late = scans_after_death(cohort.frame, imaging.frame)
    if late and on_error != "exclude":
        shown = ", ".join(str(r) for r in late[:10]) + (f" and {len(late) - 10} more" if len(late) > 10 else "")
        raise refuse(
            "impossible-dates",
            f"imaging row{'s' if len(late) > 1 else ''} {shown}, column mri_date: lies after the patient's death_date",
        )
    reasons |= dict.fromkeys(late, "column mri_date: lies after the patient's death_date")
    for row, reason in reasons.items():
        say(f"excluded: imaging row {row}: {reason}", quiet)
    frame = imaging.frame.loc[~imaging.frame["row"].isin(list(reasons))].reset_index(drop=True)
    gone = tuple(Exclusion(row, reason) for row, reason in reasons.items())
    return replace(imaging, frame=frame, excluded=tuple(sorted((*imaging.excluded, *gone), key=lambda e: e.row)))


def trace(
    command: str,
    request: Request,
    cohort: Records,
    imaging: Records | None,
    arguments: dict[str, Any],
    secret: tuple[str, ...],
) -> Callable[[], dict[str, Any]]:
    """Prepare the manifest of a command that follows a plan; it is built where it is written."""
    return lambda: _trace(command, request, cohort, imaging, arguments, secret)


def _trace(
    command: str,
    request: Request,
    cohort: Records,
    imaging: Records | None,
    arguments: dict[str, Any],
    secret: tuple[str, ...],
) -> dict[str, Any]:
    from ..report.manifest import manifest
    from ..rulebook.model import Plan

    book = request.rulebook
    documents: list[Document] = [book.profile, request.plan, book.risk, book.sins, book.evidence]
    if request.plan.undecided:
        documents.insert(2, book.get(Plan, request.plan.undecided))
    inputs = {"cohort": cohort} if imaging is None else {"cohort": cohort, "imaging": imaging}
    return manifest(command, request.as_of.isoformat(), documents, inputs, arguments, secret)
