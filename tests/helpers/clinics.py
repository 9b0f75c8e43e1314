"""300 synthetic patients, and the forty ways in which clinics write such tables down: one fault of form each.

`truth()` gives the two tables as they are meant; a way writes them into a folder and says what a reader must come to.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]
Cell = Any

COHORT = ("patient_id", "sbrt_date", "level", "histology", "bilsky", "paraspinal", "sins", "dose_gy", "booked_date", "death_date", "stop_reason", "last_contact_date")  # fmt: skip
IMAGING = ("patient_id", "mri_date", "mri_coverage", "gtv_cc", "completed")
DATES = ("sbrt_date", "booked_date", "death_date", "last_contact_date", "mri_date")
NAMES = {
    "de": {
        "patient_id": "Pat.-Nr.", "sbrt_date": "Letzte Fraktion", "level": "Höhe", "histology": "Primärtumor", "bilsky": "Bilsky-Grad",
        "paraspinal": "Weichteilanteil", "sins": "SINS gesamt", "dose_gy": "Gesamtdosis (Gy)", "booked_date": "MRT-Termin",
        "death_date": "Todesdatum", "stop_reason": "Abbruchgrund", "last_contact_date": "Letzter Kontakt", "mri_date": "MRT-Datum",
        "mri_coverage": "Abdeckung", "gtv_cc": "Volumen (cc)", "completed": "durchgeführt",
    },
    "fr": {
        "patient_id": "N° patient", "sbrt_date": "Date de la dernière fraction", "level": "Vertèbre", "histology": "Tumeur primitive",
        "bilsky": "Grade Bilsky", "paraspinal": "Atteinte paraspinale", "sins": "Score SINS", "dose_gy": "Dose totale", "booked_date": "RDV",
        "death_date": "Date de décès", "stop_reason": "Motif arrêt", "last_contact_date": "Dernier contact", "mri_date": "Date IRM",
        "mri_coverage": "Couverture", "gtv_cc": "Volume tumoral", "completed": "Réalisé",
    },
    "it": {
        "patient_id": "ID paziente", "sbrt_date": "Data ultima frazione", "level": "Livello", "histology": "Tumore primitivo",
        "bilsky": "Grado Bilsky", "paraspinal": "Malattia paraspinale", "sins": "Punteggio SINS", "dose_gy": "Dose totale",
        "booked_date": "Appuntamento", "death_date": "Data decesso", "stop_reason": "Motivo uscita", "last_contact_date": "Ultimo contatto",
        "mri_date": "Data RM", "mri_coverage": "Copertura", "gtv_cc": "Volume tumorale", "completed": "Eseguito",
    },
    "es": {
        "patient_id": "Nº paciente", "sbrt_date": "Fecha última fracción", "level": "Nivel", "histology": "Tumor primario",
        "bilsky": "Grado Bilsky", "paraspinal": "Partes blandas", "sins": "Puntuación SINS", "dose_gy": "Dosis total", "booked_date": "Cita",
        "death_date": "Fecha defunción", "stop_reason": "Motivo abandono", "last_contact_date": "Último contacto", "mri_date": "Fecha RM",
        "mri_coverage": "Cobertura", "gtv_cc": "Volumen tumoral", "completed": "Realizado",
    },
    "nl": {
        "patient_id": "Patiëntnummer", "sbrt_date": "Datum laatste fractie", "level": "Wervel", "histology": "Primaire tumor",
        "bilsky": "Bilsky graad", "paraspinal": "Paraspinaal", "sins": "SINS totaal", "dose_gy": "Totale dosis", "booked_date": "Afspraak",
        "death_date": "Datum overlijden", "stop_reason": "Reden stop", "last_contact_date": "Laatste contact", "mri_date": "MRI datum",
        "mri_coverage": "Dekking", "gtv_cc": "Tumorvolume", "completed": "Uitgevoerd",
    },
}  # fmt: skip
WORDS = {
    "de": {"yes": "ja", "no": "nein", "renal_cell": "Niere", "prostate": "Prostata", "breast": "Mamma", "lung": "Lunge", "melanoma": "Melanom", "withdrawn": "Abgelehnt", "hospice": "Hospiz", "transferred": "verzogen", "whole_spine": "Ganze Wirbelsäule", "segment": "Segment"},
    "fr": {"yes": "oui", "no": "non", "renal_cell": "Rein", "prostate": "Prostate", "breast": "Sein", "lung": "Poumon", "melanoma": "Mélanome", "withdrawn": "Refus", "hospice": "Soins palliatifs", "transferred": "Transféré", "whole_spine": "Rachis entier", "segment": "Segment"},
    "it": {"yes": "sì", "no": "no", "renal_cell": "Rene", "prostate": "Prostata", "breast": "Mammella", "lung": "Polmone", "melanoma": "Melanoma", "withdrawn": "Rifiuto", "hospice": "Hospice", "transferred": "Trasferito", "whole_spine": "Colonna intera", "segment": "Segmento"},
    "es": {"yes": "sí", "no": "no", "renal_cell": "Riñón", "prostate": "Próstata", "breast": "Mama", "lung": "Pulmón", "melanoma": "Melanoma", "withdrawn": "Rechazo", "hospice": "Cuidados paliativos", "transferred": "Trasladado", "whole_spine": "Columna completa", "segment": "Segmento"},
    "nl": {"yes": "ja", "no": "nee", "renal_cell": "Nier", "prostate": "Prostaat", "breast": "Borst", "lung": "Long", "melanoma": "Melanoom", "withdrawn": "Geweigerd", "hospice": "Hospice", "transferred": "Verhuisd", "whole_spine": "Hele wervelkolom", "segment": "Segment"},
}  # fmt: skip


def truth(patients: int = 300, seed: int = 13) -> tuple[Rows, Rows]:
    """Give the cohort and its MRIs as they are meant: dates as dates, everything else as our words."""
    draw = random.Random(seed)
    cohort: Rows = []
    imaging: Rows = []
    for number in range(patients):
        patient = f"{4711 + number * 7:06d}"
        zero = date(2023, 1, 1) + timedelta(days=draw.randrange(800))
        row: dict[str, Any] = dict.fromkeys(COHORT)
        row |= {
            "patient_id": patient,
            "sbrt_date": zero,
            "level": draw.choice(["T8", "T12", "L1", "L3", "C5", "T4", "L5", "S1"]),
        }
        row["histology"] = draw.choice(["renal_cell", "prostate", "breast", "lung", "melanoma"])
        row["bilsky"] = draw.choice(["0", "1a", "1b", "1c", "2"])
        row["paraspinal"] = draw.choice(["yes", "no", None])
        row["sins"] = str(draw.randrange(6, 13)) if draw.random() < 0.8 else None
        row["dose_gy"] = draw.choice(["24", "27.5", "30", "35.5"])
        if draw.random() < 0.15:
            row["death_date"] = zero + timedelta(days=draw.randrange(400, 700))
        elif draw.random() < 0.1:
            row["stop_reason"] = draw.choice(["withdrawn", "hospice", "transferred"])
            row["last_contact_date"] = zero + timedelta(days=draw.randrange(380, 500))
        elif draw.random() < 0.2:
            row["booked_date"] = zero + timedelta(days=draw.randrange(380, 420))
        cohort.append(row)
        day = zero - timedelta(days=draw.randrange(1, 20))
        for _ in range(draw.randrange(1, 5)):
            volume = f"{draw.randrange(5, 400) / 10:.1f}"
            scan = {
                "patient_id": patient,
                "mri_date": day,
                "mri_coverage": draw.choice(["segment", "whole_spine"]),
                "gtv_cc": volume,
            }
            imaging.append({**scan, "completed": "yes"})
            day = (zero if day <= zero else day) + timedelta(days=draw.randrange(70, 100))
    return cohort, imaging


# ---- how cells are written ----

Write = Callable[[str, Cell], Cell]


def iso(column: str, cell: Cell) -> Cell:
    del column
    return "" if cell is None else cell.isoformat() if isinstance(cell, date) else cell


def dated(form: str) -> Write:
    def write(column: str, cell: Cell) -> Cell:
        return cell.strftime(form) if isinstance(cell, date) else iso(column, cell)

    return write


def stored(column: str, cell: Cell) -> Cell:
    """As a workbook stores them: dates, numbers, texts."""
    del column
    return datetime(cell.year, cell.month, cell.day) if isinstance(cell, date) else cell


def said(words: dict[str, str], then: Write) -> Write:
    def write(column: str, cell: Cell) -> Cell:
        return words.get(cell, cell) if isinstance(cell, str) and column != "patient_id" else then(column, cell)

    return write


def changed(columns: Sequence[str], change: Callable[[Cell], Cell], then: Write = iso) -> Write:
    def write(column: str, cell: Cell) -> Cell:
        return change(cell) if column in columns else then(column, cell)

    return write


def table(
    rows: Rows, columns: Sequence[str], write: Write = iso, names: dict[str, str] | None = None
) -> list[list[Cell]]:
    """Lay rows out with their header."""
    names = names or {}
    return [[names.get(c, c) for c in columns], *([write(c, row[c]) for c in columns] for row in rows)]


# ---- how files are written ----


def text(path: Path, rows: list[list[Cell]], separator: str = ",", encoding: str = "utf-8", above: str = "") -> Path:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator, lineterminator="\r\n").writerows(rows)
    path.write_bytes((above + buffer.getvalue()).encode(encoding))
    return path


def sheet(
    path: Path,
    rows: list[list[Cell]],
    before: Sequence[tuple[str, list[list[Cell]]]] = (),
    touch: Callable[[Any], None] | None = None,
    epoch: Any = None,
) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    if epoch is not None:
        book.epoch = epoch
    first = book.active
    assert first is not None
    for name, cells in before:
        other = book.create_sheet(name)
        for row in cells:
            other.append(row)
    target = first if not before else book.create_sheet("Data")
    if before:
        book.remove(first)
    for row in rows:
        target.append(row)
    if touch is not None:
        touch(target)
    book.save(path)
    return path


def old_workbook(path: Path, rows: list[list[Cell]]) -> Path:
    import xlwt

    book = xlwt.Workbook()
    target = book.add_sheet("Liste")
    style = xlwt.easyxf(num_format_str="DD.MM.YYYY")
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if isinstance(cell, datetime):
                target.write(r, c, cell, style)
            elif cell is not None:
                target.write(r, c, cell)
    book.save(str(path))
    return path


def open_document(path: Path, rows: list[list[Cell]]) -> Path:
    import pandas as pd

    frame = pd.DataFrame(rows[1:], columns=rows[0])
    frame.to_excel(path, engine="odf", index=False)
    return path


Files = tuple[Path, Path]


@dataclass(frozen=True)
class Way:
    """One way of writing the tables; `code` is empty where they must be read right, else how the refusal is called."""

    name: str
    write: Callable[[Path, Rows, Rows], Files]
    code: str = ""


def plain_imaging(folder: Path, imaging: Rows) -> Path:
    return text(folder / "mri.csv", table(imaging, IMAGING))


def csv_way(
    write: Write, language: str = "", separator: str = ",", encoding: str = "utf-8", above: str = "", both: bool = True
) -> Callable[[Path, Rows, Rows], Files]:
    """Both tables (or the cohort alone) as text."""
    names = NAMES.get(language, {})
    spoken = said(WORDS[language], write) if language else write

    def done(folder: Path, cohort: Rows, imaging: Rows) -> Files:
        one = text(folder / "ours.csv", table(cohort, COHORT, spoken, names), separator, encoding, above)
        if not both:
            return one, plain_imaging(folder, imaging)
        return one, text(folder / "mri.csv", table(imaging, IMAGING, spoken, names), separator, encoding, above)

    return done


def sheet_way(
    write: Write = stored, names: dict[str, str] | None = None, suffix: str = "xlsx", **more: Any
) -> Callable[[Path, Rows, Rows], Files]:
    """The cohort as a workbook, the MRIs as plain text."""

    def done(folder: Path, cohort: Rows, imaging: Rows) -> Files:
        rows = table(cohort, COHORT, write, names)
        path = folder / f"ours.{suffix}"
        made = (
            old_workbook(path, rows)
            if suffix == "xls"
            else open_document(path, rows)
            if suffix == "ods"
            else sheet(path, rows, **more)
        )
        return made, plain_imaging(folder, imaging)

    return done


def with_rows(
    change: Callable[[list[list[Cell]]], list[list[Cell]]], separator: str = ","
) -> Callable[[Path, Rows, Rows], Files]:
    def done(folder: Path, cohort: Rows, imaging: Rows) -> Files:
        return text(folder / "ours.csv", change(table(cohort, COHORT)), separator), plain_imaging(folder, imaging)

    return done


def _timed(column: str, cell: Cell) -> Cell:
    return stored(column, cell) + timedelta(hours=9, minutes=15) if isinstance(cell, date) else cell


def _mixed(column: str, cell: Cell) -> Cell:
    """True dates on odd days, German text on even ones."""
    if isinstance(cell, date):
        return stored(column, cell) if cell.day % 2 else cell.strftime("%d.%m.%Y")
    return cell


def _na(column: str, cell: Cell) -> Cell:
    return "n/a" if cell is None and column in DATES else _timed(column, cell)


def _serial(column: str, cell: Cell) -> Cell:
    return str((cell - date(1899, 12, 30)).days) if isinstance(cell, date) else iso(column, cell)


def _serial_number(column: str, cell: Cell) -> Cell:
    return (cell - date(1899, 12, 30)).days if isinstance(cell, date) else cell


def _remark(target: Any) -> None:
    target["P5"] = "please check"


def _hide(target: Any) -> None:
    for row in range(5, 15):
        target.row_dimensions[row].hidden = True


def _pad(target: Any) -> None:
    for row in target.iter_rows(min_row=2, max_col=1):
        row[0].value = int(row[0].value)
        row[0].number_format = "000000"


def _number_ids(target: Any) -> None:
    for row in target.iter_rows(min_row=2, max_col=1):
        row[0].value = int(row[0].value)


def _formula(target: Any) -> None:
    target["J7"] = "=B7+500"


def _long_ids(target: Any) -> None:
    for row in target.iter_rows(min_row=2, max_col=1):
        row[0].value = 110101199003000000 + int(row[0].value)


def _two_lines(rows: list[list[Cell]]) -> list[list[Cell]]:
    first = ["patient", "sbrt", "", "", "", "", "", "", "booked", "death", "stop", "last_contact"]
    second = [
        "id",
        "date",
        "level",
        "histology",
        "bilsky",
        "paraspinal",
        "sins",
        "dose_gy",
        "date",
        "date",
        "reason",
        "date",
    ]
    return [first, second, *rows[1:]]


def _only_early_days(column: str, cell: Cell) -> Cell:
    return cell.replace(day=1 + cell.day % 12).strftime("%d/%m/%Y") if isinstance(cell, date) else iso(column, cell)


def _levels(cell: Cell) -> Cell:
    number = cell[1:]
    return {"T": f"BWK {number}", "L": f"LWK {number}", "C": f"HWK{number}", "S": f"S {number}"}[cell[0]]


def _th(cell: Cell) -> Cell:
    return cell.replace("T", "Th").lower()


def _epoch_1904() -> Any:
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    return CALENDAR_MAC_1904


def _two_names(folder: Path, cohort: Rows, imaging: Rows) -> Files:
    one = text(folder / "ours.csv", table(cohort, COHORT, iso, {"patient_id": "Pat.-Nr."}))
    return one, text(folder / "mri.csv", table(imaging, IMAGING, iso, {"patient_id": "MRN"}))


def _zeros_lost(folder: Path, cohort: Rows, imaging: Rows) -> Files:
    bare = [{**row, "patient_id": row["patient_id"].lstrip("0")} for row in imaging]
    return text(folder / "ours.csv", table(cohort, COHORT)), plain_imaging(folder, bare)


def _parquet(folder: Path, cohort: Rows, imaging: Rows) -> Files:
    import pandas as pd

    for rows, name in ((cohort, "ours.parquet"), (imaging, "mri.parquet")):
        frame = pd.DataFrame(rows)
        for column in DATES:
            if column in frame:
                frame[column] = pd.to_datetime(frame[column])
        frame.to_parquet(folder / name)
    return folder / "ours.parquet", folder / "mri.parquet"


def _german_then_iso(folder: Path, cohort: Rows, imaging: Rows) -> Files:
    made, _ = csv_way(dated("%d.%m.%Y"), "de", ";", both=False)(folder, cohort, imaging)
    return made, plain_imaging(folder, imaging)


UPPER = {name: name.upper() for name in (*COHORT, *IMAGING)}
SPACED = {name: name.replace("_", " ").title() for name in (*COHORT, *IMAGING)}
NOTES = [("Read me", [["Spine SBRT register"], ["since 2023"]])]
COMMA = changed(("dose_gy", "gtv_cc"), lambda cell: cell.replace(".", ","))

WAYS = (
    Way("plain", csv_way(iso)),
    Way("german, semicolon", csv_way(dated("%d.%m.%Y"), "de", ";")),
    Way("german cohort, iso MRIs", _german_then_iso),
    Way("two names for the id", _two_names),
    Way("date and time, german", csv_way(dated("%d.%m.%Y 10:30"))),
    Way("date and time, iso", csv_way(dated("%Y-%m-%dT09:15:00"))),
    Way("serial numbers in text", csv_way(_serial)),
    Way("serial numbers in a workbook", sheet_way(_serial_number)),
    Way("workbook", sheet_way()),
    Way("workbook with times", sheet_way(_timed)),
    Way("workbook with n/a and times", sheet_way(_na)),
    Way("workbook, dates and german text", sheet_way(_mixed)),
    Way("windows-1252", csv_way(dated("%d.%m.%Y"), "de", ";", "cp1252")),
    Way("utf-16, tabs", csv_way(dated("%d.%m.%Y"), "de", "\t", "utf-16")),
    Way("tabs", csv_way(iso, separator="\t")),
    Way("xls", sheet_way(suffix="xls")),
    Way("ods", sheet_way(suffix="ods")),
    Way("decimal comma", csv_way(COMMA, separator=";")),
    Way("title row", with_rows(lambda rows: [["Spine SBRT register, as of June", *[""] * (len(COHORT) - 1)], *rows])),
    Way("header on two lines", with_rows(_two_lines)),
    Way("second sheet", sheet_way(before=NOTES)),
    Way("remark beside the table", sheet_way(touch=_remark)),
    Way("sep line", csv_way(iso, separator=";", above="sep=;\r\n")),
    Way("totals row", with_rows(lambda rows: [*rows, ["Summe", "300", *[""] * (len(COHORT) - 2)]])),
    Way("hidden rows", sheet_way(touch=_hide)),
    Way("bilsky words", csv_way(changed(("bilsky",), lambda cell: f"Bilsky {cell.upper()}"))),
    Way("levels in german", csv_way(changed(("level",), _levels))),
    Way("levels as Th", csv_way(changed(("level",), _th))),
    Way("missing words", csv_way(lambda column, cell: {"sins": "n/a", "paraspinal": "?"}.get(column, "-") if cell is None else iso(column, cell))),
    Way("capital names", csv_way(iso, separator=",", both=True) if False else lambda f, c, i: (text(f / "ours.csv", table(c, COHORT, iso, UPPER)), text(f / "mri.csv", table(i, IMAGING, iso, UPPER)))),
    Way("spaced names", lambda f, c, i: (text(f / "ours.csv", table(c, COHORT, iso, SPACED)), text(f / "mri.csv", table(i, IMAGING, iso, SPACED)))),
    Way("american dates", csv_way(dated("%m/%d/%Y"))),
    Way("french", csv_way(dated("%d/%m/%Y"), "fr", ";")),
    Way("italian", csv_way(dated("%d/%m/%Y"), "it", ";", "cp1252")),
    Way("spanish", csv_way(dated("%d-%m-%Y"), "es", ";")),
    Way("dutch", csv_way(dated("%d-%m-%Y"), "nl", ";")),
    Way("1904 workbook", sheet_way(epoch=_epoch_1904())),
    Way("padded ids", sheet_way(touch=_pad)),
    Way("months in words", csv_way(dated("%d %b %Y"))),
    Way("parquet", _parquet),
    Way("two-digit years", csv_way(dated("%d.%m.%y"))),
    Way("units in cells", csv_way(changed(("dose_gy", "gtv_cc"), lambda cell: cell))),
    Way("day or month first", csv_way(_only_early_days), "asked"),
    Way("ids lost their zeros", _zeros_lost, "ids-do-not-match"),
    Way("formula without value", sheet_way(touch=_formula), "formula-without-value"),
    Way("ids over 15 digits", sheet_way(touch=_long_ids), "long-number"),
)  # fmt: skip
