"""A starter workbook for a clinic: both tables with drop-downs, date checks, help in the header, one example row each."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

from ..problems import refuse
from ..tables.columns import COHORT, IMAGING, ColumnSpec
from ..vocabulary import SPINE_LEVELS

ROWS = 2000
"""Rows that are prepared."""
EXAMPLE = "EXAMPLE"
"""The id of the example rows; the map that comes with the workbook leaves them out."""
SHEETS = {"Cohort": COHORT, "MRI": IMAGING}
_EXAMPLES: dict[str, dict[str, Any]] = {
    "Cohort": {"patient_id": f"{EXAMPLE} (delete this row)", "sbrt_date": date(2025, 1, 31), "level": "T10", "histology": "breast", "bilsky": "1a", "paraspinal": "no"},
    "MRI": {"patient_id": f"{EXAMPLE} (delete this row)", "mri_date": date(2025, 4, 30), "mri_coverage": "segment", "completed": "yes"},
}  # fmt: skip


def starter_workbook() -> bytes:
    """Give the workbook; needs the extra `excel`."""
    try:
        from openpyxl import Workbook
    except ImportError:
        hint = "pip install 'sbrt-followup[excel]'"
        raise refuse("needs-extra", "a workbook needs the package openpyxl", hint=hint) from None
    book = Workbook()
    book.remove(book.active)
    for name, specs in SHEETS.items():
        _fill(book.create_sheet(name), specs, _EXAMPLES[name])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _fill(sheet: Any, specs: Sequence[ColumnSpec], example: dict[str, Any]) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter

    sheet.freeze_panes = "B2"
    for number, spec in enumerate(specs, 1):
        letter = get_column_letter(number)
        cell = sheet.cell(row=1, column=number, value=spec.name)
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="FFE699" if spec.required else "EDEDED")
        allowed = "" if spec.kind == "text" else f"\n{spec.allowed if spec.kind != 'date' else 'a date'}"
        cell.comment = Comment(f"{spec.help}{' (required)' if spec.required else ''}{allowed}", "sbrt-followup")
        sheet.column_dimensions[letter].width = max(12, len(spec.name) + 3)
        given = sheet.cell(row=2, column=number, value=example.get(spec.name))
        given.font = Font(italic=True, color="808080")
        area = f"{letter}2:{letter}{ROWS}"
        if spec.kind in ("date", "text"):
            # Ids stay texts: a spreadsheet would drop zeros at their front.
            for row in sheet[area]:
                row[0].number_format = "yyyy-mm-dd" if spec.kind == "date" else "@"
        if (check := _validation(spec)) is not None:
            sheet.add_data_validation(check)
            check.add(area)


def _validation(spec: ColumnSpec) -> Any:
    """Give the check of a column's cells."""
    from openpyxl.worksheet.datavalidation import DataValidation

    if spec.kind == "text":
        return None
    if spec.kind == "date":
        check = DataValidation(type="date", operator="between", formula1="36526", formula2="73050")
        check.error = "A date, please."
    elif spec.kind in ("choice", "level"):
        levels = SPINE_LEVELS if spec.kind == "level" else spec.levels
        check = DataValidation(type="list", formula1='"' + ",".join(levels) + '"')
        check.error = "One of the list, please."
        if spec.kind == "level":
            # A range such as L1-L3 may be typed.
            check.errorStyle = "warning"
            check.error = "Not in the list. A range is written L1-L3."
    else:
        high = "1000000" if spec.high is None else f"{spec.high:g}"
        kind = "whole" if spec.kind == "integer" else "decimal"
        check = DataValidation(type=kind, operator="between", formula1=f"{spec.low or 0:g}", formula2=high)
        check.error = f"{spec.allowed}, please."
    check.errorTitle = spec.name
    check.allow_blank = True
    check.showErrorMessage = True
    return check
