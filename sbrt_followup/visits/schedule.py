"""Every patient's visits to the horizon, each with its reason: the main job.

Dates come from `visits` (one site's series) and `merging` (one MRI for several sites); here they get their status as of
a day, their stops, and the words that explain them. The same inputs give the same lines in the same order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..arrays import NEVER, Flags, Ints
from ..problems import InputRefused, Problem
from ..rulebook.conditions import decimal
from ..rulebook.library import Rulebook
from ..rulebook.model import Phase, Plan, Span
from ..sites.coverage import Coverage, booked_days, coverage, done, scan_dates, scans_after_stop
from ..sites.history import Course, course_of, in_order
from ..sites.risk import SiteRisk, site_risk, weakest
from ..vocabulary import TIERS, VISIT_STATUSES
from .merging import merge
from .series import (
    DONE,
    EXTRA,
    FIRST,
    HORIZON,
    MISSED,
    OPEN,
    STOP,
    VISIT,
    Grid,
    Lines,
    Pattern,
    bare_lines,
    join,
    match,
    planned_grid,
    site_lines,
)

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "patient_id", "site_ids", "visit", "phase", "earliest", "due", "latest", "status", "satisfied_by", "risk_group",
    "plan", "rule", "basis", "reason", "planned_earliest", "planned_due", "planned_latest", "protocol",
)  # fmt: skip
# What a calendar, FHIR or a figure needs beside the contract's columns.
EXPORT_COLUMNS = ("visit_key", "booked_date", "stop_date", "mri_contraindicated")
HORIZON_REASON = "horizon reached: surveillance does not end here, the clinician decides"
LAST_DAY = 1 << 30  # later than any date
STATUS = {name: i for i, name in enumerate(VISIT_STATUSES)}


@dataclass(frozen=True)
class Request:
    """What a schedule is asked for."""

    rulebook: Rulebook
    plan: Plan
    as_of: date
    horizon: Fraction | None = None
    assume_none_done: bool = False
    keys: bool = False
    """Also give EXPORT_COLUMNS: `visit_key` is the name a visit keeps however its date moves."""
    short: bool = False
    """Also give `why`: what a reader must know of a line beside the plan's own interval."""

    @property
    def today(self) -> int:
        """The day to judge from, as a whole number."""
        return int(np.datetime64(self.as_of, "D").astype(np.int64))


@dataclass(frozen=True)
class Scheduled:
    """The visits of a cohort, whose tier still waits for data, and what the readings ask for (`response.requests`)."""

    visits: pd.DataFrame
    waiting: pd.DataFrame
    asked: pd.DataFrame


def patterns_of(request: Request, tiers: Ints) -> tuple[tuple[Pattern, ...], Ints]:
    """Give the courses of visits in use and which one each site follows; an undecided tier follows the plan's stand-in."""
    plan = request.plan
    horizon = request.horizon or plan.horizon.value
    if not plan.tiered:
        schedule = plan.schedule_for("any")
        assert schedule is not None
        return (Pattern(plan, schedule, horizon),), np.zeros(len(tiers), dtype=np.int64)
    meanwhile = request.rulebook.get(Plan, plan.undecided)
    stand_in = meanwhile.schedule_for("any")
    found = [plan.schedule_for(tier) for tier in TIERS]
    assert stand_in is not None
    patterns = [Pattern(plan, s, horizon) for s in found if s is not None]
    assert len(patterns) == len(TIERS)
    patterns.append(Pattern(meanwhile, stand_in, request.horizon or meanwhile.horizon.value, provisional=True))
    return tuple(patterns), np.where(tiers < 0, len(TIERS), tiers)


def schedule(frame: pd.DataFrame, imaging: pd.DataFrame | None, request: Request) -> Scheduled:
    """Schedule every site of a cohort frame; with an imaging frame past visits are done, missed or overdue.

    Raises InputRefused for a completed scan or a death after the as-of day.
    """
    _refuse_future(frame, imaging, request)
    frame = in_order(frame)
    risk = site_risk(frame, request.rulebook)
    patterns, pattern = patterns_of(request, risk.tier)
    course = course_of(frame)
    course = replace(course, booked=booked_days(course.booked, frame, imaging, request.today))
    pairs = coverage(frame, imaging)
    scans = scan_dates(pairs, course)
    plan_grid = planned_grid(course.time_zero, pattern, patterns)
    lines = site_lines(course.time_zero, pattern, patterns, scans, plan_grid)
    lines = join([_stopped(lines, course), *_after_stop(frame, pairs, course)])
    # A site whose follow-up stopped neither leads nor joins a visit of one that goes on.
    ended = course.ended(request.today)[lines.site]
    served = merge(lines, course.patient[lines.site] * 2 + ended)
    booked = _book(lines, course, request, _answered(course, scans, patterns, pattern))
    lines = _in_common(lines, served)
    status = _statuses(lines, course, request, imaging is not None)
    status, booked, booked_day = _fold_bookings(lines, course, status, booked, served)
    visits = _frame(
        frame, course, lines, status, booked, booked_day, served, risk, patterns, pattern, plan_grid, request
    )
    from .confirming import asked_for, placed

    asked = asked_for(frame, imaging, request.rulebook, request.as_of, course)
    return Scheduled(
        placed(visits, asked, frame, request.as_of),
        waiting_for(frame, risk) if request.plan.tiered else waiting_for(frame.iloc[:0], None),
        asked,
    )


def _refuse_future(frame: pd.DataFrame, imaging: pd.DataFrame | None, request: Request) -> None:
    import pandas as pd

    day = pd.Timestamp(request.as_of)
    problems: list[Problem] = []

    def check(table: pd.DataFrame, rows: Any, column: str, what: str) -> None:
        found = table.loc[rows, "row"].tolist()
        if found:
            shown = ", ".join(str(r) for r in found[:10]) + (f" and {len(found) - 10} more" if len(found) > 10 else "")
            word = "row" if len(found) == 1 else "rows"
            problems.append(
                Problem(
                    "after-as-of",
                    f"{word} {shown}, column {column}: {what} after the as-of day",
                    hint="Set a later --as-of.",
                )
            )

    check(frame, frame["death_date"] > day, "death_date", "a death")
    if imaging is not None:
        check(imaging, (imaging["mri_date"] > day) & done(imaging), "mri_date", "a completed MRI")
    if problems:
        raise InputRefused(problems)


def _stopped(lines: Lines, course: Course) -> Lines:
    """Leave out what is due after a site's follow-up stopped, and add stop and horizon lines."""
    stop = course.stop[lines.site]
    open_after = (lines.state == OPEN) & (stop != NEVER) & (lines.due > stop)
    kept = lines.take(~open_after)
    stopped = (course.stop != NEVER).nonzero()[0].astype(np.int64)
    going_on = (course.stop == NEVER).nonzero()[0].astype(np.int64)
    return join([kept, bare_lines(stopped, STOP), bare_lines(going_on, HORIZON)])


def _after_stop(frame: pd.DataFrame, pairs: Coverage, course: Course) -> list[Lines]:
    site, day = scans_after_stop(frame, pairs, course)
    return [bare_lines(site, EXTRA, day)] if len(site) else []


def _statuses(lines: Lines, course: Course, request: Request, with_imaging: bool) -> Ints:
    """Give the status of every line as of the day."""
    today = request.today
    past = lines.latest < today
    unseen = STATUS["overdue"] if with_imaging or request.assume_none_done else STATUS["unknown"]
    status = np.where(past, unseen, np.where(lines.earliest <= today, STATUS["due"], STATUS["upcoming"]))
    ended = course.ended(request.today)[lines.site]
    # Nobody is overdue after follow-up stopped; what was not done by then was missed.
    status = np.where(ended, STATUS["missed"] if with_imaging else STATUS["unknown"], status)
    last_done = np.full(len(course.time_zero), NEVER, dtype=np.int64)
    done = lines.state == DONE
    np.maximum.at(last_done, lines.site[done & (lines.kind == VISIT)], lines.due[done & (lines.kind == VISIT)])
    status = np.where(past & (lines.due < last_done[lines.site]), STATUS["missed"], status)
    status = np.where(lines.state == MISSED, STATUS["missed"], status)
    status = np.where(done, STATUS["done"], status)
    status = np.where(lines.kind == STOP, STATUS["stopped"], status)
    return np.where(lines.kind == HORIZON, STATUS["horizon"], status)


def _answered(course: Course, scans: Ints, patterns: Sequence[Pattern], pattern: Ints) -> Flags:
    """Mark the sites whose booked day an MRI has answered: done on it, within the plan's tolerance before it, or later."""
    tolerance = np.array([p.tolerance for p in patterns], dtype=np.int64)[pattern]
    last = scans.max(axis=1, initial=NEVER)
    return np.asarray((last != NEVER) & (last >= course.booked - tolerance))


BOOKINGS = ("none", "in its window", "outside it", "its day passed without an MRI", "near no visit")
"""What a booking is to a visit."""
NOT_BOOKED, INSIDE, OUTSIDE, LAPSED, ASTRAY = range(len(BOOKINGS))


def _book(lines: Lines, course: Course, request: Request, answered: Flags) -> Ints:
    """Give a booking to the open visit it serves; one near no visit books none, and the next open visit says so."""
    booked = np.full(len(lines), NOT_BOOKED, dtype=np.int64)
    ahead = course.booked >= request.today
    given = (course.booked != NEVER) & ~course.ended(request.today) & (ahead | ~answered)
    rows = ((lines.state == OPEN) & (lines.kind == VISIT) & given[lines.site]).nonzero()[0]
    if not len(rows):
        return booked
    # One matrix of open visits per booked site, in date order.
    rows = rows[np.lexsort((lines.due[rows], lines.site[rows]))]
    sites, start, count = np.unique(lines.site[rows], return_index=True, return_counts=True)
    columns = np.arange(count.max())
    at = rows[np.minimum(start[:, None] + columns, len(rows) - 1)]
    real = columns[None, :] < count[:, None]
    day = course.booked[sites]
    chosen, outside = match(lines.due[at], lines.earliest[at], lines.latest[at], lines.interval[at], real, day)
    astray = chosen < 0
    waiting = real & (lines.latest[at] >= request.today)
    chosen = np.where(astray, np.where(waiting.any(axis=1), waiting.argmax(axis=1), count - 1), chosen)
    outside |= ~((lines.earliest[at] <= day[:, None]) & (day[:, None] <= lines.latest[at]))[np.arange(len(at)), chosen]
    line = at[np.arange(len(at)), chosen]
    what = np.where(astray, ASTRAY, np.where(outside, OUTSIDE, INSIDE))
    booked[line] = np.where(ahead[sites], what, LAPSED)
    return booked


def _in_common(lines: Lines, served: npt.NDArray[np.intp]) -> Lines:
    """Give a visit that serves several sites the window that all of theirs have in common."""
    merged = ((served != np.arange(len(lines))) & (lines.state != DONE)).nonzero()[0]
    if not len(merged):
        return lines
    earliest, latest = lines.earliest.copy(), lines.latest.copy()
    np.maximum.at(earliest, served[merged], lines.earliest[merged])
    np.minimum.at(latest, served[merged], lines.latest[merged])
    return replace(lines, earliest=earliest, latest=latest)


def _any_served(flags: Flags, served: npt.NDArray[np.intp]) -> Flags:
    """Give every line a flag that any site it serves has."""
    result = flags.copy()
    result[served[flags]] = True
    return result


def _fold_bookings(
    lines: Lines, course: Course, status: Ints, booked: Ints, served: npt.NDArray[np.intp]
) -> tuple[Ints, Ints, Ints]:
    """Carry a booking of any served site to the visit that serves it: status, code and the (earliest) booked day."""
    ahead = (booked == INSIDE) | (booked == OUTSIDE)
    if not booked.any():
        return status, booked, np.full(len(lines), NEVER, dtype=np.int64)
    day = np.full(len(lines), LAST_DAY, dtype=np.int64)
    np.minimum.at(day, served[ahead], course.booked[lines.site[ahead]])
    has = day < LAST_DAY
    inside = (lines.earliest <= day) & (day <= lines.latest)
    lapsed, astray = _any_served(booked == LAPSED, served), _any_served(booked == ASTRAY, served)
    code = np.select([has & inside, has, lapsed, astray], [INSIDE, OUTSIDE, LAPSED, ASTRAY], default=NOT_BOOKED).astype(
        np.int64
    )
    return np.where(has, STATUS["booked"], status), code, np.where(has, day, NEVER)


# ---- words ----


def _span(span: Span) -> str:
    return f"{decimal(span.low)}–{decimal(span.high)}" if span.ranged else decimal(span.low)


def phase_words(pattern: Pattern, phase: Phase | None) -> tuple[str, str, str, str]:
    """Give the phase's name, rule, basis and reason."""
    plan = pattern.plan
    tolerance = f"± {decimal(plan.tolerance.value)} days ({plan.tolerance.basis})"
    if phase is None:
        first = pattern.schedule.first
        text = f"first MRI at {decimal(pattern.schedule.first_offset)} months; window {tolerance}"
        why = f" ({first.basis}{': ' + first.why if first.why else ''})" if first.basis != "published" else ""
        return first.id, f"{plan.name}#{first.id}", first.basis, text + why
    until = "" if phase.until is None else f" until month {_span(phase.until)}"
    text = f"every {_span(phase.every)} months{until} ({phase.basis})"
    if not phase.every.ranged:
        text += f"; window {tolerance}"
    bases = [phase.basis]
    if phase.pick_basis is not None:
        bases.append(phase.pick_basis)
        end = (
            ""
            if phase.end is None or not phase.until or not phase.until.ranged
            else f", phase end {decimal(phase.end)}"
        )
        text += f"; picked {decimal(phase.interval)}{end} ({phase.pick_basis})"
    return phase.id, f"{plan.name}#{phase.id}", weakest(bases), text


_ADDED = (
    ("unscheduled", "done outside its window (unscheduled)"),
    ("reanchored", "counted from the last MRI (assumption)"),
    ("booked", "booked"),
    ("outside", "booked outside its window"),
    ("lapsed", "the booked day has passed without a recorded MRI"),
    ("astray", "a booking on record lies near no visit: check its day"),
    ("ahead", "from this day on"),
    ("provisional", "provisional: the risk tier is not decided"),
    ("progressed", "progression on record: awaiting treatment decision"),
    ("no_mri", "MRI contraindicated: the review's alternative is contrast CT"),
    ("no_gadolinium", "no gadolinium"),
    ("merged", "one MRI for several sites (interpretation)"),
)

_SHORT = ("outside", "lapsed", "astray", "provisional", "no_mri", "no_gadolinium")
"""What the person who books must know of a line, beside its dates and status."""


def _frame(
    frame: pd.DataFrame,
    course: Course,
    lines: Lines,
    status: Ints,
    booked: Ints,
    booked_day: Ints,
    served: npt.NDArray[np.intp],
    risk: SiteRisk,
    patterns: Sequence[Pattern],
    pattern: Ints,
    plan_grid: Grid,
    request: Request,
) -> pd.DataFrame:
    """Build the contract's table from kept lines, in order of patient and date."""
    import pandas as pd

    kept = (served == np.arange(len(lines))).nonzero()[0]
    kind = lines.kind[kept]
    groups = _Served(frame, course, lines, served, kept)
    # Stops and horizons of a patient's sites are one line where they say the same.
    kept, groups = _one_ending(kept, kind, lines, course, groups)
    patient = course.patient[lines.site[kept]]
    kind = lines.kind[kept]
    at = np.where(lines.due[kept] == NEVER, lines.scan[kept], lines.due[kept])
    at = np.where(kind >= STOP, np.where(kind == STOP, course.stop[lines.site[kept]], LAST_DAY), at)
    # A stop comes after everything of the same day, the horizon comes last; lines arrive nearly in order.
    key = (course.rank[patient] << 34) + ((np.minimum(at, LAST_DAY) + LAST_DAY) << 2) + (kind >= STOP)
    order = np.argsort(key, kind="stable")
    kept, patient, kind = kept[order], patient[order], kind[order]
    shown = lines.take(kept)
    site = shown.site
    words = _Words(patterns)
    phase_code = words.code(pattern[site], shown.phase, kind)
    flags = {
        "unscheduled": shown.unscheduled,
        "reanchored": _any_served(lines.reanchored, served)[kept] & (kind == VISIT),
        "booked": booked[kept] == INSIDE,
        "outside": booked[kept] == OUTSIDE,
        "lapsed": booked[kept] == LAPSED,
        "astray": booked[kept] == ASTRAY,
        "ahead": (kind == STOP) & (course.stop[site] > request.today),
        "provisional": _any_served(np.array([p.provisional for p in patterns])[pattern[lines.site]], served)[kept]
        & (kind == VISIT),
        "progressed": _any_served(
            course.progressed[lines.site] & (lines.due >= course.progression[lines.site]) & (lines.kind == VISIT),
            served,
        )[kept]
        & (kind == VISIT)
        & (shown.state == OPEN),
        "no_mri": course.no_mri[site] & (shown.state == OPEN) & (kind == VISIT),
        "no_gadolinium": course.no_gadolinium[site] & (shown.state == OPEN) & (kind == VISIT),
        "merged": groups.several(kept) & (kind == VISIT) & (shown.state != DONE),
    }
    tiered = request.plan.tiered
    reason, basis, why = words.reasons(
        phase_code, flags, kind, course.stop_code[site], course.stop_words, tiered, request.rulebook
    )
    # A merged visit is one that serves all: its window is what the served windows have in common.
    earliest, latest = shown.earliest, shown.latest
    planned = _planned(plan_grid, shown)
    number = _numbered(patient, kind)
    tier = pd.Categorical.from_codes(
        np.where(kind < STOP, risk.tier[site], -1), dtype=pd.CategoricalDtype(list(TIERS), ordered=True)
    )
    result = {
        "patient_id": frame["patient_id"].to_numpy()[site],
        "site_ids": groups.names(kept),
        "visit": pd.array(number, dtype="Int64"),
        "phase": words.column(phase_code, 0),
        "earliest": _day(earliest),
        "due": _day(shown.due),
        "latest": _day(latest),
        "status": pd.Categorical.from_codes(status[kept], dtype=pd.CategoricalDtype(list(VISIT_STATUSES))),
        "satisfied_by": _day(shown.scan),
        "risk_group": tier,
        "plan": words.column(phase_code, 1),
        "rule": words.column(phase_code, 2),
        "basis": basis,
        "reason": reason,
        **planned,
        "protocol": _protocol(request.rulebook, (kind == VISIT) & (shown.state == OPEN) & ~course.no_mri[site]),
    }
    table = pd.DataFrame(result, copy=False)
    if request.keys:
        table["visit_key"] = _keys(frame, shown)
        table["booked_date"] = _day(booked_day[kept])
        table["stop_date"] = _day(np.where(kind == STOP, course.stop[site], NEVER))
        table["mri_contraindicated"] = course.no_mri[site] & (kind == VISIT)
    if request.short:
        table["why"] = why
    for name in frame.columns:
        if name in course.passed_through:
            # A column of the user's that is called like one of ours keeps its cells under another name.
            table[f"cohort_{name}" if name in table else name] = frame[name].to_numpy()[site]
    return table


def _protocol(rulebook: Rulebook, ahead: Flags) -> Any:
    """Name the MRI protocol of each visit still to come (`rules show protocol/…` lists its sequences)."""
    import pandas as pd

    name = f"protocol/{rulebook.profile.protocol}"
    has = ahead & bool(rulebook.profile.protocol)
    return pd.Categorical.from_codes(np.where(has, 0, -1), dtype=pd.CategoricalDtype([name]))


def _day(days: Ints) -> npt.NDArray[np.datetime64]:
    return days.astype("datetime64[D]").astype("datetime64[s]")


def _numbered(patient: Ints, kind: Ints) -> Any:
    """Number each patient's visits from 1; other lines have none."""
    import pandas as pd

    is_visit = kind == VISIT
    number = pd.Series(is_visit.astype(np.int64)).groupby(patient).cumsum()
    return number.astype("Int64").mask(~pd.Series(is_visit)).array


def _planned(grid: Grid, shown: Lines) -> dict[str, Any]:
    """Give the plan's own dates of each visit number; empty where the plan has no such visit."""
    result: dict[str, Any] = {}
    column = shown.visit - 1
    has = (column >= 0) & (column < grid.width)
    at = grid.of[shown.site] * grid.width + np.where(has, column, 0)
    for name, days in (("planned_earliest", grid.earliest), ("planned_due", grid.due), ("planned_latest", grid.latest)):
        own = days.ravel()[at] if grid.width else np.full(len(at), NEVER, dtype=np.int64)
        result[name] = _day(np.where(has, own, NEVER))
    return result


def _keys(frame: pd.DataFrame, shown: Lines) -> list[str]:
    """Name each visit so that it keeps its name however its date moves: patient, site, course, number in the series."""
    ids = frame["patient_id"].to_numpy()[shown.site]
    sites = frame["site_id"].to_numpy()[shown.site]
    zero = frame["sbrt_date"].to_numpy().astype("datetime64[D]").astype(str)[shown.site]
    parts = zip(ids, sites, zero, shown.visit.tolist(), shown.kind.tolist(), strict=True)
    # As JSON: no two visits share a name, whatever characters an id holds.
    return [json.dumps([p, s, z, v]) if k == VISIT else "" for p, s, z, v, k in parts]


class _Words:
    """The texts of each pattern's phases, by a small code."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self.patterns = patterns
        self.width = max(len(p.schedule.phases) for p in patterns) + 1
        self.texts: list[tuple[str, str, str, str, str]] = []
        for one in patterns:
            for number in range(-1, self.width - 1):
                phase = (
                    None
                    if number == FIRST
                    else (one.schedule.phases[number] if number < len(one.schedule.phases) else None)
                )
                name, rule, basis, reason = phase_words(one, phase)
                self.texts.append((name, one.plan.id, rule, basis, reason))
        for name in ("extra", "stop", "horizon"):
            self.texts.append((name, "", "", "", ""))
        self.endings = len(self.texts) - 3

    def code(self, pattern: Ints, phase: Ints, kind: Ints) -> Ints:
        """Number the text of every line."""
        own = pattern * self.width + phase + 1
        return np.where(kind == VISIT, own, self.endings + np.clip(kind - 1, 0, 2))

    def column(self, code: Ints, which: int) -> Any:
        """Give one of the texts as a column."""
        import pandas as pd

        texts = [t[which] for t in self.texts]
        distinct = list(dict.fromkeys(texts))
        place = np.array([distinct.index(t) for t in texts], dtype=np.int32)
        return pd.Categorical.from_codes(place[code], dtype=pd.CategoricalDtype(distinct))

    def reasons(
        self, code: Ints, flags: dict[str, Flags], kind: Ints, stop_code: Ints, stop_words: Sequence[str], tiered: bool,
        rulebook: Rulebook,
    ) -> tuple[Any, Any, Any]:  # fmt: skip
        """Give reason, basis and the short reason of every line, one text per combination."""
        import pandas as pd

        key = code.astype(np.int64)
        for name, _ in _ADDED:
            key = key * 2 + flags[name]
        key = key * (len(stop_words) + 1) + np.where(kind == STOP, stop_code + 1, 0)
        # Keys are small numbers, so a table of those in use replaces sorting millions of them.
        used = np.zeros(int(key.max(initial=0)) + 1, dtype=bool)
        used[key] = True
        distinct = used.nonzero()[0]
        place = (np.cumsum(used) - 1)[key]
        reasons, bases, short = [], [], []
        for value in distinct.tolist():
            rest, stop = divmod(value, len(stop_words) + 1)
            on: list[str] = []
            for name, _text in reversed(_ADDED):
                rest, flag = divmod(rest, 2)
                if flag:
                    on.insert(0, name)
            reason, basis = self._one(rest, on, stop_words[stop - 1] if stop else "", tiered, rulebook)
            reasons.append(reason)
            bases.append(basis)
            added = [text for key, text in _ADDED if key in on and key in _SHORT]
            short.append("; ".join(added) if self.is_visit(rest) else reason)

        def spread(texts: list[str]) -> Any:
            names = list(dict.fromkeys(texts))
            at = np.array([names.index(t) for t in texts], dtype=np.int32)
            return pd.Categorical.from_codes(at[place.reshape(-1)], dtype=pd.CategoricalDtype(names))

        return spread(reasons), spread(bases), spread(short)

    def is_visit(self, code: int) -> bool:
        """Say whether a code is that of a planned visit: no extra scan, stop or horizon."""
        return code < self.endings

    def _one(self, code: int, on: list[str], stop: str, tiered: bool, rulebook: Rulebook) -> tuple[str, str]:
        name, _, _, basis, reason = self.texts[code]
        if code == self.endings:
            return "extra scan: it satisfies no visit", ""
        if name == "stop":
            return f"follow-up {'will stop' if 'ahead' in on else 'stopped'}: {stop}", ""
        if name == "horizon":
            return HORIZON_REASON, ""
        pattern = self.patterns[code // self.width]
        bases = [basis, pattern.plan.basis]
        if "reanchored" in on:
            bases.append(pattern.plan.anchor.basis)
        if "merged" in on:
            bases.append("interpretation")
        parts = [reason]
        if tiered and not pattern.provisional:
            risk = rulebook.risk
            bases.append(risk.basis)
            if risk.basis != "published":
                parts.append(f"tier by {risk.name} ({risk.basis}: the published split is not available)")
        parts += [text for key, text in _ADDED if key in on]
        return "; ".join(parts), weakest(bases)


def _numbered_pairs(a: Ints, b: Ints) -> Ints:
    """Number the distinct pairs of two columns of small numbers."""
    import pandas as pd

    return np.asarray(pd.factorize(a * (int(b.max(initial=0)) + 1) + b)[0], dtype=np.int64)


class _Served:
    """Which sites each kept line serves."""

    def __init__(self, frame: pd.DataFrame, course: Course, lines: Lines, served: npt.NDArray[np.intp],
                 kept: npt.NDArray[np.intp]) -> None:  # fmt: skip
        self.site_ids = frame["site_id"].to_numpy()
        self.patient = course.patient
        self.lines = lines
        self.count = np.bincount(served, minlength=len(lines))
        merged = (served != np.arange(len(lines))).nonzero()[0]
        self.target, self.member = served[merged], lines.site[merged]

    def add(self, target: npt.NDArray[np.intp], member: Ints) -> None:
        """Let some lines serve further sites."""
        self.target, self.member = np.concatenate([self.target, target]), np.concatenate([self.member, member])

    def several(self, kept: npt.NDArray[np.intp]) -> Flags:
        """Whether a line serves more than one site."""
        return np.asarray(self.count[kept] > 1)

    def names(self, kept: npt.NDArray[np.intp]) -> npt.NDArray[np.object_]:
        """The served sites' ids, joined by `;`."""
        names = self.site_ids[self.lines.site[kept]].copy()
        if not len(self.target):
            return np.asarray(names)
        # One text per distinct set of site ids, however many patients have it: sets as bits, 20 to a word.
        place, named, ids = self._place()
        line = np.concatenate([self.target, self.target])
        site = np.concatenate([self.member, self.lines.site[self.target]])
        several = np.zeros(len(self.lines), dtype=bool)
        several[line] = True
        served = several.nonzero()[0]
        group = named[self.patient[self.lines.site[served]]]
        for word in range(int(place.max()) // 20 + 1):
            bits = np.zeros(len(self.lines), dtype=np.int64)
            here = place[site] // 20 == word
            np.bitwise_or.at(bits, line[here], np.int64(1) << (place[site[here]] % 20))
            group = _numbered_pairs(group, bits[served])
        chosen = np.zeros(int(group.max()) + 1, dtype=np.int64)
        chosen[group] = np.arange(len(group))
        one_of = np.full(len(self.lines), -1, dtype=np.int64)
        one_of[served[chosen]] = np.arange(len(chosen))
        members: list[set[str]] = [set() for _ in chosen]
        wanted = one_of[line] >= 0
        for number, member in zip(one_of[line[wanted]].tolist(), site[wanted].tolist(), strict=True):
            members[number].add(ids[member])
        texts = np.array([";".join(sorted(m)) for m in members], dtype=object)
        text_of = np.full(len(self.lines), -1, dtype=np.int64)
        text_of[served] = group
        at = text_of[kept]
        names[at >= 0] = texts[at[at >= 0]]
        return np.asarray(names)

    def _place(self) -> tuple[Ints, Ints, list[str]]:
        """Each site's place among its patient's ids, from 0; a number per patient for its list of ids; the ids."""
        import pandas as pd

        code, distinct = pd.factorize(self.site_ids)
        ids = [str(distinct[c]) for c in code]
        order = np.lexsort((code, self.patient))
        who, what = self.patient[order], code[order].astype(np.int64)
        start = np.concatenate([[True], who[1:] != who[:-1]])
        steps = np.cumsum(np.concatenate([[True], (who[1:] != who[:-1]) | (what[1:] != what[:-1])]))
        rank = steps - np.maximum.accumulate(np.where(start, steps, 0))
        place = np.empty(len(order), dtype=np.int64)
        place[order] = rank
        named = np.zeros(int(self.patient.max(initial=0)) + 1, dtype=np.int64)
        for k in range(int(rank.max(initial=0)) + 1):
            own = np.zeros(len(named), dtype=np.int64)
            own[who[rank == k]] = what[rank == k] + 1
            named = _numbered_pairs(named, own)
        return place, named, ids


def _one_ending(kept: npt.NDArray[np.intp], kind: Ints, lines: Lines, course: Course,
                groups: _Served) -> tuple[npt.NDArray[np.intp], _Served]:  # fmt: skip
    """Keep one stop line per patient, reason and day, and one horizon line per patient; they serve all its sites."""
    import pandas as pd

    ending = kept[kind >= STOP]
    if not len(ending):
        return kept, groups
    site = lines.site[ending]
    table = pd.DataFrame(
        {
            "patient": course.patient[site],
            "kind": lines.kind[ending],
            "day": np.where(lines.kind[ending] == STOP, course.stop[site], 0),
            "code": np.where(lines.kind[ending] == STOP, course.stop_code[site], 0),
        }
    )
    first = table.groupby(["patient", "kind", "day", "code"], sort=False).cumcount().to_numpy() == 0
    if not first.all():
        number = table.groupby(["patient", "kind", "day", "code"], sort=False).ngroup().to_numpy()
        leader = np.zeros(int(number.max()) + 1, dtype=np.int64)
        leader[number[first]] = ending[first]
        groups.add(leader[number[~first]], lines.site[ending[~first]])
    return np.concatenate([kept[kind < STOP], ending[first]]), groups


def waiting_for(frame: pd.DataFrame, risk: SiteRisk | None) -> pd.DataFrame:
    """List the sites whose tier is not decided, with the facts to ask for."""
    import pandas as pd

    columns = ["patient_id", "site_id", "possible_groups", "missing"]
    if risk is None:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    decisions = risk.decisions
    rows = (decisions.outcome < 0).nonzero()[0]
    tiers = decisions.table.outcomes
    # Few cases stand for many sites: one text for each.
    cases, at = np.unique(decisions.case[rows], return_inverse=True)
    facts = decisions.facts
    possible = [";".join(t for t, can in zip(tiers, decisions.possible[c], strict=True) if can) for c in cases]
    missing = [";".join(f for f, m in zip(facts, decisions.decisive[c], strict=True) if m) for c in cases]
    return pd.DataFrame(
        {
            "patient_id": frame["patient_id"].to_numpy()[rows],
            "site_id": frame["site_id"].to_numpy()[rows],
            "possible_groups": np.array(possible, dtype=object)[at],
            "missing": np.array(missing, dtype=object)[at],
        },
        columns=columns,
    )


def chunks(frame: pd.DataFrame, size: int) -> Iterator[pd.DataFrame]:
    """Split a cohort by patient into parts of about so many rows, in order of patient; every patient stays whole."""
    import pandas as pd

    codes = pd.factorize(frame["patient_id"], sort=True)[0]
    order = np.argsort(codes, kind="stable")
    codes = codes[order]
    start = 0
    while start < len(frame):
        stop = min(start + size, len(frame))
        while stop < len(frame) and codes[stop] == codes[stop - 1]:
            stop += 1
        yield frame.iloc[order[start:stop]].reset_index(drop=True)
        start = stop


__all__ = ["COLUMNS", "EXPORT_COLUMNS", "EXTRA", "Request", "Scheduled", "chunks", "schedule", "waiting_for"]
