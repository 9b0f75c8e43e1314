"""Synthetic cohorts with imaging, from the rulebook and the rates of `evidence.yaml`; seeded, and labelled in every row.

Progression is piecewise exponential by the patient's tier, death competes, and what a patient's MRIs find comes from the
plan's own visits with jitter and missed scans. The rates are derived from published intervals and the mix of tiers is
fitted and ill-conditioned (evidence source `derived2024`): for trying methods and software, never as results. The course
of a lesion's volume is made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..followup.visits import NEVER, Pattern, planned_grid
from ..problems import refuse
from ..rulebook.library import Rulebook
from ..rulebook.model import Plan
from ..timing import analysis_days
from ..vocabulary import TIERS

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SOURCE = "derived2024"
LABEL = "synthetic"


@dataclass(frozen=True)
class Settings:
    """What to simulate; all but the seed and the sizes are assumptions of a simulation, not findings."""

    patients: int
    sites: int
    seed: int
    plan: str
    jitter_days: float
    missed: float
    local_share: float
    followup_years: tuple[float, float]
    start: str


@dataclass(frozen=True)
class Rates:
    """Hazards a month by tier (before and after a change), of death, the mix of tiers, and pseudo-progression."""

    early: Floats
    late: Floats
    change_months: float
    death: float
    mix: Floats
    pseudo: float
    pseudo_days: tuple[int, int]


def rates_of(rulebook: Rulebook) -> Rates:
    """Read the rates from the bibliography; refuses a rulebook whose evidence does not hold them."""
    found = {
        (source.key, finding.id): [float(v.value) for v in finding.values]
        for source in rulebook.evidence.sources
        for finding in source.findings
    }
    try:
        low, middle = found[SOURCE, "hazard-low"][0], found[SOURCE, "hazard-intermediate"][0]
        high, later, change = found[SOURCE, "hazard-high"]
        mix = np.array(found[SOURCE, "group-mix"])
        death = found[SOURCE, "competing-death"][0]
        swelling = found["amini2016", "incidence"][0] / 100
    except (KeyError, ValueError, IndexError):
        raise refuse("no-rates", f"the evidence holds no rates to simulate with ({SOURCE}, amini2016)") from None
    window = rulebook.windows[0].window
    return Rates(
        early=np.array([low, middle, high]), late=np.array([low, middle, later]), change_months=change, death=death,
        mix=mix / mix.sum(), pseudo=swelling,
        pseudo_days=(window.from_, window.to),
    )  # fmt: skip


def simulate(rulebook: Rulebook, settings: Settings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give a cohort and an imaging frame in the contract's columns; the same settings give the same rows."""
    if not 0 < settings.patients <= settings.sites:
        raise refuse("bad-size", "there must be at least one site per patient")
    rates, rng = rates_of(rulebook), np.random.default_rng(settings.seed)
    n = settings.patients
    tier = rng.choice(len(TIERS), size=n, p=rates.mix)
    zero = np.datetime64(settings.start, "D").astype(np.int64) + rng.integers(0, 4 * 365, n)
    event = _event_days(rates, tier, rng)
    death = np.ceil(rng.exponential(1 / rates.death, n) * analysis_days(1)).astype(np.int64)
    low, high = settings.followup_years
    closing = (rng.uniform(low, high, n) * 12 * analysis_days(1)).astype(np.int64)
    stop = np.minimum(death, closing)
    scans = _scan_days(rulebook, settings, tier, zero, stop, rng)
    detected, clear = _detected(event, scans)
    local = rng.random(n) < settings.local_share
    owner = np.sort(np.concatenate([np.arange(n), rng.integers(0, n, settings.sites - n)]))
    cohort = _cohort(settings, tier, zero, detected, clear, local, death, closing, owner, rng)
    return cohort, _imaging(rates, cohort, owner, zero, scans, detected, local, rng)


def _event_days(rates: Rates, tier: Ints, rng: np.random.Generator) -> Ints:
    """Draw the day of true progression by inverting the cumulative hazard."""
    need = rng.exponential(1.0, len(tier))
    first = rates.early[tier] * rates.change_months
    months = np.where(need <= first, need / rates.early[tier], rates.change_months + (need - first) / rates.late[tier])
    return np.ceil(months * analysis_days(1)).astype(np.int64)


def _scan_days(rulebook: Rulebook, settings: Settings, tier: Ints, zero: Ints, stop: Ints,
               rng: np.random.Generator) -> Ints:  # fmt: skip
    """Give each patient's MRIs in days since time zero: the plan's visits, jittered, some missed, none after the stop."""
    plan = rulebook.get(Plan, settings.plan)
    schedules = [plan.schedule_for(t if plan.tiered else "any") for t in TIERS]
    patterns = [Pattern(plan, s, plan.horizon.value) for s in schedules if s is not None]
    grid = planned_grid(zero, tier.astype(np.int64), patterns)
    due = grid.due[grid.of]
    real = due != NEVER
    days = np.where(real, due - zero[:, None], 0)
    days = days + np.rint(rng.normal(0, settings.jitter_days, days.shape)).astype(np.int64)
    kept = real & (rng.random(days.shape) >= settings.missed) & (days > 0) & (days <= stop[:, None])
    return np.sort(np.where(kept, days, np.iinfo(np.int64).max), axis=1)


def _detected(event: Ints, scans: Ints) -> tuple[Ints, Ints]:
    """Find the first MRI on or after true progression, and the last one before it; -1 where there is none."""
    never = np.iinfo(np.int64).max
    real = scans != never
    after = real & (scans >= event[:, None])
    found = np.where(after.any(axis=1), np.where(after, scans, never).min(axis=1, initial=never), -1)
    before = real & (scans < event[:, None])
    return found, np.where(before.any(axis=1), np.where(before, scans, -1).max(axis=1, initial=-1), -1)


def _dates(zero: Ints, days: Ints) -> npt.NDArray[np.datetime64]:
    return np.where(days < 0, np.datetime64("NaT"), (zero + days).astype("datetime64[D]")).astype("datetime64[s]")


_LEVELS = tuple(f"T{k}" for k in range(3, 11))


def _cohort(
    settings: Settings, tier: Ints, zero: Ints, detected: Ints, clear: Ints, local: npt.NDArray[np.bool_], death: Ints,
    closing: Ints, owner: Ints, rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """Lay out one row per site; the patient's first site carries the tier and the progression."""
    import pandas as pd

    n, m = len(tier), len(owner)
    first = np.concatenate([[True], owner[1:] != owner[:-1]])
    place = np.arange(m) - np.maximum.accumulate(np.where(first, np.arange(m), 0))
    # The number of adverse features of a site: the first site has its patient's tier, the others at most that.
    features = np.where(first, tier[owner], rng.integers(0, 3, m).clip(max=tier[owner]))
    order = np.argsort(rng.random((m, 3)), axis=1)
    present = order < features[:, None]
    died = death <= closing
    progressed = (detected >= 0)[owner]
    here = progressed & (first | ~local[owner])
    return pd.DataFrame(
        {
            "patient_id": [f"S{p + 1:0{len(str(n))}d}" for p in owner],
            "site_id": [f"s{k + 1}" for k in place],
            "sbrt_date": _dates(zero, np.zeros(n, dtype=np.int64))[owner],
            "level": rng.choice(_LEVELS, m),
            "histology": rng.choice(["breast", "lung", "renal_cell", "prostate", "other"], m)[
                np.searchsorted(owner, owner)
            ],
            "lesion_type": rng.choice(["lytic", "mixed", "blastic"], m),
            "bilsky": np.where(present[:, 0], rng.choice(["1a", "1b", "1c"], m), "0"),
            "paraspinal": np.where(present[:, 1], "yes", "no"),
            "sins": np.where(present[:, 2], rng.integers(7, 12, m), rng.integers(3, 7, m)),
            "last_clear_mri_date": _dates(zero, clear)[owner],
            "progression_date": np.where(here, _dates(zero, detected)[owner], np.datetime64("NaT")).astype(
                "datetime64[s]"
            ),
            "progression_site": np.where(here, np.where(local[owner], "local", "distant_spine"), "").astype(object),
            "death_date": np.where(died, _dates(zero, death), np.datetime64("NaT"))[owner].astype("datetime64[s]"),
            "last_followup_date": _dates(zero, np.minimum(death, closing))[owner],
            "simulated_tier": np.array(TIERS)[tier][owner],
            LABEL: "yes",
        }
    )


def _imaging(
    rates: Rates, cohort: pd.DataFrame, owner: Ints, zero: Ints, scans: Ints, detected: Ints, local: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """Lay out one row per MRI and site: a baseline, then volumes that shrink, swell for a while, or grow for good."""
    import pandas as pd

    m = len(owner)
    volume = np.round(np.exp(rng.normal(1.5, 0.8, m)), 2)
    swells = rng.random(m) < rates.pseudo
    peak = rng.integers(rates.pseudo_days[0], rates.pseudo_days[1] + 1, m)
    first = np.concatenate([[True], owner[1:] != owner[:-1]])
    grows = np.where(first & local[owner], detected[owner], -1)
    real = (scans != np.iinfo(np.int64).max)[owner]
    site, k = real.nonzero()
    day = scans[owner[site], k]
    shrink = 0.6 + 0.4 * np.exp(-day / 200)
    size = volume[site] * shrink
    width = (rates.pseudo_days[1] - rates.pseudo_days[0]) / 2
    size = size + np.where(swells[site], volume[site] * 0.5 * np.exp(-(((day - peak[site]) / width) ** 2)), 0)
    late = (grows[site] >= 0) & (day >= grows[site])
    size = np.where(late, volume[site] * (1.3 + 0.4 * (day - grows[site]) / 180), size)
    base = -rng.integers(1, 21, m)
    rows = np.concatenate([np.arange(m), site])
    days = np.concatenate([base, day])
    order = np.lexsort((days, rows))
    rows, days = rows[order], days[order]
    sizes = np.round(np.concatenate([volume, size]), 2)[order]
    elsewhere = (detected[owner] >= 0) & ~local[owner]
    spread = elsewhere[rows] & (days >= detected[owner][rows])
    return pd.DataFrame(
        {
            "patient_id": cohort["patient_id"].to_numpy()[rows],
            "site_id": cohort["site_id"].to_numpy()[rows],
            "mri_date": (zero[owner[rows]] + days).astype("datetime64[D]").astype("datetime64[s]"),
            "mri_coverage": "whole_spine",
            "gtv_cc": sizes,
            "bilsky": cohort["bilsky"].to_numpy()[rows],
            "paraspinal": cohort["paraspinal"].to_numpy()[rows],
            "new_spine_metastasis": np.where(spread, "yes", "no"),
            "confined_to_vertebra": "yes",
            "vcf": "none",
            "neuro_decline": "no",
            "completed": "yes",
            LABEL: "yes",
        }
    )


def sizes(cohort: pd.DataFrame) -> dict[str, Any]:
    """Count what was simulated."""
    return {"patients": int(cohort["patient_id"].nunique()), "sites": len(cohort), LABEL: True}
