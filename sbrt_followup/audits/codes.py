"""Every code a finding can have: severity, what it means, why it matters, what to do."""

from __future__ import annotations

from dataclasses import dataclass

from ..problems import Severity


@dataclass(frozen=True)
class Code:
    """One kind of finding."""

    severity: Severity
    title: str
    why: str
    advice: str


def _error(title: str, why: str, advice: str) -> Code:
    return Code("error", title, why, advice)


def _warning(title: str, why: str, advice: str) -> Code:
    return Code("warning", title, why, advice)


def _note(title: str, why: str, advice: str) -> Code:
    return Code("note", title, why, advice)


CODES: dict[str, Code] = {
    # ---- decision tables ----
    "incomplete-table": _error(
        "Some patients hit no rule and there is no 'otherwise'.",
        "Such a patient gets the status no_match: no tier, no state, no date that depends on it.",
        "Add a rule for the patient shown, or state 'otherwise'.",
    ),
    "dead-rule": _error(
        "A rule hits no patient at all.",
        "Its author meant somebody. A threshold, a level or a count is most likely wrong.",
        "Correct its condition, or delete the rule.",
    ),
    "dead-otherwise": _warning(
        "'otherwise' names an outcome that is never reached.",
        "The rules already cover every patient; a reader will look for patients who do not exist.",
        "Write otherwise: none.",
    ),
    "ambiguous-otherwise": _warning(
        "'otherwise: none' reads as nobody, yet an outcome is called 'none'.",
        "Patients no rule hits get that outcome instead of the status no_match.",
        "Rename the outcome, or write the rule out.",
    ),
    "dead-outcome": _warning(
        "A listed outcome is given to no patient.",
        "A tier or state that nobody can have is a rule forgotten or an outcome left over.",
        "Add the rule, or take the outcome off the list.",
    ),
    "idle-fact": _warning(
        "A fact is asked for, yet no outcome depends on it.",
        "Patients would wait for data that changes nothing.",
        "Leave the fact out, or correct the condition that names it.",
    ),
    "idle-feature": _warning(
        "A feature is defined that no rule counts.",
        "Its threshold looks like a decision and is none.",
        "Count it in a rule, or delete it.",
    ),
    "tier-not-monotone": _error(
        "A worse finding gives a milder tier.",
        "Worse epidural disease, paraspinal disease, SINS or growth must never lower the conclusion.",
        "Compare the rule shown with the one for the next milder value.",
    ),
    "unpublished-split": _warning(
        "The split into tiers is not the published one.",
        "Tiers then rest on an assumption and must never be shown as the published model.",
        "Encode the published split if you have it; otherwise waive this with the reason.",
    ),
    "points-not-monotone": _error(
        "A worse component of the score gets fewer points than a milder one.",
        "The total would fall as the patient gets worse.",
        "Correct the points, or the labels they stand for.",
    ),
    # ---- plans ----
    "interval-not-monotone": _warning(
        "A worse tier is scanned less often than a milder one.",
        "From the month shown on, the patients at higher risk wait longer.",
        "Correct the interval or the phase's end; waive it when the source really says so.",
    ),
    "interval-outside-ci": _error(
        "An interval lies outside its own confidence interval.",
        "One of the numbers is mistyped.",
        "Compare all three with the source.",
    ),
    "dead-phase": _error(
        "A phase holds no visit up to the horizon.",
        "Its interval is never used: the phase ends before the first visit, or starts after the horizon.",
        "Correct 'until', the first visit or the horizon.",
    ),
    "no-visit-before-horizon": _error(
        "The first visit comes after the horizon.",
        "Patients of this tier would get no visit at all.",
        "Correct the first visit or the horizon; months and days may be mixed up.",
    ),
    "horizon-not-covered": _error(
        "Visits end before the horizon.",
        "The interval is so short that the list was cut.",
        "Correct the interval; months and days may be mixed up.",
    ),
    "visit-windows-cross": _warning(
        "The windows of neighbouring visits cross.",
        "They are cut at their midpoint, so the tolerance written is not the one in force.",
        "Use a shorter tolerance or a longer interval.",
    ),
    "first-scan-after-median-fracture": _warning(
        "The first MRI comes after the median fracture.",
        "Half of the fractures come before anybody looks.",
        "Move the first MRI forward, or waive this with the source that sets its date.",
    ),
    "picks-disagree": _warning(
        "Two plans read the same published range differently.",
        "A patient whose tier is decided as intermediate would change dates though no fact about risk spoke.",
        "Use the same pick in both, or say why not in a waiver.",
    ),
    # ---- pseudo-progression ----
    "window-gap": _warning(
        "The united windows leave days uncovered.",
        "Growth on those days is called progression though earlier and later growth is shielded.",
        "Close the gap if a source covers it, else waive this.",
    ),
    "window-ends-before-onset": _warning(
        "A window ends before the one united with it opens.",
        "A rule that knows only the first window calls the second one's pseudo-progression progression.",
        "Check the edge against the source; weeks and days may be mixed up.",
    ),
    "windows-disagree": _error(
        "Two windows for the same patients name different days.",
        "Both apply at once, so the longer one always wins silently.",
        "Keep one of them, or let each name its own histology.",
    ),
    "no-scan-in-window": _warning(
        "Under a plan no visit falls into a window.",
        "Growth that comes and goes inside it is never seen, or is first seen when it is no longer shielded.",
        "Move a visit, or check the window's edges.",
    ),
    "no-confirming-scan": _error(
        "After growth inside a window no later visit can confirm it.",
        "The patient stays equivocal for ever under this plan and tier.",
        "Lengthen the horizon or add a phase.",
    ),
    "confirming-scan-late": _note(
        "Shielded growth waits for the plan's own next visit.",
        "No document of the profile asks for a confirming MRI, so the wait is the plan's interval.",
        "Add a response document of the role next_step with 'within'.",
    ),
    "threshold-within-pseudoprogression": _warning(
        "A growth threshold lies within what pseudo-progression itself can grow.",
        "The threshold alone cannot tell the two apart: the window has to be checked first.",
        "Make sure a document of the role growth looks at the window; waive this with that reason.",
    ),
    # ---- sources ----
    "uncited-document": _error(
        "A document cites no source.",
        "Whoever reads its output cannot check it.",
        "List its citations with locators, or call its basis an assumption.",
    ),
    "published-without-source": _error(
        "A number is called published and cites nothing.",
        "It would be shown without the mark that assumptions get.",
        "Cite the source, or change the basis.",
    ),
    "assumption-without-why": _warning(
        "An assumption says neither why nor after whom.",
        "Nobody can judge it or replace it later.",
        "Add 'why', or 'cites'.",
    ),
    "basis-too-firm": _error(
        "A basis is firmer than what stands behind it.",
        "The output would look better founded than it is.",
        "Use derived, interpretation or assumption.",
    ),
    "read-level-not-stated": _warning(
        "A published number was not read in full text, and its citation does not say so.",
        "An abstract leaves out what limits a number.",
        "Write the level into the locator: abstract, quoted in …",
    ),
    "number-not-in-source": _warning(
        "A number is not among those noted for its sources.",
        "It is mistyped, in another unit (weeks for days), or from a source that is not cited.",
        "Compare with the source; add the number to the bibliography if it is there.",
    ),
    "source-without-findings": _warning(
        "A cited source has nothing noted about what it says.",
        "The citation cannot be checked against the number.",
        "Add its findings to the bibliography.",
    ),
    "unused-source": _note(
        "Sources of the bibliography are cited by no document.",
        "They may be forgotten citations.",
        "Cite them where they belong, or waive this if they are kept for the record.",
    ),
    "no-review-date": _warning(
        "No date says when to look at the sources again.",
        "Rules outlive what they rest on.",
        "Add review_by.",
    ),
    "review-date-passed": _warning(
        "Another look at the sources is overdue.",
        "Newer evidence may have changed the rule.",
        "Look at the sources again and set a new date.",
    ),
    "verification-void": _error(
        "A verification was given for another content.",
        "The document was edited after it was signed.",
        "Have it verified again; `rules diff` shows what changed.",
    ),
    "not-verified": _note(
        "Documents are verified by nobody.",
        "No named person has signed what they say.",
        "Sign them: `rules show`, then an entry under 'verified' with the content hash.",
    ),
    # ---- documents together ----
    "superseded": _warning(
        "A profile uses a superseded document.",
        "A later document was written to replace it.",
        "Name the later one in the profile.",
    ),
    "not-yet-effective": _warning(
        "A profile uses a document before it takes effect.",
        "Patients would be scheduled by rules not yet in force.",
        "Wait, or correct effective_from.",
    ),
    "risk-documents-differ": _error(
        "A plan's tiers are not those the profile decides.",
        "Intervals of one model would be given to tiers of another.",
        "Name the same risk document in both.",
    ),
    "unused-document": _note(
        "A document is named by no profile.",
        "It decides nothing.",
        "Name it in a profile, or delete it.",
    ),
    "base-changed": _error(
        "The base of an overlay changed since the overlay was approved.",
        "The approval covered other rules.",
        "Look at `rules diff`, have the overlay approved again, then write the new version and hash.",
    ),
    "deviation": _note(
        "A clinic departs from the packaged rule.",
        "Listed so that every departure is seen with its reason and who approved it.",
        "Nothing, if it is meant.",
    ),
    # ---- waivers ----
    "waiver-unused": _warning(
        "A waiver covers nothing.",
        "What it excused is gone; the next such finding would be excused unseen.",
        "Delete the waiver.",
    ),
    "waiver-unknown-code": _error(
        "A waiver names a finding that does not exist.",
        "It excuses nothing.",
        "Correct the code: `rules audit --explain all` lists every code.",
    ),
    "waiver-of-error": _error(
        "A waiver tries to excuse an error.",
        "Errors make a rulebook unfit for use; only warnings and notes can stand.",
        "Repair the error.",
    ),
}
