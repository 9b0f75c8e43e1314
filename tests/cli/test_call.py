"""One call of a command: an output is never an input, nothing is written before all is rendered, and streams may fail."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_cli import AS_OF, COHORT, IMAGING, run

from sbrt_followup.report.files import Part

KEY = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
SCHEDULE = ("schedule", "cohort.csv", "--imaging", "mri.csv", *AS_OF)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cohort.csv").write_text(COHORT)
    (tmp_path / "mri.csv").write_text(IMAGING)
    (tmp_path / "map.yaml").write_text("cohort: {columns: {bilsky: bilsky}}\n")
    (tmp_path / "clinic.key").write_text(KEY)
    (tmp_path / "clinic.key").chmod(0o600)
    return tmp_path


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    "arguments",
    [
        (*SCHEDULE, "-o", "cohort.csv"),
        (*SCHEDULE, "-o", "./mri.csv"),
        (*SCHEDULE, "-o", "hard.csv"),
        (*SCHEDULE, "-o", "soft.csv"),
        (*SCHEDULE, "--map", "map.yaml", "-f", "csv", "-o", "map.yaml"),
        (*SCHEDULE, "-f", "ics", "--key-file", "clinic.key", "-o", "clinic.key"),
        (*SCHEDULE, "-f", "ics", "--key-file", "clinic.key", "--previous", "old.ics", "-o", "old.ics"),
        (*SCHEDULE, "-o", "same.svg", "-f", "csv", "--figure", "same.svg"),
        (*SCHEDULE, "-o", "x.csv", "--figure", "x.csv.manifest.json.svg", "-o", "x.csv", "--figure", "cohort.svg"),
        ("simulate", "--patients", "5", "-o", "x.csv", "--imaging-output", "./x.csv"),
        ("curves", "cohort.csv", "--endpoint", "death", "--figure", "a.svg", "--figure", "a.svg"),
        ("risk", "cohort.csv", "--rules", "ours", "-f", "csv", "-o", "ours/plan.yaml"),
        ("rules", "show", "--rules", "ours", "-f", "markdown", "-o", "ours/plan.yaml"),
        ("assess", "cohort.csv", "--imaging", "mri.csv", *AS_OF, "--endpoints", "cohort.csv"),
        ("check", "cohort.csv", "--format", "csv", "-o", "cohort.csv"),
    ],
    ids=lambda a: " ".join(a),
)
def test_an_output_that_is_an_input_or_another_output_is_refused(folder: Path, arguments: tuple[str, ...]) -> None:
    os.link(folder / "cohort.csv", folder / "hard.csv")
    (folder / "soft.csv").symlink_to("cohort.csv")
    (folder / "old.ics").write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n")
    (folder / "cohort.svg").write_text("mine")
    (folder / "ours").mkdir()
    (folder / "ours" / "plan.yaml").write_text("id: x\n")
    before = content(folder)
    if "x.csv.manifest.json.svg" in arguments:
        arguments = (*SCHEDULE, "--imaging", "x.csv.manifest.json", "-o", "x.csv")
        (folder / "x.csv.manifest.json").write_text(IMAGING)
        before = content(folder)
    done = run(*arguments, "--force", cwd=folder)
    assert done.returncode == 2
    assert "[output-is-input]" in done.stderr
    assert done.stderr.endswith("nothing was written.\n")
    assert content(folder) == before


OUTPUTS = [
    (*SCHEDULE, "-o", "x.csv"),
    (*SCHEDULE, "-o", "x.json"),
    (*SCHEDULE, "-o", "x.xlsx"),
    (*SCHEDULE, "-o", "x.parquet"),
    (*SCHEDULE, "-o", "x.txt"),
    (*SCHEDULE, "--key-file", "clinic.key", "-o", "x.ics"),
    (*SCHEDULE, "--key-file", "clinic.key", "-o", "x.fhir.json"),
    (*SCHEDULE, "--figure", "x.svg"),
    (*SCHEDULE, "--figure", "x.png"),
    (*SCHEDULE, "--figure", "x.pdf"),
    ("worklist", "cohort.csv", *AS_OF, "-o", "x.csv"),
    ("risk", "cohort.csv", "-o", "x.json"),
    ("explain", "cohort.csv", "--row", "2", *AS_OF, "-o", "x.txt"),
    ("explain", "cohort.csv", "--row", "2", *AS_OF, "-o", "x.json"),
    ("assess", "cohort.csv", "--imaging", "mri.csv", *AS_OF, "--card", "-o", "x.txt"),
    ("assess", "cohort.csv", "--imaging", "mri.csv", *AS_OF, "--reasoning", "-o", "x.txt"),
    ("assess", "cohort.csv", "--imaging", "mri.csv", *AS_OF, "--endpoints", "x.csv"),
    ("curves", "events.csv", "-o", "x.csv"),
    ("curves", "events.csv", "-o", "x.json"),
    ("curves", "events.csv", "--figure", "x.svg"),
    ("simulate", "--patients", "5", "-o", "x.csv"),
    ("rules", "check", "-o", "x.json"),
    ("rules", "show", "plan/chen-2024", "-o", "x.md"),
    ("rules", "show", "plan/chen-2024", "-o", "x.html"),
    ("rules", "show", "plan/chen-2024", "--figure", "x.svg"),
    ("rules", "evidence", "-o", "x.csv"),
    ("check", "cohort.csv", "-o", "x.csv"),
]
named = pytest.mark.parametrize("arguments", OUTPUTS, ids=lambda a: " ".join(a))


def name_of(arguments: tuple[str, ...]) -> str:
    return next(a for a in arguments if a.startswith("x."))


@named
def test_every_output_of_every_kind_fits_its_manifest(folder: Path, arguments: tuple[str, ...]) -> None:
    (folder / "events.csv").write_text(
        "patient_id,sbrt_date,progression_date,last_followup_date\nA,2024-01-01,2024-05-01,2024-05-01\nB,2024-01-01,,2024-09-01\n"
    )
    done = run(*arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    name = name_of(arguments)
    verified = run("verify", name, "-f", "json", cwd=folder)
    assert verified.returncode == 0, verified.stderr + verified.stdout
    checks = json.loads(verified.stdout)["checks"]
    assert [c["result"] for c in checks if c["part"] == "file"] == ["fits"]
    manifest = folder / f"{name}.manifest.json"
    text = (manifest if manifest.exists() else folder / name).read_text()
    assert "ZQ-4711" not in text or not manifest.exists()
    assert not list(folder.glob(".*")), "parts are gone"
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-3] + b"~" + data[-2:])
    assert run("verify", name, cwd=folder).returncode in (1, 2)


@named
def test_a_full_disk_says_so_and_leaves_nothing(
    folder: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "events.csv").write_text(
        "patient_id,sbrt_date,progression_date,last_followup_date\nA,2024-01-01,2024-05-01,2024-05-01\nB,2024-01-01,,2024-09-01\n"
    )
    before = content(folder)

    def full(self: Part, mode: int | None) -> tuple[str, int]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Part, "settle", full)
    done = run(*arguments, cwd=folder)
    assert done.returncode == 2
    assert re.search(
        rf"{re.escape(name_of(arguments))}: cannot be written: No space left on device\..*\[cannot-write\]", done.stderr
    )
    assert "nothing was written" in done.stderr
    assert content(folder) == before


def test_a_manifest_says_every_argument_that_can_change_an_answer(folder: Path) -> None:
    cohort = "Fall,Ende,Weich\nP1,03/04/2025,J\n"
    (folder / "c.csv").write_text(cohort)
    for name, word in (("m1", "yes"), ("m2", "no")):
        text = f"cohort:\n  columns: {{patient_id: Fall, sbrt_date: Ende, paraspinal: Weich}}\n  values: {{paraspinal: {{J: {word}}}}}\n"
        (folder / f"{name}.yaml").write_text(text)
    told: list[dict[str, str]] = []
    for number, options in enumerate((
        ("--map", "m1.yaml", "--date-format", "%d/%m/%Y"), ("--map", "m2.yaml", "--date-format", "%d/%m/%Y"),
        ("--map", "m1.yaml", "--date-format", "%m/%d/%Y"), ("--map", "m1.yaml", "--date-format", "%d/%m/%Y", "--on-error", "exclude"),
    )):  # fmt: skip
        done = run("schedule", "c.csv", "--as-of", "2025-06-01", *options, "-o", f"{number}.csv", cwd=folder)
        assert done.returncode == 0, done.stderr
        told.append(json.loads((folder / f"{number}.csv.manifest.json").read_text())["arguments"])
    assert len({json.dumps(t) for t in told}) == 4
    assert told[0]["map"].startswith("sha256:")
    assert run("verify", "0.csv", "m2.yaml", cwd=folder).returncode == 1
    assert run("verify", "0.csv", "c.csv", "m1.yaml", cwd=folder).returncode == 0


def test_no_hash_of_a_small_space_stands_in_a_manifest(folder: Path) -> None:
    done = run(
        "schedule", "--sbrt-date", "2025-01-31", "--bilsky", "1b", "--sins", "9", *AS_OF, "-o", "x.json", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    manifest = json.loads((folder / "x.json").read_text())["manifest"]
    assert manifest["inputs"][0]["content_hash"] == "given, not shown"
    assert manifest["arguments"]["bilsky"] == "given, not shown"
    assess = ("assess", "cohort.csv", "--imaging", "mri.csv", *AS_OF, "--patient", "ZQ-4711", "-o", "a.csv")
    assert run(*assess, cwd=folder).returncode == 0
    assert json.loads((folder / "a.csv.manifest.json").read_text())["arguments"]["patient"] == "given, not shown"


def test_what_cannot_be_drawn_writes_nothing_at_all(folder: Path) -> None:
    (folder / "empty.csv").write_text("patient_id,sbrt_date,progression_date,last_followup_date\n")
    before = content(folder)
    done = run("curves", "empty.csv", "-o", "out.csv", "--figure", "f.png", cwd=folder)
    assert done.returncode == 2
    assert content(folder) == before


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX")
def test_files_of_patients_are_private_pages_of_rules_are_not(folder: Path) -> None:
    run(*SCHEDULE, "-o", "x.csv", cwd=folder)
    run("rules", "show", "plan/chen-2024", "-o", "x.md", cwd=folder)
    modes = [stat.S_IMODE((folder / name).stat().st_mode) for name in ("x.csv", "x.csv.manifest.json", "x.md")]
    mask = os.umask(0)
    os.umask(mask)
    assert modes == [0o600, 0o600, 0o666 & ~mask]


def shell(text: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    program = f"{sys.executable} -m sbrt_followup"
    return subprocess.run(
        ["bash", "-c", text.replace("PROGRAM", program)],
        cwd=folder, capture_output=True, check=False, env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell closes the streams")
@pytest.mark.parametrize("format_", ["csv", "table"])
def test_closed_streams_and_short_readers(folder: Path, format_: str) -> None:
    text = f"PROGRAM {' '.join(SCHEDULE)} -f {format_}"
    whole = shell(text, folder, COLUMNS="100")
    closed = shell(f"{text} >&-", folder)
    assert (closed.returncode, b"stdout is closed" in closed.stderr) == (2, True)
    silent = shell(f"{text} 2>&-", folder, COLUMNS="100")
    assert (silent.returncode, silent.stdout) == (0, whole.stdout), "no note among the data"
    short = shell(f"{text} | head -1; exit ${{PIPESTATUS[0]}}", folder)
    assert short.returncode == 0
    assert b"Traceback" not in short.stderr
    assert b"Exception" not in short.stderr
    nothing = shell("PROGRAM schedule - <&-", folder)
    assert nothing.returncode == 2
    assert b"internal" not in nothing.stderr


def test_a_console_without_our_signs_gets_plain_ones(folder: Path) -> None:
    for text in ("PROGRAM rules show plan/chen-2024", f"PROGRAM {' '.join(SCHEDULE)} -f table", "PROGRAM --help"):
        done = shell(text, folder, PYTHONIOENCODING="cp1252", PYTHONUTF8="0", COLUMNS="100")
        assert done.returncode == 0, done.stderr
        assert "?" not in done.stdout.decode("cp1252").replace("? unknown", ""), "every sign of ours has a plain one"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize(
    "arguments",
    [
        ("curves", "events.csv", "--null-check", "--simulations", "1000000", "-o", "out.csv"),
        ("rules", "test", "--mutate", "-o", "out.json"),
    ],
    ids=lambda a: " ".join(a[:2]),
)
def test_asked_to_end_it_ends_with_a_word_and_leaves_nothing(
    folder: Path, arguments: tuple[str, ...], number: int
) -> None:
    rows = "".join(
        f"P{i},2024-01-01,{'2024-05-01' if i % 3 else ''},2024-09-01,{'ab'[i % 2]},2024-03-01\n" for i in range(300)
    )
    (folder / "events.csv").write_text(
        "patient_id,sbrt_date,progression_date,last_followup_date,arm,last_clear_mri_date\n" + rows
    )
    if arguments[0] == "curves":
        arguments = (*arguments, "--by", "arm")
    before = content(folder)
    child = subprocess.Popen(
        [sys.executable, "-m", "sbrt_followup", *arguments], cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    time.sleep(6)
    child.send_signal(number)
    _, said = child.communicate(timeout=30)
    assert child.returncode == 128 + number, said
    assert b"stopped" in said
    assert b"nothing was written" in said
    assert content(folder) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("curves", "cohort.csv", "--landmark", "nan"),
        ("curves", "cohort.csv", "--tau", "inf"),
        ("curves", "cohort.csv", "--level", "0.9999999999999999"),
        ("schedule", "cohort.csv", "--as-of", "9999-12-31"),
        ("schedule", "cohort.csv", "--as-of", "20250615"),
        ("curves", "cohort.csv", "--as-of", "0001-01-01"),
        ("schedule", "cohort.csv", "--horizon", "9" * 5000),
        ("schedule", "cohort.csv", "--date-format", "%d" * 5000),
        ("rules", "test", "--min", "nan"),
    ],
    ids=lambda a: "_".join(a)[:40],
)
def test_no_number_date_or_text_of_an_option_ends_in_an_internal_error(
    folder: Path, arguments: tuple[str, ...]
) -> None:
    done = run(*arguments, cwd=folder)
    assert done.returncode == 2
    assert next(a for a in arguments if a.startswith("--")) in done.stderr
    assert "internal error" not in done.stderr


def test_the_documents_that_decide_a_line_stand_in_its_manifest(folder: Path) -> None:
    (folder / "mri.csv").write_text(
        "patient_id,mri_date,gtv_cc,confined_to_vertebra,bilsky\nA,2025-01-20,10,,0\nA,2025-04-28,14,yes,0\n"
    )
    (folder / "cohort.csv").write_text("patient_id,sbrt_date,level\nA,2025-01-31,T8\n")
    for command in ("schedule", "worklist"):
        body = json.loads(
            run(command, "cohort.csv", "--imaging", "mri.csv", "--as-of", "2025-06-15", "-f", "json", cwd=folder).stdout
        )
        lines = body["visits" if command == "schedule" else "patients"]
        decided = {part.partition("#")[0] for line in lines for part in (line["rule"] or "").split(";")} - {""}
        assert "response/next-step" in decided
        assert decided <= {d["document"] for d in body["manifest"]["rules"]}
