"""Several sites under one MRI: the vectorised walk against a plain one, and what it may never do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sbrt_followup.arrays import NEVER
from sbrt_followup.visits.merging import merge
from sbrt_followup.visits.series import DONE, FIRST, MISSED, OPEN, VISIT, Lines


@dataclass(frozen=True)
class Visit:
    patient: int
    site: int
    number: int
    due: int
    early: int
    late: int
    interval: int
    state: int
    scan: int = NEVER


def lines_of(visits: list[Visit]) -> Lines:
    def column(name: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array([getattr(v, name) for v in visits], dtype=np.int64)

    due, n = column("due"), len(visits)
    return Lines(
        site=column("site"), visit=column("number"), kind=np.full(n, VISIT), phase=np.full(n, FIRST), due=due,
        earliest=due - column("early"), latest=due + column("late"), interval=column("interval"), scan=column("scan"),
        state=column("state"), unscheduled=np.zeros(n, dtype=bool), reanchored=np.zeros(n, dtype=bool),
    )  # fmt: skip


def merged(visits: list[Visit]) -> list[int]:
    patient = np.array([v.patient for v in visits], dtype=np.int64)
    return [int(i) for i in merge(lines_of(visits), patient)]


def oracle(visits: list[Visit]) -> list[int]:
    """One patient and one class of visits at a time, by date: the shortest interval leads, and takes who is in reach."""
    served = list(range(len(visits)))
    for patient in {v.patient for v in visits}:
        mine = [i for i, v in enumerate(visits) if v.patient == patient]
        done = [i for i in mine if visits[i].state == DONE]
        for scan in {visits[i].scan for i in done}:
            same = [i for i in done if visits[i].scan == scan]
            leader = min(same, key=lambda i: (visits[i].interval, visits[i].site))
            for i in same:
                served[i] = leader
        for state in (OPEN, MISSED):
            left = sorted((i for i in mine if visits[i].state == state), key=lambda i: (visits[i].due, visits[i].site))
            if len({visits[i].site for i in left}) < 2:
                continue
            while left:
                first = left[0]
                until = visits[first].due + visits[first].late
                rivals = [i for i in left if visits[i].due <= until]
                leader = min(rivals, key=lambda i: visits[i].interval)  # min keeps the earliest of equals
                day = visits[leader].due
                hit = [i for i in left if visits[i].due - visits[i].early <= day <= visits[i].due + visits[i].late]
                for i in hit:
                    served[i] = leader
                left = [i for i in left if i not in hit]
    return served


@st.composite
def cohorts(draw: st.DrawFn) -> list[Visit]:
    visits: list[Visit] = []
    site = 0
    for patient in range(draw(st.integers(1, 3))):
        for _ in range(draw(st.integers(1, 3))):
            due = draw(st.integers(0, 120))
            for number in range(1, draw(st.integers(1, 6)) + 1):
                step = draw(st.integers(20, 180))
                due += step
                state = draw(st.sampled_from([OPEN, OPEN, OPEN, MISSED, DONE]))
                scan = due + draw(st.integers(-2, 2)) if state == DONE else NEVER
                early, late = draw(st.integers(0, 45)), draw(st.integers(0, 45))
                visits.append(Visit(patient, site, number, due, early, late, step, state, scan))
            site += 1
    return visits


@settings(max_examples=150, deadline=None)
@given(cohorts())
def test_the_walk_of_all_patients_is_the_walk_of_each(visits: list[Visit]) -> None:
    assert merged(visits) == oracle(visits)


@settings(max_examples=100, deadline=None)
@given(cohorts())
def test_a_visit_is_dropped_only_if_a_kept_one_lies_in_its_window(visits: list[Visit]) -> None:
    served = merged(visits)
    for i, target in enumerate(served):
        assert served[target] == target, "who serves is kept"
        if target == i:
            continue
        mine, kept = visits[i], visits[target]
        assert (mine.patient, mine.state) == (kept.patient, kept.state)
        if mine.state == DONE:
            assert mine.scan == kept.scan
        else:
            assert mine.due - mine.early <= kept.due <= mine.due + mine.late


@settings(max_examples=60, deadline=None)
@given(cohorts(), st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(visits: list[Visit], random: object) -> None:
    order = list(range(len(visits)))
    random.shuffle(order)  # type: ignore[attr-defined]
    before = {(visits[i], visits[t]) for i, t in enumerate(merged(visits))}
    shuffled = [visits[i] for i in order]
    after = {(shuffled[i], shuffled[t]) for i, t in enumerate(merged(shuffled))}
    assert before == after


def test_the_site_with_the_shortest_interval_leads() -> None:
    often = Visit(0, 0, 1, 100, 14, 14, 60, OPEN)
    seldom = Visit(0, 1, 1, 95, 14, 14, 180, OPEN)
    assert merged([often, seldom]) == [0, 0]


def test_out_of_each_others_windows_both_are_kept() -> None:
    assert merged([Visit(0, 0, 1, 100, 14, 14, 60, OPEN), Visit(0, 1, 1, 130, 14, 14, 180, OPEN)]) == [0, 1]


def test_patients_never_meet_and_nothing_merges_to_nothing() -> None:
    assert merged([Visit(0, 0, 1, 100, 14, 14, 60, OPEN), Visit(1, 1, 1, 100, 14, 14, 60, OPEN)]) == [0, 1]
    assert merged([]) == []


def test_a_site_never_swallows_its_own_visits_alone() -> None:
    visits = [Visit(0, 0, n, 100 + 5 * n, 14, 14, 5, OPEN) for n in range(1, 4)]
    assert merged(visits) == [0, 1, 2]


def test_sites_treated_alike_share_a_visit_within_a_patient_only() -> None:
    # Four visits alike in everything but the patient, two sites each.
    assert merged([Visit(p, 2 * p + s, 1, 90, 14, 14, 90, OPEN) for p in (0, 1) for s in (0, 1)]) == [0, 0, 2, 2]
