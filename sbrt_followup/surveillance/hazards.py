"""Hazards by group, as one value: what `intervals` fits and what comparing plans, validation and the yield monitor start from.

Conventions. Months are analysis months (30.4375 days) since time zero, rates are per month. A patient is clear,
progressed or dead: clear → progressed is constant in pieces, clear → dead and progressed → dead are constant. Every group
says how its rates are known; only `fitted` ones come from a cohort.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from ..problems import InputRefused, Problem, nearest

Floats = npt.NDArray[np.float64]
Known = Literal["fitted", "derived", "published", "assumed"]
KNOWN: tuple[str, ...] = get_args(Known)


@dataclass(frozen=True)
class Rates:
    """Rates per month of one group: progression from each month of `from_months` (the first is 0) on, and death."""

    from_months: tuple[float, ...]
    progression: tuple[float, ...]
    death_clear: float = 0.0
    death_after: float | None = None
    """After progression; None: the same as before it."""

    def __post_init__(self) -> None:
        if len(self.from_months) != len(self.progression) or not self.from_months or self.from_months[0] != 0:
            raise ValueError("a rate of progression for every piece, the first from month 0")
        if any(b <= a for a, b in pairwise(self.from_months)):
            raise ValueError("pieces begin one after another")
        if min(*self.progression, self.death_clear, self.after) < 0:
            raise ValueError("a rate is 0 or more")

    @property
    def after(self) -> float:
        """The rate of death after progression."""
        return self.death_clear if self.death_after is None else self.death_after

    def cumulative(self, months: npt.ArrayLike) -> Floats:
        """Give the cumulative hazard of progression at each month."""
        t = np.asarray(months, dtype=np.float64)[..., None]
        begin = np.array(self.from_months)
        stop = np.append(begin[1:], np.inf)
        return np.asarray((np.clip(np.minimum(t, stop) - begin, 0.0, None) * np.array(self.progression)).sum(axis=-1))

    def reached(self, cumulative: npt.ArrayLike) -> Floats:
        """Give the month at which the cumulative hazard reaches a value; infinite where it never does."""
        wanted = np.asarray(cumulative, dtype=np.float64)
        begin, rate = np.array(self.from_months), np.array(self.progression)
        at = self.cumulative(begin)
        piece = np.searchsorted(at, wanted, side="right") - 1
        with np.errstate(divide="ignore", invalid="ignore"):
            month = begin[piece] + (wanted - at[piece]) / rate[piece]
        return np.where(wanted <= 0, 0.0, np.where(np.isnan(month), np.inf, month))


@dataclass(frozen=True)
class GroupHazards:
    """One group's rates, how they are known, and how well."""

    group: str
    rates: Rates
    known: Known
    source: str
    """In words, for people: the cohort and model, the document, the citation."""
    n: int | None = None
    events: tuple[int, ...] = ()
    """By piece; empty where nothing was counted."""
    std_error_log: tuple[float, ...] = ()
    """Of the logarithm of each piece's rate; empty where not known."""
    draws: tuple[Rates, ...] = ()
    """Rates fitted to bootstrap samples of patients; empty where none were drawn."""

    def sampled(self, number: int, rng: np.random.Generator) -> tuple[Rates, ...]:
        """Give rates as uncertain as these: bootstrap draws, else log-normal by the standard errors, else themselves."""
        if self.draws:
            return tuple(self.draws[i] for i in rng.integers(0, len(self.draws), number))
        if not self.std_error_log:
            return (self.rates,) * number
        spread = np.exp(rng.standard_normal((number, len(self.std_error_log))) * np.array(self.std_error_log))
        return tuple(
            Rates(
                self.rates.from_months,
                tuple((np.array(self.rates.progression) * row).tolist()),
                self.rates.death_clear,
                self.rates.death_after,
            )
            for row in spread
        )


@dataclass(frozen=True)
class Hazards:
    """The hazards of every group of a cohort or source, mildest first."""

    groups: tuple[GroupHazards, ...]
    unit: Literal["patient", "site"] = "patient"
    endpoint: str = "progression"

    def of(self, group: str) -> GroupHazards:
        """Give one group's hazards."""
        for own in self.groups:
            if own.group == group:
                return own
        names = [own.group for own in self.groups]
        raise InputRefused([Problem("unknown-group", f"no hazards of a group '{group}'", hint=nearest(group, names))])

    def with_death(self, per_month: float) -> Hazards:
        """Give the same hazards with another rate of death, alike before and after progression."""
        groups = tuple(
            replace(
                own,
                rates=replace(own.rates, death_clear=per_month, death_after=None),
                draws=tuple(replace(d, death_clear=per_month, death_after=None) for d in own.draws),
            )
            for own in self.groups
        )
        return replace(self, groups=groups)

    @property
    def known(self) -> tuple[str, ...]:
        """How the rates are known, each word once."""
        return tuple(dict.fromkeys(own.known for own in self.groups))


def to_json(hazards: Hazards) -> dict[str, Any]:
    """Write hazards as a JSON document (schema_version 1); `from_json` reads it back unchanged."""
    return {
        "schema_version": 1,
        "kind": "hazards",
        "endpoint": hazards.endpoint,
        "unit": hazards.unit,
        "groups": [
            {
                "group": own.group,
                "known": own.known,
                "source": own.source,
                "n": own.n,
                "events": list(own.events),
                "std_error_log": list(own.std_error_log),
                **_rates(own.rates),
                "draws": [_rates(draw) for draw in own.draws],
            }
            for own in hazards.groups
        ],
    }


def _rates(rates: Rates) -> dict[str, Any]:
    return {
        "from_months": list(rates.from_months),
        "progression_per_month": list(rates.progression),
        "death_clear_per_month": rates.death_clear,
        "death_after_per_month": rates.death_after,
    }


def from_json(document: Any) -> Hazards:
    """Read hazards written by `to_json`, or the JSON of `intervals` (there they stand under `hazards`).

    Raises `InputRefused` with every problem, each with its place in the document.
    """
    body = document.get("hazards", document) if isinstance(document, Mapping) else None
    if not isinstance(body, Mapping) or body.get("kind") != "hazards":
        raise InputRefused(
            [
                Problem(
                    "not-hazards",
                    "this JSON holds no hazards",
                    hint="Write it with `sbrt-followup intervals COHORT --format json -o intervals.json`.",
                )
            ]
        )
    reader = _Reader()
    groups = [reader.group(entry, f"groups[{i}]") for i, entry in enumerate(reader.entries(body, "groups"))]
    unit, endpoint = body.get("unit"), body.get("endpoint", "progression")
    if unit not in ("patient", "site"):
        reader.note("unit", "is 'patient' or 'site'")
    names = [own.group for own in groups if own is not None]
    if len(set(names)) != len(names):
        reader.note("groups", "names a group twice")
    if not names:
        reader.note("groups", "is empty")
    if reader.problems:
        raise InputRefused(reader.problems)
    return Hazards(tuple(g for g in groups if g is not None), "site" if unit == "site" else "patient", str(endpoint))


class _Reader:
    """Takes a JSON document apart, noting everything that is wrong with it."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def note(self, where: str, message: str) -> None:
        self.problems.append(Problem("bad-hazards", f"'{where}' {message}"))

    def entries(self, body: Mapping[str, Any], name: str) -> Sequence[Any]:
        value = body.get(name)
        if isinstance(value, Sequence) and not isinstance(value, str):
            return value
        self.note(name, "is a list")
        return ()

    def number(self, value: Any, where: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value) or value < 0:
            self.note(where, "is a number, 0 or more")
            return 0.0
        return float(value)

    def numbers(self, body: Mapping[str, Any], name: str, where: str) -> tuple[float, ...]:
        return tuple(self.number(v, f"{where}.{name}[{i}]") for i, v in enumerate(self.entries(body, name)))

    def rates(self, body: Mapping[str, Any], where: str) -> Rates | None:
        before = len(self.problems)
        after = body.get("death_after_per_month")
        parts = (
            self.numbers(body, "from_months", where),
            self.numbers(body, "progression_per_month", where),
            self.number(body.get("death_clear_per_month", 0.0), f"{where}.death_clear_per_month"),
            None if after is None else self.number(after, f"{where}.death_after_per_month"),
        )
        if len(self.problems) > before:
            return None
        try:
            return Rates(*parts)
        except ValueError as error:
            self.note(where, f"does not hold together: {error}")
            return None

    def group(self, body: Any, where: str) -> GroupHazards | None:
        if not isinstance(body, Mapping):
            self.note(where, "is an object")
            return None
        known, n = body.get("known"), body.get("n")
        if known not in KNOWN:
            self.note(f"{where}.known", f"is one of {', '.join(KNOWN)}")
        rates = self.rates(body, where)
        draws = [self.rates(d, f"{where}.draws[{i}]") for i, d in enumerate(body.get("draws") or [])]
        errors = self.numbers(body, "std_error_log", where)
        events = self.numbers(body, "events", where)
        if rates is None or known not in KNOWN:
            return None
        if errors and len(errors) != len(rates.progression):
            self.note(f"{where}.std_error_log", "has one number for each piece")
        return GroupHazards(
            str(body.get("group")),
            rates,
            known,
            str(body.get("source", "")),
            None if n is None else int(self.number(n, f"{where}.n")),
            tuple(int(e) for e in events),
            errors,
            tuple(d for d in draws if d is not None),
        )
