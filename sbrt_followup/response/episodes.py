"""Growth over several MRIs: confirmed, gone again, or still open; a small state machine over MRIs in date order.

An episode opens with the first MRI that shows growth and is unbroken until an MRI shows the growth gone. An MRI that
shows progression by itself confirms it at once; otherwise the course document decides from how the growth goes on.
Each step uses only the MRIs up to that day. What an episode turned out to be is then written back over its MRIs: that is
the state in retrospect, the only place where pseudo-progression is given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Flags, Ints
from ..rulebook.conditions import Column, Levels
from ..sites.scans import NONE
from ..sites.windows import INSIDE, JUST_AFTER
from ..vocabulary import FACTS, GROWTH_CALLS, SIZE_SIGNS, STATES
from .answers import Answer, ask, highest, take
from .measures import whole
from .readings import STATE, Readings, held_against

NOT_RESOLVED, OPEN, RETRACTED, PSEUDO, CONFIRMED = range(-1, 4)
RESOLUTIONS = ("open", "retracted", "pseudoprogression", "confirmed")
INCONCLUSIVE = (STATE["equivocal"], STATE["indeterminate"])


@dataclass(frozen=True)
class Episodes:
    """The course of growth; arrays run over the MRIs of the readings."""

    growth: Flags
    """The MRI shows growth, new epidural disease or progression, and no biopsy speaks against it."""
    episode: Ints
    """The place of the first MRI of the episode this one belongs to, NONE outside."""
    called: Ints
    """The state on that day, earlier MRIs considered."""
    state: Ints
    """The state in retrospect."""
    resolution: Ints
    """What the MRI's episode turned out to be; NOT_RESOLVED outside any."""
    confirmed_at: Ints
    """The place of the MRI that confirmed the episode, NONE if none did."""
    course: Ints
    """What the course document said on this MRI, a place in RESOLUTIONS; NOT_RESOLVED where it was not asked."""
    course_rule: Ints
    growth_rule: Ints
    inconclusive: Ints
    """MRIs in a row without a clear answer, this one included."""
    next_step: Answer


@dataclass
class _Carry:
    """What the machine remembers of each site, at the place of its first MRI."""

    first: Ints
    """The first MRI of the open episode, NONE when none is open."""
    confirmed: Ints
    began: Ints
    """Bits of began_in_window."""
    measure_first: dict[str, Ints]
    measure_peak: dict[str, Ints]
    inconclusive: Ints


def shows_growth(reading: Readings) -> Flags:
    """Tell which MRIs show growth, epidural or neurological progression, unless a biopsy found no tumour."""
    call, epidural, neurology = (_bits(reading, n) for n in ("growth_call", "epidural_sign", "neurological_sign"))
    grown = (call & -call) >= 1 << GROWTH_CALLS.index("equivocal")
    grown |= epidural == _level("epidural_sign", "progression")
    grown |= neurology == _level("neurological_sign", "progression")
    cleared = (_bits(reading, "biopsy_result") == _level("biopsy_result", "negative")) & ~np.isin(
        reading.called, (STATE["equivocal"], STATE["progression"])
    )
    result: Flags = (grown & ~cleared | (reading.called == STATE["progression"])) & ~reading.scans.baseline
    return result


def _bits(reading: Readings, name: str) -> Ints:
    column = reading.facts[name]
    assert isinstance(column, Levels)
    return column.possible


def _level(fact: str, label: str) -> int:
    return 1 << FACTS[fact].levels.index(label)


def follow(reading: Readings) -> Episodes:
    """Run every site's MRIs through the machine."""
    scans = reading.scans
    n = len(scans)
    growth = shows_growth(reading)
    own = reading.called
    called = own.copy()
    measures = [c.measure for c in reading.criteria.sizes if c.measure]
    none = np.full(n, NONE, dtype=np.int64)
    carry = _Carry(none.copy(), none.copy(), np.zeros(n, dtype=np.int64), {m: none.copy() for m in measures},
                   {m: none.copy() for m in measures}, np.zeros(n, dtype=np.int64))  # fmt: skip
    episode, confirmed_at, inconclusive = none.copy(), none.copy(), np.zeros(n, dtype=np.int64)
    resolution = np.full(n, NOT_RESOLVED, dtype=np.int64)  # at the place of each episode's first MRI
    course, course_rule, growth_rule = (np.full(n, NOT_RESOLVED, dtype=np.int64) for _ in range(3))
    cleared = (_bits(reading, "biopsy_result") == _level("biopsy_result", "negative")) & ~growth
    outcomes = np.array([RESOLUTIONS.index(o) for o in reading.criteria.once["course"].outcomes], dtype=np.int64)
    for turn in scans.turns:
        here = turn[~scans.baseline[turn]]
        at = scans.start[here]
        is_open = carry.first[at] != NONE
        asked = here[is_open]
        if len(asked):
            said, rule, how = _course(reading, asked, carry)
            course[asked] = np.where(said >= 0, outcomes[np.maximum(said, 0)], OPEN)
            course_rule[asked], growth_rule[asked] = rule, how
            # A biopsy without tumour ends an episode as regression would.
            gone = cleared[asked]
            began = carry.began[scans.start[asked]] == _level("began_in_window", "yes")
            course[asked] = np.where(gone, np.where(began, PSEUDO, RETRACTED), course[asked])
            # Other than by size, growth cannot be gone while the MRI itself shows progression.
            outright = asked[own[asked] == STATE["progression"]]
            course[outright] = CONFIRMED
            decided_elsewhere = np.concatenate([outright, asked[gone]])
            course_rule[decided_elsewhere] = growth_rule[decided_elsewhere] = NOT_RESOLVED
        # Closing, then opening, then confirming.
        closes = np.isin(course[here], (RETRACTED, PSEUDO)) & is_open
        ended = carry.first[at[closes]]
        keep = carry.confirmed[at[closes]] == NONE
        resolution[ended[keep]] = course[here[closes]][keep]
        _forget(carry, at[closes])
        opens = growth[here] & ~is_open
        _open(reading, carry, here[opens])
        running = carry.first[at] != NONE
        inside = here[running]
        episode[inside] = carry.first[scans.start[inside]]
        confirms = running & (carry.confirmed[at] == NONE) & (
            (own[here] == STATE["progression"]) | (course[here] == CONFIRMED)
        )  # fmt: skip
        carry.confirmed[at[confirms]] = here[confirms]
        confirmed_at[carry.first[at[confirms]]] = here[confirms]
        resolution[carry.first[at[confirms]]] = CONFIRMED
        called[here] = np.where(running & (carry.confirmed[at] != NONE) & growth[here], STATE["progression"], own[here])
        _remember(reading, carry, inside)
        unclear = np.isin(called[here], INCONCLUSIVE)
        carry.inconclusive[at] = np.where(unclear, carry.inconclusive[at] + 1, 0)
        inconclusive[here] = carry.inconclusive[at]
    within = episode != NONE
    first = np.maximum(episode, 0)
    mine = np.where(within, np.where(resolution[first] == NOT_RESOLVED, OPEN, resolution[first]), NOT_RESOLVED)
    state = np.select(
        [within & growth & (mine == CONFIRMED), within & growth & (mine == PSEUDO)],
        [STATE["progression"], STATE["pseudoprogression"]],
        called,
    )
    facts = dict(reading.facts)
    facts["state"] = Levels(1 << called)
    facts["inconclusive_scans"] = whole(inconclusive)
    return Episodes(
        growth, episode, called, state, mine, np.where(within, confirmed_at[first], NONE), course, course_rule, growth_rule,
        inconclusive, ask(reading.criteria.once["next_step"], facts, None, n),
    )  # fmt: skip


def _course(reading: Readings, rows: Ints, carry: _Carry) -> tuple[Ints, Ints, Ints]:
    """Ask how growth goes on and what follows: outcome and rule of the course document, rule of the growth document."""
    at = reading.scans.start[rows]
    facts: dict[str, Column] = {name: take(reading.facts, name, rows) for name in ("size_sign", "window_place")}
    facts["since_first_growth"] = _since(
        reading, rows, "first_growth", {m: p[at] for m, p in carry.measure_first.items()}
    )
    facts["since_peak"] = _since(reading, rows, "peak", {m: p[at] for m, p in carry.measure_peak.items()})
    facts["above_baseline"] = Levels(reading.above_baseline.possible[rows])
    facts["began_in_window"] = Levels(carry.began[at])
    facts["episode_days"] = whole(reading.scans.day[rows] - reading.scans.day[carry.first[at]])
    how = ask(reading.criteria.once["growth_course"], facts, None, len(rows))
    facts["growth_course"] = how.given
    what = ask(reading.criteria.once["course"], facts, None, len(rows))
    return what.outcome, what.rule_code, how.rule_code


def _since(reading: Readings, rows: Ints, comparison: str, places: dict[str, Ints]) -> Levels:
    """Hold the sizes against a scan of the episode, by the same documents as any other comparison."""
    found = []
    for c in reading.criteria.sizes:
        if c.measure is None or comparison not in [x.to for x in c.compare]:
            continue
        numbers, place = reading.read.numbers[c.measure], places[c.measure]
        known = (place != NONE) & (place != rows) & ~np.isnan(numbers[rows])
        bits = np.full(len(rows), 1 << SIZE_SIGNS.index("not_measured"), dtype=np.int64)
        sub = known.nonzero()[0]
        if len(sub):
            pair = np.full(len(sub), FACTS["scan_pair"].levels.index("other"))
            values, decisions = held_against(
                c, comparison, numbers[rows[sub]], numbers[place[sub]], pair,
                take(reading.facts, "gtv_baseline_cc", rows[sub]),
            )  # fmt: skip
            given = Answer(c, decisions, np.arange(len(sub)), len(sub)).given.possible
            bits[sub] = np.where(np.isnan(values), bits[sub], given)
        found.append(Levels(bits))
    return highest(found, len(rows))


def _open(reading: Readings, carry: _Carry, rows: Ints) -> None:
    at = reading.scans.start[rows]
    carry.first[at] = rows
    carry.confirmed[at] = NONE
    place = _bits(reading, "window_place")[rows]
    could = 1 << INSIDE | 1 << JUST_AFTER
    yes = np.where((place & could) != 0, _level("began_in_window", "yes"), 0)
    no = np.where((place & ~could) != 0, _level("began_in_window", "no"), 0)
    carry.began[at] = yes | no


def _forget(carry: _Carry, at: Ints) -> None:
    carry.first[at] = NONE
    carry.confirmed[at] = NONE
    for places in (*carry.measure_first.values(), *carry.measure_peak.values()):
        places[at] = NONE


def _remember(reading: Readings, carry: _Carry, rows: Ints) -> None:
    """Keep, per measure, the first and the largest MRI of the episode."""
    at = reading.scans.start[rows]
    for measure, first in carry.measure_first.items():
        numbers = reading.read.numbers[measure]
        known = ~np.isnan(numbers[rows])
        new = known & (first[at] == NONE)
        first[at[new]] = rows[new]
        peak = carry.measure_peak[measure]
        larger = known & ((peak[at] == NONE) | (numbers[rows] > numbers[np.maximum(peak[at], 0)]))
        peak[at[larger]] = rows[larger]


__all__ = ["CONFIRMED", "OPEN", "PSEUDO", "RESOLUTIONS", "RETRACTED", "STATES", "Episodes", "follow", "shows_growth"]
