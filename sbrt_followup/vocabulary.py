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
OPEN_VISITS = ("overdue", "due", "booked", "upcoming")
"""Statuses of a visit that is still to be done."""
STANDING = ("urgent", "confirm", "awaiting_decision")
"""Statuses of a patient whose readings ask for more than the next planned visit, the most pressing first."""
STOP_REASONS = ("withdrawn", "hospice", "transferred", "surgery", "mri_impossible")
PROGRESSION_SITES = ("local", "distant_spine")
COVERAGES = ("segment", "region", "whole_spine")
"""What an MRI covered, least first."""

STATES = (
    "baseline",
    "response",
    "stable",
    "equivocal",
    "progression",
    "pseudoprogression",
    "indeterminate",
    "not_read",
)
REQUESTS = (
    "urgent",
    "awaiting_decision",
    "new_metastasis",
    "ladder",
    "confirm",
    "complete_reading",
    "read_mri",
    "closer_followup",
    "as_planned",
)
"""What the reading of an MRI asks for, the most pressing first: codes that a rule document gives its outcomes."""

POLICIES = ("first_growth", "confirmation", "detected")
COMPARISONS = ("baseline", "first", "previous", "nadir", "first_growth", "peak")
"""The scans a size is compared with; `first` is the published first scan, the last two are of the current episode of growth."""

SIZE_SIGNS = (
    "not_measured",
    "unchanged",
    "decreased",
    "equivocal_growth",
    "growth",
    "large_growth",
    "beyond_picture",
)
"""`beyond_picture`: more growth than published of any pseudo-progression."""

WINDOW_PLACES = ("before", "inside", "just_after", "outside")
GROWTH_CALLS = (
    "not_measured",
    "decreased",
    "unchanged",
    "equivocal",
    "early",
    "edge",
    "shielded",
    "confinement_unknown",
    "clear",
)

COLLAPSED = ("under_50", "over_50")
"""The levels of the SINS collapse item that are a collapse: what a fracture is at least."""

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
    # One MRI, as read.
    Fact("mri_coverage", "levels", "what the MRI covered", COVERAGES),
    _yes_no("new_spine_metastasis", "new metastasis elsewhere in the spine"),
    _choice("t2_pattern", "T2 signal", "no_change", "homogeneous_increase", "mixed", "homogeneous_decrease"),
    _choice("t1_hypointensity", "T1 hypo-intensity", "confluent", "hazy", "none"),
    _choice("t1_enhancement", "T1 enhancement", "confluent", "hazy", "none"),
    _choice("enhancement_change", "change of enhancement", "persistent", "decreased", "none"),
    _choice("dwi_signal", "DWI signal", "decreased", "unchanged", "increased"),
    _choice("adc_change", "ADC", "increased", "unchanged", "decreased"),
    _choice("dce_curve", "DCE curve", "rapid_washin_early_washout", "other"),
    _yes_no("pifat", "fatty content inside the lesion"),
    Fact("vcf", "levels", "vertebral compression fracture", ("none", "progressive", "new")),
    _yes_no("neuro_decline", "new neurological deficit"),
    _yes_no("confined_to_vertebra", "growth stays inside the vertebra"),
    _choice("pet", "PET", "negative", "positive"),
    _choice("biopsy", "biopsy", "negative", "positive"),
    Fact("tumour_marker", "levels", "tumour marker", ("falling", "stable", "rising")),
    _number("pain_score", "pain, 0–10", "points", 0.0, 10.0),
    _yes_no("within_80_isodose", "growth lies inside the 80 % isodose"),
    _choice("fracture_type", "kind of fracture, by DCE-MRI, biopsy or reading", "benign", "malignant", "unclear"),
    # One MRI against time zero and the scans before it; a change is in percent, rounded to 9 decimals.
    Fact("days_since_sbrt", "integer", "days since the last fraction", unit="days", low=1),
    Fact("scan_number", "integer", "number of the MRI after treatment", unit="scans", low=1),
    _yes_no("nearest_so_far", "of the MRIs so far that could be this published scan the nearest to its day"),
    _choice("compared_with", "the scan compared with", *COMPARISONS),
    _choice("scan_pair", "which scans are compared", "baseline_first", "baseline_second", "first_second", "other"),
    _number("gtv_baseline_cc", "volume before treatment", "cc"),
    _number("gtv_change_percent", "change of volume", "percent", -100.0),
    _number("diameter_change_mm", "change of the largest diameter", "mm", None),
    _number("area_ratio", "largest area against the compared scan", ""),
    _number("vp_change_percent", "change of Vp from baseline", "percent", -100.0),
    _number("ktrans_change_percent", "change of Ktrans from baseline", "percent", -100.0),
    _number("kep_change_percent", "change of Kep from baseline", "percent", -100.0),
    _number("ve_change_percent", "change of Ve from baseline", "percent", -100.0),
    Fact(
        "epidural_change",
        "levels",
        "Bilsky grade against the lowest before",
        ("decreased", "unchanged", "increased", "new"),
    ),
    _choice("paraspinal_change", "paraspinal disease against the scans before", "absent", "known", "new"),
    _yes_no("earlier_bilsky", "a Bilsky grade before this MRI was recorded"),
    _yes_no("below_peak", "smaller than the largest MRI of its episode, by any amount"),
    _number("gtv_ratio", "volume against the last MRI that has one", ""),
    Fact("baseline_age_days", "integer", "days from the baseline MRI to the last fraction", unit="days", low=0),
    _number("t2_ratio_change_percent", "change of the T2 ratio to an unirradiated vertebra", "percent", -100.0),
    _number("omed_change_percent", "change of the daily oral morphine equivalent from baseline", "percent", -100.0),
    _yes_no("intervening_therapy", "another therapy between treatment and this MRI"),
    _yes_no("other_scanner", "another scanner than a compared scan"),
    _yes_no("other_protocol", "another protocol than a compared scan"),
    _yes_no("other_reader", "another reader than a compared scan"),
    _number("pain_baseline", "pain before treatment, 0–10", "points", 0.0, 10.0),
    _number("pain_drop_points", "fall of the pain score from baseline", "points", -10.0, 10.0),
    _number("pain_drop_percent", "fall of the pain score from baseline", "percent", None, 100.0),
    # What the criteria give, and what is at hand; `not_recorded` is a level of its own, never read as normal.
    _choice("scan_order", "which published scan this is", "first", "second", "other"),
    Fact("size_sign", "levels", "size, over all measures and comparisons", SIZE_SIGNS),
    Fact(
        "epidural_sign",
        "levels",
        "epidural criterion",
        ("not_recorded", "absent", "not_compared", "not_excluded", "progression"),
    ),
    Fact(
        "neurological_sign",
        "levels",
        "neurological criterion",
        ("not_recorded", "absent", "decline", "decline_not_compared", "progression"),
    ),
    _choice("confinement", "whether growth stays inside the bone", "bone_only", "not_recorded", "beyond"),
    _choice("window_place", "where the MRI lies against the pseudo-progression windows", *WINDOW_PLACES),
    _choice("biopsy_result", "biopsy at hand", "none", "negative", "positive"),
    _choice("pet_result", "PET at hand", "none", "negative", "positive"),
    _choice("soft_signs", "signs other than size that weigh", "none", "against", "for", "both"),
    _yes_no("firm_opposition", "a sign against progression that weighs even where growth is clear"),
    _choice("hardware_recorded", "spinal hardware, as recorded", "no", "yes", "not_recorded"),
    _choice("mri_contraindicated", "MRI contraindicated, as recorded", "no", "yes", "not_recorded"),
    Fact("growth_call", "levels", "what the size means on this day", GROWTH_CALLS),
    _choice("state", "state at the time of the MRI", *STATES),
    # A course: growth over several MRIs.
    Fact(
        "growth_course",
        "levels",
        "growth against the scans of its episode",
        ("not_known", "gone", "receding", "persists", "increases"),
    ),
    Fact("since_first_growth", "levels", "size against the episode's first growth", SIZE_SIGNS),
    Fact("since_peak", "levels", "size against the episode's largest", SIZE_SIGNS),
    _yes_no("began_in_window", "the episode's first growth could have begun in or before a window"),
    _choice("biopsy_in_episode", "a biopsy without tumour since the episode's first growth", "none", "now", "before"),
    _choice("episode_kind", "what the episode of growth began with", "growth", "epidural_alone"),
    _yes_no("therapy_in_episode", "another therapy since the episode's first growth"),
    _yes_no("above_baseline", "growth is growth against baseline too; no where there is none to compare with"),
    Fact("episode_days", "integer", "days since the episode's first growth", unit="days", low=0),
    Fact(
        "inconclusive_scans", "integer", "MRIs in a row without a clear answer, this one included", unit="scans", low=0
    ),
)
FACTS: dict[str, Fact] = {fact.name: fact for fact in _FACTS}
