"""Options → rulebook, cohort and imaging; every problem in the input in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..problems import InputRefused, refuse
from .call import PERSONAL, SAID, SHOWING, current
from .call import arguments as every_option
from .call import say as say

if TYPE_CHECKING:
    from ..rulebook.library import Rulebook
    from ..rulebook.model import Document
    from ..tables.mapping import MapFile
    from ..tables.records import Records
    from ..visits.patterns import Request


FIRST_YEAR, LAST_YEAR = 1950, 2150  # of a day to judge from: further away it is a slip


def day_of(text: str | None, quiet: bool = False) -> date:
    """Read --as-of; without it today, said aloud."""
    if text is None:
        today = date.today()
        say(f"as of {today.isoformat()} (today; --as-of sets another day)", quiet)
        return today
    return day_in(text, "--as-of")


def day_in(text: str, flag: str) -> date:
    """Read a day of an option: YYYY-MM-DD and nothing else, in the years a patient can have."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if day.isoformat() != text or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise refuse("not-a-date", f"{flag} takes a date written YYYY-MM-DD, of the years {FIRST_YEAR} to {LAST_YEAR}")
    return day


def open_rulebook(folder: Path | None, profile: str | None) -> Rulebook:
    """Load the rules."""
    from ..rulebook.library import load

    return load(folder, profile)


def map_file_of(path: Path | None, quiet: bool = True) -> MapFile:
    """Read a --map file; without one every table is read as it stands."""
    from ..tables.map_reading import read_map
    from ..tables.mapping import MapFile

    if path is None:
        return MapFile()
    found = read_map(path)
    for note in found.notes:
        say(note, quiet)
    return found


def open_cohort(
    path: str | None,
    rulebook: Rulebook,
    map_file: Path | None,
    date_format: str | None,
    on_error: str,
    quiet: bool,
    *,
    unasked: frozenset[str] = frozenset(),
) -> Records:
    """Read the cohort and hold its SINS totals against their components.

    `unasked` are facts that no rule of this command asks: a cell of theirs that cannot be used stops nothing.
    """
    from ..sites.placing import check_sins
    from ..tables.records import read_cohort

    if path is None:
        raise refuse("no-cohort", "name a cohort table (CSV, Parquet or a workbook), or - for CSV from stdin")
    _check_on_error(on_error)
    how = with_sheet(map_file_of(map_file, quiet)).cohort
    with errors_told():
        records = read_cohort(path, column_map=how, date_format=date_format, on_error=on_error, unasked=unasked)
        records = check_sins(records, rulebook.sins, on_error, "sins" in unasked)
    tell_excluded(records, "cohort", quiet)
    return records


def check_days(records: Records, as_of: date, on_error: str) -> Records:
    """Hold days of treatment, booking and contact against the as-of day; years ahead is a slip of the keyboard."""
    from ..sites import placing

    with errors_told():
        checked = placing.check_days(records, as_of, on_error)
    if checked is not records:
        tell_excluded(replace(checked, notes=(), cautions=checked.cautions[len(records.cautions) :]), "cohort", False)
    return checked


def unasked_by(rulebook: Rulebook, plan: str | None) -> frozenset[str]:
    """Name the facts of the cohort that a plan's dates do not rest on: all of them, unless it goes by tiers."""
    from ..rulebook.model import Plan
    from ..tables.columns import COHORT
    from ..vocabulary import FACTS

    chosen = rulebook.get(Plan, plan) if plan else rulebook.plan
    return frozenset() if chosen.tiered else frozenset(spec.name for spec in COHORT if spec.name in FACTS)


def _check_on_error(on_error: str) -> None:
    from ..tables.records import ON_ERROR

    if on_error not in ON_ERROR:
        raise refuse("not-allowed", f"--on-error takes {', '.join(ON_ERROR[:-1])} or {ON_ERROR[-1]}")


def with_sheet(how: MapFile) -> MapFile:
    """Let --sheet go before the map's `sheet:` of the cohort."""
    sheet = current().options.get("sheet")
    if sheet is None:
        return how
    return replace(how, cohort=replace(how.cohort, layout=replace(how.cohort.layout, sheet=str(sheet))))


@contextmanager
def errors_told() -> Iterator[None]:
    """Write every row with a problem to the file of --errors before the refusal goes on its way."""
    try:
        yield
    except InputRefused as refused:
        path = current().options.get("errors")
        if path is not None:
            from ..report.row_list import write_row_list

            current().claim(Path(str(path)), force=True)
            write_row_list(Path(str(path)), refused.problems)
            say(f"written: {Path(str(path)).name} (every row with a problem)")
        raise


def open_imaging(
    path: str | None, map_file: Path | None, date_format: str | None, on_error: str, quiet: bool
) -> Records | None:
    """Read the imaging table, if one is given."""
    from ..tables.records import read_imaging

    if path is None:
        return None
    _check_on_error(on_error)
    how = map_file_of(map_file).imaging
    with errors_told():
        records = read_imaging(path, column_map=how, date_format=date_format, on_error=on_error)
    tell_excluded(records, "imaging", quiet)
    return records


def tell_excluded(records: Records, what: str, quiet: bool) -> None:
    """List what was left out or taken as unknown, by reason; `quiet` hides notes, never who is not on a list."""
    from ..tables.row_problems import rows_named

    for note in records.notes:
        say(note, quiet)
    for caution in records.cautions:
        say(f"caution: {caution}", quiet)
    kinds: dict[str, list[int]] = {}
    for exclusion in records.excluded:
        kinds.setdefault(exclusion.reason, []).append(exclusion.row)
    for reason, rows in kinds.items():
        say(f"excluded: {what} {rows_named(rows)}: {reason}")
    if records.excluded:
        used, total = len(records.frame), len(records.frame) + len(records.excluded)
        say(f"{records.name}: {used:,} of {total:,} rows used")


def placed(cohort: Records, imaging: Records | None, quiet: bool, on_error: str = "refuse") -> Records | None:
    """Leave out MRIs of no site in the cohort, and say so even when quiet; refuse MRIs after a death."""
    from ..sites.placing import place

    if imaging is None:
        return None
    with errors_told():
        done = place(cohort, imaging, on_error)
    for text in done.said:
        say(text)
    return done.imaging


def request(
    rulebook: Rulebook,
    plan: str | None,
    horizon: str | None,
    as_of: str | None,
    quiet: bool,
    *,
    keys: bool = False,
    assume_none_done: bool = False,
    short: bool = False,
) -> Request:
    """Settle the plan, the horizon and the day."""
    from fractions import Fraction

    from ..rulebook.model import Plan
    from ..rulebook.structure import NUMBER
    from ..visits.patterns import Request

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
    return Request(rulebook, chosen, day_of(as_of, quiet), months, assume_none_done, keys, short)


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
    from ..rulebook.model import Plan

    book = request.rulebook
    documents: list[Document] = [book.profile, request.plan, book.risk, book.sins, book.evidence]
    if request.plan.undecided:
        documents.insert(2, book.get(Plan, request.plan.undecided))
    if imaging is not None and book.profile.response:
        # Their readings ask for confirming MRIs and stand in reasons: whoever decides a line is named.
        documents += [*book.windows, *book.criteria]
    if book.protocol:
        documents.append(book.protocol)
    inputs = {"cohort": cohort} if imaging is None else {"cohort": cohort, "imaging": imaging}
    return manifest_of(command, request.as_of.isoformat(), documents, inputs, arguments, secret)


def manifest_of(
    command: str,
    as_of: str | None,
    documents: Sequence[Document],
    inputs: Mapping[str, Records],
    arguments: Mapping[str, Any],
    secret: Iterable[str] = (),
) -> dict[str, Any]:
    """Build the manifest of this call: every option that can change an answer, over which a command lays what it settled."""
    from ..report.manifest import manifest

    told, hidden = every_option(), {*secret, *PERSONAL}
    settled = {k: v for k, v in arguments.items() if k not in SAID | SHOWING and not (k in hidden and k in told)}
    shown = {*told} - {*settled}
    return manifest(command, as_of, documents, inputs, {**told, **settled}, hidden - shown)
