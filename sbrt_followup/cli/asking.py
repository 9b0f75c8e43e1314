"""Questions of a proposal put to the person at the terminal; what is not answered stays in the map."""

from __future__ import annotations

from dataclasses import replace

import typer

from ..tables.dates import style_of
from ..tables.questions import Proposal, Question

MOST_ASKED = 25


def ask(proposal: Proposal) -> None:
    """Ask about what is ambiguous, in place: answers go into the proposal, the rest stays a question."""
    left: list[Question] = []
    for number, question in enumerate(proposal.questions):
        choices = [*question.choices, *([""] if question.part == "values" else [])]
        if number >= MOST_ASKED or not choices:
            left.append(question)
            continue
        answer = _chosen(question, choices)
        if answer is None:
            left.append(question)
        else:
            _take(proposal, question, answer)
    proposal.questions = left


def _chosen(question: Question, choices: list[str]) -> str | None:
    """Show the choices with numbers; Enter leaves the question open."""
    typer.echo(f"\n{question.text}", err=True)
    for i, choice in enumerate(choices, 1):
        typer.echo(f"  {i}  {choice or '(nothing is known)'}", err=True)
    answer = typer.prompt("number, or Enter to decide later", default="", show_default=False, err=True).strip()
    if answer.isdigit() and 1 <= int(answer) <= len(choices):
        return choices[int(answer) - 1]
    return answer if answer and answer in choices else None


def _take(proposal: Proposal, question: Question, answer: str) -> None:
    how = proposal.how
    proposal.reasons[question.part, question.column, *([question.word] if question.word else [])] = "you said so"
    if question.part == "columns":
        proposal.how = replace(how, columns={**how.columns, question.column: answer})
    elif question.part == "dates":
        styles = (*how.dates.get(question.column, ()), style_of(answer))
        proposal.how = replace(how, dates={**how.dates, question.column: styles})
    elif question.part == "values":
        words = {question.word: answer, **how.values.get(question.column, {})}
        proposal.how = replace(how, values={**how.values, question.column: words})
    elif question.part == "sheet":
        proposal.how = replace(how, layout=replace(how.layout, sheet=answer))
