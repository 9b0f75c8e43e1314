"""Synthetic cohorts with their imaging: drawn from published rates and stated assumptions, from a seed.

Conventions. A patient's tier is drawn from the document's mix, the first progression from the tier's hazard (constant in
stretches), death and loss from constant hazards. The published hazards are of progression found, so the true onset lies
half of the usual gap between MRIs earlier, but never before half of the drawn time. What the cohort table says is what
its MRIs found: the first MRI done on or after the onset, while alive and not lost. A first progression is local or elsewhere
in the spine; a local one belongs to one site, chosen in proportion to the hazard of the site's own tier, and other sites
may follow. Patients are entered whether or not they come to a second MRI.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Floats, Ints
from ..problems import refuse
from ..rulebook.library import Rulebook
from ..rulebook.model import Evidence, Plan
from ..rulebook.simulation import Simulation, look_up
from ..vocabulary import FACTS, PROGRESSION_SITES, TIERS
from .simulated_scans import MONTH, NEVER, Course, Visits, first_found, imaging, visits_of
from .simulated_sites import most_sites, sites_of

if TYPE_CHECKING:
    import pandas as pd

COHORT_COLUMNS = (
    "patient_id", "site_id", "sbrt_date", "level", "histology", "fractions", "dose_gy", "lesion_type", "bilsky", "paraspinal",
    "sins_pain", "sins_alignment", "sins_collapse", "sins_posterolateral", "last_clear_mri_date", "progression_date",
    "progression_site", "death_date", "last_followup_date", "synthetic",
)  # fmt: skip
IMAGING_COLUMNS = (
    "patient_id", "site_id", "mri_date", "mri_coverage", "gtv_cc", "bilsky", "confined_to_vertebra", "new_spine_metastasis",
    "completed", "synthetic",
)  # fmt: skip


@dataclass(frozen=True)
class Synthetic:
    """A synthetic cohort and its imaging, as tables that the other commands read."""

    cohort: pd.DataFrame
    imaging: pd.DataFrame
    patients: int


@dataclass(frozen=True)
class _Rates:
    """Hazards a day of one tier: where each stretch begins, and its rate."""

    begins: Floats
    rate: Floats

    def day(self, drawn: Floats) -> Floats:
        """Turn unit exponential draws into days."""
        reached = np.concatenate([[0.0], np.cumsum(np.diff(self.begins) * self.rate[:-1])])
        piece = np.searchsorted(reached, drawn, side="right") - 1
        with np.errstate(divide="ignore"):
            return np.asarray(self.begins[piece] + (drawn - reached[piece]) / self.rate[piece])


def simulate(
    rulebook: Rulebook,
    simulation: Simulation,
    plan: Plan,
    *,
    patients: int | None = None,
    sites: int | None = None,
    seed: int,
) -> Synthetic:
    """Draw a cohort; sizes default to the published one's, sites in proportion."""
    evidence = rulebook.evidence
    published, segments = look_up(simulation.patients, evidence), look_up(simulation.sites, evidence)
    people = int(published) if patients is None else patients
    number = round(people * segments / published) if sites is None else sites
    if people < 1 or not people <= number <= most_sites(people):
        raise refuse(
            "bad-size",
            f"{number:,} sites do not go with {people:,} patients: each has at least one, and no two at a level of the spine",
            hint=f"Ask for {people:,} to {most_sites(people):,} sites.",
        )
    rng = np.random.default_rng(seed)
    share = np.array([look_up(m.share, evidence) for m in simulation.mix])
    tier = rng.choice(len(TIERS), people, p=share / share.sum())
    patient = np.sort(np.concatenate([np.arange(people), _further(people, number - people, rng)]))
    frame = sites_of(patient, tier, simulation, rulebook, rng)
    zero, end, death, lost_to = _follow_up(people, simulation, evidence, rng)
    visits = visits_of(tier, end, plan, simulation, rng)
    course = _course(patient, tier, frame, simulation, evidence, rng)
    scans = imaging(visits, course, simulation, evidence, rng)
    cohort = _cohort(frame, course, visits, zero, death, lost_to)
    ids = cohort[["patient_id", "site_id"]].iloc[scans["site"].to_numpy()].reset_index(drop=True)
    table = ids.assign(
        mri_date=_dates(zero[patient[scans["site"].to_numpy()]], scans["day"].to_numpy()), synthetic="yes"
    )
    for name in IMAGING_COLUMNS:
        if name in scans:
            table[name] = scans[name]
    return Synthetic(cohort, table[list(IMAGING_COLUMNS)], people)


def _further(people: int, number: int, rng: np.random.Generator) -> Ints:
    """Spread further sites over patients, no patient beyond a level each."""
    most = most_sites(1) - 1
    slots = np.repeat(np.arange(people), min(most, number))
    return (
        np.asarray(rng.choice(slots, number, replace=False), dtype=np.int64) if number else np.empty(0, dtype=np.int64)
    )


def _follow_up(
    people: int, simulation: Simulation, evidence: Evidence, rng: np.random.Generator
) -> tuple[Ints, Floats, Floats, Floats]:
    """Give time zero (a day number), and in days since: the end of follow-up, death (NEVER unless known), last contact."""
    first, last, until = (np.datetime64(d, "D").astype(np.int64) for d in _years(simulation))
    zero = rng.integers(first, last + 1, people)
    death = np.ceil(rng.exponential(MONTH / look_up(simulation.death, evidence), people))
    lost = np.ceil(rng.exponential(1.0, people) * MONTH / max(simulation.assumed.lost_per_month.share, 1e-12))
    known = np.minimum(lost, (until - zero).astype(np.float64))
    end = np.minimum(death, known)
    return zero, end, np.where(death <= known, death, NEVER), end


def _years(simulation: Simulation) -> tuple[str, str, str]:
    return simulation.treated.from_, simulation.treated.to, simulation.treated.data_until


def _rates(tier: int, simulation: Simulation, evidence: Evidence) -> _Rates:
    own = [h for h in simulation.progression if h.tier == TIERS[tier]]
    begins = [0.0, *(look_up(h.until, evidence) * MONTH for h in own if h.until is not None)]
    return _Rates(np.array(begins), np.array([look_up(h.rate, evidence) / MONTH for h in own]))


def _course(
    patient: Ints, tier: Ints, frame: pd.DataFrame, simulation: Simulation, evidence: Evidence, rng: np.random.Generator
) -> Course:
    """Draw what truly happens."""
    assumed, people, sites = simulation.assumed, len(tier), len(patient)
    rates = [_rates(t, simulation, evidence) for t in range(len(TIERS))]
    drawn = rng.exponential(size=people)
    found = np.full(people, NEVER)
    for t, of_tier in enumerate(rates):
        found[tier == t] = of_tier.day(drawn[tier == t])
    lead = look_up(simulation.scan_gap, evidence) * MONTH / 2 if simulation.onset_shifted else 0.0
    onset = found - np.minimum(lead, found / 2)
    local = rng.random(people) < assumed.local.share
    # The site with the least exponential of its own rate is chosen in proportion to the rates.
    weight = np.array([of_tier.rate[0] for of_tier in rates])[frame["tier"].to_numpy()]
    race = rng.exponential(size=sites) / weight
    order = np.lexsort((race, patient))
    leading = np.zeros(sites, dtype=bool)
    leading[order[np.concatenate([[True], patient[order][1:] != patient[order][:-1]])]] = True
    later = np.where(
        rng.random(sites) < assumed.spread.share,
        rng.exponential(size=sites) * assumed.spread_delay.share * MONTH,
        NEVER,
    )
    grows = np.where(local[patient], onset[patient] + np.where(leading, 0.0, later), NEVER)
    pseudo = simulation.pseudoprogression
    peak = rng.uniform(look_up(pseudo.first_peak, evidence), look_up(pseudo.last_peak, evidence), sites)
    swells = rng.random(sites) < look_up(pseudo.share, evidence) / 100
    bilsky = (
        frame["bilsky"].cat.codes.to_numpy().astype(np.int64) if "bilsky" in frame else np.zeros(sites, dtype=np.int64)
    )
    return Course(
        patient, grows, np.where(swells & (grows > 2 * peak), peak, NEVER), bilsky, np.where(local, NEVER, onset)
    )


def _cohort(
    frame: pd.DataFrame, course: Course, visits: Visits, zero: Ints, death: Floats, last_contact: Floats
) -> pd.DataFrame:
    """Write down what the MRIs found."""
    patient = course.patient
    width = len(str(len(zero)))
    local, _ = first_found(visits, course.grows, patient)
    distant, _ = first_found(visits, course.distant[patient], patient)
    event = np.minimum(local, distant)
    _, clear = first_found(visits, np.where(np.isfinite(event), event, NEVER), patient)
    day = zero[patient]
    table = frame.copy()
    table["patient_id"] = [f"SYN-{p + 1:0{width}d}" for p in patient]
    table["site_id"] = table["level"]
    table["sbrt_date"] = _dates(day, np.zeros(len(patient)))
    table["last_clear_mri_date"] = _dates(day, clear)
    table["progression_date"] = _dates(day, event)
    where = np.where(np.isfinite(event), np.where(local <= distant, 0, 1), -1)
    table["progression_site"] = np.array([*PROGRESSION_SITES, None], dtype=object)[where]
    table["death_date"] = _dates(day, death[patient])
    table["last_followup_date"] = _dates(day, last_contact[patient])
    table["synthetic"] = "yes"
    for name in COHORT_COLUMNS:
        if name in FACTS and FACTS[name].finite and name not in table:
            table[name] = None
    for name in ("fractions", "dose_gy"):
        table[name] = [f"{value:g}" for value in table[name]]
    return table[list(COHORT_COLUMNS)]


def _dates(zero: Ints, days: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.datetime64]]:
    """Add days to day numbers; no date where a day is not finite."""
    known = np.isfinite(days)
    number = zero + np.where(known, days, 0.0).astype(np.int64)
    return np.where(known, number.astype("datetime64[D]"), np.datetime64("NaT", "D")).astype("datetime64[s]")
