"""The interval-censored cohorts of reference/loop and what R makes of them."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sbrt_followup.arrays import Floats
from sbrt_followup.estimators.illness_death import Seen, seen

FOLDER = Path(__file__).parent.parent / "reference" / "loop"
MONTH = 30.4375


@dataclass(frozen=True)
class Scanned:
    """A cohort of patients with a follow-up MRI; days."""

    left: Floats
    right: Floats
    second_mri: Floats
    death: Floats
    last_alive: Floats


@cache
def cohort(name: str) -> Scanned:
    """Read one cohort; patients without any MRI are left out, as R's numbers were made."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if int(row["n_mri"]) > 0]

    def column(key: str) -> Floats:
        return np.array([float(row[key]) if row[key] else math.nan for row in rows])

    return Scanned(*(column(k) for k in ("left", "right", "second_mri", "death", "last_alive")))


def months(name: str, second_mri: bool = False) -> Seen:
    """Give a cohort in months, from time zero or from the second MRI on."""
    own = cohort(name)
    entry = np.nan_to_num(own.second_mri, nan=math.inf) if second_mri else np.zeros(len(own.left))
    kept = own.left >= entry
    columns = (own.left, own.right, own.last_alive, entry)
    left, right, until, late = (c[kept] / MONTH for c in columns)
    return seen(left, right, until, np.isfinite(own.death[kept]), late)


def expected(name: str) -> dict[str, Any]:
    """Read R's numbers."""
    body: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return body
