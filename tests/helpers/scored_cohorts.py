"""Cohorts with foretold risks, and what R makes of them (tests/reference/loop)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

LOOP = Path(__file__).parents[1] / "reference" / "loop"
EXPECTED = json.loads((LOOP / "validate.json").read_text(encoding="utf-8"))
MONTH = 30.4375


def tiers446() -> pd.DataFrame:
    return pd.read_csv(LOOP / "tiers446.csv")


def _cohorts() -> Iterator[tuple[str, tuple[Any, ...]]]:
    tiers = tiers446()
    time, status = tiers["time"].to_numpy(), tiers["status"].to_numpy()
    for months in (12, 24, 48):
        yield f"tiers446_{months}", (time, status, tiers[f"risk{months}"].to_numpy(), months * MONTH)
    marker = 1 - np.exp(-np.exp(-1.8 + 0.7 * tiers["marker"].to_numpy()))
    yield "tiers446_marker_24", (time, status, marker, 24 * MONTH)
    skin = pd.read_csv(LOOP / "melanoma_risk.csv")
    for days in (1095, 1826):
        own = skin["time"].to_numpy(dtype=float), skin["status"].to_numpy(), skin["risk"].to_numpy(), float(days)
        yield f"melanoma_{days}", own


COHORTS = dict(_cohorts())
TIED = [name for name in COHORTS if name.startswith("tiers")]
CASES = [(EXPECTED[name], *COHORTS[name]) for name in COHORTS]


@st.composite
def people(draw: st.DrawFn) -> tuple[Any, Any, Any]:
    """Times, statuses and risks, all with ties."""
    n = draw(st.integers(8, 40))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    return rng.integers(1, 9, n).astype(float), rng.choice(3, n, p=[0.3, 0.5, 0.2]), rng.integers(0, 5, n) / 5 + 0.05
