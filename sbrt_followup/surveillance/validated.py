"""A cohort and a model brought together: who enters, what is foretold of each, and everything `validate` reports.

Conventions. A score belongs to the patient (or site): where the sites of a patient disagree, or one has none, the patient
is left out and listed. Columns of risks hold shares between 0 and 1 by a month; a plain score column holds any numbers, higher
is worse, and has no risks. Groups foretell by their order, mildest first; their risks come from hazards, or for the tiers
of the rules from what is published or derived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Floats
from ..outcomes.accounts import scan_days
from ..outcomes.analysis import Caution
from ..outcomes.curves import Grouping
from ..outcomes.study import ALL, Question, Study, study
from ..outcomes.units import label
from ..problems import InputRefused, Problem, Source, refuse
from ..sites.last_clear import with_last_clear
from ..tables.records import Exclusion, Records
from ..vocabulary import TIERS
from . import scan_days as looking
from .between_mris import Between, between_mris
from .document_rates import Published
from .foretold import Foretold, Grouped, stretches
from .hazards import Hazards, Rates
from .validation import FEW, Horizon, People, apparent, validate

if TYPE_CHECKING:
    import pandas as pd

SCORE = "the score"
MONTH = looking.MONTH
GIVEN = "given"


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
    code, values = _scores(frame, asked, file)
    if asked.columns:
        frame = frame.assign(**{SCORE: code})
        question = replace(question, strata=SCORE)
    people = study(
        frame,
        question,
        by=None if grouping is None else _ordered(grouping.values, asked.order),
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
        model = _by_columns(asked, {m: values[m][row] for m in asked.columns}, entered)
    else:
        model = _by_group(asked, entered, grouping, hazards, published)
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


def _ordered(values: pd.Series[Any], order: tuple[str, ...]) -> pd.Series[Any]:
    """Put groups in the order asked for, tiers from the mildest on; others keep their own."""
    import pandas as pd

    present = {label(v) for v in values.dropna().unique()}
    named = order or (TIERS if present <= set(TIERS) else ())
    if not present <= set(named) or (isinstance(values.dtype, pd.CategoricalDtype) and not order):
        return values
    text = values.astype(object).map(lambda v: label(v) if pd.notna(v) else None)
    return pd.Series(pd.Categorical(text, categories=list(named), ordered=True), index=values.index)


def _scores(frame: pd.DataFrame, asked: Asked, file: str) -> tuple[Any, dict[float, Floats]]:
    """Read the columns of scores: each row's place among their distinct values, and those values by month."""
    import pandas as pd

    if not asked.columns:
        return None, {}
    names = list(dict.fromkeys(asked.columns.values()))
    problems: list[Problem] = []
    numbers = {}
    for name in names:
        column = frame[name]
        if not (
            pd.api.types.is_numeric_dtype(column)
            or pd.api.types.is_object_dtype(column)
            or isinstance(column.dtype, pd.StringDtype)
        ):
            problems.append(Problem("score-value", f"column {name} holds no numbers", Source(file)))
            continue
        number = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
        unread = frame[name].notna().to_numpy() & ~np.isfinite(number)
        _note(problems, frame, unread, name, "is not a number", "Decimals are written with a point: 0.25.", file)
        if not asked.plain:
            outside = (number < 0) | (number > 1)
            hint = "A risk is a share: 25 % is written 0.25. A score without risks is named plainly: --score COLUMN."
            _note(problems, frame, outside, name, "is not a risk between 0 and 1", hint, file)
        numbers[name] = number
    if problems:
        raise InputRefused(problems)
    table = np.column_stack([numbers[name] for name in names])
    whole = np.isfinite(table).all(axis=1)
    distinct, place = np.unique(table[whole], axis=0, return_inverse=True)
    code = np.full(len(frame), None, dtype=object)
    code[whole] = [str(p) for p in place.reshape(-1).tolist()]
    by_month = {m: distinct[:, names.index(name)] for m, name in asked.columns.items()}
    return pd.Series(code, index=frame.index, dtype=object), by_month


def _note(
    problems: list[Problem], frame: pd.DataFrame, bad: Any, column: str, message: str, hint: str, file: str
) -> None:
    rows = frame["row"].to_numpy()[bad]
    if len(rows):
        named = ", ".join(str(r) for r in rows[:10]) + (f" and {len(rows) - 10} more" if len(rows) > 10 else "")
        word = "row" if len(rows) == 1 else "rows"
        problems.append(Problem("score-value", f"{word} {named}, column {column}: {message}", Source(file), hint=hint))


def _people(people: Study, imaging: Records | None) -> People:
    looked = None
    if imaging is not None:
        unit, day = scan_days(people, imaging.frame)
        looked = looking.looks(people.time, people.status, people.entry, unit, day)
    cluster = people.patient if people.question.unit == "site" else None
    return People(people.time, people.status, people.entry, people.group, people.labels, cluster, looked)


def _by_columns(asked: Asked, scores: dict[float, Floats], people: People) -> Foretold:
    names = ", ".join(dict.fromkeys(asked.columns.values()))
    if asked.plain:
        return Foretold(names, scores, {}, {}, None)
    months = sorted(scores)
    course = stretches(scores, _death_rates(people, months))
    return Foretold(names, scores, scores, dict.fromkeys(months, GIVEN), course, source="columns of the cohort")


def _death_rates(people: People, months: Sequence[float]) -> list[float]:
    """Give the cohort's own rate of death without progression, a month, between horizons."""
    found, begin = [], 0.0
    for end in months:
        start, stop = begin * MONTH, end * MONTH
        exposed = (np.clip(people.time, start, stop) - np.maximum(people.entry, start).clip(max=stop)).clip(min=0).sum()
        died = ((people.status == 2) & (people.time > start) & (people.time <= stop)).sum()
        found.append(float(died / exposed * MONTH) if exposed > 0 else 0.0)
        begin = end
    return found


def _by_group(
    asked: Asked, people: People, grouping: Grouping | None, hazards: Hazards | None, published: Sequence[Published]
) -> Foretold:
    """Foretell by group: risks from hazards where every group has them, published ones in their place where there are any."""
    name = grouping.name if grouping is not None else ALL
    labels = people.labels
    rates: list[Rates] = []
    if hazards is not None and {g.group for g in hazards.groups} >= set(labels):
        rates = [hazards.of(label).rates for label in labels]
    rank = _ranks(asked, labels, rates)
    order = np.array([float(rank.index(label)) for label in labels])[people.group]
    scores = dict.fromkeys(asked.months, order)
    if not rates or hazards is None:
        return Foretold(name, scores, {}, {}, None)
    course = Grouped(tuple(rates), people.group)
    by_course = {m: course.risk(m) for m in asked.months}
    risks = dict(by_course)
    known = dict.fromkeys(asked.months, " and ".join(hazards.known))
    for months in asked.months:
        own = {p.of: p.risk for p in published if p.months == months}
        if hazards.known == ("derived",) and set(labels) <= set(own):
            risks[months] = np.array([own[label] for label in labels])[people.group]
            known[months] = "published"
    sources = ", ".join(dict.fromkeys(hazards.of(label).source for label in labels))
    return Foretold(name, scores, risks, known, course, by_course, sources)


def _ranks(asked: Asked, labels: tuple[str, ...], rates: Sequence[Rates]) -> list[str]:
    """Order the groups, mildest first."""
    if asked.order:
        unknown = set(labels) - set(asked.order)
        if unknown:
            raise refuse("unknown-group", f"--order leaves out {', '.join(sorted(unknown))}")
        return list(asked.order)
    if set(labels) <= set(TIERS):
        return list(TIERS)
    if rates:
        last = max(asked.months)
        return [label for _, label in sorted(zip([float(r.cumulative(last)) for r in rates], labels, strict=True))]
    if all(_is_number(label) for label in labels):
        return sorted(labels, key=float)
    raise refuse(
        "no-order",
        "the order of the groups is not known",
        hint=f'Say it, mildest first: --order "{";".join(labels)}".',
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


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
