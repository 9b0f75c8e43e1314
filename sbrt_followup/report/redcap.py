"""Our tables as a REDCap data dictionary: two repeating instruments to append to a project, and the map for their export."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from ..tables.columns import COHORT, IMAGING, ColumnSpec
from ..vocabulary import SPINE_LEVELS

COLUMNS = (
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label", "Choices, Calculations, OR Slider Labels", "Field Note",
    "Text Validation Type OR Show Slider Number", "Text Validation Min", "Text Validation Max", "Identifier?",
    "Branching Logic (Show field only if...)", "Required Field?", "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name",
    "Matrix Ranking?", "Field Annotation",
)  # fmt: skip
FORMS = {"sbrt_course": COHORT, "spine_mri": IMAGING}
OF_PATIENT = ("death_date", "last_contact_date", "stop_reason", "mri_contraindication", "gadolinium_contraindication")
"""What is the patient's, not the course's: asked once, on the form that does not repeat."""
BASE = "patient_followup"
KEY = "record_id"
_TYPES = {"number": "number", "integer": "integer"}


def field_name(spec: ColumnSpec, form: str) -> str:
    """Name a field: unique in a project, so that what both forms ask bears the MRI form's mark there."""
    shared = {s.name for s in COHORT} & {s.name for s in IMAGING}
    return f"mri_{spec.name}" if form == "spine_mri" and spec.name in shared else spec.name


def data_dictionary() -> str:
    """Give the dictionary as CSV, with REDCap's 18 columns in order."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerow(_row(KEY, BASE, "text", "Record ID"))
    for spec in COHORT:
        if spec.name in OF_PATIENT:
            writer.writerow(_field(spec, BASE))
    for form, specs in FORMS.items():
        for spec in specs:
            if spec.name != "patient_id" and not (form == "sbrt_course" and spec.name in OF_PATIENT):
                writer.writerow(_field(spec, form))
    return buffer.getvalue()


def _field(spec: ColumnSpec, form: str) -> list[str]:
    label = spec.help[:1].upper() + spec.help[1:]
    name = field_name(spec, form)
    levels: Sequence[str] = SPINE_LEVELS if spec.kind == "level" else spec.levels
    if spec.kind == "choice":
        choices = " | ".join(f"{level}, {level.replace('_', ' ')}" for level in levels)
        kind = "radio" if len(levels) < 4 else "dropdown"
        return _row(name, form, kind, label, choices=choices, required=spec.required)
    if spec.kind == "date":
        return _row(name, form, "text", label, validation="date_ymd", required=spec.required)
    low, high = ("" if limit is None else f"{limit:g}" for limit in (spec.low, spec.high))
    note = "Such as T10, or a range downwards: L1-L3" if spec.kind == "level" else ""
    return _row(
        name,
        form,
        "text",
        label,
        note,
        validation=_TYPES.get(spec.kind, ""),
        low=low,
        high=high,
        required=spec.required,
    )


def _row(
    name: str,
    form: str,
    kind: str,
    label: str,
    note: str = "",
    *,
    choices: str = "",
    validation: str = "",
    low: str = "",
    high: str = "",
    required: bool = False,
) -> list[str]:
    identifier = "y" if name == KEY else ""
    must = "y" if required else ""
    return [name, form, "", kind, label, choices, note, validation, low, high, identifier, "", must, "", "", "", "", ""]


def export_map() -> str:
    """Give the map that reads the project's export (raw or labelled choices are the same words here)."""
    lines = [
        "# Reads the export of the project whose instruments stand in sbrt_followup_instruments.csv: one file, both tables."
    ]
    for section, form, specs in (("cohort", "sbrt_course", COHORT), ("imaging", "spine_mri", IMAGING)):
        labels = {"sbrt_course": "SBRT course", "spine_mri": "Spine MRI"}
        lines += [f"{section}:", "  columns:", f"    patient_id: {KEY}"]
        lines += [
            f"    {s.name}: {field_name(s, form)}"
            for s in specs
            if s.name != "patient_id" and field_name(s, form) != s.name
        ]
        lines += [f'  where: {{redcap_repeat_instrument: ["{form}", "{labels[form]}"]}}']
        shared = [s.name for s in specs if field_name(s, form) != s.name and s.name != "patient_id"]
        lines += [f"  own: [{', '.join(shared)}]"] if shared else []
        if section == "cohort":
            lines.append('  patient_rows: {redcap_repeat_instrument: ""}')
        lines += ["  values:"] if any(_spoken(s) for s in specs) else []
        for spec in specs:
            if said := _spoken(spec):
                words = ", ".join(f'"{their}": "{ours}"' for their, ours in said.items())
                lines.append(f"    {spec.name}: {{{words}}}")
    return "\n".join(lines) + "\n"


def _spoken(spec: ColumnSpec) -> dict[str, str]:
    """Labels of choices that differ from the words themselves."""
    return {level.replace("_", " "): level for level in spec.levels if "_" in level}
