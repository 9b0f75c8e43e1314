"""Every fact that a rule or a table may name: its kind, unit and ordered levels; and every closed list.

A level is a label, mildest first where the fact is ordered. Nothing here is a threshold: those stand in `rules/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FactKind = Literal["levels", "choice", "yes_no", "integer", "number"]

YES_NO = ("no", "yes")
TIERS = ("low", "intermediate", "high")
BASES = ("published", "derived", "interpretation", "local", "assumption")
"""How well a number is known, firmest first."""

READ_LEVELS = ("full_text", "abstract", "secondary", "derived", "not_found")
"""How a source was read, firmest first."""

STATUSES = ("decided", "indeterminate", "no_match", "conflict")
VISIT_STATUSES = ("done", "missed", "overdue", "due", "booked", "upcoming", "unknown", "stopped", "horizon")
STOP_REASONS = ("withdrawn", "hospice", "transferred", "surgery", "mri_impossible")
PROGRESSION_SITES = ("local", "distant_spine")
COVERAGES = ("whole_spine", "region", "segment")
STATES = ("baseline", "response", "stable", "equivocal", "progression", "pseudoprogression", "indeterminate")
POLICIES = ("first_growth", "confirmation", "detected")

SPINE_LEVELS = (
    *(f"C{n}" for n in range(1, 8)),
    *(f"T{n}" for n in range(1, 13)),
    *(f"L{n}" for n in range(1, 6)),
    *(f"S{n}" for n in range(1, 6)),
)
REGIONS = {"C": "cervical", "T": "thoracic", "L": "lumbar", "S": "sacral"}

HISTOLOGIES = (
    "renal_cell",
    "prostate",
    "breast",
    "lung",
    "melanoma",
    "colorectal",
    "thyroid",
    "hepatocellular",
    "sarcoma",
    "gastric",
    "oesophageal",
    "pancreatic",
    "bladder",
    "head_and_neck",
    "gynaecological",
    "neuroendocrine",
    "other",
)


@dataclass(frozen=True)
class Fact:
    """A fact about a site, a patient or a scan."""

    name: str
    kind: FactKind
    help: str
    levels: tuple[str, ...] = ()
    unit: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def ordered(self) -> bool:
        """Whether `at_least` and its like make sense."""
        return self.kind in ("levels", "integer", "number")

    @property
    def finite(self) -> bool:
        """Whether the fact's values are a list of labels."""
        return self.kind in ("levels", "choice", "yes_no")


def _yes_no(name: str, text: str) -> Fact:
    return Fact(name, "yes_no", text, YES_NO)


def _choice(name: str, text: str, *levels: str) -> Fact:
    return Fact(name, "choice", text, levels)


def _number(name: str, text: str, unit: str, low: float | None = 0.0, high: float | None = None) -> Fact:
    return Fact(name, "number", text, unit=unit, low=low, high=high)


_FACTS = (
    # The treated site.
    Fact("bilsky", "levels", "epidural disease by the Bilsky grade", ("0", "1a", "1b", "1c", "2", "3")),
    _yes_no("paraspinal", "paraspinal soft-tissue disease"),
    Fact("sins", "integer", "Spinal Instability Neoplastic Score, total", unit="points", low=0, high=18),
    Fact("sins_pain", "levels", "SINS pain item", ("none", "occasional", "mechanical")),
    Fact("sins_alignment", "levels", "SINS alignment item", ("normal", "deformity", "subluxation")),
    Fact("sins_collapse", "levels", "SINS collapse item", ("none", "body_over_50", "under_50", "over_50")),
    Fact("sins_posterolateral", "levels", "SINS posterolateral item", ("none", "unilateral", "bilateral")),
    Fact("lesion_type", "levels", "bone lesion", ("blastic", "mixed", "lytic")),
    Fact("level", "choice", "vertebral level", SPINE_LEVELS),
    Fact("histology", "choice", "primary tumour", HISTOLOGIES),
    Fact("fractions", "integer", "number of fractions", unit="fractions", low=1),
    _number("dose_gy", "total dose", "Gy"),
    _yes_no("systemic_therapy", "systemic therapy given"),
    _yes_no("hardware", "spinal hardware in place"),
    _yes_no("mri_contraindication", "MRI contraindicated"),
    _yes_no("gadolinium_contraindication", "gadolinium contraindicated"),
)
FACTS: dict[str, Fact] = {fact.name: fact for fact in _FACTS}
