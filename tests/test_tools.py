"""The bill of materials names what is installed; locked hashes are those of the files."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).parents[1] / "tools"


def run(*arguments: str) -> str:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True).stdout


def test_the_bill_of_materials_names_every_dependency_with_a_licence() -> None:
    first, second = (run(str(TOOLS / "bill_of_materials.py")) for _ in range(2))
    assert first == second, "no clock"
    found = {c["name"]: c for c in json.loads(first)["components"]}
    assert {"typer", "rich", "pyyaml", "pandas", "numpy", "lifelines", "narwhals", "matplotlib", "scipy"} <= set(found)
    assert found["numpy"]["licenses"][0]["license"]["name"] != "unknown"


def test_locked_hashes_are_those_of_the_files(tmp_path: Path) -> None:
    (tmp_path / "some_package-1.2-py3-none-any.whl").write_bytes(b"wheel")
    expected = f"some_package==1.2 --hash=sha256:{hashlib.sha256(b'wheel').hexdigest()}\n"
    assert run(str(TOOLS / "lock_hashes.py"), str(tmp_path)) == expected
