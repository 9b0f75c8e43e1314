"""Everything `intervals` reports of a cohort: who enters, every group's hazards and intervals, what to mind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Floats, Ints
from ..outcomes.accounts import scan_days
from ..outcomes.analysis import Caution
from ..outcomes.curves import Grouping
from ..outcomes.interval_analysis import silent
from ..outcomes.question import Question
from ..outcomes.study import Study, study
from ..problems import refuse
from ..sites.last_clear import with_last_clear
from ..tables.records import Exclusion, Records
from . import hazard_models as models
from . import observed
from .group_intervals import Asked, GroupIntervals, group_intervals, written_p
from .hazard_models import FEWEST
from .hazards import GroupHazards, Hazards, Rates
from .observed import SECOND_MRI
from .resampling import ALPHA
from .yield_monitor import Monitored, monitor

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Intervals:
    """The whole result."""

    asked: Asked
    question: Question
    groups: tuple[GroupIntervals, ...]
    grouping: Grouping | None
    excluded: tuple[Exclusion, ...]
    cautions: tuple[Caution, ...]
    scans_from: str
    """`imaging`, or the intervals that hold events."""
    monitored: Monitored | None = None
    """What MRIs found year by year against known hazards, where they were given."""

    @property
    def hazards(self) -> Hazards:
        """The chosen hazards of every group that has any."""
        found = []
        for own in self.groups:
            fit = own.fit
            if fit is None or not fit.phases:
                continue
            rates = Rates((0.0, *fit.starts[1:]), tuple(fit.hazards.tolist()), fit.death_clear or 0.0, fit.death_after)
            errors = tuple(p.std_error_log for p in fit.phases)
            known = errors if np.isfinite(errors).all() else ()
            source = f"intervals, model {fit.model}"
            events = tuple(p.events for p in fit.phases)
            found.append(
                GroupHazards(own.group, rates, "fitted", source, len(own.observed.seen), events, known, own.draws)
            )
        return Hazards(tuple(found), "site" if self.question.unit == "site" else "patient", self.question.endpoint)


def intervals(
    cohort: Records,
    question: Question,
    asked: Asked,
    *,
    grouping: Grouping | None = None,
    imaging: Records | None = None,
    on_error: str = "refuse",
    file: str = "cohort",
    expected: Hazards | None = None,
    step: Callable[[], None] = silent,
) -> Intervals:
    """Fit every group's hazards and find its intervals; `step` follows simulations and samples."""
    if question.endpoint not in observed.ENDPOINTS:
        raise refuse("not-allowed", f"intervals are for {' and '.join(observed.ENDPOINTS)}: found between two MRIs")
    if asked.entry == SECOND_MRI and imaging is None and SECOND_MRI not in cohort.extra_columns:
        raise refuse(
            "no-imaging", "--entry second_mri needs the MRIs", hint="Name the imaging table with --imaging FILE."
        )
    frame = cohort.frame if imaging is None else with_last_clear(cohort.frame, imaging.frame)
    people = study(
        frame,
        question,
        by=None if grouping is None else grouping.values,
        by_name="" if grouping is None else grouping.name,
        by_absent="" if grouping is None else grouping.absent,
        on_error=on_error,
        file=file,
    )
    if not len(people.time):
        raise refuse("nobody-left", "nobody is left to fit hazards to: every row is excluded")
    unknown = set(asked.yields) - {""} - set(people.labels) | set(asked.breaks or {}) - {""} - set(people.labels)
    if unknown:
        raise refuse(
            "unknown-group",
            f"no group is called {', '.join(sorted(unknown))}",
            hint=f"Groups: {', '.join(people.labels)}.",
        )
    scans = None if imaging is None else scan_days(people, imaging.frame)
    entry = _entry(people, frame, asked.entry, scans)
    seen = observed.observe(people, frame, entry)
    whole = observed.observe(people, frame, None) if entry is not None else seen
    groups = tuple(
        group_intervals(people, own, full, asked, scans, asked.seed + place, step)
        for place, (own, full) in enumerate(zip(seen.groups, whole.groups, strict=True))
    )
    excluded = tuple(sorted((*cohort.excluded, *people.excluded, *seen.excluded), key=lambda e: e.row))
    source = "event intervals" if scans is None else "imaging"
    watched = None if expected is None or scans is None else monitor(people, scans, expected, asked.seed, asked.level)
    cautions = _cautions(groups, asked, question, source)
    return Intervals(asked, question, groups, grouping, excluded, cautions, source, watched)


def _entry(people: Study, frame: pd.DataFrame, column: str | None, scans: tuple[Ints, Floats] | None) -> Floats | None:
    if column is None:
        return None
    if column == SECOND_MRI and scans is not None:
        return observed.second_mri(people, scans)
    return observed.entry_of(people, frame, column)


def _cautions(groups: tuple[GroupIntervals, ...], asked: Asked, question: Question, source: str) -> tuple[Caution, ...]:
    found = []
    for own in groups:
        fit = own.fit
        if fit is None:
            bound = (
                f": the hazard lies below {own.hazard_upper:.4f} a month (95 %)"
                if np.isfinite(own.hazard_upper)
                else ""
            )
            found.append(Caution("no-model", f"no interval for {own.group}: {own.why}{bound}", own.group))
            continue
        for phase in fit.phases:
            if phase.interval is None:
                text = f"{own.group} from month {phase.from_month:g}: {phase.events} progressions, fewer than {FEWEST}: no interval, the hazard lies below {phase.hazard_upper:.4f} a month (95 %)"
                found.append(Caution("few-events", text, own.group))
        if fit.tied:
            found.append(Caution("mortality-tied", f"{own.group}: {fit.tied}", own.group))
        if own.frailty is not None and own.frailty.p_value < ALPHA:
            text = f"{own.group}: patients differ more than one hazard allows (frailty variance {own.frailty.variance:.2f}, p {written_p(own.frailty.p_value)}), or it falls with time: the interval holds on average, not for everybody"
            found.append(Caution("heterogeneity", text, own.group))
        if own.observed.before_entry:
            text = f"{own.group}: {own.observed.before_entry} progressions found before entry; such early hazard is not in these intervals"
            found.append(Caution("before-entry", text, own.group))
        if len(fit.phases) > 1 and asked.breaks is None and not asked.bootstrap:
            found.append(
                Caution("no-limits", f"{own.group}: the break is estimated, and limits need --bootstrap", own.group)
            )
    if any(own.fit is not None and own.fit.model in models.BOTH and own.fit.death_clear for own in groups):
        text = "mortality after an unseen progression is taken to be that seen after found ones, which are treated: it may be higher (see the sensitivity)"
        found.append(Caution("unseen-mortality", text))
    if question.unit == "site":
        effects = ", ".join(f"{own.group} {own.design_effect:.2f}" for own in groups if np.isfinite(own.design_effect))
        text = f"sites of a patient are alike: limits are from samples of patients (design effect {effects})"
        found.append(Caution("sites", text if effects else "sites of a patient are alike: limits need --bootstrap"))
    if source != "imaging" and any(own.test is not None and own.test.simulations for own in groups):
        text = "without --imaging the simulations for the break draw MRIs from the gaps that hold progressions"
        found.append(Caution("simulated-scans", text))
    return tuple(found)
