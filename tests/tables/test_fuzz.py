"""Mutated workbooks, Parquet, text and map files through the readers: a refusal in our words, or a table; nothing else.

`make fuzz` runs it as long as it is told; the everyday run takes a few hundred files.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
from helpers import mutations

from sbrt_followup.problems import InputRefused
from sbrt_followup.tables.columns import COHORT
from sbrt_followup.tables.map_reading import read_map
from sbrt_followup.tables.mapping import TableMap
from sbrt_followup.tables.proposing import propose
from sbrt_followup.tables.records import read_cohort

SEED = int(os.environ.get("FUZZ_SEED", "1"))
SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
EVERYDAY = 25
"""Files of each kind in the everyday run."""
KINDS = ("a.xlsx", "a.xls", "a.ods", "a.parquet", "a.csv", "b.csv", "a.yaml")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return mutations.seeds(tmp_path_factory.mktemp("good"))


def read(path: Path) -> None:
    """Put one file through every reader that may meet it."""
    if path.suffix == ".yaml":
        read_map(path)
        return
    try:
        read_cohort(path, on_error="exclude")
    finally:
        propose(str(path), "cohort", COHORT, TableMap())


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_refused_in_our_words(
    kind: str, good: dict[str, bytes], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    draw = random.Random(f"{SEED} {kind}")
    end = time.monotonic() + SECONDS / len(KINDS)
    number = refused = 0
    while number < EVERYDAY or time.monotonic() < end:
        number += 1
        path = tmp_path / kind
        path.write_bytes(mutations.mutated(good[kind], draw))
        try:
            read(path)
        except InputRefused as found:
            refused += 1
            assert all(str(problem).isprintable() or "\n" not in str(problem) for problem in found.problems)
        except BaseException as error:
            keep = Path("fuzz-failures") / f"{SEED}-{number}-{kind}"
            keep.parent.mkdir(exist_ok=True)
            keep.write_bytes(path.read_bytes())
            raise AssertionError(f"{type(error).__name__} for {keep}") from error
    out = "".join(capfd.readouterr())
    assert out == "", "a library spoke"
    print(f"{kind}: {number} files, {refused} refused")
