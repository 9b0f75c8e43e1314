"""Everything `curves` reports about a cohort: the analysis, and the tables a reviewer asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sbrt_followup.outcomes import accounts
from sbrt_followup.outcomes.accounts import Ending, LateDeaths, ScanGaps
from sbrt_followup.outcomes.analysis import Analysis, Caution, Method, analyse
from sbrt_followup.outcomes.endpoints import (
    AT_LAST_CONTACT,
    BY_MRI,
    DEATH_INSIDE,
    Question,
    Study,
    study,
)
from sbrt_followup.outcomes.null_check import NullCheck, null_check
from sbrt_followup.outcomes.scans import scan_days, with_last_clear
from sbrt_followup.records import Exclusion, Records

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Grouping:
    """What divides the cohort: a name, each row's group, and how firm it is."""

    name: str
    values: pd.Series[Any]
    basis: str = ""  # of the rules that made it; empty for a column of the user's own
    note: str = ""
    absent: str = "is missing"  # why a row has none


def _silent(done: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Simulation:
    """How often to simulate, from which seed, and whom to tell."""

    replicates: int
    seed: int
    progress: Callable[[int], None] = _silent


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
    others: tuple[tuple[str, Analysis], ...] = field(default=())
    """The same question under other event-date policies."""
    null_check: NullCheck | None = None


def curves(
    cohort: Records,
    question: Question,
    method: Method,
    *,
    grouping: Grouping | None = None,
    imaging: Records | None = None,
    check: Simulation | None = None,
    on_error: str = "refuse",
    file: str = "cohort",
) -> Curves:
    """Answer a question about a cohort."""
    by = None if grouping is None else grouping.values
    name, absent = ("", "") if grouping is None else (grouping.name, grouping.absent)
    frame = cohort.frame if imaging is None else with_last_clear(cohort.frame, imaging.frame)
    people = study(frame, question, by=by, by_name=name, by_absent=absent, on_error=on_error, file=file)
    analysis = analyse(people, method)
    scans = None if imaging is None else scan_days(people, imaging.frame)
    gaps = accounts.event_gaps(people) if scans is None else accounts.imaging_gaps(people, *scans)
    deaths = () if question.endpoint in DEATH_INSIDE else accounts.late_deaths(people, method.times[0])
    if all(d.deaths == d.without_mri for d in deaths):
        deaths = ()
    known = any(g.gaps for g in gaps)
    found = [*analysis.cautions, *_about_study(people), *(_about_gaps(gaps) if known else ())]
    excluded = tuple(sorted({(e.row, e.reason) for e in (*cohort.excluded, *people.excluded)}))
    return Curves(
        analysis,
        accounts.endings(people),
        deaths,
        gaps if known else (),
        tuple(Exclusion(row, reason) for row, reason in excluded),
        tuple(found),
        grouping,
        null_check=None
        if check is None
        else null_check(people, method, scans, check.replicates, check.seed, check.progress),
    )


def _about_study(people: Study) -> list[Caution]:
    question = people.question
    found = []
    if question.endpoint in BY_MRI and question.censored_at == "last_mri":
        without = int((people.ending == AT_LAST_CONTACT).sum())
        if without:
            found.append(
                Caution(
                    "censored-at-contact",
                    f"{without} censored at the last contact: no last clear MRI is recorded for them",
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
