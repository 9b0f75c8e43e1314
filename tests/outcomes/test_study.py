from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from helpers.reference_data import FOLDER, GROUP_COLUMN, close, cohort, numbers
from hypothesis import given
from hypothesis import strategies as st

from sbrt_followup.estimators.survival import follow_up
from sbrt_followup.outcomes.question import Question
from sbrt_followup.outcomes.study import study
from sbrt_followup.problems import InputRefused
from sbrt_followup.tables.records import read_cohort

START = date(2020, 1, 1)
COURSE = 30
DATES = ("sbrt_date", "progression_date", "death_date", "last_followup_date", "last_clear_mri_date", "vcf_date")


def day(offset):
    return (START + timedelta(days=offset)).isoformat()


@pytest.fixture
def table(tmp_path):
    """Write rows given as day offsets and read them as a cohort."""

    def build(*rows):
        short = {"p": "progression_date", "d": "death_date", "f": "last_followup_date", "m": "last_clear_mri_date"}
        short |= {"s": "sbrt_date", "v": "vcf_date", "c": "last_contact_date"}
        full = []
        for number, row in enumerate(rows):
            cells = {"patient_id": f"P{number}", "sbrt_date": day(0)}
            for key, value in row.items():
                name = short.get(key, key)
                cells[name] = day(value) if isinstance(value, int) and key in short else value
            full.append(cells)
        path = tmp_path / "cohort.csv"
        pd.DataFrame(full).to_csv(path, index=False)
        return read_cohort(path)

    return build


def ask(records, endpoint="progression", by=None, **more):
    values = None if by is None else records.frame[by]
    return study(records.frame, Question(COURSE, endpoint, **more), by=values, by_name=by or "")


def lines(result):
    return list(zip(result.time.tolist(), result.status.tolist(), result.ending.tolist(), strict=True))


@pytest.mark.parametrize("name", ["colon", "bmt"])
def test_the_reference_cohorts_come_out_as_their_durations(name):
    records = read_cohort(FOLDER / f"{name}.csv")
    result = ask(records, by=GROUP_COLUMN[name])
    expected = cohort(name)
    assert result.time.tolist() == expected["time"].tolist()
    assert result.status.tolist() == expected["status"].tolist()
    assert [result.labels[g] for g in result.group] == expected["group"].tolist()
    for place, label in enumerate(result.labels):
        found = follow_up(result.follow_up_counts(place))
        close([found.estimate, found.ci_low, found.ci_high], numbers(name)["groups"][label]["followup_median_days"])


def test_the_event_death_and_censoring_in_turn(table):
    records = table({"p": 100, "d": 200}, {"d": 200, "m": 90}, {"m": 90, "f": 300}, {"f": 300}, {"p": 50, "d": 50})
    assert lines(ask(records)) == [
        (100, 1, "event"),
        (200, 2, "death first"),
        (90, 0, "last clear MRI"),
        (300, 0, "last contact"),
        (50, 1, "event"),
    ]
    assert lines(ask(records, censor_at="last_contact"))[2] == (300, 0, "last contact")


def test_the_other_endpoints(table):
    records = table({"p": 100, "d": 200, "v": 60, "m": 40}, {"d": 200, "m": 90}, {"m": 90, "f": 300, "v": 250})
    assert lines(ask(records, "death")) == [(200, 1, "event"), (200, 1, "event"), (300, 0, "last contact")]
    assert lines(ask(records, "progression_or_death")) == [
        (100, 1, "event"),
        (200, 1, "event"),
        (90, 0, "last clear MRI"),
    ]
    assert lines(ask(records, "vcf")) == [(60, 1, "event"), (200, 2, "death first"), (250, 1, "event")]


def test_distant_progression_censors_local_progression_at_its_date(table):
    records = table(
        {"p": 100, "progression_site": "local", "f": 400},
        {"p": 120, "progression_site": "distant_spine", "f": 400, "d": 400},
        {"p": 130, "progression_site": "distant_spine", "d": 130},
        {"m": 80},
        {"m": 80, "p": 140, "progression_site": "distant_spine"},
    )
    assert lines(ask(records, "local_progression")) == [
        (100, 1, "event"),
        (120, 0, "distant spine progression"),
        (130, 0, "distant spine progression"),
        (80, 0, "last clear MRI"),
        (140, 0, "distant spine progression"),
    ]
    assert ask(records).status.tolist() == [1, 1, 1, 0, 1]


def test_progression_of_unknown_place_excludes_the_row_and_lists_it(table):
    records = table({"p": 100}, {"p": 100, "progression_site": "local"}, {"f": 100})
    result = ask(records, "local_progression")
    assert [(e.row, e.reason) for e in result.excluded] == [(2, "progression_date without progression_site")]
    assert result.rows_used == 2
    # A patient with another site is undecided too, unless something earlier decided.
    two = table(
        {"patient_id": "A", "site_id": "T1", "p": 100},
        {"patient_id": "A", "site_id": "T5", "f": 400},
        {"patient_id": "B", "site_id": "T1", "p": 100},
        {"patient_id": "B", "site_id": "T5", "p": 90, "progression_site": "local"},
    )
    result = ask(two, "local_progression")
    assert [e.row for e in result.excluded] == [2, 3]
    assert lines(result) == [(90, 1, "event")]
    assert [e.row for e in ask(two, "local_progression", unit="site").excluded] == [2, 4]


def test_a_patient_enters_once_with_the_earliest_event_over_the_sites_of_the_first_course(table):
    records = table(
        {"patient_id": "A", "site_id": "T1", "s": 0, "m": 200, "d": 500},
        {"patient_id": "A", "site_id": "T5", "s": 10, "p": 150},
        {"patient_id": "A", "site_id": "L1", "s": 90, "p": 100},
        {"patient_id": "B", "site_id": "T1", "s": 5, "m": 95},
    )
    result = ask(records)
    assert lines(result) == [(150, 1, "event"), (90, 0, "last clear MRI")]
    assert [(e.row, e.reason) for e in result.excluded] == [
        (4, "a later course: the patient entered at the first"),
    ]
    assert result.rows_used == 3
    assert ask(records, "death").time.tolist() == [500, 90]


def test_sites_enter_each_with_their_own_time_zero_and_share_the_patients_death(table):
    records = table(
        {"patient_id": "A", "site_id": "T1", "s": 0, "m": 200, "d": 500},
        {"patient_id": "A", "site_id": "T5", "s": 90, "p": 190, "progression_site": "local"},
        {"patient_id": "A", "site_id": "T5", "s": 300, "m": 400},
    )
    result = ask(records, "local_progression", unit="site")
    assert lines(result) == [(500, 2, "death first"), (100, 1, "event")]
    assert result.patient.tolist() == [0, 0]
    assert [(e.row, e.reason) for e in result.excluded] == [
        (4, "re-treatment: the site entered at its first course"),
    ]
    with pytest.raises(InputRefused, match="1 problem") as refused:
        ask(records, "progression", unit="site")
    assert "local_progression and vcf only" in str(refused.value.problems[0])


def test_re_treatment_is_a_declared_choice(table):
    records = table(
        {"patient_id": "A", "site_id": "T1", "s": 0, "m": 400},
        {"patient_id": "A", "site_id": "T1", "s": 300, "m": 400},
        {"patient_id": "B", "site_id": "T1", "s": 0, "p": 300},
        {"patient_id": "B", "site_id": "T1", "s": 300, "m": 400},
        {"patient_id": "C", "site_id": "T1", "s": 0, "d": 500, "m": 250},
        {"patient_id": "C", "site_id": "T1", "s": 300},
    )
    assert lines(ask(records)) == [(299, 0, "re-treatment"), (300, 1, "event"), (250, 0, "last clear MRI")]
    assert lines(ask(records, retreatment="ignore")) == [
        (400, 0, "last clear MRI"),
        (300, 1, "event"),
        (500, 2, "death first"),
    ]
    assert lines(ask(records, retreatment="event")) == [(300, 1, "event")] * 3
    assert ask(records, "death").time.tolist() == [400, 400, 500]


def test_an_as_of_date_censors_there(table):
    records = table({"p": 100, "d": 300}, {"d": 300, "m": 200}, {"m": 90, "f": 400}, {"f": 400}, {"p": 500, "m": 60})
    cut = np.datetime64(day(150), "D")
    result = ask(records, as_of=cut)
    assert lines(result) == [
        (100, 1, "event"),
        (150, 0, "as-of date"),
        (90, 0, "last clear MRI"),
        (150, 0, "as-of date"),
        (60, 0, "last clear MRI"),
    ]
    assert result.alive_until.tolist() == [150] * 5
    assert not result.died.any()
    assert lines(ask(records, "death", as_of=cut))[0] == (150, 0, "as-of date")
    later = table({"s": 200, "f": 300}, {"f": 300})
    assert [e.reason for e in ask(later, as_of=cut).excluded] == ["treated on or after the as-of date"]


def test_late_entry_by_date_or_day(table):
    records = table(
        {"f": 300, "seen": "60", "seen_on": day(60)},
        {"f": 300, "seen": "-5", "seen_on": day(-5)},
        {"f": 40, "seen": "40", "seen_on": day(40)},
        {"f": 40},
    )
    for column in ("seen", "seen_on"):
        result = ask(records, entry=column)
        # In contact until the day of entry: known to be there by then, and at risk at no time after it.
        assert result.entry.tolist() == [60, 0, 40]
        assert [e.row for e in result.excluded] == [5]
        assert result.counts(0).at_risk(50.0) == 1
    wrong = table({"f": 300, "seen": "soon"}, {"f": 300, "seen": "3"})
    with pytest.raises(InputRefused) as refused:
        ask(wrong, entry="seen")
    assert "row 2, column seen" in str(refused.value.problems[0])
    assert "soon" not in str(refused.value.problems[0])


def test_a_landmark_keeps_those_event_free_and_counts_time_from_there(table):
    records = table({"p": 91, "d": 400}, {"p": 92}, {"d": 80}, {"m": 400})
    result = ask(records, landmark_day=91)
    assert lines(result) == [(1, 1, "event"), (309, 0, "last clear MRI")]
    assert [e.row for e in result.excluded] == [2, 4]


def test_groups_belong_to_the_whole_patient(table):
    records = table(
        {"patient_id": "A", "site_id": "1", "f": 10, "arm": "x"},
        {"patient_id": "A", "site_id": "2", "f": 10, "arm": "y"},
        {"patient_id": "B", "site_id": "1", "f": 10, "arm": "x"},
        {"patient_id": "B", "site_id": "2", "f": 10},
        {"patient_id": "C", "f": 10, "arm": "x"},
    )
    result = ask(records, by="arm")
    assert result.labels == ("x", "y")
    assert result.counts(0).n == 1
    assert result.counts(1).n == 0
    assert {e.row: e.reason for e in result.excluded} == {
        2: "arm differs between the sites of this patient",
        3: "arm differs between the sites of this patient",
        4: "arm is missing for another site of this patient",
        5: "arm is missing",
    }


def test_groups_keep_their_own_order(table):
    records = table(
        {"f": 10, "bilsky": "1b", "arm": "t10", "fractions": 3},
        {"f": 10, "bilsky": "0", "arm": "t2", "fractions": 1},
    )
    assert ask(records, by="bilsky").labels == ("0", "1b")
    assert ask(records, by="arm").labels == ("t2", "t10")
    assert ask(records, by="fractions").labels == ("1", "3")


def test_an_identifier_is_no_grouping(table):
    records = table(*({"f": 10, "dose": str(n)} for n in range(31)))
    with pytest.raises(InputRefused) as refused:
        ask(records, by="dose")
    assert "31 values" in str(refused.value.problems[0])
    assert "P0" not in str(refused.value.problems[0])


def test_what_cannot_be_is_refused_with_its_row(table):
    # The reader refuses most of this already; a frame made otherwise is held to the same.
    rows = table({"patient_id": "A", "site_id": "1"}, {"patient_id": "A", "site_id": "2"}, {"f": 5}).frame
    dates = pd.Series(pd.to_datetime([day(100), day(200), None]), dtype="datetime64[s]")
    two_deaths = rows.assign(death_date=dates)
    with pytest.raises(InputRefused) as refused:
        study(two_deaths, Question(COURSE))
    assert "row 2, 3, column death_date: differs" in str(refused.value.problems[0])
    result = study(two_deaths, Question(COURSE), on_error="exclude")
    assert [e.row for e in result.excluded] == [2, 3]
    early = rows.assign(death_date=dates.where(dates.index == 0), progression_date=dates.where(dates.index == 1))
    with pytest.raises(InputRefused) as refused:
        study(early, Question(COURSE))
    assert "before the event in another row" in str(refused.value.problems[0])
    at_zero = rows.assign(progression_date=rows["sbrt_date"].where(rows.index == 2))
    with pytest.raises(InputRefused) as refused:
        study(at_zero, Question(COURSE))
    assert "row 4, column progression_date: the event lies on or before" in str(refused.value.problems[0])


def test_a_patient_never_seen_again_is_listed(table):
    result = ask(table({}, {"f": 20}))
    assert [(e.row, e.reason) for e in result.excluded] == [(2, "no follow-up: neither an event nor a date last seen")]


def test_a_stop_reason_says_why_follow_up_ended(table):
    result = ask(table({"m": 50, "c": 70, "stop_reason": "hospice"}, {"p": 50, "c": 70, "stop_reason": "withdrawn"}))
    assert lines(result) == [(50, 0, "hospice"), (50, 1, "event")]


offsets = st.one_of(st.none(), st.integers(1, 60))
made_rows = st.lists(
    st.fixed_dictionaries(
        {"patient": st.integers(0, 6), "site": st.integers(0, 3), "start": st.integers(0, 50), "p": offsets,
         "d": offsets, "f": offsets, "m": offsets, "place": st.sampled_from(["local", "distant_spine", None])}
    ),
    min_size=1,
    max_size=15,
)  # fmt: skip


def frame_of(rows):
    """Make a frame as records gives it, straight from offsets; impossible orders are made possible."""
    deaths = {r["patient"]: 200 + (r["d"] or 0) if r["patient"] % 2 else None for r in rows}
    seen = set()
    full = []
    for number, r in enumerate(rows):
        key = (r["patient"], r["site"], r["start"])
        if key in seen:
            continue
        seen.add(key)
        p = None if r["p"] is None else r["start"] + r["p"]
        m = None if r["m"] is None else r["start"] + (min(r["m"], r["p"]) if r["p"] else r["m"])
        f = None if r["f"] is None else max(v for v in (r["start"] + r["f"], p, m) if v is not None)
        full.append(
            {
                "row": number + 2,
                "patient_id": f"P{r['patient']}",
                "site_id": f"S{r['site']}",
                "sbrt_date": r["start"],
                "progression_date": p,
                "progression_site": r["place"] if p is not None else None,
                "death_date": deaths[r["patient"]],
                "last_followup_date": f,
                "last_clear_mri_date": m,
                "last_contact_date": None,
                "vcf_date": p,
                "stop_reason": None,
            }
        )
    frame = pd.DataFrame(full)
    for column in (*DATES, "last_contact_date"):
        days = frame[column].astype(float)
        frame[column] = (np.datetime64(START, "s") + pd.to_timedelta(days, unit="D")).astype("datetime64[s]")
    return frame


@given(made_rows, st.sampled_from(["progression", "local_progression", "death", "progression_or_death", "vcf"]),
       st.sampled_from(["patient", "site"]), st.sampled_from(["censor", "ignore", "event"]), st.randoms())  # fmt: skip
def test_every_row_is_used_or_excluded_and_order_does_not_matter(rows, endpoint, unit, retreatment, random):
    if unit == "site" and endpoint not in ("local_progression", "vcf"):
        unit = "patient"
    frame = frame_of(rows)
    question = Question(COURSE, endpoint, unit, retreatment=retreatment)
    result = study(frame, question)
    assert result.rows_used + len(result.excluded) == len(frame)
    assert np.isfinite(result.time).all()
    assert (result.time >= 0).all()
    order = list(range(len(frame)))
    random.shuffle(order)
    shuffled = study(frame.iloc[order].reset_index(drop=True), question)
    assert sorted(lines(shuffled)) == sorted(lines(result))
    assert shuffled.excluded == result.excluded


@given(made_rows, st.integers(0, 80))
def test_what_comes_after_the_as_of_date_changes_nothing_but_the_censoring(rows, cut):
    frame = frame_of(rows)
    as_of = np.datetime64(START, "D") + cut
    result = study(frame, Question(COURSE, as_of=as_of, censor_at="last_contact"))
    blind = frame.copy()
    for column in ("progression_date", "death_date", "vcf_date"):
        blind[column] = blind[column].where(blind[column] <= as_of)
    events = {(t, s) for t, s in zip(result.time, result.status, strict=True) if s}
    again = study(blind, Question(COURSE, as_of=as_of, censor_at="last_contact"))
    assert events == {(t, s) for t, s in zip(again.time, again.status, strict=True) if s}


@given(made_rows)
def test_a_later_course_changes_nothing_but_re_treatment(rows):
    frame = frame_of(rows)
    question = Question(COURSE, retreatment="ignore", censor_at="last_mri")
    result = study(frame, question)
    later = {e.row for e in result.excluded if "later course" in e.reason}
    without = study(frame[~frame["row"].isin(later)].reset_index(drop=True), question)
    events = [(t, s) for t, s, _ in lines(result) if s == 1]
    assert events == [(t, s) for t, s, _ in lines(without) if s == 1]


SAME_UNTIL_LATER = ({"m": 270, "d": 1400}, {"m": 270, "f": 1400}, {"m": 1300, "f": 1400})


def test_a_landmark_and_an_entry_ask_only_what_is_known_by_then(table):
    for rule in (None, 183):
        result = ask(table(*SAME_UNTIL_LATER), landmark_day=730, death_within_days=rule)
        assert [e.row for e in result.excluded] == []
        assert result.time.tolist() == [670 if rule is None else 0, 0, 570]
        entered = table(*({**row, "seen": "730"} for row in SAME_UNTIL_LATER))
        late = ask(entered, entry="seen", death_within_days=rule)
        assert late.time.tolist() == [1400 if rule is None else 730, 730, 1300]
        assert late.counts(0).at_risk(800.0) == (2 if rule is None else 1)
    gone = ask(table({"f": 500}, {"m": 100, "d": 600}, {"m": 100, "d": 900}), landmark_day=730)
    assert [e.row for e in gone.excluded] == [2, 3]


def test_a_death_long_after_the_last_clear_mri_ends_follow_up_there(table):
    records = table({"d": 300, "m": 90}, {"d": 250, "m": 90}, {"f": 400}, {"d": 100}, {"d": 400}, {"p": 50, "d": 500})
    assert lines(ask(records, death_within_days=183)) == [
        (90, 0, "last clear MRI long before death"),
        (250, 2, "death first"),
        (0, 0, "no clear MRI"),
        (100, 2, "death first"),  # the time since SBRT stands for that since a clear MRI
        (0, 0, "no clear MRI"),
        (50, 1, "event"),
    ]
    assert [line[0] for line in lines(ask(records))] == [300, 250, 400, 100, 400, 50]
    composite = ask(records, "progression_or_death", death_within_days=183)
    assert composite.status.tolist() == [0, 1, 0, 1, 0, 1]
    unscanned = table({"d": 300}, {"f": 400}, {"p": 100})
    assert lines(ask(unscanned, death_within_days=183)) == lines(ask(unscanned))


def test_local_progression_with_a_date_of_its_own_outlives_a_distant_one(table):
    records = table(
        {"distant_progression_date": day(180), "local_progression_date": day(360), "m": 150, "f": 400},
        {"distant_progression_date": day(180), "m": 150, "f": 400},
        {"distant_progression_date": day(180), "d": 300},
    )
    assert records.frame["progression_site"].tolist() == ["distant_spine"] * 3
    by_rule = {rule: ask(records, "local_progression", distant=rule) for rule in ("ignore", "censor", "competing")}
    assert by_rule["ignore"].status.tolist() == [1, 0, 2]
    assert by_rule["ignore"].time.tolist() == [360, 180, 300]
    assert by_rule["censor"].status.tolist() == [0, 0, 0]
    assert by_rule["competing"].status.tolist() == [2, 2, 2]
    assert by_rule["competing"].time.tolist() == [180, 180, 180]
    assert ask(records).time.tolist() == [180, 180, 180]


def test_mris_can_be_required(table):
    records = table({"m": 90, "f": 100}, {"f": 100}, {"p": 90})
    assert [e.row for e in ask(records, require_mri=1).excluded] == [3]
    counted = records.frame.assign(mris_after_sbrt=[2, 0, 1])
    assert [e.row for e in study(counted, Question(COURSE, require_mri=2)).excluded] == [3, 4]
