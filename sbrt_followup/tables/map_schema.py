"""The JSON Schema of a map file, from the columns and keys themselves, for editors that check while one types."""

from __future__ import annotations

from typing import Any

from .columns import ColumnSpec
from .map_reading import KEYS, OPEN, SECTIONS

_TEXT: dict[str, Any] = {"type": ["string", "number", "boolean"]}
_TEXTS: dict[str, Any] = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}


def map_schema() -> dict[str, Any]:
    """Give the schema of a map with sections, strict as its reading is."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "How a clinic's tables are read by sbrt-followup",
        "type": "object",
        "additionalProperties": False,
        "properties": {section: _section(specs) for section, specs in SECTIONS.items()},
    }


def _section(specs: tuple[ColumnSpec, ...]) -> dict[str, Any]:
    dates = [spec for spec in specs if spec.kind == "date"]
    parts: dict[str, Any] = {
        "sheet": _TEXT,
        "header_row": {"anyOf": [_row(), {"type": "array", "items": _row(), "minItems": 1}]},
        "skip_rows": {"type": "array", "items": {"anyOf": [_row(), {"type": "string", "minLength": 1}]}},
        "unnamed": {"enum": ["refuse", "ignore"]},
        "encoding": {"type": "string"},
        "separator": {"type": "string"},
        "columns": _mapping({spec.name: {**_TEXT, "description": spec.help} for spec in specs}),
        "own": {"type": "array", "items": _TEXT},
        "dates": _mapping({spec.name: _TEXTS for spec in dates}),
        "decimal": {"enum": [".", ",", OPEN]},
        "missing": {"type": "array", "items": _TEXT},
        "values": _mapping({spec.name: _words(spec) for spec in specs}),
        "where": {"type": "object", "minProperties": 1, "additionalProperties": _TEXTS},
        "patient_rows": {"type": "object", "minProperties": 1, "additionalProperties": _TEXTS},
    }
    described = {key: {**part, "description": KEYS[key]} for key, part in parts.items()}
    return {"type": ["object", "null"], "additionalProperties": False, "properties": described}


def _row() -> dict[str, Any]:
    return {"type": "integer", "minimum": 1}


def _mapping(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _words(spec: ColumnSpec) -> dict[str, Any]:
    """A word's meaning: one of the column's values, nothing, or still open; a /pattern/ may build it from its groups."""
    if not spec.levels:
        return {"type": "object", "additionalProperties": _TEXT}
    # An editor reads a plain 2 as a number and a plain yes as a flag.
    numbers = [int(level) for level in spec.levels if level.isdigit()]
    flags = [True, False] if set(spec.levels) == {"yes", "no"} else []
    allowed = {"enum": [*spec.levels, *numbers, *flags, "", OPEN]}
    return {"type": "object", "patternProperties": {"^/.*/$": {"type": "string"}}, "additionalProperties": allowed}
