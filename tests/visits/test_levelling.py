"""Levelling: the optima of another solver, brute force, and what must never happen."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest
from helpers.reference_data import FOLDER
from hypothesis import given
from hypothesis import strategies as st

from sbrt_followup.visits.levelling import Demand, Levelled, level

PROBLEMS = json.loads((FOLDER / "loop" / "levelling.json").read_text(encoding="utf-8"))


def demand(earliest: object, due: object, latest: object, weight: object = 1, fixed: object = False) -> Demand:
    shape = np.shape(due)
    return Demand(
        np.asarray(earliest),
        np.asarray(due),
        np.asarray(latest),
        np.broadcast_to(weight, shape).astype(np.int64),
        np.broadcast_to(fixed, shape).astype(bool),
        np.arange(shape[0]),
    )


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_optimum_is_the_one_of_two_other_solvers(name: str) -> None:
    problem = PROBLEMS[name]
    found = level(
        demand(problem["earliest"], problem["due"], problem["latest"]),
        np.array(problem["capacity"]),
        allow_outside=True,
    )
    assert int(found.outside.sum()) == problem["fewest_outside"]
    assert found.shift == problem["least_shift_weeks"]
    worst = [
        {"excess": run.excess, "first_week": run.first_week, "last_week": run.last_week} for run in found.overfull[:3]
    ]
    assert [r["excess"] for r in worst] == [r["excess"] for r in problem["overfull_runs"]]
    assert worst[:1] == problem["overfull_runs"][:1]


def _value(found: Levelled, asked: Demand) -> tuple[int, int, int]:
    due = asked.due
    placed = found.week >= 0
    shift = (np.abs(found.week - due) * asked.weight)[placed].sum()
    return int((~placed).sum()), int(found.outside.sum()), int(shift)


VISITS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 2), st.integers(1, 3)), min_size=1, max_size=6
)


@given(VISITS, st.lists(st.integers(0, 3), min_size=4, max_size=4), st.booleans())
def test_nothing_better_exists(visits: list[tuple[int, int, int, int]], room: list[int], outside: bool) -> None:
    due = np.array([d for d, *_ in visits])
    asked = demand(
        np.maximum(due - [b for _, b, *_ in visits], 0),
        due,
        np.minimum(due + [a for _, _, a, _ in visits], 3),
        [w for *_, w in visits],
    )
    found = level(asked, np.array(room), allow_outside=outside)
    assert (found.load_after <= np.array(room)).all()
    best = min(
        _cost(np.array(weeks), asked)
        for weeks in product(range(-1, 4), repeat=len(due))
        if (np.bincount(np.array([w for w in weeks if w >= 0], dtype=int), minlength=4) <= room).all()
        and (outside or not _cost(np.array(weeks), asked)[1])
    )
    assert _value(found, asked) == best


def _cost(week: np.ndarray, asked: Demand) -> tuple[int, int, int]:
    placed = week >= 0
    out = placed & ((week < asked.earliest) | (week > asked.latest))
    return int((~placed).sum()), int(out.sum()), int((np.abs(week - asked.due) * asked.weight)[placed].sum())


@given(VISITS, st.lists(st.integers(0, 3), min_size=4, max_size=4), st.integers(0, 3))
def test_more_room_never_makes_it_worse(visits: list[tuple[int, int, int, int]], room: list[int], week: int) -> None:
    due = np.array([d for d, *_ in visits])
    asked = demand(np.maximum(due - 1, 0), due, np.minimum(due + 1, 3))
    wider = np.array(room)
    wider[week] += 1
    assert _value(level(asked, wider), asked) <= _value(level(asked, np.array(room)), asked)


def test_fixed_visits_stay_even_over_the_room() -> None:
    found = level(demand([1, 0, 0], [1, 1, 1], [1, 2, 2], fixed=[True, False, False]), np.array([1, 1, 0]))
    assert found.week.tolist() == [1, 0, -1]


def test_a_heavier_tier_keeps_its_week() -> None:
    found = level(demand([0, 0], [1, 1], [2, 2], weight=[1, 3]), np.array([1, 1, 1]))
    assert found.week[1] == 1
    assert found.week[0] in (0, 2)


def test_without_leave_no_visit_gets_a_week_outside_its_window() -> None:
    problem = PROBLEMS["infeasible"]
    asked = demand(problem["earliest"], problem["due"], problem["latest"])
    found = level(asked, np.array(problem["capacity"]))
    assert not found.outside.any()
    assert int((found.week < 0).sum()) == problem["fewest_outside"] == found.overfull[0].excess
