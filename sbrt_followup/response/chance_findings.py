"""How often stable lesions would be called equivocal or pseudo-progression, on a cohort's own MRI days, by measurement error alone.

Premise (in the volume document): the detectable difference is a two-sided limit that holds a given share of the test–retest
differences. Every measured site is taken as stable at its first volume; each MRI's volume gets an independent normal error;
the courses go through the same rules as the real ones. Drawn with a fixed seed, at least `LEAST_COURSES` courses; a
cohort of one is drawn often enough to give a share.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Flags
from ..vocabulary import STATES
from .episodes import RESOLUTIONS

if TYPE_CHECKING:
    from .assessment import Assessment

LEAST_COURSES = 2000
SEED = 1
SILENT = ("row", "patient_id", "site_id", "mri_date", "confined_to_vertebra", "completed", "gtv_cc")


def chance_shares(assessment: Assessment) -> dict[str, float]:
    """Give the percent of stable sites ever called equivocal, and by what growth came to: names of STATES and RESOLUTIONS.

    Empty where no volume was measured, or no document states a repeatability.
    """
    import pandas as pd

    from .assessment import assess

    reading = assessment.reading
    premise = next((c.repeatability for c in reading.criteria.sizes if c.repeatability is not None), None)
    scans, values = reading.scans, reading.read.numbers["gtv_cc"]
    known = ~np.isnan(values) & (values > 0)
    usable = _measured_after_baseline(assessment, known)
    if premise is None or not usable.any():
        return {}
    sites = usable.nonzero()[0]
    rows = (usable[scans.site] & known).nonzero()[0]
    sites, rows = sites[:LEAST_COURSES], rows[np.isin(scans.site[rows], sites[:LEAST_COURSES])]
    times = math.ceil(LEAST_COURSES / len(sites))
    limit = float(premise.limit_percent) / 100.0
    error = limit / (NormalDist().inv_cdf(0.5 + float(premise.coverage_percent) / 200.0) * math.sqrt(2.0))
    own = reading.imaging_columns(rows, SILENT)
    first = values[scans.start[rows]]
    draws = np.random.default_rng(SEED)
    frames, tables = [], []
    base = reading.frame.iloc[sites]
    for number in range(times):
        name = f"#{number}"
        frames.append(base.assign(patient_id=base["patient_id"].astype(str) + name))
        noisy = np.maximum(first * (1.0 + error * draws.standard_normal(len(rows))), 0.01)
        tables.append(own.assign(patient_id=own["patient_id"].astype(str) + name, gtv_cc=noisy))
    made = assess(
        pd.concat(frames, ignore_index=True).assign(death_date=np.datetime64("NaT", "s")),
        pd.concat(tables, ignore_index=True),
        assessment.rulebook,
        int(scans.day.max()),
    )
    return _shares(made)


def _measured_after_baseline(assessment: Assessment, known: Flags) -> Flags:
    """Tell the sites with a measured baseline and a measured MRI after it."""
    scans = assessment.reading.scans
    result = np.zeros(len(assessment.reading.frame), dtype=bool)
    start = scans.baseline[scans.start] & known[scans.start]
    result[scans.site[known & start & ~scans.baseline]] = True
    return result


def _shares(made: Assessment) -> dict[str, float]:
    scans, e = made.reading.scans, made.episodes
    total = len(made.reading.frame)

    def percent(here: Flags) -> float:
        return round(100.0 * len(np.unique(scans.site[here])) / total, 1)

    shares = {"equivocal": percent(e.called == STATES.index("equivocal"))}
    return shares | {name: percent(e.resolution == place) for place, name in enumerate(RESOLUTIONS)}
