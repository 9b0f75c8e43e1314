"""A plan as an overlay to sign: what a comparison or fitted intervals suggest, written as a rule document.

Conventions. The overlay changes the base's schedules and nothing else, is `local`, and holds all it rests on. Nobody has approved
it: `approved_by` is left empty, so that `rules check` refuses it until somebody signs. Offsets are months (weeks ×
7 / 30.4375, four decimals); a phase ends at the offset of its own last MRI, exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ...rulebook.model import Plan
from ...surveillance.phased import WEEK, Phased
from ...timing import DAYS_PER_MONTH

PLACES = 10_000


@dataclass(frozen=True)
class Stage:
    """One phase in months: its gap, where it ends (None: never), and what it says in words."""

    every: Fraction
    until: Fraction | None
    says: str
    limits: tuple[Fraction, Fraction] | None = None
    """Confidence limits of the gap, where it was fitted."""


@dataclass(frozen=True)
class Course:
    """One group's schedule: the first MRI, and the phases after it."""

    tiers: tuple[str, ...]
    first: Fraction
    stages: tuple[Stage, ...]
    first_says: str = "As in the plan it was compared with."


def in_months(weeks: int) -> Fraction:
    """Turn whole weeks into months of four decimals."""
    return Fraction(round(weeks * WEEK / DAYS_PER_MONTH * PLACES), PLACES)


def course_of(tiers: tuple[str, ...], plan: Phased) -> Course:
    """Write a plan in whole weeks as a course in months."""
    first = in_months(plan.first)
    month, week, stages = first, plan.first, []
    for stretch in plan.stretches:
        every, until = in_months(stretch.every), None
        if stretch.until is not None:
            month += every * ((stretch.until - week) // stretch.every)
            week, until = stretch.until, month
        stages.append(Stage(every, until, f"every {stretch.every} weeks"))
    return Course(tiers, first, tuple(stages))


def overlay(base: Plan, name: str, title: str, courses: Sequence[Course], why: str, notes: str) -> str:
    """Give the overlay's YAML."""
    lines = [
        "# A proposal. Read what it rests on, sign `approved_by` below, then run `sbrt-followup rules check` and `rules impact`.",
        f"id: {name}",
        "version: 1.0.0",
        "kind: plan",
        f"title: {_text(title)}",
        "extends:",
        f"  document: {base.name}",
        f"  version: {base.version}",
        f"  content_hash: {_text(base.content_hash)}",
        f"notes: {_text(notes)}",
        "changes:",
        "  - at: schedules",
        "    to:",
    ]
    for course in courses:
        key = "-".join(course.tiers)
        lines += [
            f"      - tiers: [{', '.join(course.tiers)}]",
            f"        first: {{id: first-{key}, at: {_number(course.first)}, basis: local, why: {_text(course.first_says)}}}",
            "        phases:",
        ]
        for number, stage in enumerate(course.stages, 1):
            until = "" if stage.until is None else f"until: {_number(stage.until)}, "
            limits = "" if stage.limits is None else f"interval_ci: [{', '.join(map(_number, stage.limits))}], "
            lines.append(
                f"          - {{id: {key}-{number}, {until}every: {_number(stage.every)}, {limits}basis: local, why: {_text(stage.says)}}}"
            )
    lines += [f"    why: {_text(why)}", '    approved_by: ""', "verified: []", ""]
    return "\n".join(lines)


def _number(value: Fraction) -> str:
    return f"{float(value):.4f}".rstrip("0").rstrip(".")


def _text(text: str) -> str:
    """Quote a text for YAML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
