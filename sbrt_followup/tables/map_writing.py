"""Proposals → the text of a map file: every line with its reason, every open question beside the place of its answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from .map_reading import OPEN
from .questions import Proposal, Question

HEAD = (
    "# How our tables are read; written by `sbrt-followup map`. Look at every line: what stands after # is why it was proposed.",
    "# ours: yours under columns, yours: ours under values. Running `map` again keeps what stands here (not the remarks).",
)


def map_text(proposals: Sequence[Proposal]) -> str:
    """Write the map; open questions hold a ? where the answer belongs."""
    lines = list(HEAD)
    for proposal in proposals:
        lines += ["", f"{proposal.section}:"]
        lines += [f"  # {_one_line(remark)}" for remark in proposal.remarks]
        lines += _section(proposal) or ["  {}"]
    return "\n".join(lines) + "\n"


def _section(proposal: Proposal) -> list[str]:
    how, layout = proposal.how, proposal.how.layout
    asked = _asked(proposal.questions)
    lines: list[str] = []
    if ("sheet", "") in asked:
        lines += _open("sheet", asked["sheet", ""])
    elif layout.sheet and ("sheet",) in proposal.reasons:
        lines += [_line("sheet", layout.sheet, proposal.reasons.get(("sheet",), ""))]
    if ("header_row",) in proposal.reasons or (layout.header_row and layout.header_row[0] > 1):
        rows = str(layout.header_row[0]) if len(layout.header_row) == 1 else str(list(layout.header_row))
        lines += [_raw("header_row", rows, proposal.reasons.get(("header_row",), ""))]
    if layout.skip_rows:
        why = "; ".join(proposal.reasons.get(("skip_rows", str(skip)), "") for skip in layout.skip_rows)
        lines += [_raw("skip_rows", _flow(layout.skip_rows), why.strip("; "))]
    if layout.unnamed == "ignore":
        lines += [_raw("unnamed", "ignore", proposal.reasons.get(("unnamed",), ""))]
    if layout.encoding:
        lines += [_raw("encoding", layout.encoding, "the one code page in which all words are words")]
    lines += _columns(proposal, asked)
    if how.own:
        lines += [
            _raw("own", _flow(how.own), "; ".join(proposal.reasons.get(("own", name), "kept") for name in how.own))
        ]
    lines += _dates(proposal, asked)
    if ("decimal", "") in asked:
        lines += _open("decimal", asked["decimal", ""])
    elif how.decimal != ".":
        lines += [_line("decimal", how.decimal, proposal.reasons.get(("decimal",), ""))]
    if how.missing:
        lines += [_raw("missing", _flow(how.missing), "words for nothing, or for not known")]
    lines += _values(proposal, asked)
    for key, held in (("where", how.where), ("patient_rows", how.patient_rows)):
        if held:
            lines += [f"  {key}:", *(f"    {_quoted(c)}: {_flow(values)}" for c, values in held.items())]
    return lines


def _columns(proposal: Proposal, asked: Mapping[tuple[str, str], list[Question]]) -> list[str]:
    lines = []
    for ours, theirs in proposal.how.columns.items():
        lines.append(f"  {_line(ours, theirs, proposal.reasons.get(('columns', ours), ''))}")
    for (part, ours), questions in asked.items():
        if part == "columns":
            lines += [f"  {line}" for line in _open(ours, questions)]
    return ["  columns:", *lines] if lines else []


def _dates(proposal: Proposal, asked: Mapping[tuple[str, str], list[Question]]) -> list[str]:
    lines = []
    questions = {column: listed for (part, column), listed in asked.items() if part == "dates"}
    for column, listed in questions.items():
        lines += [f"    # {_one_line(q.text)}" for q in listed]
        known = [style.text for style in proposal.how.dates.get(column, ())]
        lines.append(f"    {column}: {_flow([*known, OPEN])}")
    for column, styles in proposal.how.dates.items():
        if column not in questions:
            lines.append(
                f"  {_raw(column, _flow([s.text for s in styles]), proposal.reasons.get(('dates', column), ''))}"
            )
    return ["  dates:", *lines] if lines else []


def _values(proposal: Proposal, asked: Mapping[tuple[str, str], list[Question]]) -> list[str]:
    lines: list[str] = []
    columns = dict.fromkeys([*proposal.how.values, *(column for part, column in asked if part == "values")])
    for spec in proposal.specs:
        if spec.name not in columns:
            continue
        lines.append(f"    {spec.name}:")
        for question in asked.get(("values", spec.name), []):
            allowed = f'one of: {spec.allowed}; or "" for nothing' if spec.levels else 'or "" for nothing'
            lines.append(
                f"      {_quoted(question.word)}: {_quoted(OPEN)}  # {_one_line(question.text.rpartition('(')[2].rstrip(')?'))}; fill in ({allowed})"
            )
        for word, meaning in proposal.how.values.get(spec.name, {}).items():
            why = proposal.reasons.get(("values", spec.name, word), "")
            lines.append(f"      {_quoted(word)}: {_quoted(meaning)}" + (f"  # {why}" if why else ""))
    return ["  values:", *lines] if lines else []


def _asked(questions: Iterable[Question]) -> dict[tuple[str, str], list[Question]]:
    found: dict[tuple[str, str], list[Question]] = {}
    for question in questions:
        found.setdefault((question.part, question.column), []).append(question)
    return found


def _open(key: str, questions: Sequence[Question]) -> list[str]:
    """Leave a question in the file, with a ? where its answer belongs."""
    lines = []
    for question in questions:
        lines.append(f"  # {_one_line(question.text)}")
        if question.choices:
            lines.append(f"  #   one of: {_one_line(', '.join(_quoted(c) for c in question.choices))}")
    return [*lines, f"  {key}: {_quoted(OPEN)}"]


def _line(key: str, text: str, why: str) -> str:
    return _raw(key, _quoted(text), why)


def _raw(key: str, text: str, why: str) -> str:
    return f"  {key}: {text}" + (f"  # {_one_line(why)}" if why else "")


def _flow(items: Iterable[object]) -> str:
    return "[" + ", ".join(str(i) if isinstance(i, int) else _quoted(str(i)) for i in items) + "]"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _one_line(text: str) -> str:
    return " ".join(text.split())
