"""Growth over several MRIs: confirmed, gone again, or still open; a small state machine over MRIs in date order.

An episode opens with the first MRI that shows growth and is unbroken until an MRI shows the growth gone. An MRI that
shows progression by itself confirms it at once; otherwise the course document decides from how the growth goes on. A biopsy
without tumour starts the comparison anew. Progression by epidural disease alone that is gone on the next MRI is retracted.
Each step uses only the MRIs up to that day. What an episode turned out to be is then written back over its MRIs: that is
the state in retrospect, the only place where pseudo-progression is given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Flags, Ints
from ..rulebook.conditions import Column, Levels
from ..sites.scans import NONE
from ..sites.windows import BEFORE, INSIDE, JUST_AFTER
from ..vocabulary import FACTS, GROWTH_CALLS, SIZE_SIGNS, STATES
from .answers import Answer, ask, highest, take
from .measures import levels, whole, yes_no
from .readings import STATE, YES, Readings, held_against

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
    biopsied: Flags
    """A biopsy without tumour was taken in the episode."""
    epidural: Flags
    """The episode is one MRI with new epidural disease and nothing else, and not urgent."""
    measure_first: dict[str, Ints]
    measure_peak: dict[str, Ints]
    inconclusive: Ints


def shows_growth(reading: Readings) -> Flags:
    """Tell which MRIs show growth, epidural or neurological progression."""
    call, epidural, neurology = (_bits(reading, n) for n in ("growth_call", "epidural_sign", "neurological_sign"))
    grown = (call & -call) >= 1 << GROWTH_CALLS.index("equivocal")
    grown |= epidural == _level("epidural_sign", "progression")
    grown |= neurology == _level("neurological_sign", "progression")
    result: Flags = (grown | (reading.called == STATE["progression"])) & ~reading.scans.baseline
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
    no = np.zeros(n, dtype=bool)
    carry = _Carry(
        none.copy(),
        none.copy(),
        np.zeros(n, dtype=np.int64),
        no.copy(),
        no.copy(),
        {m: none.copy() for m in measures},
        {m: none.copy() for m in measures},
        np.zeros(n, dtype=np.int64),
    )
    alone = _epidural_alone(reading)
    episode, confirmed_at, inconclusive = none.copy(), none.copy(), np.zeros(n, dtype=np.int64)
    resolution = np.full(n, NOT_RESOLVED, dtype=np.int64)  # at the place of each episode's first MRI
    course, course_rule, growth_rule = (np.full(n, NOT_RESOLVED, dtype=np.int64) for _ in range(3))
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
            # Other than by size, growth cannot be gone while the MRI itself shows progression.
            outright = asked[own[asked] == STATE["progression"]]
            course[outright] = CONFIRMED
            course_rule[outright] = growth_rule[outright] = NOT_RESOLVED
        # Closing, then opening, then confirming.
        closes = np.isin(course[here], (RETRACTED, PSEUDO)) & is_open
        ended = carry.first[at[closes]]
        keep = (carry.confirmed[at[closes]] == NONE) | carry.epidural[at[closes]]
        resolution[ended[keep]] = course[here[closes]][keep]
        _forget(carry, at[closes])
        opens = growth[here] & ~is_open
        _open(reading, carry, here[opens], alone)
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
        _remember(reading, carry, inside, growth)
        unclear, unread = np.isin(called[here], INCONCLUSIVE), called[here] == STATE["not_read"]
        carry.inconclusive[at] = np.where(
            unread, carry.inconclusive[at], np.where(unclear, carry.inconclusive[at] + 1, 0)
        )
        inconclusive[here] = carry.inconclusive[at]
    within = episode != NONE
    first = np.maximum(episode, 0)
    mine = np.where(within, np.where(resolution[first] == NOT_RESOLVED, OPEN, resolution[first]), NOT_RESOLVED)
    state = np.select(
        [
            within & growth & (mine == CONFIRMED),
            within & growth & (mine == PSEUDO),
            within & growth & (mine == RETRACTED) & (called == STATE["progression"]),
        ],
        [STATE["progression"], STATE["pseudoprogression"], STATE["equivocal"]],
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
    asked = ("size_sign", "window_place", "above_baseline", "gtv_baseline_cc", "epidural_sign")
    facts: dict[str, Column] = {name: take(reading.facts, name, rows) for name in asked}
    everywhere = np.ones(len(rows), dtype=bool)
    began = reading.scans.day[carry.first[at]]
    facts["below_peak"] = yes_no("below_peak", _below_peak(reading, rows, carry), everywhere)
    facts["therapy_in_episode"] = yes_no("therapy_in_episode", reading.read.therapy[rows] > began, everywhere)
    now = _bits(reading, "biopsy_result")[rows] == _level("biopsy_result", "negative")
    order = FACTS["biopsy_in_episode"].levels
    taken = np.where(now, order.index("now"), np.where(carry.biopsied[at], order.index("before"), order.index("none")))
    facts["biopsy_in_episode"] = levels("biopsy_in_episode", taken)
    kinds = FACTS["episode_kind"].levels
    facts["episode_kind"] = levels(
        "episode_kind", np.where(carry.epidural[at], kinds.index("epidural_alone"), kinds.index("growth"))
    )
    facts["since_first_growth"] = _since(
        reading, rows, "first_growth", {m: p[at] for m, p in carry.measure_first.items()}
    )
    facts["since_peak"] = _since(reading, rows, "peak", {m: p[at] for m, p in carry.measure_peak.items()})
    facts["began_in_window"] = Levels(carry.began[at])
    facts["episode_days"] = whole(reading.scans.day[rows] - began)
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


def _below_peak(reading: Readings, rows: Ints, carry: _Carry) -> Flags:
    """Tell which MRIs have a volume smaller than the largest of their episode, by any amount."""
    at = reading.scans.start[rows]
    values = reading.read.numbers["gtv_cc"]
    peak = carry.measure_peak.get("gtv_cc", np.full(len(values), NONE))[at]
    result: Flags = (peak != NONE) & (values[rows] < values[np.maximum(peak, 0)])
    return result


def _epidural_alone(reading: Readings) -> Flags:
    """Tell which MRIs show new epidural disease and nothing else for progression, and nothing urgent."""
    grown = _bits(reading, "growth_call") >= 1 << GROWTH_CALLS.index("equivocal")
    other = _bits(reading, "neurological_sign") == _level("neurological_sign", "progression")
    for name in ("biopsy_result", "pet_result"):
        other |= _bits(reading, name) == _level(name, "positive")
    new = _bits(reading, "epidural_sign") == _level("epidural_sign", "progression")
    result: Flags = new & ~grown & ~other & (reading.urgent != YES)
    return result


def _open(reading: Readings, carry: _Carry, rows: Ints, alone: Flags) -> None:
    at = reading.scans.start[rows]
    carry.first[at] = rows
    carry.confirmed[at] = NONE
    carry.biopsied[at] = False
    carry.epidural[at] = alone[rows]
    place = _bits(reading, "window_place")[rows]
    could = 1 << BEFORE | 1 << INSIDE | 1 << JUST_AFTER
    yes = np.where((place & could) != 0, _level("began_in_window", "yes"), 0)
    no = np.where((place & ~could) != 0, _level("began_in_window", "no"), 0)
    carry.began[at] = yes | no


def _forget(carry: _Carry, at: Ints) -> None:
    carry.first[at] = NONE
    carry.confirmed[at] = NONE
    for places in (*carry.measure_first.values(), *carry.measure_peak.values()):
        places[at] = NONE


def _remember(reading: Readings, carry: _Carry, rows: Ints, growth: Flags) -> None:
    """Keep, per measure, the first and the largest MRI of the episode; a biopsy without tumour makes its MRI the first."""
    at = reading.scans.start[rows]
    biopsied = _bits(reading, "biopsy_result")[rows] == _level("biopsy_result", "negative")
    carry.biopsied[at] |= biopsied
    # A second MRI that shows growth, and it is no longer one reading of epidural disease.
    carry.epidural[at] &= (carry.first[at] == rows) | ~growth[rows]
    for measure, first in carry.measure_first.items():
        numbers = reading.read.numbers[measure]
        known = ~np.isnan(numbers[rows])
        new = known & ((first[at] == NONE) | biopsied)
        first[at[new]] = rows[new]
        peak = carry.measure_peak[measure]
        larger = known & ((peak[at] == NONE) | (numbers[rows] > numbers[np.maximum(peak[at], 0)]))
        peak[at[larger]] = rows[larger]


__all__ = ["CONFIRMED", "OPEN", "PSEUDO", "RESOLUTIONS", "RETRACTED", "STATES", "Episodes", "follow", "shows_growth"]
