"""TRIPOD+AI for the validation at hand: what the program knows is filled in, what only people know is left blank.

Items as numbered in Collins and others, BMJ 2024;385:e078378, in this project's own short words.
"""

from __future__ import annotations

from dataclasses import dataclass

from ... import __version__
from ...surveillance.risk_models import GIVEN
from ...surveillance.validated import Validation
from .printed import number


@dataclass(frozen=True)
class Entry:
    """One item: its number, what it asks for, and the answer, empty where only people know it."""

    item: str
    asks: str
    answer: str = ""


def checklist(result: Validation) -> tuple[Entry, ...]:
    """Fill in the checklist."""
    people, question, model = result.people, result.question, result.model
    horizons = ", ".join(f"{h.months:g}" for h in result.horizons)
    events = "; ".join(f"month {h.months:g}: {h.events} events, {h.competing} deaths first" for h in result.horizons)
    performance = "; ".join(
        f"month {h.months:g}: AUC {number(h.auc.estimate, 3)}, O/E {number(h.oe.estimate)}"
        for h in result.horizons
        if not h.refused
    )
    risks = "; ".join(f"month {m:g}: {k}" for m, k in model.known.items()) or "a score without risks"
    return (
        Entry("1", "title: a validation of a prediction model, its population and outcome"),
        Entry("2", "abstract by TRIPOD+AI for abstracts"),
        Entry("3a", "the health problem and why the model exists"),
        Entry("3b", "the people it is for and where it stands in their care"),
        Entry("3c", "known inequalities in health"),
        Entry("4", "aims: development, validation or both", f"validation of {model.name}"),
        Entry("5a", "where the data come from, and why they are representative"),
        Entry("5b", "dates of entry and follow-up"),
        Entry("6a", "setting, centres, countries"),
        Entry("6b", "who was eligible"),
        Entry("6c", "treatment received, and how it was dealt with", "SBRT of the spine; time runs from its last fraction"),
        Entry("7", "how data were prepared and checked", f"{result.rows_used} rows used, {len(result.excluded)} left out, each listed"),
        Entry("8a", "the outcome, its horizon and how it is assessed", f"{question.endpoint} by month {horizons}; unit: {question.unit}"),
        Entry("8b", "who assessed it, and how they were trained"),
        Entry("8c", "was assessment blind to the predictors"),
        Entry("9a", "the predictors and why they were chosen"),
        Entry("9b", "how predictors are defined and measured"),
        Entry("9c", "who assessed them, and how they were trained"),
        Entry("10", "how the size of the study was arrived at", "the precision reached is in --table sample-size"),
        Entry("11", "missing data", f"{len(result.excluded)} rows left out, each with its reason (--table excluded); nothing was filled in"),
        Entry("12a", "use of the data", "all units at every horizon; nothing was fitted here" if not result.asked.apparent else "apparent: the score was fitted on these data"),
        Entry("12b", "how predictors enter the model"),
        Entry("12c", "kind of model and how it was built", model.source),
        Entry("12d", "differences between clusters", "standard errors clustered by patient" if people.cluster is not None else ""),
        Entry("12e", "measures of performance", "AUC, C, Brier, O/E, calibration intercept and slope, net benefit; death competing; corrected for the days of scanning" if people.looked is not None else "AUC, C, Brier, O/E, calibration intercept and slope, net benefit; death competing"),
        Entry("12f", "updating of the model", "none"),
        Entry("12g", "how foretold risks are computed", risks),
        Entry("13", "class imbalance", "nothing was resampled"),
        Entry("14", "fairness: what was done"),
        Entry("15", "output of the model", "a risk by each horizon" if model.risk else "a score"),
        Entry("16", "differences from the development data"),
        Entry("17", "ethics approval and consent"),
        Entry("18a", "funding"),
        Entry("18b", "conflicts of interest"),
        Entry("18c", "where the protocol is"),
        Entry("18d", "registration"),
        Entry("18e", "availability of data"),
        Entry("18f", "availability of code", f"sbrt-followup {__version__}, MIT licence"),
        Entry("19", "patients and public: their part in it"),
        Entry("20a", "flow of participants, with and without the outcome", f"{people.n} {question.unit}s; {events}"),
        Entry("20b", "characteristics of the participants"),
        Entry("20c", "comparison with the development data"),
        Entry("21", "participants and events of each analysis", events),
        Entry("22", "the full model, so that others can use it", _specified(result)),
        Entry("23a", "performance with intervals, and in key groups", performance),
        Entry("23b", "heterogeneity between clusters"),
        Entry("24", "results of updating", "none"),
        Entry("25", "interpretation, fairness included"),
        Entry("26", "limitations: sample, missing data, bias"),
        Entry("27a", "poor or missing input when it is used"),
        Entry("27b", "what users must be able to do"),
        Entry("27c", "next steps"),
    )  # fmt: skip


def _specified(result: Validation) -> str:
    if not result.model.risk:
        return ""
    if GIVEN in result.model.known.values():
        return ""
    return f"rates of {result.model.source}"
