"""One patient given by options instead of a file: the same path as a cohort, with one row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..problems import refuse

if TYPE_CHECKING:
    from ..tables.records import Records

PANEL = "One patient, without a file"


def _option(name: str, help_: str) -> typer.models.OptionInfo:
    info: typer.models.OptionInfo = typer.Option(name, help=help_, rich_help_panel=PANEL, show_default=False)
    return info


SbrtDate = Annotated[str | None, _option("--sbrt-date", "Date of the last fraction: time zero.")]
Level = Annotated[str | None, _option("--level", "Vertebral level, e.g. T10 or L1-L3.")]
Histology = Annotated[str | None, _option("--histology", "Primary tumour.")]
Bilsky = Annotated[str | None, _option("--bilsky", "Bilsky grade: 0 1a 1b 1c 2 3.")]
Paraspinal = Annotated[str | None, _option("--paraspinal", "Paraspinal disease: yes or no.")]
Sins = Annotated[str | None, _option("--sins", "SINS total, 0–18.")]
LesionType = Annotated[str | None, _option("--lesion-type", "lytic, mixed or blastic.")]
Mri = Annotated[list[str] | None, _option("--mri", "Date of an MRI done; may be given several times.")]


def one_patient(
    cohort: str | None,
    imaging: str | None,
    facts: dict[str, str | None],
    mri: list[str] | None,
    date_format: str | None,
) -> tuple[Records, Records | None] | None:
    """Build the tables of one patient from options; None when a cohort file is given instead."""
    from ..tables.records import cohort_of, imaging_of

    given = {name: text for name, text in facts.items() if text is not None}
    if cohort is not None:
        if given or mri:
            raise refuse("two-inputs", "a cohort file and the options of one patient exclude each other")
        return None
    if not given:
        return None
    if "sbrt_date" not in given:
        raise refuse("missing-option", "one patient needs --sbrt-date, the date of the last fraction")
    if imaging is not None:
        raise refuse("two-inputs", "one patient by options takes its MRIs from --mri, not --imaging")
    table = cohort_of([{"patient_id": "patient", **given}], date_format)
    scans = [{"patient_id": "patient", "mri_date": day} for day in mri or []]
    return table, imaging_of(scans, date_format) if scans else None
