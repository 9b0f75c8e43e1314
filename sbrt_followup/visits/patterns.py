"""What a schedule is asked for, and the course of visits that each site follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np

from ..arrays import Ints
from ..rulebook.library import Rulebook
from ..rulebook.model import Plan
from ..vocabulary import TIERS
from .series import Pattern


@dataclass(frozen=True)
class Request:
    """What a schedule is asked for."""

    rulebook: Rulebook
    plan: Plan
    as_of: date
    horizon: Fraction | None = None
    assume_none_done: bool = False
    keys: bool = False
    """Also give EXPORT_COLUMNS: `visit_key` is the name a visit keeps however its date moves."""
    short: bool = False
    """Also give `why`: what a reader must know of a line beside the plan's own interval."""

    @property
    def today(self) -> int:
        """The day to judge from, as a whole number."""
        return int(np.datetime64(self.as_of, "D").astype(np.int64))


def patterns_of(request: Request, tiers: Ints) -> tuple[tuple[Pattern, ...], Ints]:
    """Give the courses of visits in use and which one each site follows; an undecided tier follows the plan's stand-in."""
    plan = request.plan
    horizon = request.horizon or plan.horizon.value
    if not plan.tiered:
        schedule = plan.schedule_for("any")
        assert schedule is not None
        return (Pattern(plan, schedule, horizon),), np.zeros(len(tiers), dtype=np.int64)
    meanwhile = request.rulebook.get(Plan, plan.undecided)
    stand_in = meanwhile.schedule_for("any")
    found = [plan.schedule_for(tier) for tier in TIERS]
    assert stand_in is not None
    patterns = [Pattern(plan, s, horizon) for s in found if s is not None]
    assert len(patterns) == len(TIERS)
    patterns.append(Pattern(meanwhile, stand_in, request.horizon or meanwhile.horizon.value, provisional=True))
    return tuple(patterns), np.where(tiers < 0, len(TIERS), tiers)
