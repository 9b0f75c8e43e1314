"""JSON Schema (draft 7) of the rule documents, made from the types that read them: completion and checks in an editor.

An editor sees YAML 1.2: a bare number is a number, `yes` is a text. What the schema cannot say (overlaps, joins, names that
point elsewhere) `rules check` says.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
from fractions import Fraction
from typing import Any, Literal, Union, get_args, get_origin

from ..rulebook.conditions import OPERATORS, UNORDERED, Condition
from ..rulebook.kinds import KINDS
from ..rulebook.library import OVERLAY_KEYS
from ..rulebook.model import Extends, Span
from ..rulebook.structure import fields_of
from ..vocabulary import FACTS, Fact

Schema = dict[str, Any]
DRAFT = "http://json-schema.org/draft-07/schema#"
NUMBER: Schema = {"type": "number"}
TEXT: Schema = {"type": "string", "minLength": 1}


def schema(kind: str | None = None) -> Schema:
    """Give the schema of one kind of document, or of all of them."""
    if kind == "cases":
        return {"$schema": DRAFT, "title": "cases of a rule document", **_cases()}
    definitions: dict[str, Schema] = {}
    words = [kind] if kind else list(KINDS)
    for word in words:
        _reference(KINDS[word], definitions)
    definitions["condition"] = _condition()
    definitions["overlay"] = _overlay(definitions)
    chosen = [
        {
            "if": {"properties": {"kind": {"const": word}}, "required": ["kind"]},
            "then": {"$ref": f"#/definitions/{KINDS[word].__name__}"},
        }
        for word in words
    ]
    return {
        "$schema": DRAFT,
        "title": "sbrt-followup rule document",
        "type": "object",
        "required": ["id", "kind", "version", "title", "verified"],
        "properties": {"kind": {"enum": words}},
        "if": {"required": ["extends"]},
        "then": {"$ref": "#/definitions/overlay"},
        "else": {"allOf": chosen},
        "definitions": definitions,
    }


def _reference(cls: type, definitions: dict[str, Schema]) -> Schema:
    name = cls.__name__
    if name not in definitions:
        definitions[name] = {}
        definitions[name] = _object(cls, definitions)
    return {"$ref": f"#/definitions/{name}"}


def _object(cls: type, definitions: dict[str, Schema]) -> Schema:
    properties: dict[str, Schema] = {}
    required = []
    for _, key, kind, needed, pattern, says in fields_of(cls):
        one = _of(kind, definitions)
        if pattern and one.get("type") == "string":
            one = {**one, "pattern": f"^(?:{pattern})$"}
        if says:
            one = {**one, "description": says} if "$ref" not in one else {"allOf": [one], "description": says}
        properties[key] = one
        if needed:
            required.append(key)
    return {
        "type": "object", "description": inspect.cleandoc(cls.__doc__ or ""), "properties": properties, "required": required,
        "additionalProperties": False,
    }  # fmt: skip


def _of(kind: Any, definitions: dict[str, Schema]) -> Schema:
    if kind is Condition:
        return {"$ref": "#/definitions/condition"}
    if kind is Span:
        pair = {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2}
        return {"anyOf": [{**NUMBER, "exclusiveMinimum": 0}, pair], "description": "a number, or a range [min, max]"}
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _of(next(a for a in get_args(kind) if a is not type(None)), definitions)
    if origin is Literal:
        return {"enum": list(get_args(kind))}
    if origin is tuple and get_args(kind)[0] is str:
        # A label such as the Bilsky grade 2, or a cut such as 7, is a number to an editor.
        return {"type": "array", "items": {"type": ["string", "number"]}}
    if origin is tuple:
        return {"type": "array", "items": _of(get_args(kind)[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of(get_args(kind)[1], definitions)}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _reference(kind, definitions)
    return {bool: {"type": "boolean"}, int: {"type": "integer"}, Fraction: NUMBER}.get(kind, TEXT)


def _label(fact: Fact) -> Schema:
    labels: list[Any] = [*fact.levels, *(int(label) for label in fact.levels if label.isdigit())]
    return {"enum": labels, "description": fact.help}


def _operand(fact: Fact) -> Schema:
    if fact.finite:
        return _label(fact)
    limits: Schema = {}
    if fact.low is not None:
        limits["minimum"] = fact.low
    if fact.high is not None:
        limits["maximum"] = fact.high
    return {"type": "integer" if fact.kind == "integer" else "number", **limits, "description": fact.help}


def _fact(fact: Fact) -> Schema:
    operand = _operand(fact)
    several = {"type": "array", "items": operand, "minItems": 1, "uniqueItems": True}
    ops: dict[str, Schema] = {}
    for op in OPERATORS if fact.ordered else UNORDERED:
        pair = {**several, "minItems": 2, "maxItems": 2}
        ops[op] = several if op == "any_of" else pair if op == "between" else operand
    needs_unit = fact.kind == "number" and bool(fact.unit)
    asked: Schema = {
        "type": "object",
        "properties": ops,
        "additionalProperties": False,
        "minProperties": 2 if needs_unit else 1,
    }
    if fact.unit:
        asked["properties"] = {**ops, "unit": {"const": fact.unit}}
        asked["required"] = ["unit"] if needs_unit else []
    return asked if needs_unit else {"anyOf": [operand, asked], "description": fact.help}


def _condition() -> Schema:
    count: dict[str, Schema] = {"of": {"type": "array", "items": TEXT, "minItems": 1, "uniqueItems": True}}
    number: Schema = {"type": "integer", "minimum": 0}
    for op in OPERATORS:
        count[op] = {"type": "array", "items": number} if op in ("any_of", "between") else number
    counted = {
        "type": "object", "properties": count, "required": ["of"], "additionalProperties": False, "minProperties": 2,
        "maxProperties": 2,
    }  # fmt: skip
    properties = {name: _fact(fact) for name, fact in FACTS.items()}
    return {
        "type": "object",
        "description": "All its parts must hold.",
        "properties": {**properties, "count": counted},
        "additionalProperties": False,
    }


def _overlay(definitions: dict[str, Schema]) -> Schema:
    change = {
        "type": "object",
        "properties": {"at": TEXT, "to": {}, "why": TEXT, "approved_by": TEXT},
        "required": ["at", "to", "why", "approved_by"],
        "additionalProperties": False,
    }
    properties: dict[str, Schema] = {key: {} for key in OVERLAY_KEYS}
    properties["extends"] = _reference(Extends, definitions)
    properties["changes"] = {"type": "array", "items": change, "minItems": 1}
    return {
        "type": "object", "description": "A packaged document with changes laid over it.", "properties": properties,
        "required": ["extends", "changes"], "additionalProperties": False,
    }  # fmt: skip


def _cases() -> Schema:
    word: Schema = {"type": ["string", "number"]}
    said: Schema = {"type": "object", "additionalProperties": {"anyOf": [word, {"type": "array", "items": word}]}}
    case = {
        "type": "object", "properties": {"id": TEXT, "why": TEXT, "given": said, "expect": said, "differs": TEXT},
        "required": ["id", "why", "given", "expect"], "additionalProperties": False,
    }  # fmt: skip
    return {
        "type": "object",
        "properties": {"document": TEXT, "written_from": TEXT, "cases": {"type": "array", "items": case}},
        "required": ["document", "cases"],
        "additionalProperties": False,
    }
