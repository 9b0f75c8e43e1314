"""The report of one MRI, ready to paste: what was found, compared, meant and asked for, the urgent line first.

Every word comes from the reading; nothing is decided here. Sizes in cc, mm and mm², changes as in the reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..tables.columns import IMAGING
from .reading_words import VERSUS

if TYPE_CHECKING:
    from .assessment import Assessment

NOT_FINDINGS = (
    "patient_id",
    "site_id",
    "mri_date",
    "completed",
    "scanner",
    "protocol_id",
    "reader",
    "field_strength_t",
)
UNITS = {"gtv_cc": "cc", "diameter_mm": "mm", "area_mm2": "mm²", "omed_mg": "mg"}
WORDS = {
    "gtv_cc": "volume",
    "diameter_mm": "diameter",
    "area_mm2": "area",
    "bilsky": "Bilsky",
    "vcf": "fracture",
    "omed_mg": "daily oral morphine equivalent",
    "neuro_decline": "new neurological deficit",
    "sins": "SINS",
    "pet": "PET",
    "vp": "Vp",
    "ve": "Ve",
    "kep": "Kep",
    "ktrans": "Ktrans",
    "pifat": "fatty content",
}
STATE_WORDS = {
    "response": "response",
    "stable": "stable",
    "equivocal": "equivocal",
    "progression": "local progression",
    "pseudoprogression": "pseudo-progression",
    "indeterminate": "indeterminate",
    "not_read": "not read",
}


@dataclass(frozen=True)
class Report:
    """One MRI's report; a part with nothing to say is empty."""

    patient_id: str
    site_id: str
    mri_date: str
    heading: str
    urgent: str
    findings: str
    comparison: str
    impression: str
    signs: str
    recommendation: str
    by: str
    """The last day of the recommendation, YYYY-MM-DD."""
    basis: str

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """The parts in the order of a report, each with its label; empty ones left out."""
        parts = (
            ("URGENT", self.urgent),
            ("MRI", self.heading),
            ("Findings", self.findings),
            ("Comparison", self.comparison),
            ("Impression", self.impression),
            ("Signs", self.signs),
            ("Recommendation", self.recommendation + (f" (by {self.by})" if self.by else "")),
            ("Basis", self.basis),
        )
        return tuple((label, text) for label, text in parts if text)


def reports(assessment: Assessment) -> tuple[Report, ...]:
    """Write the report of every MRI after treatment, in the order of the readings."""
    table = assessment.table
    return tuple(_report(assessment, i, row) for i, row in _rows(table) if row["scan"] > 0)


def _rows(table: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    names = list(table.columns)
    for i, values in enumerate(table.astype(object).itertuples(index=False, name=None)):
        yield i, dict(zip(names, values, strict=True))


def _report(assessment: Assessment, at: int, row: dict[str, Any]) -> Report:
    reading = assessment.reading
    level = reading.frame["level"].iloc[int(reading.scans.site[at])]
    where = f"site {row['site_id']}" + (f" ({level})" if isinstance(level, str) and level != row["site_id"] else "")
    urgent = [
        a.criterion.meaning(int(a.outcome[at]))
        for a in (reading.answers[c.id] for c in reading.criteria.alerts)
        if a.outcome[at] >= 0 and a.criterion.meaning(int(a.outcome[at])).urgent
    ]
    return Report(
        patient_id=str(row["patient_id"]),
        site_id=str(row["site_id"]),
        mri_date=_date(row["mri_date"]),
        heading=f"{_date(row['mri_date'])}, {where}, day {row['days']} ({row['months']:g} months) after treatment",
        urgent="; ".join(dict.fromkeys([*(m.says for m in urgent), *(m.asks_for for m in urgent)])),
        findings=_findings(assessment, at),
        comparison=_comparison(assessment, at, row),
        impression=_impression(assessment, at, row),
        signs=_signs(row),
        recommendation=_text(row["next_action"]),
        by=_date(row["next_date"]),
        basis="; ".join(t for t in (_text(row["basis"]), _text(row["rule"]).replace(";", ", ")) if t),
    )


def _text(cell: Any) -> str:
    return cell if isinstance(cell, str) else ""


def _date(cell: Any) -> str:
    text = str(cell)[:10]
    return "" if text == "NaT" else text


def _findings(assessment: Assessment, at: int) -> str:
    read = assessment.reading.read
    said = []
    for spec in IMAGING:
        if spec.name in NOT_FINDINGS:
            continue
        word = WORDS.get(spec.name, spec.name.replace("_", " "))
        if spec.name in read.numbers:
            value = read.numbers[spec.name][at]
            if not np.isnan(value):
                said.append(f"{word} {value:g}{' ' + UNITS[spec.name] if spec.name in UNITS else ''}")
        elif spec.name in read.labels and spec.levels and read.labels[spec.name][at] >= 0:
            said.append(f"{word} {spec.levels[int(read.labels[spec.name][at])].replace('_', ' ')}")
    return "; ".join(said) or "nothing recorded"


def _comparison(assessment: Assessment, at: int, row: dict[str, Any]) -> str:
    reading, said = assessment.reading, []
    for sized in reading.sized:
        place = (sized.answer.rows == at).nonzero()[0]
        c = sized.answer.criterion
        if not len(place) or c.measure is None:
            continue
        value = float(sized.values[place[0]])
        shown = "from nothing" if np.isinf(value) else _change(c.measure, value)
        said.append(f"{WORDS[c.measure]} {shown} {VERSUS[sized.comparison]}")
    threshold = _text(row["threshold"])
    return "; ".join(said) + (f"; counts as growth: {threshold}" if said and threshold else "")


def _change(measure: str, value: float) -> str:
    if measure == "gtv_cc":
        return f"{value:+.1f} %"
    return f"{value:+.1f} mm" if measure == "diameter_mm" else f"{value:.2f}-fold"


def _impression(assessment: Assessment, at: int, row: dict[str, Any]) -> str:
    called, state = str(row["called"]), str(row["state"])
    if called == "not_read":
        return STATE_WORDS[called]
    reading = assessment.reading
    parts = [STATE_WORDS[called]]
    if possible := _text(row["possible_states"]):
        parts.append("possible: " + " or ".join(STATE_WORDS.get(p, p) for p in possible.split(";")))
    if state != called:
        parts.append(f"in retrospect {STATE_WORDS[state]}")
    for role in ("growth", "epidural", "neurology", "spread"):
        answer = reading.answer(role)
        code = int(answer.outcome[at])
        meaning = answer.criterion.meaning(code) if code >= 0 else None
        if meaning is not None and (role == "growth" or meaning.sign != "none" or meaning.request):
            parts.append(meaning.says)
    named = (("contradiction", "contradiction"), ("caution", "cautions"))
    parts += [f"{label}: {text}" for label, name in named if (text := _text(row[name]))]
    return "; ".join(parts)


def _signs(row: dict[str, Any]) -> str:
    named = (("for progression", "signs_for"), ("against", "signs_against"), ("neither", "confounders"))
    return "; ".join(f"{label}: {text.replace('; ', ', ')}" for label, name in named if (text := _text(row[name])))
