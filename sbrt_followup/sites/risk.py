"""The risk tier of each treated site, and of each patient's course (its worst site).

Columns as in the contract. A tier is a conclusion of the rulebook's risk table; where a missing fact could change it,
the row says which tiers stay possible and which fact would settle it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..arrays import Flags
from ..rulebook.conditions import evaluate, tests_in
from ..rulebook.deciding import Decisions, decide
from ..rulebook.library import Rulebook
from ..rulebook.model import RiskTable
from ..rulebook.robustness import Robustness, sensitivity
from ..rulebook.sins import categories
from ..tables.columns import COHORT
from ..vocabulary import BASES
from .facts import SiteFacts, site_facts

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "patient_id", "site_id", "sins_total", "sins_low", "sins_high", "sins_category", "epidural", "paraspinal",
    "risk_group", "status", "possible_groups", "robust", "missing", "rule", "basis",
)  # fmt: skip


@dataclass(frozen=True)
class SiteRisk:
    """The decisions of each row of a cohort frame."""

    rulebook: Rulebook
    facts: SiteFacts
    decisions: Decisions

    @cached_property
    def robustness(self) -> Robustness:
        """What the tier would be under every variant of the unpublished split."""
        return sensitivity(self.rulebook.risk).of(self.facts.facts, len(self.decisions.case))

    @cached_property
    def robust(self) -> Flags:
        """The tier holds under every split, cut and missing value."""
        return self.robustness.robust[self.robustness.cover.case] & (self.decisions.outcome >= 0)

    @property
    def tier(self) -> npt.NDArray[np.int64]:
        """The decided tier's index, -1 where not decided."""
        return self.decisions.outcome

    @property
    def flips(self) -> list[tuple[str, ...]]:
        """Per row, what gives another tier."""
        return [self.robustness.flips[case] for case in self.robustness.cover.case]


def site_risk(frame: pd.DataFrame, rulebook: Rulebook) -> SiteRisk:
    """Decide the tier of every row of a cohort frame."""
    facts = site_facts(frame, rulebook.sins)
    return SiteRisk(rulebook, facts, decide(rulebook.risk, facts.facts, len(frame)))


def weakest(bases: Sequence[str]) -> str:
    """Give the least firm of several bases."""
    return max(bases, key=BASES.index)


def _by_case(decisions: Decisions, texts: Sequence[str]) -> Any:
    """Spread one text per case over the rows, cheaply."""
    import pandas as pd

    distinct = list(dict.fromkeys(texts))
    code = np.array([distinct.index(t) for t in texts], dtype=np.int32)
    return pd.Categorical.from_codes(code[decisions.case], dtype=pd.CategoricalDtype(distinct))


def _flag(true: Flags, unknown: Flags) -> Any:
    import pandas as pd

    return pd.Categorical.from_codes(np.where(unknown, -1, true.astype(int)), dtype=pd.CategoricalDtype(["no", "yes"]))


def rule_name(table: RiskTable, ids: Sequence[str]) -> str:
    """Name the rules behind a conclusion: `risk/chen-2024#rule`, several joined by `;`."""
    return ";".join(f"{table.name}#{rule}" for rule in ids)


def _rule_bases(table: RiskTable, ids: Sequence[str]) -> str:
    used = [r for r in table.rules if r.id in ids]
    return weakest([table.basis, *(r.basis for r in used), *(f.basis for f in table.features)])


def by_site(risk: SiteRisk, frame: pd.DataFrame) -> pd.DataFrame:
    """Give one row per treated site, in the contract's columns, then the user's own."""
    import pandas as pd

    decisions, table, facts = risk.decisions, risk.rulebook.risk, risk.facts
    cases = range(len(decisions.possible))
    tiers = table.outcomes
    low, high = facts.sins_low, facts.sins_high
    names = [c.id for c in risk.rulebook.sins.categories]
    epidural = _resting_on(table, "bilsky")
    true, unknown = evaluate(epidural, {}, facts.facts, len(frame)) if epidural else (None, None)
    decided = decisions.case_outcome
    result = pd.DataFrame(
        {
            "patient_id": frame["patient_id"],
            "site_id": frame["site_id"],
            "sins_total": pd.array(np.where(low == high, low, np.nan), dtype="Int64"),
            "sins_low": low.astype(np.int64),
            "sins_high": high.astype(np.int64),
            "sins_category": pd.Categorical.from_codes(
                categories(risk.rulebook.sins, low, high), dtype=pd.CategoricalDtype(names)
            ),
            "epidural": None if true is None or unknown is None else _flag(true, unknown),
            "paraspinal": frame["paraspinal"],
            "risk_group": pd.Categorical.from_codes(decisions.outcome, dtype=pd.CategoricalDtype(list(tiers), ordered=True)),
            "status": _by_case(decisions, [str(s) for s in decisions.case_status]),
            "possible_groups": _by_case(
                decisions, [";".join(t for t, can in zip(tiers, decisions.possible[c], strict=True) if can) for c in cases]
            ),
            "robust": _flag(risk.robust, np.zeros(len(frame), dtype=bool)),
            "missing": _by_case(
                decisions,
                [";".join(f for f, m in zip(decisions.facts, decisions.missing[c], strict=True) if m) for c in cases],
            ),
            "rule": _by_case(
                decisions, [rule_name(table, decisions.rule_ids(c)) if decided[c] >= 0 else "" for c in cases]
            ),
            "basis": _by_case(
                decisions, [_rule_bases(table, decisions.rule_ids(c)) for c in cases]
            ),
        }
    )  # fmt: skip
    declared = {"row", *(spec.name for spec in COHORT)}
    for name in frame.columns:
        if name not in declared:
            result[f"cohort_{name}" if name in result else name] = frame[name]
    return result


def _resting_on(table: RiskTable, fact: str) -> Any:
    return next((f.when for f in table.features if any(t.fact == fact for t in tests_in(f.when, {}))), None)


def courses(frame: pd.DataFrame, within_days: int) -> npt.NDArray[np.int64]:
    """Number each patient's courses from 0: sites treated within so many days of a course's first site belong to it."""
    import pandas as pd

    patient = pd.factorize(frame["patient_id"])[0]
    day = frame["sbrt_date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    course = np.zeros(len(frame), dtype=np.int64)
    rest = np.arange(len(frame))
    number = 0
    while len(rest):
        start = pd.Series(day[rest]).groupby(patient[rest]).transform("min").to_numpy()
        later = day[rest] - start > within_days
        course[rest] = number
        rest = rest[later]
        number += 1
    return course


def by_patient(risk: SiteRisk, frame: pd.DataFrame) -> pd.DataFrame:
    """Give one row per patient and course: the worst site, every attainable maximum, robust if that is.

    A course's tier rests on its own sites only; a later course never changes an earlier one.
    """
    import pandas as pd

    decisions, table = risk.decisions, risk.rulebook.risk
    within = int(table.course.value)
    course = courses(frame, within)
    order = np.lexsort((frame["site_id"].to_numpy().astype(str), course, frame["patient_id"].to_numpy().astype(str)))
    sites = by_site(risk, frame).iloc[order].reset_index(drop=True)
    key = pd.Series(list(zip(sites["patient_id"], course[order], strict=True)))
    group = pd.factorize(key)[0]
    count = int(group.max()) + 1 if len(group) else 0
    possible = decisions.possible[decisions.case][order]
    tiers = table.outcomes
    attainable = np.zeros((count, len(tiers)), dtype=bool)
    lowest = possible.argmax(axis=1)
    floor = np.zeros(count, dtype=np.int64)
    np.maximum.at(floor, group, lowest)
    for k in range(len(tiers)):
        can = np.zeros(count, dtype=bool)
        np.logical_or.at(can, group, possible[:, k])
        attainable[:, k] = can & (k >= floor)
    stuck = np.zeros(count, dtype=bool)
    np.logical_or.at(stuck, group, (decisions.no_match | decisions.conflict)[decisions.case][order])
    decided = (attainable.sum(axis=1) == 1) & ~stuck
    robust_tier = np.where(risk.robust[order], decisions.outcome[order], -1)
    any_high = np.zeros(count, dtype=bool)
    all_low = np.ones(count, dtype=bool)
    np.logical_or.at(any_high, group, robust_tier == len(tiers) - 1)
    np.logical_and.at(all_low, group, robust_tier == 0)
    joined = sites.astype(object).groupby(group, sort=False)
    tier = np.where(decided, attainable.argmax(axis=1), -1)
    undecided = pd.Series(np.where(decided[group], False, True))
    worst = sites["risk_group"].cat.codes.to_numpy() == tier[group]
    return pd.DataFrame(
        {
            "patient_id": joined["patient_id"].first(),
            "site_id": joined["site_id"].agg(lambda s: ";".join(s)),
            **{name: joined[name].agg(_if_one).astype("Int64") for name in ("sins_total", "sins_low", "sins_high")},
            "sins_category": joined["sins_category"].agg(_if_one),
            "epidural": _any_yes(sites["epidural"], group, count),
            "paraspinal": _any_yes(sites["paraspinal"], group, count),
            "risk_group": pd.Categorical.from_codes(tier, dtype=pd.CategoricalDtype(list(tiers), ordered=True)),
            "status": np.where(decided, "decided", "indeterminate"),
            "possible_groups": [";".join(t for t, can in zip(tiers, row, strict=True) if can) for row in attainable],
            "robust": np.where(decided & (any_high | all_low), "yes", "no"),
            "missing": _joined(sites["missing"].astype(object).where(undecided, ""), group, count),
            "rule": _joined(sites["rule"].astype(object).where(pd.Series(worst & decided[group]), ""), group, count),
            "basis": [weakest(list(b)) for b in joined["basis"].agg(list)],
        }
    )  # fmt: skip


def _if_one(values: pd.Series[Any]) -> Any:
    """Keep a course's value when it has one site: scores of several sites have no common one."""
    return values.iloc[0] if len(values) == 1 else None


def _joined(texts: pd.Series[Any], group: npt.NDArray[np.int64], count: int) -> list[str]:
    parts: list[dict[str, None]] = [{} for _ in range(count)]
    for text, at in zip(texts.astype(str), group, strict=True):
        parts[at].update(dict.fromkeys(p for p in text.split(";") if p))
    return [";".join(p) for p in parts]


def _any_yes(flags: pd.Series[Any], group: npt.NDArray[np.int64], count: int) -> list[str | None]:
    """Yes when a site has it, no when none has it, empty when that is not known."""
    yes, unknown = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    np.logical_or.at(yes, group, (flags == "yes").to_numpy())
    np.logical_or.at(unknown, group, flags.isna().to_numpy())
    return ["yes" if y else None if u else "no" for y, u in zip(yes, unknown, strict=True)]


def flips(risk: SiteRisk, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """List, for every site whose tier is not robust, which cut or split would give another tier."""
    return [
        {"patient_id": patient, "site_id": site, "another_tier_under": list(found)}
        for patient, site, found in zip(frame["patient_id"], frame["site_id"], risk.flips, strict=True)
        if found
    ]
