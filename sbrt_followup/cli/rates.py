"""Where rates of progression come from, for the commands that need them: a file of `intervals`, or a rule document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..problems import Source, refuse
from . import options as o

if TYPE_CHECKING:
    from ..rulebook.library import Rulebook
    from ..rulebook.simulation import Simulation
    from ..surveillance.document_rates import Published
    from ..surveillance.hazards import Hazards
    from ..tables.records import Records

RISK_GROUP = "risk_group"
Rates = Annotated[
    str,
    typer.Option(
        "--rates",
        metavar="ID",
        help="The simulation document with published and derived rates.",
        rich_help_panel=o.RULES,
    ),
]


def document_of(rulebook: Rulebook, name: str) -> Simulation:
    """Give a simulation document."""
    from ..rulebook.simulation import Simulation

    return rulebook.get(Simulation, name)


def _read(path: Path) -> Any:
    """Read a JSON file of the user's."""
    if "://" in str(path):
        raise refuse("no-network", "--hazards takes a file on this machine")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise refuse("no-file", "this file does not exist", Source(str(path))) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        raise refuse(
            "not-json", "this file is not JSON", Source(path.name), "Write it with `intervals … --format json -o FILE`."
        ) from None


def read_hazards(path: Path) -> Hazards:
    """Read the JSON of `intervals`."""
    from ..surveillance.fitted_models import from_models, holds_models
    from ..surveillance.hazards import from_json

    body = _read(path)
    return from_models(body) if holds_models(body) else from_json(body)


def fitted_here(path: Path | None, cohort: Records) -> bool:
    """Tell whether a file's hazards were fitted to this very table: the manifest in it names what it was made from."""
    if path is None:
        return False
    body = _read(path)
    trace = body.get("manifest") if isinstance(body, dict) else None
    inputs = trace.get("inputs") if isinstance(trace, dict) else None
    if not isinstance(inputs, list) or not cohort.content_hash:
        return False
    return any(isinstance(i, dict) and i.get("content_hash") == cohort.content_hash for i in inputs)


def hazards_of(
    rulebook: Rulebook, document: Simulation, path: Path | None, by: str | None, endpoint: str
) -> tuple[Hazards | None, tuple[Published, ...]]:
    """Give the hazards of the groups of `by` (of a file, else of the document for the tiers), and published incidences."""
    from ..surveillance.document_rates import document_hazards, published_risks

    published = published_risks(document, rulebook.evidence, endpoint)
    if path is not None:
        return read_hazards(path), published
    if by != RISK_GROUP or endpoint != "progression":
        return None, published
    return document_hazards(document, rulebook.evidence), published


def fitted_or_derived(rulebook: Rulebook, document: Simulation, path: Path | None, death: float | None) -> Hazards:
    """Give the hazards of a file, else those derived from what is published; `death` replaces their rate of death."""
    from ..surveillance.document_rates import document_hazards

    if death is not None and not 0 <= death < 1:
        raise refuse("not-allowed", "--death takes a rate a month from 0 to below 1, such as 0.0066")
    if path is None:
        return document_hazards(document, rulebook.evidence, death)
    found = read_hazards(path)
    return found if death is None else found.with_death(death)
