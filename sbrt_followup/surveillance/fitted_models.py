"""Hazards from the JSON of `intervals` by its contract: the phases of each group's chosen model.

Conventions. Where the document holds its hazards ready (`hazards`), those are read instead. A chosen model that was refused, or
that has no phases (`weibull`), gives none: the group is named. A phase ends where the next one begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..problems import InputRefused, Problem
from .hazards import GroupHazards, Hazards, Rates


def holds_models(document: Any) -> bool:
    """Tell whether a document lists fitted models by group, and no hazards made ready."""
    groups = document.get("groups") if isinstance(document, Mapping) else None
    listed = isinstance(groups, list) and any(isinstance(g, Mapping) and "models" in g for g in groups)
    return listed and "hazards" not in document


def from_models(document: Mapping[str, Any]) -> Hazards:
    """Read the chosen model of every group; `InputRefused` names every group without one."""
    problems: list[Problem] = []
    found = []
    for place, group in enumerate(document["groups"]):
        try:
            found.append(_group(group))
        except (KeyError, TypeError, ValueError) as error:
            name = group.get("group") if isinstance(group, Mapping) else None
            where = f"group '{name}'" if isinstance(name, str) else f"groups[{place}]"
            detail = f": {error}" if isinstance(error, ValueError) else ", or not written as `intervals` writes it"
            hint = (
                "Fit it again with a model in phases: --model exponential, break, illness_death or illness_death_break."
            )
            problems.append(Problem("bad-hazards", f"{where} has no chosen model with phases{detail}", hint=hint))
    if not found and not problems:
        problems.append(Problem("bad-hazards", "'groups' is empty"))
    if problems:
        raise InputRefused(problems)
    unit = "site" if document.get("unit") == "site" else "patient"
    return Hazards(tuple(found), unit, str(document.get("endpoint", "progression")))  # type: ignore[arg-type]


def _group(group: Mapping[str, Any]) -> GroupHazards:
    name, chosen = str(group["group"]), group["chosen"]
    model = next((m for m in group["models"] if m["model"] == chosen), None)
    if model is None:
        raise ValueError("none was chosen")
    if model.get("status", "fitted") != "fitted" or not model.get("phases"):
        raise ValueError("the chosen one was not fitted in phases")
    phases = sorted(model["phases"], key=lambda phase: float(phase["from_month"]))
    death = model.get("death_clear_per_month")
    after = model.get("death_after_per_month")
    rates = Rates(
        tuple(float(p["from_month"]) for p in phases),
        tuple(float(p["hazard_per_month"]) for p in phases),
        0.0 if death is None else float(death),
        None if after is None else float(after),
    )
    errors = [p.get("std_error_log") for p in phases]
    return GroupHazards(
        name,
        rates,
        "fitted",
        f"intervals, model {chosen}",
        None if group.get("n") is None else int(group["n"]),
        tuple(int(p["events"]) for p in phases if p.get("events") is not None),
        () if any(e is None for e in errors) else tuple(float(e) for e in errors),
    )
