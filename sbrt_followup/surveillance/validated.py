"""A cohort and a model brought together: who enters, what is foretold of each, and everything `validate` reports.

Conventions. A score belongs to the patient (or site): where the sites of a patient disagree, or one has none, the patient
is left out and listed. Columns of risks hold shares between 0 and 1 by a month; a plain score column holds any numbers, higher
is worse, and has no risks. Groups foretell by their order, mildest first; their risks come from hazards, or for the tiers
of the rules from what is published or derived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..outcomes.accounts import scan_days
from ..outcomes.analysis import Caution
from ..outcomes.curves import Grouping
from ..outcomes.question import ALL, Question
from ..outcomes.study import Study, study
from ..problems import InputRefused, Problem, refuse
from ..sites.last_clear import with_last_clear
from ..tables.records import Exclusion, Records
from . import scan_days as looking
from .between_mris import Between, between_mris
from .document_rates import Published
from .foretold import Foretold
from .hazards import Hazards
from .risk_models import by_columns, by_group
from .scores import ordered, read_scores
from .validation import FEW, Horizon, People, apparent, validate

SCORE = "the score"


@dataclass(frozen=True)
class Asked:
    """What to validate, and how."""

    months: tuple[float, ...]
    thresholds: tuple[float, ...]
    columns: Mapping[float, str]
    """The column of risks of each month; a plain score stands at every month and `plain` says so. None: by group."""
    plain: bool = False
    order: tuple[str, ...] = ()
    level: float = 0.95
    apparent: bool = False
    """The score was fitted on this cohort, and the user says so."""


@dataclass(frozen=True)
class Validation:
    """Everything known about how a model holds in a cohort."""

    asked: Asked
    question: Question
    model: Foretold
    people: People
    horizons: tuple[Horizon, ...]
    published: tuple[Published, ...]
    grouping: Grouping | None
    excluded: tuple[Exclusion, ...]
    cautions: tuple[Caution, ...]
    between: tuple[Between, ...]
    unscheduled: int
    rows_used: int
    censored_at: str


def validated(
    cohort: Records,
    question: Question,
    asked: Asked,
    *,
    grouping: Grouping | None = None,
    hazards: Hazards | None = None,
    published: Sequence[Published] = (),
    imaging: Records | None = None,
    on_error: str = "refuse",
    file: str = "cohort",
) -> Validation:
    """Hold a model against a cohort."""
    frame = cohort.frame if imaging is None else with_last_clear(cohort.frame, imaging.frame)
    code, values = read_scores(frame, asked.columns, asked.plain, file)
    if asked.columns:
        frame = frame.assign(**{SCORE: code})
        question = replace(question, strata=SCORE)
    people = study(
        frame,
        question,
        by=None if grouping is None else ordered(grouping.values, asked.order),
        by_name="" if grouping is None else grouping.name,
        by_absent="" if grouping is None else grouping.absent,
        on_error=on_error,
        file=file,
    )
    if not len(people.time):
        raise refuse("nobody-left", "nobody is left to validate on: every row is excluded")
    entered = _people(people, imaging)
    if asked.columns:
        row = np.array([int(c) for c in people.stratum], dtype=np.int64)
        model = by_columns(asked.columns, asked.plain, {m: values[m][row] for m in asked.columns}, entered)
    else:
        name = ALL if grouping is None else grouping.name
        model = by_group(name, asked.months, asked.order, entered, hazards, published)
    horizons = validate(entered, model, asked.months, asked.thresholds, asked.level)
    if all(h.refused for h in horizons):
        raise InputRefused(Problem("beyond-follow-up", f"month {h.months:g}: {h.refused}") for h in horizons)
    off = 0
    if imaging is not None:
        off = looking.unscheduled(people.time, people.status, *scan_days(people, imaging.frame))
    excluded = tuple(sorted({(e.row, e.reason) for e in (*cohort.excluded, *people.excluded)}))
    return Validation(
        asked,
        question,
        model,
        entered,
        horizons,
        tuple(published),
        grouping,
        tuple(Exclusion(row, reason) for row, reason in excluded),
        _cautions(asked, entered, model, horizons, imaging is not None, off),
        between_mris(people, model.course, [h.months for h in horizons if not h.refused]),
        off,
        people.rows_used,
        question.censored_at,
    )


def _people(people: Study, imaging: Records | None) -> People:
    looked = None
    if imaging is not None:
        unit, day = scan_days(people, imaging.frame)
        looked = looking.looks(people.time, people.status, people.entry, unit, day)
    cluster = people.patient if people.question.unit == "site" else None
    return People(people.time, people.status, people.entry, people.group, people.labels, cluster, looked)


def _cautions(
    asked: Asked, people: People, model: Foretold, horizons: Sequence[Horizon], imaged: bool, off: int
) -> tuple[Caution, ...]:
    found = [Caution("beyond-follow-up", f"month {h.months:g} is refused: {h.refused}") for h in horizons if h.refused]
    given = [h for h in horizons if not h.refused]
    few = [f"{h.months:g}" for h in given if h.events < FEW]
    if few:
        text = f"fewer than {FEW} events by month {', '.join(few)}: no limits are given there"
        found.append(Caution("few-events", text))
    if asked.apparent:
        text = "apparent performance: the score was fitted on this cohort, which flatters it"
        found.append(Caution("apparent", text))
    elif asked.columns and not asked.plain and apparent(people, {h.months: model.risk[h.months] for h in given}):
        text = "the foretold risks are this cohort's own observed ones: a model fitted here is flattered (declare --apparent)"
        found.append(Caution("looks-apparent", text))
    edge = [
        f"{h.months:g}" for h in given if (r := model.risk.get(h.months)) is not None and ((r <= 0) | (r >= 1)).any()
    ]
    if edge:
        text = f"risks of 0 or 1 at month {', '.join(edge)}: no calibration intercept, slope or curve"
        found.append(Caution("certain-risks", text))
    if model.risk and not imaged:
        text = "no MRIs are known (--imaging FILE): O/E is not corrected for the days of scanning"
        found.append(Caution("no-scan-days", text))
    if off:
        text = f"{off} progressions are dated on a day without an MRI: counted as seen that day"
        found.append(Caution("found-between-mris", text))
    return tuple(found)
