"""Reports of MRIs as text, Markdown or HTML: the urgent line first, six to eight lines each, ready to paste."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from textwrap import wrap

from ...response.reports import Report

WIDTH = 100
SAID = "Decision support for trained staff; it does not replace clinical judgement."
STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}"
    "article{border:1px solid #bbb;border-radius:6px;padding:.6rem 1rem;margin:0 0 1rem;break-inside:avoid}"
    "article.urgent{border:3px solid #a40000}dl{margin:0}dt{font-weight:600;float:left;clear:left;width:9rem}"
    "dd{margin:0 0 .2rem 9.5rem}.urgent dt:first-of-type,.urgent dd:first-of-type{color:#a40000;font-weight:700}"
    "@media print{body{margin:0}}"
)


def as_text(reports: Sequence[Report]) -> str:
    """Write every report as plain text, one blank line between two."""
    return "\n".join(_text(r) for r in reports) + f"\n{SAID}\n"


def _text(report: Report) -> str:
    lines = [f"Patient {report.patient_id}"]
    for label, text in report.lines:
        lines += wrap(f"{label}: {text}", WIDTH, subsequent_indent="  ")
    return "\n".join(lines) + "\n"


def as_markdown(reports: Sequence[Report]) -> str:
    """Write every report as Markdown, one heading each."""
    blocks = []
    for report in reports:
        lines = [f"### Patient {_plain(report.patient_id)}, {_plain(report.site_id)}, {report.mri_date}", ""]
        lines += [f"- **{label}:** {_plain(text)}" for label, text in report.lines]
        blocks.append("\n".join(lines))
    return "\n\n".join([*blocks, f"*{SAID}*"]) + "\n"


def _plain(text: str) -> str:
    """Keep an identifier or a sentence from being read as Markdown or HTML."""
    for mark in ("\\", "`", "*", "_", "[", "]", "<", ">", "|", "#"):
        text = text.replace(mark, "\\" + mark)
    return text


def as_html(reports: Sequence[Report], title: str) -> str:
    """Write one self-contained page; an urgent report has a thick border and the word, not a colour alone."""
    head = (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{STYLE}</style></head><body><h1>{escape(title)}</h1>"
    )
    parts = [head]
    for report in reports:
        kind = " class='urgent'" if report.urgent else ""
        rows = "".join(f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in report.lines)
        parts.append(f"<article{kind}><h2>Patient {escape(report.patient_id)}</h2><dl>{rows}</dl></article>")
    return "".join(parts) + f"<p>{escape(SAID)}</p></body></html>\n"
