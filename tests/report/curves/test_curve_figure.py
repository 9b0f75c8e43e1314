import matplotlib as mpl
import numpy as np
import pytest
from helpers.reference_data import FOLDER, GROUP_COLUMN

from sbrt_followup.outcomes.analysis import FEW_AT_RISK, Method
from sbrt_followup.outcomes.curves import Grouping, curves
from sbrt_followup.outcomes.question import Question
from sbrt_followup.problems import InputRefused
from sbrt_followup.report.curves import curve_figure
from sbrt_followup.report.curves.axis import last_month, month_ticks
from sbrt_followup.report.curves.terminal_plot import terminal_plot
from sbrt_followup.report.drawing import SETTINGS
from sbrt_followup.tables.records import read_cohort


def result_of(name="bmt", estimator="cif", rows=None, note="", by=None, endpoint="progression"):
    records = read_cohort(FOLDER / f"{name}.csv")
    frame = records.frame if rows is None else records.frame.iloc[rows].reset_index(drop=True)
    column = by or GROUP_COLUMN[name]
    grouping = Grouping(column, frame[column], note=note)
    from dataclasses import replace

    return curves(replace(records, frame=frame), Question(30, endpoint), Method(estimator), grouping=grouping)


@pytest.mark.parametrize("kind", [".png", ".svg", ".pdf"])
def test_the_same_result_gives_the_same_bytes(kind):
    result = result_of()
    assert curve_figure.figure_bytes(result, kind) == curve_figure.figure_bytes(result, kind)


def test_every_number_at_risk_stands_under_its_tick():
    result = result_of()
    figure = curve_figure.draw(result.analysis)
    plot, table = figure.axes
    ticks = month_ticks(result.analysis)
    assert list(plot.get_xticks()) == ticks
    shown = {}
    for text in table.texts:
        x, y = text.get_position()
        if text.get_text().isdigit():
            shown.setdefault(round(y, 1), {})[x] = int(text.get_text())
    for place, group in enumerate(result.analysis.groups):
        row = shown[1.5 + place]
        assert [row[t] for t in ticks] == [
            group.counts.n if t == 0 else int(group.counts.at_risk(t * 30.4375)) for t in ticks
        ]


def test_a_curve_is_drawn_as_steps_and_faint_where_few_are_at_risk():
    result = result_of()
    plot = curve_figure.draw(result.analysis).axes[0]
    group = result.analysis.groups[0]
    mine = [
        line for line in plot.lines if line.get_color() == curve_figure.COLOURS[0] and line.get_linestyle() != "None"
    ]
    firm, faint = mine
    assert (firm.get_alpha(), faint.get_alpha()) == (1.0, curve_figure.FAINT)
    x, y = firm.get_data()
    x, y = x[np.isfinite(x)], y[np.isfinite(y)]
    assert ((np.diff(x) == 0) | (np.diff(y) == 0)).all()
    last_firm_days = x.max() * 30.4375
    assert group.counts.at_risk(last_firm_days - 0.5) >= FEW_AT_RISK
    assert group.counts.at_risk(last_firm_days + 0.5) < FEW_AT_RISK
    assert y.max() == pytest.approx(group.curve.step(last_firm_days)[0])


def test_groups_differ_in_colour_and_in_line_style():
    plot = curve_figure.draw(result_of().analysis).axes[0]
    legend = plot.get_legend()
    lines = legend.get_lines()
    assert len({line.get_color() for line in lines}) == 3
    assert len({str(line._unscaled_dash_pattern) for line in lines}) == 3
    assert [t.get_text() for t in legend.get_texts()] == ["g1 (n = 38)", "g2 (n = 54)", "g3 (n = 45)"]


def test_the_figure_gives_the_estimators_own_test():
    assert curve_figure.test_text(result_of().analysis) == "Gray's test, p = 0.003"
    assert curve_figure.test_text(result_of(estimator="km").analysis) == "Log-rank test, p < 0.001"
    assert curve_figure.test_text(result_of(endpoint="death", estimator="km").analysis).startswith("Log-rank test, p")


def test_a_group_under_twenty_gets_no_p_value():
    frame = read_cohort(FOLDER / "bmt.csv").frame
    g1 = np.flatnonzero(frame["disease"] == "g1")[:19]
    others = np.flatnonzero(frame["disease"] != "g1")
    assert "No p-value" in curve_figure.test_text(result_of(rows=np.concatenate([g1, others])).analysis)
    g1 = np.flatnonzero(frame["disease"] == "g1")[:20]
    assert "Gray's test, p <" in curve_figure.test_text(result_of(rows=np.concatenate([g1, others])).analysis)


def test_what_the_groups_rest_on_stands_under_the_figure():
    notes = curve_figure.notes_of(result_of(note="tiers by an own split (assumption)"))
    assert "Tiers by an own split (assumption)." in notes


@pytest.mark.parametrize("rows", [[0], [0, 1]])
def test_next_to_nothing_can_still_be_drawn(rows):
    for estimator in ("km", "cif"):
        result = result_of(rows=rows, estimator=estimator)
        assert curve_figure.figure_bytes(result, ".svg").startswith(b"<?xml")
        assert terminal_plot(result.analysis, month_ticks(result.analysis))


def test_with_nobody_left_there_is_no_figure():
    result = result_of(rows=[])
    with pytest.raises(InputRefused):
        curve_figure.figure_bytes(result, ".svg")
    assert terminal_plot(result.analysis, month_ticks(result.analysis))


def test_the_plain_plot_has_every_group_and_the_right_heights():
    result = result_of(estimator="km")
    lines = terminal_plot(result.analysis, month_ticks(result.analysis))
    assert lines[-1].strip().split("   ") == ["a = g1", "b = g2", "c = g3"]
    assert lines[0].startswith(" 100 % |**")
    column = [line[8 + 32] if len(line) > 40 else " " for line in lines[:16]]  # month 48 of 96
    heights = {mark: 1 - column.index(mark) / 15 for mark in "abc" if mark in column}
    for place, group in enumerate(result.analysis.groups):
        assert heights["abc"[place]] == pytest.approx(group.curve.step(48 * 30.4375)[0], abs=0.04)


def many_groups(number, label="group"):
    rng = np.random.default_rng(2)
    records = read_cohort(FOLDER / "colon.csv")
    values = records.frame[GROUP_COLUMN["colon"]].copy()
    values[:] = [f"{label} {k}" for k in rng.integers(0, number, len(values))]
    return curves(records, Question(30), Method("cif"), grouping=Grouping("made", values))


def test_curves_are_drawn_to_where_ten_of_a_group_are_left_and_the_rest_is_told():
    result = result_of("colon", "km")
    ticks = month_ticks(result.analysis)
    last = last_month(result.analysis)
    assert ticks[-1] < last
    at_end = [int(g.counts.at_risk(ticks[-1] * 30.4375)) for g in result.analysis.groups]
    assert max(at_end) < FEW_AT_RISK
    before = [int(g.counts.at_risk(ticks[-2] * 30.4375)) for g in result.analysis.groups]
    assert max(before) >= FEW_AT_RISK
    assert f"Not drawn: months {ticks[-1]:g} to {last:.0f}" in " ".join(curve_figure.notes_of(result))


def test_a_stated_month_is_always_drawn_and_a_small_cohort_whole():
    records = read_cohort(FOLDER / "colon.csv")
    last = last_month(result_of("colon").analysis)
    asked = curves(records, Question(30), Method("cif", times=(12.0, last - 1)))
    assert month_ticks(asked.analysis)[-1] >= last - 1
    few = result_of("bmt", rows=range(8))
    assert month_ticks(few.analysis)[-1] >= last_month(few.analysis)


@pytest.mark.parametrize("label", ["g", "a rather long name of a group"])
def test_many_groups_have_a_line_each_and_their_legend_above_the_plot(label):
    with mpl.rc_context(SETTINGS):
        figure = curve_figure.draw(many_groups(12, label).analysis)
        plot = figure.axes[0]
        figure.canvas.draw()
        legend = plot.get_legend().get_window_extent()
    assert legend.y0 >= plot.get_window_extent().y1 - 1
    assert legend.x1 <= figure.bbox.x1
    assert legend.y1 <= figure.bbox.y1
    assert len({curve_figure._style(place) for place in range(42)}) == 42


def test_long_names_and_titles_stay_on_the_page_and_apart():
    records = read_cohort(FOLDER / "colon.csv")
    arms = {"Lev": "with separation surgery", "Lev+5FU": "without separation surgery", "Obs": "x"}
    names = records.frame["arm"].map(lambda a: f"Stereotactic body radiotherapy of the thoracic spine {arms[a]}")
    result = curves(records, Question(30), Method("cif"), grouping=Grouping("made", names))
    with mpl.rc_context(SETTINGS):
        figure = curve_figure.draw(result.analysis, title="Incidence of spine progression " * 5)
        figure.canvas.draw()
        page = figure.bbox
        boxes = [figure.axes[0].get_legend().get_window_extent(), *(t.get_window_extent() for t in figure.texts)]
    assert all(box.x0 >= 0 and box.x1 <= page.x1 and box.y1 <= page.y1 for box in boxes)
    labels = [t.get_text() for t in figure.axes[1].texts if "…" in t.get_text()]
    assert len(set(labels)) == 3


def test_other_policies_are_drawn_thin_with_their_name():
    result = result_of()
    plot = curve_figure.draw(result.analysis, others=(("detected", result.analysis),)).axes[0]
    thin = [line for line in plot.lines if line.get_linewidth() == 0.8]
    assert len(thin) == len(result.analysis.groups)
    assert "detected" in [t.get_text() for t in plot.get_legend().get_texts()]


def test_a_group_without_events_has_its_line_between_mris_too():
    import dataclasses

    records = read_cohort(FOLDER / "bcdeter.csv")
    frame = records.frame[records.frame["progression_date"].isna()].reset_index(drop=True)
    quiet = curves(dataclasses.replace(records, frame=frame), Question(30), Method("turnbull"))
    months, value = curve_figure._path(quiet.analysis.groups[0])
    assert months[-1] > 6
    assert (value == 1).all()
    low, high = curve_figure.draw(quiet.analysis).axes[0].get_ylim()
    assert low < 0
    assert high > 1  # so that a line along the edge is not cut in half


def test_ticks_meet_the_stated_months_where_there_is_room():
    records = read_cohort(FOLDER / "colon.csv")
    ticks = month_ticks(curves(records, Question(30), Method("km", times=(12.0, 36.0, 60.0))).analysis)
    assert {12.0, 36.0, 60.0} <= set(ticks)
    assert len(ticks) <= 13
