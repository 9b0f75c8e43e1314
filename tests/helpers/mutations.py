"""Seeded mutations of good files: bytes and, in archives, parts; what a damaged disk, a bad export or an attacker makes."""

from __future__ import annotations

import io
import random
import zipfile
from datetime import datetime
from pathlib import Path

TEXT = (
    "patient_id;sbrt_date;level;histology;bilsky;death_date;dose_gy\n"
    'A;31.01.2025;Th8;Niere;1b;;22,5\nB;28.02.2025;L2-3;Mamma;0;01.06.2025;30\n"C";01.03.2025;C5;Lunge;2;;\n'
)
MAP = """cohort:
  sheet: "Data"
  header_row: 2
  skip_rows: [3, "Summe"]
  columns: {patient_id: "Pat.-Nr.", sbrt_date: Ende, level: H}
  dates: {sbrt_date: [DD.MM.YYYY, serial]}
  decimal: ","
  missing: [n/a, "-"]
  values:
    level: {"/(?:th|bwk) ?([0-9]+)/": "T\\\\1", "": ""}
    paraspinal: {J: "yes", N: "no"}
  where: {x: [y, z]}
imaging:
  columns: {patient_id: MRN}
"""


def seeds(folder: Path) -> dict[str, bytes]:
    """Give one good file a format."""
    import openpyxl
    import pandas as pd
    import xlwt

    header = ["patient_id", "sbrt_date", "level", "sins", "note"]
    rows = [[f"P{i}", datetime(2025, 1, 1 + i), "T8", i, f"note {i}"] for i in range(12)]
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [header, *rows]:
        sheet.append(row)
    sheet["D3"], sheet["E4"] = "=1+1", True
    sheet["A5"], sheet["A5"].number_format = 17, "00000"
    book.create_sheet("Notes").append(["x"])
    book.save(folder / "a.xlsx")
    old = xlwt.Workbook()
    target = old.add_sheet("A")
    for r, row in enumerate([header, *rows]):
        for c, cell in enumerate(row):
            target.write(r, c, cell)
    old.save(str(folder / "a.xls"))
    frame = pd.DataFrame(rows, columns=header)
    frame.to_excel(folder / "a.ods", engine="odf", index=False)
    frame.to_parquet(folder / "a.parquet")
    made = {name: (folder / name).read_bytes() for name in ("a.xlsx", "a.xls", "a.ods", "a.parquet")}
    return {**made, "a.csv": TEXT.encode(), "b.csv": TEXT.encode("cp1252"), "a.yaml": MAP.encode()}


def mutated(data: bytes, draw: random.Random) -> bytes:
    """Change a file in one of several ways; an archive's parts are changed inside it."""
    if data.startswith(b"PK") and draw.random() < 0.7:
        return _archive(data, draw)
    return _bytes(data, draw)


def _archive(data: bytes, draw: random.Random) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        chosen = draw.choice(names)
        for name in names:
            content = old.read(name)
            if name == chosen:
                if draw.random() < 0.1:
                    continue
                content = _bytes(content, draw)
            new.writestr(name, content)
    return buffer.getvalue()


def _bytes(data: bytes, draw: random.Random) -> bytes:
    made = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 5, 20))):
        at = draw.randrange(len(made) + 1)
        size = draw.choice((1, 1, 2, 8, 50))
        match draw.randrange(6):
            case 0:
                made[at : at + size] = bytes(draw.randrange(256) for _ in range(size))
            case 1:
                del made[at : at + size]
            case 2:
                made[at:at] = made[at : at + size] * draw.choice((1, 3, 40))
            case 3:
                made[at:at] = draw.choice(_TRICKS)
            case 4:
                found = [i for i, byte in enumerate(made) if 48 <= byte < 58]
                if found:
                    place = draw.choice(found)
                    made[place : place + 1] = draw.choice((b"9999999", b"-1", b"0", b"1e308", b"NaN"))
            case _:
                made = made[: max(1, at)]
        if not made:
            made = bytearray(b" ")
    return bytes(made)


_TRICKS = (b"\0", b'"', b";", b"\n", b"\r", b"<f>", b"</c>", b"&amp;", b"&x;", b"\xff\xfe", b"\xef\xbb\xbf", b"9" * 400, b"{", b"[", b"!!x", b"*a", b"&a ", b"? ", b"- ", b"sep=|\n", b"<!DOCTYPE x>", b"=1+1", b"\x1b]0;x\x07")  # fmt: skip
