"""One site's visits: the month series of every plan, calendar clamps, windows, and what past MRIs do to them.

The oracle walks one site at a time in plain Python dates, by the contract's words; the program does all sites at once.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbrt_followup.arrays import NEVER
from sbrt_followup.rulebook.library import load
from sbrt_followup.rulebook.model import Anchor, Plan
from sbrt_followup.rulebook.offsets import visit_offsets
from sbrt_followup.timing import add_months
from sbrt_followup.visits.series import DONE, EXTRA, FIRST, MISSED, OPEN, VISIT, Pattern, planned_grid, site_lines

BOOK = load()
EPOCH = date(1970, 1, 1)


def pattern(plan: str, tier: str = "any", anchor: str = "last_mri", horizon: int = 60) -> Pattern:
    document = BOOK.get(Plan, plan)
    document = replace(document, anchor=Anchor(from_=anchor, basis="local", source=document.source))  # type: ignore[arg-type]
    schedule = document.schedule_for(tier)
    assert schedule is not None
    return Pattern(document, schedule, Fraction(horizon))


def number(day: date) -> int:
    return (day - EPOCH).days


def day(n: int) -> date | None:
    return None if n == NEVER else EPOCH + timedelta(days=int(n))


def months(start: date, offset: Fraction | str | int) -> date:
    found: date = add_months(np.array([start], dtype="datetime64[D]"), Fraction(offset))[0].item()
    return found


# ---- the plan's own series ----

SERIES = {
    ("mri-review-2025", "any"): "3 5.5 8 10.5 13 15.5 20 24.5 29 33.5 38 42.5 47 51.5 56",
    ("mri-review-2025-tiered", "high"): "3 5 7 9 11 13 15 17 19 22 25 28 31 34 37 40 43 46 49 52 55 58",
    ("mri-review-2025-tiered", "intermediate"): "3 5.5 8 10.5 13 15.5 20 24.5 29 33.5 38 42.5 47 51.5 56",
    ("mri-review-2025-tiered", "low"): "3 6 9 12 18 24 30 36 42 48 54 60",
    ("chen-2024", "low"): "3 9 15 21 27 33 39 45 51 57",
    (
        "chen-2024",
        "intermediate",
    ): "3 6.1 9.2 12.3 15.4 18.5 21.6 24.7 27.8 30.9 34 37.1 40.2 43.3 46.4 49.5 52.6 55.7 58.8",
    ("chen-2024", "high"): "1.3 2.6 3.9 5.2 6.5 7.8 9.1 10.4 11.7 13 14.3 20.2 26.1 32 37.9 43.8 49.7 55.6",
}


@pytest.mark.parametrize(("plan", "tier"), SERIES)
def test_the_series_of_months(plan: str, tier: str) -> None:
    one = pattern(plan, tier)
    found = [v.months for v in visit_offsets(one.schedule, Fraction(60))]
    assert found == [Fraction(m) for m in SERIES[plan, tier].split()]


def test_the_horizon_itself_is_included() -> None:
    one = pattern("mri-review-2025-tiered", "low")
    assert visit_offsets(one.schedule, Fraction(60))[-1].months == 60
    assert visit_offsets(one.schedule, Fraction("59.9"))[-1].months == 54
    assert visit_offsets(one.schedule, Fraction(2)) == ()


def grid_of(one: Pattern, start: date) -> list[tuple[date, date, date]]:
    grid = planned_grid(np.array([number(start)]), np.array([0]), [one])
    rows = zip(grid.earliest[0], grid.due[0], grid.latest[0], strict=True)
    return [tuple(EPOCH + timedelta(days=int(d)) for d in row) for row in rows]  # type: ignore[misc]


def test_dates_are_counted_in_one_step_and_clamped_to_the_months_end() -> None:
    due = [d.isoformat() for _, d, _ in grid_of(pattern("mri-review-2025-tiered", "low"), date(2023, 11, 30))]
    assert due[:4] == ["2024-02-29", "2024-05-30", "2024-08-30", "2024-11-30"], "a clamp is not carried on"
    # 31 January + 5.5 months: 30 June (clamped) + half of 30.4375 days = 15.2, so 15 days.
    due = [d.isoformat() for _, d, _ in grid_of(pattern("mri-review-2025"), date(2025, 1, 31))]
    assert due[:4] == ["2025-04-30", "2025-07-15", "2025-09-30", "2025-12-15"]


def test_windows_are_the_published_range_or_the_tolerance_whichever_is_wider() -> None:
    start = date(2025, 1, 10)
    windows = grid_of(pattern("mri-review-2025"), start)
    first, second = windows[0], windows[1]
    assert first == (date(2025, 3, 27), date(2025, 4, 10), date(2025, 4, 24)), "the first visit: due ± 14 days"
    # Months 5 to 6 around 5.5 (25 June): 10 June to 10 July are 15 days to either side.
    assert second == (date(2025, 6, 10), date(2025, 6, 25), date(2025, 7, 10))
    late = next(w for w in windows if w[1] == months(start, 20))
    assert late[0] == months(start, "18.5")
    assert late[2] <= months(start, "21.5")


def test_a_published_confidence_interval_is_no_window() -> None:
    for tier in ("low", "intermediate"):
        for earliest, due, latest in grid_of(pattern("chen-2024", tier), date(2025, 1, 10)):
            assert (due - earliest).days == (latest - due).days == 14


@pytest.mark.parametrize(("plan", "tier"), SERIES)
@pytest.mark.parametrize("start", [date(2023, 1, 31), date(2024, 2, 29), date(2025, 6, 15)])
def test_windows_hold_their_date_and_never_overlap(plan: str, tier: str, start: date) -> None:
    windows = grid_of(pattern(plan, tier), start)
    for earliest, due, latest in windows:
        assert earliest <= due <= latest
    for (_, _, latest), (earliest, _, _) in itertools.pairwise(windows):
        assert latest < earliest


def test_overlapping_neighbours_are_cut_at_the_midpoint() -> None:
    # High tier: 1.3 months are 39 or 40 days apart, so two tolerances of 14 days leave room.
    # Review: months 5–6 and 7.5–8.5 … do not meet; the step from 2–3 to 3–6 months does: 15.5 (≤ 16) and 20 (≥ 18.5).
    # A tolerance of 40 days overlaps everywhere.
    base = pattern("mri-review-2025-tiered", "high")
    wide = replace(base, plan=replace(base.plan, tolerance=replace(base.plan.tolerance, value=Fraction(40))))
    windows = grid_of(wide, date(2025, 1, 10))
    for (_, a, latest), (earliest, b, _) in itertools.pairwise(windows):
        raw_latest, raw_earliest = a + timedelta(40), b - timedelta(40)
        if raw_latest >= raw_earliest:
            assert (earliest - latest).days == 1, "a day belongs to one window"
            assert abs((latest - raw_earliest).days - (raw_latest - latest).days) <= 1


def test_a_cut_never_leaves_a_window_without_its_own_date() -> None:
    """Every 1 to 12 months, picked at 1: each window reaches far past the next visits."""
    base = pattern("mri-review-2025-tiered", "high")
    phase = base.schedule.phases[-1]
    every = replace(phase.every, low=Fraction(1), high=Fraction(12))
    one = replace(base, schedule=replace(base.schedule, phases=(replace(phase, every=every, until=None),)))
    windows = grid_of(one, date(2025, 1, 10))
    for earliest, due, latest in windows:
        assert earliest <= due <= latest
    for (_, _, latest), (earliest, _, _) in itertools.pairwise(windows[1:]):
        assert (earliest - latest).days == 1


# ---- an oracle for one site ----


@dataclass
class Open:
    number: int
    due: date
    earliest: date
    latest: date
    interval: int


@dataclass
class Site:
    """One site walked through by the contract's words."""

    one: Pattern
    zero: date
    lines: list[tuple[str, int, date | None, date | None, bool]] = field(default_factory=list)

    def visits(self, anchor: date, start: Fraction | None, before: int) -> list[Open]:
        offsets = visit_offsets(self.one.schedule, self.one.horizon, start)
        base = start or Fraction(0)
        tolerance = timedelta(self.one.tolerance)
        found: list[Open] = []
        previous = anchor
        for n, visit in enumerate(offsets, before + 1):
            due = months(anchor, visit.months - base)
            earliest = min(months(anchor, visit.earliest - base), due - tolerance)
            latest = max(months(anchor, visit.latest - base), due + tolerance)
            found.append(Open(n, due, earliest, latest, (due - previous).days))
            previous = due
        for a, b in itertools.pairwise(found):
            if a.latest >= b.earliest:
                middle = date.fromordinal((a.latest.toordinal() + b.earliest.toordinal()) // 2)
                a.latest = min(max(middle, a.due), b.due - timedelta(1))
                b.earliest = a.latest + timedelta(1)
        return found

    def restart(self, scan: date, before: int) -> list[Open]:
        whole = (scan.year - self.zero.year) * 12 + scan.month - self.zero.month
        if months(self.zero, whole) > scan:
            whole -= 1
        start = whole + Fraction((scan - months(self.zero, whole)).days * 16, 487)
        for phase in self.one.schedule.phases:
            if phase.end is not None and scan >= months(self.zero, phase.end):
                start = max(start, phase.end)
        return self.visits(scan, start, before)

    def run(self, scans: list[date]) -> None:
        pending = self.visits(self.zero, None, 0)
        nothing_yet = True
        for scan in scans:
            inside = [v for v in pending if v.earliest <= scan <= v.latest]
            near = [v for v in pending if 2 * abs((v.due - scan).days) <= v.interval]
            chosen = min(inside or near, key=lambda v: (abs((v.due - scan).days), v.due), default=None)
            if chosen is not None:
                self.lines.append(("done", chosen.number, chosen.due, scan, not inside))
                missed = [v for v in pending if v.due < chosen.due]
            else:
                self.lines.append(("extra", 0, None, scan, False))
                missed = [v for v in pending if v.latest < scan]
            rest = [v for v in pending if v is not chosen and v not in missed]
            if self.one.reanchors:
                # Before anything is due, an early scan is an extra one and the first MRI keeps its date.
                moves = chosen is not None or bool(missed) or not nothing_yet
                if not moves:
                    continue
                self.lines += [("missed", v.number, v.due, None, False) for v in missed]
                last = max([v.number for v in missed] + ([chosen.number] if chosen else []), default=None)
                before = last if last is not None else pending[0].number - 1 if pending else self.last
                pending = self.restart(scan, before)
                self.last = before
            elif chosen is not None:
                self.lines += [("missed", v.number, v.due, None, False) for v in missed]
                pending = rest
            if chosen is not None or missed:
                nothing_yet = False
        self.lines += [("open", v.number, v.due, None, False) for v in pending]

    last: int = 0


def program(
    one: Pattern, cohort: list[tuple[date, list[date]]]
) -> list[list[tuple[str, int, date | None, date | None, bool]]]:
    zero = np.array([number(z) for z, _ in cohort])
    which = np.zeros(len(cohort), dtype=np.int64)
    width = max((len(s) for _, s in cohort), default=0)
    scans = np.full((len(cohort), width), NEVER, dtype=np.int64)
    for i, (_, own) in enumerate(cohort):
        scans[i, : len(own)] = [number(s) for s in own]
    lines = site_lines(zero, which, [one], scans, planned_grid(zero, which, [one]))
    words = {OPEN: "open", DONE: "done", MISSED: "missed"}
    found: list[list[tuple[str, int, date | None, date | None, bool]]] = [[] for _ in cohort]
    for i in range(len(lines)):
        if lines.kind[i] == EXTRA:
            found[lines.site[i]].append(("extra", 0, None, day(lines.scan[i]), False))
        else:
            assert lines.kind[i] == VISIT
            state = words[int(lines.state[i])]
            found[lines.site[i]].append(
                (state, int(lines.visit[i]), day(lines.due[i]), day(lines.scan[i]), bool(lines.unscheduled[i]))
            )
    return found


def key(line: tuple[str, int, date | None, date | None, bool]) -> tuple[date, str]:
    return (line[2] or line[3] or date.max, line[0])


histories = st.tuples(
    st.dates(date(2020, 1, 1), date(2024, 12, 31)),
    st.lists(st.integers(1, 2000), max_size=7, unique=True).map(sorted),
).map(lambda pair: (pair[0], [pair[0] + timedelta(n) for n in pair[1]]))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(histories, min_size=1, max_size=4),
    st.sampled_from(sorted(SERIES)),
    st.sampled_from(["last_mri", "time_zero"]),
)
def test_all_sites_at_once_are_each_site_alone(
    cohort: list[tuple[date, list[date]]], which: tuple[str, str], anchor: str
) -> None:
    one = pattern(*which, anchor=anchor)
    for (zero, scans), found in zip(cohort, program(one, cohort), strict=True):
        site = Site(one, zero)
        site.run(scans)
        assert sorted(found, key=key) == sorted(site.lines, key=key)


@settings(max_examples=60, deadline=None)
@given(histories, st.sampled_from(sorted(SERIES)), st.sampled_from(["last_mri", "time_zero"]))
def test_no_scan_is_lost_and_none_serves_twice(
    history: tuple[date, list[date]], which: tuple[str, str], anchor: str
) -> None:
    (lines,) = program(pattern(*which, anchor=anchor), [history])
    used = [line[3] for line in lines if line[0] in ("done", "extra")]
    assert sorted(d for d in used if d) == history[1]
    numbers = [line[1] for line in lines if line[0] != "extra"]
    assert sorted(numbers) == list(range(1, len(numbers) + 1)), "visits are numbered without gap"
    last = max((line[3] for line in lines if line[0] == "done" and line[3]), default=None)
    if anchor == "last_mri" and last is not None:
        assert all(line[2] > last for line in lines if line[0] == "open" and line[2])


# ---- the cases of the contract, one by one ----

ZERO = date(2024, 1, 10)


def states(*scans: date, anchor: str = "last_mri") -> list[tuple[str, int, date | None, date | None, bool]]:
    (lines,) = program(pattern("mri-review-2025", anchor=anchor), [(ZERO, list(scans))])
    return sorted(lines, key=key)


def test_a_scan_in_its_window_satisfies_the_visit_and_moves_the_next() -> None:
    first, second, *_ = states(date(2024, 4, 20))
    assert first == ("done", 1, date(2024, 4, 10), date(2024, 4, 20), False)
    assert second[:3] == ("open", 2, months(date(2024, 4, 20), "2.5"))


def test_counted_from_time_zero_the_next_keeps_its_date() -> None:
    _, second, *_ = states(date(2024, 4, 20), anchor="time_zero")
    assert second[:3] == ("open", 2, months(ZERO, "5.5"))


def test_the_last_day_of_a_window_counts_and_the_next_one_is_unscheduled() -> None:
    assert states(date(2024, 4, 24))[0][4] is False
    assert states(date(2024, 4, 25))[0] == ("done", 1, date(2024, 4, 10), date(2024, 4, 25), True)


def test_half_an_interval_is_the_limit() -> None:
    # The first interval runs 91 days from time zero: 45 days from the due date still count, 46 do not.
    assert states(date(2024, 4, 10) - timedelta(45))[0][:2] == ("done", 1)
    assert states(date(2024, 4, 10) - timedelta(46))[0][0] == "extra"


def test_an_early_scan_is_extra_and_leaves_the_first_visit_where_it_is() -> None:
    extra, first, *_ = states(date(2024, 1, 20))
    assert extra == ("extra", 0, None, date(2024, 1, 20), False)
    assert first[:3] == ("open", 1, date(2024, 4, 10))


def test_a_visit_passed_over_is_missed() -> None:
    found = states(date(2024, 6, 25))
    assert found[0][:3] == ("missed", 1, date(2024, 4, 10))
    assert found[1][:2] == ("done", 2)


def test_the_phase_after_a_scan_is_the_one_that_holds_its_month() -> None:
    # Month 15 since time zero is the review's late phase (picked 4.5 months), month 14.9 still the early one (2.5).
    late = states(months(ZERO, 15))
    assert next(line for line in late if line[0] == "open")[2] == months(months(ZERO, 15), "4.5")
    before = months(ZERO, 15) - timedelta(1)
    assert next(line for line in states(before) if line[0] == "open")[2] == months(before, "2.5")


def test_the_horizon_counts_from_time_zero_after_a_late_scan() -> None:
    found = states(months(ZERO, 50))
    opened = [line[2] for line in found if line[0] == "open"]
    assert opened == [months(months(ZERO, 50), "4.5"), months(months(ZERO, 50), 9)]


def test_the_first_visit_belongs_to_no_phase() -> None:
    zero = np.array([number(ZERO)])
    one = pattern("mri-review-2025")
    grid = planned_grid(zero, np.array([0]), [one])
    assert grid.phase[0, 0] == FIRST
    assert grid.phase[0, 1] == 0
