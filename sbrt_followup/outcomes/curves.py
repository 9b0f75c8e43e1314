"""Everything `curves` reports about a cohort: the analysis, and the tables a reviewer asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..sites.last_clear import mris_after_sbrt, with_last_clear
from ..tables.records import Exclusion, Records
from . import accounts
from .accounts import Ending, LateDeaths, ScanGaps, scan_days
from .analysis import Analysis, Caution, Method, analyse
from .interval_analysis import silent
from .null_check import NullCheck, null_check
from .policies import UNRESOLVED, Dating
from .question import AT_LAST_CONTACT, BY_MRI, DEATH_INSIDE, MRIS, NEVER_SCANNED, Question
from .study import Study, study

if TYPE_CHECKING:
    import pandas as pd


SHARE_EXCLUDED = 0.05  # of the rows: more is worth a word
BY_DESIGN = ("a later course", "re-treatment", "not under observation", "treated on or after", "follow-up ended before")
LARGEST_SIZE = 0.06  # of a test at 5 %, as the project asks of its own
WELL_BEYOND = 3.0  # standard errors of the simulation


@dataclass(frozen=True)
class Grouping:
    """What divides the cohort: a name, each row's group, and how firm it is."""

    name: str
    values: pd.Series[Any]
    basis: str = ""  # of the rules that made it; empty for a column of the user's own
    note: str = ""
    absent: str = "is missing"  # why a row has none


@dataclass(frozen=True)
class Unresolved:
    """How many of a group have growth that was neither confirmed nor retracted by the end."""

    group: str
    unresolved: int
    n: int


@dataclass(frozen=True)
class Simulation:
    """How often to simulate, and from which seed."""

    replicates: int
    seed: int


@dataclass(frozen=True)
class Prepared:
    """A table that held durations and statuses already: its columns and the engine that counted them."""

    time: str
    status: str
    by: str | None
    engine: str


@dataclass(frozen=True)
class Curves:
    """One cohort's curves with their tables."""

    analysis: Analysis
    endings: tuple[Ending, ...]
    late_deaths: tuple[LateDeaths, ...]
    scan_gaps: tuple[ScanGaps, ...]
    excluded: tuple[Exclusion, ...]
    cautions: tuple[Caution, ...]
    grouping: Grouping | None = None
    policy: str = ""
    """The event-date policy of the analysis; none: dates as recorded."""
    others: tuple[tuple[str, Analysis], ...] = ()
    """The same question under other event-date policies, without tests."""
    unresolved: tuple[Unresolved, ...] = ()
    null_check: NullCheck | None = None
    sensitivity: tuple[tuple[str, Analysis], ...] = ()
    """The analysis and the same under the other rule for deaths long after the last MRI."""
    prepared: Prepared | None = None
    """Where only counts of a prepared table are known."""


def curves(
    cohort: Records,
    question: Question,
    method: Method,
    *,
    grouping: Grouping | None = None,
    other: Question | None = None,
    imaging: Records | None = None,
    dates: Dating | None = None,
    check: Simulation | None = None,
    step: Callable[[], None] = silent,
    on_error: str = "refuse",
    file: str = "cohort",
) -> Curves:
    """Answer a question about a cohort, and in short the `other` one beside it; `step` is called after every bootstrap sample and simulation."""
    by = None if grouping is None else grouping.values
    name, absent = ("", "") if grouping is None else (grouping.name, grouping.absent)
    frame = cohort.frame if dates is None else dates.frame
    if imaging is not None:
        local = question.endpoint == "local_progression" and question.distant == "ignore"
        frame = with_last_clear(frame, imaging.frame, local)
        if question.require_mri:
            frame = frame.assign(**{MRIS: mris_after_sbrt(frame, imaging.frame)})

    def ask(table: pd.DataFrame, asked: Question = question) -> Study:
        return study(table, asked, by=by, by_name=name, by_absent=absent, on_error=on_error, file=file)

    people = ask(frame)
    analysis = analyse(people, method, step=step)
    sensitivity: tuple[tuple[str, Analysis], ...] = ()
    if other is not None and frame["last_clear_mri_date"].notna().any():
        beside = analyse(ask(frame, other), method, tests=False)
        sensitivity = ((question.death_rule, analysis), (other.death_rule, beside))
    others = {} if dates is None else {policy: ask(table) for policy, table in dates.others.items()}
    scans = None if imaging is None else scan_days(people, imaging.frame, frame)
    gaps = accounts.event_gaps(people) if scans is None else accounts.imaging_gaps(people, *scans)
    deaths = () if question.endpoint in DEATH_INSIDE else accounts.late_deaths(people, method.times[0])
    if all(d.deaths == d.without_mri for d in deaths):
        deaths = ()
    known = any(g.gaps for g in gaps)
    checked = None if check is None else null_check(people, method, scans, check.replicates, check.seed, step)
    found = [
        *analysis.cautions,
        *_about_study(people, method),
        *(_about_gaps(gaps) if known else ()),
        *(_about_check(checked, method) if checked else ()),
    ]
    excluded = tuple(sorted({(e.row, e.reason) for e in (*cohort.excluded, *people.excluded)}))
    return Curves(
        analysis,
        accounts.endings(people),
        deaths,
        gaps if known else (),
        tuple(Exclusion(row, reason) for row, reason in excluded),
        tuple(found),
        grouping,
        policy="" if dates is None else dates.primary,
        others=tuple((policy, analyse(other, method, tests=False)) for policy, other in others.items()),
        unresolved=() if dates is None else _unresolved(dates, people, others),
        null_check=checked,
        sensitivity=sensitivity,
    )


def _unresolved(dates: Dating, people: Study, others: dict[str, Study]) -> tuple[Unresolved, ...]:
    """Count, by group, those who have an event only if open growth is one."""
    with_all = others.get(f"{dates.primary}, {UNRESOLVED}")
    if with_all is None:
        return ()
    return tuple(
        Unresolved(label, with_all.counts(g).events - people.counts(g).events, people.counts(g).n)
        for g, label in enumerate(people.labels)
    )


def _about_check(check: NullCheck, method: Method) -> list[Caution]:
    """Say what the simulation under equal hazards speaks against."""
    short = [m for m in check.landmarks if m.coverage + WELL_BEYOND * m.error < method.level]
    found = []
    if short:
        worst = min(short, key=lambda m: m.coverage)
        found.append(
            Caution(
                "intervals-too-short",
                f"under equal hazards {len(short)} of {len(check.landmarks)} landmarks lie outside their interval too often "
                f"(held in {100 * worst.coverage:.0f} % at month {worst.months:g}, bias {100 * worst.bias:+.1f} points): "
                "events are dated by the MRI that found them"
                + ("" if method.estimator == "turnbull" else "; --estimator turnbull allows for that"),
            )
        )
    found += [
        Caution("test-too-often", f"under equal hazards the {t.name} test rejects at 5 % in {100 * t.size:.1f} %")
        for t in check.tests
        if t.size - t.margin > LARGEST_SIZE
    ]
    return found


def _about_study(people: Study, method: Method) -> list[Caution]:
    question = people.question
    found = []
    if question.endpoint in BY_MRI and question.censored_at == "last_mri":
        without = int(np.isin(people.ending.astype(str), [AT_LAST_CONTACT, NEVER_SCANNED]).sum())
        early = method.estimator == "turnbull" or bool((people.ending == NEVER_SCANNED).any())
        where = "on day 0" if early else "at the last contact"
        if without:
            found.append(
                Caution("censored-at-contact", f"{without} censored {where}: no last clear MRI is recorded for them")
            )
    if question.require_mri:
        found.append(
            Caution(
                "chosen-by-mris",
                f"only those with {question.require_mri} or more MRIs after SBRT take part: whoever died or progressed before "
                "them could not; --entry with the date of that MRI allows for it",
            )
        )
    competing = people.question.endpoint in BY_MRI and people.question.endpoint not in DEATH_INSIDE
    if competing and people.question.censored_at == "last_mri" and method.estimator != "turnbull":
        month = accounts.unscanned_from(people)
        if month == month:
            found.append(
                Caution(
                    "unscanned-at-risk",
                    f"from month {month:g} on most of those at risk had their last MRI before: they stay at risk only because "
                    "they die later; --death-within ends their follow-up at that MRI",
                )
            )
    reasons = Counter(e.reason for e in people.excluded if not e.reason.startswith(BY_DESIGN))
    lost = sum(reasons.values())
    if lost > SHARE_EXCLUDED * (people.rows_used + lost):
        share = 100 * lost / (people.rows_used + lost)
        found.append(
            Caution(
                "many-excluded",
                f"{share:.0f} % of rows are excluded, most of them because: {reasons.most_common(1)[0][0]}; those left may differ from them",
            )
        )
    return found


def _about_gaps(gaps: tuple[ScanGaps, ...]) -> list[Caution]:
    if not accounts.unequal(gaps):
        return []
    return [
        Caution(
            "unequal-scanning",
            "the groups were scanned at different intervals: whoever is scanned more often is found to progress earlier",
        )
    ]
