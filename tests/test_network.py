"""No command opens the network or starts another program; a guard in the interpreter counts every try."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

GUARD = """
import json, sys
tries = []
def hook(event, arguments):
    if event.startswith(("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "urllib")):
        tries.append(event)
sys.addaudithook(hook)
from sbrt_followup.cli import main
code = 0
for line in json.loads(sys.argv[1]):
    sys.argv = ["sbrt-followup", *line]
    try:
        main()
    except SystemExit as ended:
        code = ended.code or 0
    assert code in (0, 1, 2), line
print(json.dumps(tries), file=sys.stderr)
"""
BOTH = ["c.csv", "--imaging", "m.csv", "--as-of", "2025-06-15"]
COMMANDS = [
    *[["schedule", *BOTH, "-q", "-o", f"s.{e}"] for e in ("csv", "json", "xlsx", "parquet", "txt")],
    ["schedule", *BOTH, "-q", "-o", "s.ics", "--key-file", "k"], ["schedule", *BOTH, "-q", "-o", "s.fhir.json", "--key-file", "k"],
    ["schedule", *BOTH, "-q", "-f", "csv", "--figure", "s.png"], ["worklist", *BOTH, "-q"], ["risk", "c.csv", "-q"],
    ["assess", *BOTH, "-q"], ["assess", *BOTH, "-q", "--figure", "a.svg"], ["explain", *BOTH, "--row", "2"], ["check", *BOTH],
    ["curves", "c.csv", "--endpoint", "death", "-q", "--figure", "c.pdf"], ["map", "c.csv", "-o", "map.yaml"],
    ["curves", "p.parquet", "--prepared", "days,status", "--engine", "duckdb", "-q"],
    ["curves", "p.parquet", "--prepared", "days,status", "--engine", "polars", "-q"],
    ["curves", "http://127.0.0.1:9/x.parquet", "--prepared", "days,status", "--engine", "duckdb"],
    ["schedule", "https://127.0.0.1:9/c.csv"], ["schedule", "c.csv", "-o", "http://127.0.0.1:9/x.csv"],
    ["simulate", "--patients", "5", "-q"], ["rules", "check"], ["rules", "show", "-q"], ["rules", "schema"], ["verify", "s.csv"],
]  # fmt: skip


@pytest.mark.slow
def test_no_command_opens_the_network_or_starts_a_program(tmp_path: Path) -> None:
    samples = Path(__file__).parents[1] / "sample_cohorts"
    (tmp_path / "c.csv").write_bytes((samples / "clinic.csv").read_bytes())
    (tmp_path / "m.csv").write_bytes((samples / "clinic_imaging.csv").read_bytes())
    (tmp_path / "k").write_text("0123456789abcdef0123456789abcdef")
    (tmp_path / "k").chmod(0o600)
    pd.DataFrame({"days": [10.0, 20.0, 30.0], "status": [1, 0, 2]}).to_parquet(tmp_path / "p.parquet")
    done = subprocess.run(
        [sys.executable, "-c", GUARD, json.dumps(COMMANDS)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stderr.splitlines()[-1]) == []
    assert (tmp_path / "s.xlsx").exists() and (tmp_path / "c.pdf").exists()
