"""The treated sites of a synthetic cohort: each patient's worst site has the patient's tier, by the rulebook's own table.

Conventions. Candidates are drawn with the document's shares of each fact, independently, and put into tiers by the same
code as real patients; a patient's first site comes from the candidates of the patient's tier, further sites from those
of that tier or a milder one; histology and treatment are the patient's. No two sites of a patient share a level.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..arrays import Ints
from ..problems import refuse
from ..rulebook.library import Rulebook
from ..rulebook.simulation import Simulation
from ..sites.risk import site_risk
from ..vocabulary import FACTS, SPINE_LEVELS, TIERS

if TYPE_CHECKING:
    import pandas as pd

CANDIDATES_PER_SITE = 5
FEWEST_CANDIDATES = 5000
FEWEST_OF_A_TIER = 50
MOST_DRAWS = 1000
OF_THE_PATIENT = ("histology", "fractions", "dose_gy")


def sites_of(
    patient: Ints, tier: Ints, simulation: Simulation, rulebook: Rulebook, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw the facts of every site; `patient` numbers each row's patient in order, `tier` is per patient."""
    candidates = _candidates(max(FEWEST_CANDIDATES, CANDIDATES_PER_SITE * len(patient)), simulation, rng)
    found = site_risk(candidates, rulebook).tier
    missing = [TIERS[t] for t in np.unique(tier) if (found == t).sum() < FEWEST_OF_A_TIER]
    if missing:
        raise refuse(
            "no-such-site",
            f"{rulebook.risk.name} puts hardly any site drawn from {simulation.name} into the tier {' or '.join(missing)}",
            hint="Change the shares of the facts in the simulation document.",
        )
    first = np.concatenate([[True], patient[1:] != patient[:-1]])
    pools = [(np.flatnonzero(found == t), np.flatnonzero((found >= 0) & (found <= t))) for t in range(len(TIERS))]
    chosen = np.zeros(len(patient), dtype=np.int64)
    open_ = np.ones(len(patient), dtype=bool)
    for _ in range(MOST_DRAWS):
        for t, (own, up_to) in enumerate(pools):
            of_tier = open_ & (tier[patient] == t)
            for here, pool in ((of_tier & first, own), (of_tier & ~first, up_to)):
                chosen[here] = rng.choice(pool, int(here.sum()))
        sites = _with_shared(candidates.iloc[chosen].reset_index(drop=True), patient)
        sites["tier"] = site_risk(sites, rulebook).tier
        given = sites["tier"].to_numpy()
        open_ = _repeated(patient, sites["level_code"].to_numpy())
        open_ |= np.where(first, given != tier[patient], (given < 0) | (given > tier[patient]))
        if not open_.any():
            return sites.drop(columns=["level_code", "sins"])
    raise refuse("no-such-site", f"no sites fit {rulebook.risk.name} together", hint="Ask for fewer sites per patient.")


def _with_shared(sites: pd.DataFrame, patient: Ints) -> pd.DataFrame:
    """Give every site of a patient the first one's facts of the patient and of the course."""
    leading = np.searchsorted(patient, patient)
    for name in OF_THE_PATIENT:
        if name in sites:
            sites[name] = sites[name].array[leading]
    return sites


def most_sites(patients: int) -> int:
    """The most sites that so many patients can have: a level each."""
    return patients * len(SPINE_LEVELS)


def _repeated(patient: Ints, level: Ints) -> npt.NDArray[np.bool_]:
    """Mark sites at a level that an earlier site of the same patient has."""
    order = np.lexsort((np.arange(len(patient)), level, patient))
    same = (patient[order][1:] == patient[order][:-1]) & (level[order][1:] == level[order][:-1])
    result = np.zeros(len(patient), dtype=bool)
    result[order[1:][same]] = True
    return result


def _candidates(number: int, simulation: Simulation, rng: np.random.Generator) -> pd.DataFrame:
    """Draw sites without regard to tiers."""
    import pandas as pd

    code = rng.integers(0, len(SPINE_LEVELS), number)
    columns: dict[str, object] = {"level_code": code, "level": np.array(SPINE_LEVELS, dtype=object)[code]}
    for entry in simulation.facts:
        levels = FACTS[entry.fact].levels
        columns[entry.fact] = pd.Categorical.from_codes(
            _draw({levels.index(k): float(v) for k, v in entry.shares.items()}, number, rng),
            dtype=pd.CategoricalDtype(list(levels), ordered=True),
        )
    treatment = _draw({i: float(t.share) for i, t in enumerate(simulation.treatments)}, number, rng)
    columns["fractions"] = np.array([float(t.fractions) for t in simulation.treatments])[treatment]
    columns["dose_gy"] = np.array([float(t.dose_gy) for t in simulation.treatments])[treatment]
    columns["sins"] = np.full(number, np.nan)
    return pd.DataFrame(columns)


def _draw(shares: Mapping[int, float], number: int, rng: np.random.Generator) -> Ints:
    weight = np.array(list(shares.values()))
    return np.asarray(rng.choice(np.array(list(shares)), number, p=weight / weight.sum()), dtype=np.int64)
