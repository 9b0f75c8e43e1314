"""The values of an explanation: lines with their verdict, basis, rule and sources; conditions told part by part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from .conditions import Condition, Facts, Test, evaluate, evaluate_part
from .model import Reference

Verdict = Literal["met", "not met", "unknown", ""]


@dataclass(frozen=True)
class Line:
    """One statement: its verdict where it is a condition, its basis, the rule and the sources it rests on."""

    text: str
    verdict: Verdict = ""
    basis: str = ""
    rule: str = ""
    cites: tuple[str, ...] = ()
    depth: int = 0


@dataclass(frozen=True)
class Step:
    """One link of the chain."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Explanation:
    """The chain and the sources it ends in."""

    steps: tuple[Step, ...]
    sources: tuple[Reference, ...] = field(default=())


def verdict_of(true: Any, unknown: Any) -> Verdict:
    """Give the word for one patient's (true, unknown)."""
    return "unknown" if unknown[0] else "met" if true[0] else "not met"


def conditions(condition: Condition, features: dict[str, Condition], facts: Facts, depth: int = 1) -> Iterator[Line]:
    """Say of every part of a condition whether one patient meets it."""
    for part in condition.parts:
        said = verdict_of(*evaluate_part(part, features, facts, 1))
        yield Line(str(part), said, depth=depth)
        if not isinstance(part, Test):
            for name in part.of:
                yield Line(name, verdict_of(*evaluate(features[name], features, facts, 1)), depth=depth + 1)
