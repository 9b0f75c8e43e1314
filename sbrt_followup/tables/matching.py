"""MRIs whose patient is not in the cohort: how many, and which ids differ only in how they are written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from .records import Records

NEAR = {
    "zeros": "differs only in leading zeros",
    "case": "differs only in capital and small letters",
    "spaces": "differs only in spaces or signs",
}


@dataclass(frozen=True)
class Match:
    """How the patients of two tables fit together; never an id, only rows."""

    scans: int
    unmatched: int
    """MRIs whose patient is not in the cohort."""
    near: Mapping[int, tuple[int, str]]
    """Row of the imaging table → row of the cohort whose id is nearly the same, and in what they differ."""

    @property
    def most_fail(self) -> bool:
        """Whether more than half of the MRIs match no patient: the ids are not the same ids."""
        return self.unmatched * 2 > self.scans

    @property
    def text(self) -> str:
        """Say how many match, in one sentence."""
        return f"{self.scans - self.unmatched:,} of {self.scans:,} MRIs belong to a patient of the cohort"


def match(cohort: pd.DataFrame, imaging: pd.DataFrame, others: Records | None = None) -> Match:
    """Hold the ids of an imaging frame against those of a cohort frame; `others` adds the patients left out."""
    known = set(cohort["patient_id"].dropna())
    if others is not None and others.left_out is not None:
        known |= set(others.left_out["patient_id"].dropna())
    strange = imaging.loc[~imaging["patient_id"].isin(known)]
    near: dict[int, tuple[int, str]] = {}
    if len(strange):
        first = cohort.drop_duplicates("patient_id")
        for kind, form in _FORMS.items():
            places = {form(str(i)): int(row) for i, row in zip(first["patient_id"], first["row"], strict=True)}
            for row, patient in zip(strange["row"], strange["patient_id"], strict=True):
                if (place := places.get(form(str(patient)))) is not None:
                    near.setdefault(int(row), (place, kind))
    return Match(len(imaging), len(strange), near)


def _without_zeros(text: str) -> str:
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", text)


def _without_signs(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def _folded(text: str) -> str:
    return text.casefold()


def _bare(text: str) -> str:
    return _without_zeros(_without_signs(text))


_FORMS: Mapping[str, Callable[[str], str]] = {"zeros": _without_zeros, "case": _folded, "spaces": _bare}
