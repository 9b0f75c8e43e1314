"""Criteria applied to MRIs: each document answers from the facts, and its answer becomes a fact for the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

from ..arrays import Ints
from ..problems import InputRefused, Problem, Source
from ..rulebook.conditions import Facts, Interval, Levels
from ..rulebook.criteria import ONCE, Criterion, Role
from ..rulebook.deciding import Decisions, decide, fact_space
from ..rulebook.library import Rulebook
from ..vocabulary import FACTS, REQUESTS

UNDECIDED = -1
NOT_ASKED = -2
NOTHING_ASKED = -1


@dataclass(frozen=True)
class Answer:
    """What one criterion says of some rows of a table: `rows` are their places, `total` the table's length."""

    criterion: Criterion
    decisions: Decisions
    rows: Ints
    total: int

    @cached_property
    def outcome(self) -> Ints:
        """The outcome's place per row of the table; UNDECIDED or NOT_ASKED where there is none."""
        result = np.full(self.total, NOT_ASKED, dtype=np.int64)
        result[self.rows] = self.decisions.outcome
        return result

    @cached_property
    def rule_code(self) -> Ints:
        """The rule's place per row of the table (len(rules): otherwise), UNDECIDED or NOT_ASKED."""
        d = self.decisions
        single = d.rules.sum(axis=1) == 1
        code = np.where(single & (d.case_outcome >= 0), d.rules.argmax(axis=1), UNDECIDED)
        result = np.full(self.total, NOT_ASKED, dtype=np.int64)
        result[self.rows] = code[d.case]
        return result

    def values(self, per_outcome: Ints, otherwise: int) -> Ints:
        """Give a number per row of the table by its outcome."""
        return np.where(self.outcome >= 0, per_outcome[np.maximum(self.outcome, 0)], otherwise)

    def codes(self, names: Sequence[str]) -> Ints:
        """Give the place of each row's outcome in a list of names, -1 where there is none."""
        place = [names.index(o) if o in names else -1 for o in self.criterion.outcomes]
        return self.values(np.array(place, dtype=np.int64), -1)

    @cached_property
    def given(self) -> Levels:
        """The fact this criterion gives, per asked row: every level its possible outcomes stand for."""
        c, d = self.criterion, self.decisions
        fact = FACTS[c.gives]
        bit = np.array([1 << fact.levels.index(c.level(i)) for i in range(len(c.outcomes))], dtype=np.int64)
        case = np.zeros(len(d.possible), dtype=np.int64)
        for i in range(len(c.outcomes)):
            case |= np.where(d.possible[:, i], bit[i], 0)
        if c.undecided:
            case = np.where(d.case_outcome < 0, 1 << fact.levels.index(c.undecided), case)
        return Levels(case[d.case])


def ask(criterion: Criterion, facts: Facts, rows: Ints | None, total: int) -> Answer:
    """Let a criterion decide some rows of a table (all of them: None)."""
    if rows is None:
        return Answer(criterion, _decide_all(criterion, facts, total), np.arange(total), total)
    needed = {name: take(facts, name, rows) for name in facts_of(criterion) if name in facts}
    return Answer(criterion, decide(criterion, needed, len(rows)), rows, total)


def _decide_all(criterion: Criterion, facts: Facts, total: int) -> Decisions:
    """Decide every row; where no fact differs from row to row (nobody recorded any), one row speaks for all."""
    needed = {name: facts[name] for name in facts_of(criterion) if name in facts}
    if total < 2 or not all(_constant(column) for column in needed.values()):
        return decide(criterion, needed, total)
    first = np.zeros(1, dtype=np.int64)
    one = decide(criterion, {name: take(needed, name, first) for name in needed}, 1)
    return replace(one, cover=replace(one.cover, case=np.zeros(total, dtype=np.int64)))


def _constant(column: Levels | Interval) -> bool:
    parts = (column.possible,) if isinstance(column, Levels) else (column.low, column.high)
    return all(bool((part == part[0]).all()) for part in parts)


def take(facts: Facts, name: str, rows: Ints) -> Levels | Interval:
    """Give some rows of one fact."""
    column = facts[name]
    if isinstance(column, Levels):
        return Levels(column.possible[rows])
    return Interval(column.low[rows], column.high[rows])


def facts_of(criterion: Criterion) -> tuple[str, ...]:
    """Give the names of the facts a criterion rests on."""
    return _facts_once(criterion)


@cache
def _facts_once(criterion: Criterion) -> tuple[str, ...]:
    return tuple(one.fact.name for one in fact_space(criterion).axes)


@dataclass(frozen=True)
class Criteria:
    """A profile's criteria by what they are for."""

    once: Mapping[Role, Criterion]
    sizes: tuple[Criterion, ...]
    signs: tuple[Criterion, ...]
    alerts: tuple[Criterion, ...]
    pains: tuple[Criterion, ...]
    cautions: tuple[Criterion, ...]
    source: Source
    """The profile."""

    @property
    def all(self) -> tuple[Criterion, ...]:
        """Every criterion, those of a kind together."""
        return (*self.once.values(), *self.sizes, *self.signs, *self.alerts, *self.pains, *self.cautions)


def criteria_of(rulebook: Rulebook) -> Criteria:
    """Sort the profile's criteria by role; refuses a profile that lacks one, or has two where one decides."""
    by_role: dict[Role, list[Criterion]] = {}
    for c in rulebook.criteria:
        by_role.setdefault(c.role, []).append(c)
    problems = [
        Problem(
            "missing-criterion" if role not in by_role else "repeated-criterion",
            f"the profile needs exactly one response document with the role '{role}'",
            rulebook.profile.source,
        )
        for role in ONCE
        if len(by_role.get(role, [])) != 1
    ]
    if not by_role.get("size"):
        problems.append(
            Problem(
                "missing-criterion",
                "the profile needs a response document with the role 'size'",
                rulebook.profile.source,
            )
        )
    if problems:
        raise InputRefused(problems)
    return Criteria(
        {role: by_role[role][0] for role in ONCE},
        tuple(by_role["size"]),
        tuple(by_role.get("sign", ())),
        tuple(by_role.get("alert", ())),
        (*by_role.get("pain", ()), *by_role.get("pain_consensus", ())),
        tuple(by_role.get("caution", ())),
        rulebook.profile.source,
    )


def requested(answer: Answer) -> Ints:
    """Give the place in REQUESTS of what each MRI's answer asks for, NOTHING_ASKED for nothing; undecided: the most pressing."""
    c = answer.criterion
    places = [REQUESTS.index(m.request) if m.request else NOTHING_ASKED for m in map(c.meaning, range(len(c.outcomes)))]
    chosen = most_pressing(answer)
    return np.where(chosen < 0, NOTHING_ASKED, np.array(places, dtype=np.int64)[np.maximum(chosen, 0)])


def most_pressing(answer: Answer) -> Ints:
    """Give the outcome that is acted on: the decided one; of a next step that is not decided the most pressing, then soonest.

    Any other document that is not decided asks for nothing (-1): what was not recorded is no finding.
    """
    c, d = answer.criterion, answer.decisions
    meanings = [c.meaning(i) for i in range(len(c.outcomes))]
    if c.role != "next_step":
        return answer.outcome
    keys = [
        (REQUESTS.index(m.request) if m.request else len(REQUESTS), -1 if m.within is None else int(m.within.value))
        for m in meanings
    ]
    rank = np.array([sorted(set(keys)).index(k) for k in keys], dtype=np.int64)
    case = np.where(d.possible, rank[None, :], len(keys)).argmin(axis=1)
    result = np.full(answer.total, NOT_ASKED, dtype=np.int64)
    result[answer.rows] = np.where(d.possible.any(axis=1), case, UNDECIDED)[d.case]
    return result


def highest(columns: list[Levels], rows: int) -> Levels:
    """Combine facts of one ordered kind: the highest of them, over everything each could be."""
    if not columns:
        return Levels(np.ones(rows, dtype=np.int64))
    bits = columns[0].possible.copy()
    for column in columns[1:]:
        other = column.possible
        floor = np.maximum(bits & -bits, other & -other)
        bits = (bits | other) & ~(floor - 1)
    return Levels(bits)
