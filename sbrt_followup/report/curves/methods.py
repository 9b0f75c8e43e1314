"""The methods paragraph: what was done, in sentences ready to paste. It says only what the analysis holds."""

from __future__ import annotations

import numpy as np

from ... import __version__
from ...outcomes.curves import Curves, Prepared
from ...outcomes.question import DEATH_INSIDE, Question
from ...timing import analysis_days
from .curve_words import EVENT, TEST, months

_RETREATMENT = {
    "censor": "Follow-up of a re-treated site ended the day before re-treatment",
    "ignore": "Re-treatment of a site was ignored",
    "event": "Re-treatment of a site counted as an event",
}


_DISTANT = {
    "censor": "A progression elsewhere in the spine censored local progression at its date.",
    "ignore": "A progression elsewhere in the spine neither ended follow-up for local progression nor counted.",
    "competing": "A progression elsewhere in the spine competed with local progression at its date.",
}
_POLICY = {
    "first_growth": "Progression is dated back to the first MRI of confirmed growth.",
    "confirmation": "Progression is dated at the MRI that confirmed growth.",
    "detected": "Progression is dated at the first MRI on which growth was called, retracted or not.",
}


def methods(result: Curves) -> str:
    """Describe how the curves were made."""
    analysis = result.analysis
    question = analysis.study.question
    event = EVENT[question.endpoint]
    sentences = [
        f"Time ran from the last fraction of SBRT (day 0) to {event}, in whole days; a month is 30.4375 days.",
        _unit(question),
        f"Without the event, follow-up was censored at {_censored_at(result)}.",
    ]
    if (
        question.endpoint not in DEATH_INSIDE
        and analysis.method.estimator == "cif"
        and question.censored_at == "last_mri"
    ):
        sentences.append(_deaths(question))
    if result.policy:
        sentences.append(
            "Progression was dated anew from the MRIs by the rule documents; recorded dates were not used."
        )
        sentences.append(_POLICY[result.policy])
        sentences.append("Growth neither confirmed nor retracted by the end was no event; it is counted by group.")
        if len(result.others) > 1:
            sentences.append("This policy was the primary one; curves under the others carry no p-value.")
    if question.endpoint == "local_progression":
        sentences.append(_DISTANT[question.distant])
    if question.require_mri:
        sentences.append(f"Only those with {question.require_mri} or more MRIs after SBRT took part.")
    if question.endpoint != "death":
        sentences.append(_RETREATMENT[question.retreatment] + ".")
    if question.as_of is not None:
        sentences.append(f"Follow-up was cut at {question.as_of}.")
    if question.entry:
        sentences.append(
            f"Observation began on the day in the column {question.entry} (delayed entry, left truncation)."
        )
    if question.landmark_day:
        sentences.append(
            f"Landmark analysis: only those alive, in contact and event-free on day {question.landmark_day} entered, "
            "whether or not they were scanned again; from here on months are counted from that day."
        )
    if result.prepared is not None:
        sentences = [_prepared(result.prepared, event)]
    sentences += _estimation(result)
    sentences += _testing(result)
    if result.grouping is not None:
        sentences.append(_grouping(result))
    if question.endpoint not in ("death", "vcf") and analysis.method.estimator != "turnbull" and not result.prepared:
        sentences.append(
            "Progression is found at MRIs: its date is that of the scan, later than the event by up to one interval."
        )
    if result.null_check is not None:
        sentences.append(null_check_sentence(result))
    if result.excluded:
        rows = len(result.excluded)
        sentences.append(f"{rows} row{'s were' if rows > 1 else ' was'} excluded, each with its reason.")
    sentences.append(f"Computed with sbrt-followup {__version__}.")
    return " ".join(sentences)


def _censored_at(result: Curves) -> str:
    study = result.analysis.study
    if result.analysis.method.estimator == "turnbull":
        return "the last MRI without it (on day 0 if there was none), also in those who died"
    if study.question.endpoint == "death" or study.question.censored_at == "last_contact":
        return "the day last known alive"
    if not np.isfinite(study.last_clear_mri).any():
        return "the day last known alive, no last clear MRI being recorded"
    if study.question.follows_mris:
        return "the last MRI without progression, and on day 0 where there was none"
    return "the last MRI without progression where one was recorded, otherwise at the day last known alive"


def _deaths(question: Question) -> str:
    if question.death_within_days is None:
        return "Death without the event competes on its own date, however long after the last MRI."
    limit = months(question.death_within_days / analysis_days(1))
    return (
        f"A death competes on its own date up to {limit} months after the last clear MRI (assumption); after a later one "
        "follow-up ended at that MRI, and on day 0 without any; the table under the other rule shows what hangs on it."
    )


def _prepared(prepared: Prepared, event: str) -> str:
    groups = f"; groups are the values of {prepared.by}" if prepared.by else ""
    return (
        f"Time to {event}, in whole days, and status (censored, event, competing event) were taken as given from the columns "
        f"{prepared.time} and {prepared.status} of a prepared table with one row per patient, counted by {prepared.engine}"
        f"{groups}; a month is 30.4375 days."
    )


def _unit(question: Question) -> str:
    if question.unit == "site":
        return (
            "The unit was the treated site at its first course; variances and tests are clustered by patient, those of "
            "median follow-up are not."
        )
    return (
        "The unit was the patient, entering at the first course (sites treated within "
        f"{question.course_days} days of its first site), with the earliest event over its sites."
    )


def _estimation(result: Curves) -> list[str]:
    analysis = result.analysis
    question, method = analysis.study.question, analysis.method
    level = f"{100 * method.level:g} %"
    clustered = question.unit == "site"
    if method.estimator == "km":
        error = "clustered standard errors (infinitesimal jackknife)" if clustered else "Greenwood's standard errors"
        text = f"Survival curves are Kaplan–Meier with {error} and pointwise {level} {method.ci_type} intervals"
        late = analysis.study.entry.any()
        said = [text + ("." if late else "; the estimate was checked against lifelines.")]
        if question.endpoint not in DEATH_INSIDE:
            said.append("Death was censored, so that one minus the curve overstates the incidence where patients die.")
        return said
    if method.estimator == "turnbull":
        said = [
            "The event is known only to lie between the last MRI without it and the MRI that showed it.",
            "Survival curves are the nonparametric maximum likelihood estimate for such intervals (Turnbull).",
            "Each is proved to be the maximum by its Karush–Kuhn–Tucker gap.",
        ]
        if method.bootstrap:
            said.append(
                f"Pointwise {level} intervals ({method.ci_type}) use standard errors from {method.bootstrap:,} bootstrap samples of "
                f"patients (seed {method.seed}); between MRIs they span all curves that the likelihood allows."
            )
        return said
    like_r = "" if analysis.study.entry.any() else " (as in R's cmprsk)"
    error = "clustered standard errors (infinitesimal jackknife)" if clustered else f"Aalen's variance{like_r}"
    return [
        f"Cumulative incidence is the Aalen–Johansen estimate with death as competing event, {error} and pointwise "
        f"{level} {method.ci_type} intervals."
        if question.endpoint not in DEATH_INSIDE
        else f"Cumulative incidence is the Aalen–Johansen estimate (no competing event), {error} and pointwise "
        f"{level} {method.ci_type} intervals."
    ]


def _testing(result: Curves) -> list[str]:
    analysis = result.analysis
    question, method = analysis.study.question, analysis.method
    known = result.prepared is None or question.endpoint == "death"
    said = ["Median follow-up is by reverse Kaplan–Meier."] if known else []
    if any(np.isfinite(g.restricted_mean.estimate) for g in analysis.groups):
        event = EVENT[question.endpoint]
        of = f"free of {event}" if method.estimator == "km" else f"free of {event} and death"
        said.append(f"Restricted means are of time {of}, up to {months(method.tau_months)} months.")
    names = list(dict.fromkeys(t.name for t in analysis.tests if t.p_value == t.p_value))
    if names:
        listed = [TEST[n] for n in names]
        if question.unit == "site":
            listed = [f"{n} (robust to clustering)" for n in listed]
        elif analysis.study.entry.any():
            listed = [f"{n} (jackknife variance)" if "Gray" in n else n for n in listed]
        weights = f" (weights rho = {method.rho:g}, gamma = {method.gamma:g})"
        listed = [t + (weights if n == "fleming_harrington" else "") for n, t in zip(names, listed, strict=True)]
        text = "Groups were compared by " + _and(listed)
        if question.strata:
            text += f", stratified by {question.strata}"
        if any(t.groups for t in analysis.tests):
            text += "; p-values of pairs are adjusted by Holm's method"
        said.append(text + ".")
        if any("trend" in n for n in names):
            scored = ", ".join(f"{g.label} {k}" for k, g in enumerate(analysis.groups, start=1))
            said.append(f"The test for trend scored the groups in this order: {scored}.")
    return said


def null_check_sentence(result: Curves) -> str:
    """Say what the simulation under equal hazards found."""
    check = result.null_check
    if check is None:
        return ""
    scans = "MRIs" if check.scans_from == "imaging" else "gaps between MRIs (from the intervals that hold events)"
    text = (
        f"With equal hazards simulated on this cohort's own {scans}, follow-up and deaths ({check.replicates:,} cohorts, "
        f"seed {check.seed}"
    )
    if result.analysis.study.question.unit == "site":
        text += f"; sites of a patient alike by a frailty of variance {check.frailty:.2g}, estimated"
    text += ")"
    parts = []
    if check.tests:
        sizes = [
            f"{TEST[t.name]} rejected at 5 % in {100 * t.size:.1f} % (± {100 * t.margin:.1f})" for t in check.tests
        ]
        parts.append(_and(sizes))
    bias = np.array([m.bias for m in check.landmarks])
    held = np.array([m.coverage for m in check.landmarks])
    if np.isfinite(bias).any():
        low, high = 100 * np.nanmin(bias), 100 * np.nanmax(bias)
        span = f"{low:+.1f} to {high:+.1f}".replace("-", "−")
        parts.append(f"landmarks differed from the truth by {span} percentage points on average")
    if np.isfinite(held).any():
        low, high = 100 * np.nanmin(held), 100 * np.nanmax(held)
        level = f"{100 * result.analysis.method.level:g} %"
        parts.append(f"their {level} intervals held it in {low:.0f} to {high:.0f} %")
    return f"{text}, {_and(parts)}." if parts else f"{text}, nothing could be estimated."


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def _grouping(result: Curves) -> str:
    grouping = result.grouping
    assert grouping is not None
    text = f"Groups are the values of {grouping.name}"
    if grouping.note:
        text += f": {grouping.note}"
    return text + "."
