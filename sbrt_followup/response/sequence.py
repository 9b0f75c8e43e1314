"""In which order a profile's documents are asked: each after those that give the facts it names.

Two steps are not documents: sizes (every size document against every scan it names, the highest counts) and weighing
(what the signs come to together).
"""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from ..problems import InputRefused, Problem
from ..rulebook.criteria import Criterion
from .answers import Criteria, facts_of

SIZES, WEIGHING = "sizes", "weighing"
GIVEN_BY_SIZES = ("size_sign", "above_baseline")
GIVEN_BY_WEIGHING = ("soft_signs", "firm_opposition")
LATER = ("growth_course", "course", "next_step")
"""Roles that look at several MRIs: asked by the course of growth, not by one MRI's reading."""


@dataclass(frozen=True)
class Turn:
    """One step: a document to ask, or one of the two that sum several up."""

    name: str
    criterion: Criterion | None = None


def in_order(criteria: Criteria) -> tuple[Turn, ...]:
    """Give the steps in an order in which every fact is known before it is asked for; refuses documents that wait for each other."""
    asked = [c for c in criteria.all if c.role not in LATER and c.role != "size"]
    turns = {c.id: Turn(c.id, c) for c in asked} | {name: Turn(name) for name in (SIZES, WEIGHING)}
    givers: dict[str, str] = dict.fromkeys(GIVEN_BY_SIZES, SIZES) | dict.fromkeys(GIVEN_BY_WEIGHING, WEIGHING)
    givers |= {c.gives: c.id for c in asked if c.gives}
    needs = {c.id: {givers[f] for f in facts_of(c) if f in givers} - {c.id} for c in asked}
    needs[SIZES] = {givers["scan_order"]} if "scan_order" in givers else set()
    needs[WEIGHING] = {SIZES, *(c.id for c in criteria.signs)}
    try:
        return tuple(turns[name] for name in TopologicalSorter(needs).static_order())
    except CycleError as error:
        names = ", ".join(dict.fromkeys(error.args[1]))
        raise InputRefused(
            [
                Problem(
                    "documents-in-a-circle", f"these documents wait for each other's answer: {names}", criteria.source
                )
            ]
        ) from None
