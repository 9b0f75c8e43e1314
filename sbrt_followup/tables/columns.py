"""The columns of the user's tables, declared once: what their cells may hold.

Every other place takes a column's name, kind and allowed values from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..vocabulary import FACTS, PROGRESSION_SITES, STOP_REASONS, YES_NO

ColumnKind = Literal["text", "date", "choice", "number", "integer", "level"]


@dataclass(frozen=True)
class ColumnSpec:
    """One column: what its cells may hold."""

    name: str
    kind: ColumnKind
    help: str = ""
    levels: tuple[str, ...] = ()
    required: bool = False
    low: float | None = None
    high: float | None = None
    month_allowed: bool = False
    """Whether a date may be known to the month only."""

    @property
    def allowed(self) -> str:
        """What a cell may hold, in words."""
        if self.kind == "date":
            return "a date written YYYY-MM-DD (or give --date-format, or `dates:` in a map)"
        if self.kind == "level":
            return "a level C1–C7, T1–T12, L1–L5, S1–S5, or a range downwards such as L1-L3"
        if self.kind == "choice":
            return " ".join(self.levels)
        word = "a whole number" if self.kind == "integer" else "a number"
        if self.low is not None and self.high is not None:
            return f"{word} from {self.low:g} to {self.high:g}"
        return f"{word}, {self.low:g} or more" if self.low is not None else word


def _fact(name: str, column: str = "") -> ColumnSpec:
    fact = FACTS[name]
    kind: ColumnKind = "choice" if fact.finite else "integer" if fact.kind == "integer" else "number"
    return ColumnSpec(column or name, kind, fact.help, fact.levels, low=fact.low, high=fact.high)


def _choice(name: str, text: str, levels: tuple[str, ...] = YES_NO) -> ColumnSpec:
    return ColumnSpec(name, "choice", text, levels)


def _date(name: str, text: str, required: bool = False, month_allowed: bool = False) -> ColumnSpec:
    return ColumnSpec(name, "date", text, required=required, month_allowed=month_allowed)


COHORT: tuple[ColumnSpec, ...] = (
    ColumnSpec("patient_id", "text", "patient", required=True),
    ColumnSpec("site_id", "text", "treated site; default: the level, else 1"),
    _date("sbrt_date", "last fraction: time zero", required=True),
    ColumnSpec("level", "level", "vertebral level or range"),
    _fact("histology"),
    _fact("fractions"),
    _fact("dose_gy"),
    _fact("lesion_type"),
    _fact("bilsky"),
    _fact("paraspinal"),
    _fact("sins"),
    _fact("sins_pain"),
    _fact("sins_alignment"),
    _fact("sins_collapse"),
    _fact("sins_posterolateral"),
    _date("last_clear_mri_date", "last MRI without progression"),
    _date("booked_date", "next MRI already booked"),
    _date("last_contact_date", "last contact; dates a stop", month_allowed=True),
    _choice("stop_reason", "why follow-up stopped", STOP_REASONS),
    _fact("systemic_therapy"),
    _fact("hardware"),
    _fact("mri_contraindication"),
    _fact("gadolinium_contraindication"),
    _date("vcf_date", "first new or progressive fracture"),
    _date("progression_date", "progression"),
    _choice("progression_site", "where progression was", PROGRESSION_SITES),
    _date("local_progression_date", "first progression in the treated site, whatever happened elsewhere"),
    _date("distant_progression_date", "first progression elsewhere in the spine"),
    _date("death_date", "death", month_allowed=True),
    _date("last_followup_date", "last follow-up"),
)
IMAGING: tuple[ColumnSpec, ...] = (
    ColumnSpec("patient_id", "text", "patient", required=True),
    ColumnSpec("site_id", "text", "treated site"),
    _date("mri_date", "date of the MRI", required=True),
    _fact("mri_coverage"),
    ColumnSpec("gtv_cc", "number", "gross tumour volume, cc", low=0),
    ColumnSpec("diameter_mm", "number", "largest diameter, mm", low=0),
    ColumnSpec("area_mm2", "number", "largest area, mm²", low=0),
    _fact("bilsky"),
    _fact("paraspinal"),
    _fact("new_spine_metastasis"),
    _fact("t2_pattern"),
    _fact("t1_hypointensity"),
    _fact("t1_enhancement"),
    _fact("enhancement_change"),
    _fact("dwi_signal"),
    _fact("adc_change"),
    _fact("dce_curve"),
    *(ColumnSpec(name, "number", f"DCE {name}", low=0) for name in ("ktrans", "kep", "vp", "ve")),
    _fact("pifat"),
    _fact("vcf"),
    _fact("fracture_type"),
    *(_fact(n) for n in ("sins", "sins_pain", "sins_alignment", "sins_collapse", "sins_posterolateral")),
    _fact("neuro_decline"),
    _fact("pain_score"),
    ColumnSpec("omed_mg", "number", "daily oral morphine equivalent, mg", low=0),
    _fact("confined_to_vertebra"),
    _fact("within_80_isodose"),
    ColumnSpec("t2_ratio", "number", "T2 signal against an unirradiated vertebra, as a ratio", low=0),
    _date("intervening_therapy_date", "start of another therapy since treatment (systemic, surgery, radiotherapy)"),
    _fact("pet"),
    _fact("biopsy"),
    _fact("tumour_marker"),
    ColumnSpec("scanner", "text", "scanner"),
    ColumnSpec("field_strength_t", "number", "field strength, T", low=0),
    ColumnSpec("protocol_id", "text", "protocol"),
    ColumnSpec("reader", "text", "reader"),
    _choice("completed", "the MRI took place"),
)
