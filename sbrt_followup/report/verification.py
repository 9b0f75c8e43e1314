"""Does a file fit its manifest, do inputs and rules fit what the manifest says: one line each.

Results: `fits`, `differs`, `absent` (named but not there), `before` (the file from before a write that was stopped, described
by the manifest as such), `not_checked`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .. import __version__
from ..problems import Source, refuse
from .files import MANIFEST, hash_of, manifest_path
from .tabular import unsealed

if TYPE_CHECKING:
    from ..rulebook.model import Document

Result = Literal["fits", "differs", "absent", "before", "not_checked"]
FAULTS: tuple[Result, ...] = ("differs", "absent")


@dataclass(frozen=True)
class Check:
    """One thing held against the manifest."""

    part: Literal["file", "input", "rule", "program"]
    name: str
    result: Result
    detail: str = ""


def manifest_of(path: Path) -> tuple[Mapping[str, Any], Check]:
    """Find the manifest of a file, inside it or beside it, and hold the file against it."""
    source = Source(path.name)
    if path.name.endswith(MANIFEST):
        raise refuse("is-manifest", "this is a manifest: name the file it stands beside", source)
    beside = manifest_path(path)
    try:
        whole = hash_of(path)
        inside = _json(path.read_bytes()) if path.suffix.lower() == ".json" else None
        told = _json(beside.read_bytes()) if beside.is_file() else None
    except OSError as error:
        raise refuse("unreadable", f"cannot be read: {error.strerror or 'I/O error'}", source) from None
    if told is None and inside is not None and isinstance(inside.get("manifest"), dict):
        manifest = inside["manifest"]
        sealed = _sealed(manifest)
        return manifest, _file(path, sealed, unsealed(inside))
    if told is None:
        raise refuse("no-manifest", "no manifest stands beside this file or inside it", source, f"A manifest is called {path.name}{MANIFEST}.")  # fmt: skip
    check = _file(path, _sealed(told), f"sha256:{whole}")
    before = told.get("replaces")
    if check.result == "differs" and isinstance(before, dict) and before.get("content_hash") == f"sha256:{whole}":
        old = before.get("manifest")
        detail = "the file from before a write that was stopped; make the output again"
        return (old if isinstance(old, dict) else told), Check("file", path.name, "before", detail)
    return told, check


def _json(data: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _sealed(manifest: Mapping[str, Any]) -> str:
    output = manifest.get("output")
    return str(output.get("content_hash", "")) if isinstance(output, dict) else ""


def _file(path: Path, told: str, found: str) -> Check:
    if not told:
        return Check("file", path.name, "not_checked", "the manifest does not hold the file's hash")
    same = told == found
    return Check("file", path.name, "fits" if same else "differs", "" if same else "its content is another one than the manifest says")  # fmt: skip


def check_inputs(manifest: Mapping[str, Any], files: Sequence[Path]) -> list[Check]:
    """Hold files against the inputs that the manifest names; a file that fits none differs."""
    hashes = {path: f"sha256:{_hash(path)}" for path in files}
    told = {str(i.get("role", "?")): i.get("content_hash") for i in _list(manifest.get("inputs"))}
    arguments = manifest.get("arguments")
    options = arguments if isinstance(arguments, dict) else {}
    told |= {k: v for k, v in options.items() if isinstance(v, str) and v.startswith("sha256:")}
    checks = []
    for role, content in told.items():
        fitting = [path for path, found in hashes.items() if found == content]
        missing = "" if str(content).startswith("sha256:") else "its hash is not kept"
        checks.append(
            Check("input", role, "fits", fitting[0].name)
            if fitting
            else Check("input", role, "not_checked", missing or "name the file after the output to check it")
        )
    used = set(told.values())
    checks += [Check("input", p.name, "differs", "no input had this content") for p, h in hashes.items() if h not in used]  # fmt: skip
    return checks


def _hash(path: Path) -> str:
    try:
        return hash_of(path)
    except OSError as error:
        raise refuse("unreadable", f"cannot be read: {error.strerror or 'I/O error'}", Source(path.name)) from None


def check_rules(manifest: Mapping[str, Any], documents: Mapping[str, Document]) -> list[Check]:
    """Hold a rulebook against the documents that the manifest names."""
    checks = []
    for told in _list(manifest.get("rules")):
        name = str(told.get("document"))
        found = documents.get(name)
        if found is None:
            checks.append(Check("rule", name, "absent", "the rulebook has no such document"))
        elif found.content_hash == told.get("content_hash"):
            checks.append(Check("rule", name, "fits", found.version))
        else:
            versions = "the same version number" if found.version == told.get("version") else f"version {found.version}"
            checks.append(Check("rule", name, "differs", f"version {told.get('version')} then, other content now ({versions})"))  # fmt: skip
    return checks


def check_program(manifest: Mapping[str, Any]) -> Check:
    """Say whether this program made it; another version is no fault, for its output may be the same."""
    told = str(manifest.get("version"))
    if told == __version__:
        return Check("program", "version", "fits", told)
    return Check("program", "version", "not_checked", f"made by version {told}, this is {__version__}")


def _list(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
