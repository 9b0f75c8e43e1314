"""Cohorts drawn from known hazards and scanned on a plan's own days, as a perfect model would have them."""

import json
from typing import Any

import numpy as np
import pandas as pd

from helpers.scored_cohorts import LOOP, MONTH
from sbrt_followup.surveillance.hazards import Rates

FORMS = json.loads((LOOP / "policy_closed_forms.json").read_text(encoding="utf-8"))
ASSUMED = FORMS["assumptions"]
TIERS = ("low", "intermediate", "high")
SHARES = tuple(ASSUMED["mix"][tier] for tier in TIERS)
HORIZON = 60.0
RATES = {
    tier: Rates(
        tuple(float(begin) for begin, _ in ASSUMED["hazards_per_month"][tier]),
        tuple(rate for _, rate in ASSUMED["hazards_per_month"][tier]),
        ASSUMED["death_per_month"],
    )
    for tier in TIERS
}


def planned(plan: str, tier: str) -> list[float]:
    """The visits of a plan of the oracle, in months."""
    return FORMS["plans"][plan][tier]["visits"]


def scanned(visits: Any, rates: Rates, n: int, seed: int, lost: float = 0.0) -> tuple[Any, Any, Any, Any]:
    """Draw days and statuses, and every MRI done (whose, on which day); the living leave at their last clear MRI."""
    rng = np.random.default_rng(seed)
    onset = rates.reached(rng.exponential(size=n))
    unaffected = rng.exponential(1 / rates.death_clear, n)
    after = onset + rng.exponential(1 / rates.after, n)
    death = np.where(onset < unaffected, after, unaffected)
    leaves = np.minimum(rng.exponential(1 / lost, n) if lost else HORIZON + 1, HORIZON + 1)
    day = np.asarray(visits, dtype=float)
    k = np.searchsorted(day, onset)
    found = np.where((k < len(day)) & (onset < unaffected), day[np.minimum(k, len(day) - 1)], np.inf)
    is_found = found <= np.minimum(death, leaves)
    dead = ~is_found & (death <= leaves)
    past = np.searchsorted(day, leaves, side="right")
    clear = np.where(past > 0, day[np.maximum(past - 1, 0)], 0.01)
    time = np.where(is_found, found, np.where(dead, death, clear))
    status = np.where(is_found, 1, np.where(dead, 2, 0))
    unit, month = np.repeat(np.arange(n), len(day)), np.tile(day, n)
    return time * MONTH, status, unit, month * MONTH


def as_tables(n: int, seed: int, plan: str = "chen") -> tuple[pd.DataFrame, pd.DataFrame]:
    """A cohort and an imaging table, with the true risks of each tier as columns."""
    from sbrt_followup.surveillance.detection import Flow

    rows, scans = [], []
    for number, (tier, share) in enumerate(zip(TIERS, SHARES, strict=True)):
        size = round(n * share)
        time, status, unit, day = scanned(planned(plan, tier), RATES[tier], size, seed + number)
        whole, day = np.maximum(np.ceil(time - 1e-6), 1.0), np.ceil(day - 1e-6)
        zero = pd.Timestamp("2012-01-02")
        date = zero + pd.to_timedelta(whole, unit="D")
        ids = [f"{tier[0]}{i}" for i in range(size)]
        risks = {f"risk{m}": float(Flow(RATES[tier]).onsets(m)) for m in (12, 24, 48)}
        rows.append(
            pd.DataFrame(
                {
                    "patient_id": ids,
                    "sbrt_date": zero,
                    "progression_date": pd.Series(date).where(status == 1),
                    "death_date": pd.Series(date).where(status == 2),
                    "last_followup_date": date,
                    "tier": tier,
                    **risks,
                }
            )
        )
        kept = day <= whole[unit]
        scans.append(
            pd.DataFrame(
                {
                    "patient_id": np.array(ids)[unit[kept]],
                    "mri_date": zero + pd.to_timedelta(day[kept], unit="D"),
                    "completed": "yes",
                }
            )
        )
    return pd.concat(rows, ignore_index=True), pd.concat(scans, ignore_index=True)
