"""The reference cohorts and R's numbers for them (tests/reference/README.md)."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parents[1] / "reference"
MONTH = 30.4375
GROUP_COLUMN = {"colon": "arm", "bmt": "disease", "bcdeter": "arm"}
TAU_MONTHS = {"colon": 60, "bmt": 36}


@cache
def numbers(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


@cache
def cohort(name: str) -> pd.DataFrame:
    """`time`, `status` and `group` of a reference cohort, straight from its dates."""
    dates = ["sbrt_date", "progression_date", "death_date", "last_followup_date"]
    frame = pd.read_csv(FOLDER / f"{name}.csv", parse_dates=dates)
    end = frame[dates[1:]].min(axis=1)
    progressed = frame["progression_date"] <= end
    died = frame["death_date"] <= end
    return pd.DataFrame(
        {
            "time": (end - frame["sbrt_date"]).dt.days.astype(float),
            "status": np.where(progressed, 1, np.where(died, 2, 0)),
            "group": frame[GROUP_COLUMN[name]],
        }
    )


@cache
def sites() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "sites.csv")


def array(values: Any) -> Any:
    """Numbers with null as NaN."""
    return np.array([np.nan if v is None else v for v in values], dtype=float)


def close(got: Any, want: Any, tolerance: float = 1e-9) -> None:
    """Equal within the tolerance, missing in the same places."""
    np.testing.assert_allclose(np.asarray(got, float), array(want), rtol=tolerance, atol=tolerance)
