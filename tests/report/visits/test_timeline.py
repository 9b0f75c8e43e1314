"""Timelines, read back from the drawing itself: what stands where, in which shape, and what is not drawn."""

from __future__ import annotations

import io
import sys
from datetime import date
from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest
from helpers.visits_frames import AS_OF, every_status, frame, line
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from PIL import Image

from sbrt_followup.report.visits import timeline as module
from sbrt_followup.report.visits.timeline import MOST_LINES, timeline
from sbrt_followup.report.visits.timeline_marks import OTHERS, STYLE, Shade, Treatment

WHO = "MRN-778899 Jane"
SHADES = [Shade(WHO, "L2", date(2025, 3, 10), date(2025, 6, 20), "pseudoprogression/default", "interpretation")]
TREATED = [Treatment(WHO, "T10-boost-of-Jane", date(2024, 10, 10)), Treatment(WHO, "L2", date(2024, 10, 10))]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Draw and give the figure, its axes and its bytes."""

    def draw(
        visits: pd.DataFrame, shades: Any = (), treated: Any = (), kind: str = ".png", standing: Any = ()
    ) -> tuple[Any, Any, bytes]:
        kept: list[Figure] = []

        class Kept(Figure):
            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, **options)
                kept.append(self)

        monkeypatch.setattr("matplotlib.figure.Figure", Kept)
        data = timeline(visits, shades, treated, AS_OF, "title", kind, standing)
        return kept[0], kept[0].axes[0], data

    return draw


def marks(axes: Any) -> dict[str, list[tuple[Any, float]]]:
    """Where the markers of each label stand, as (day, line)."""
    return {
        drawn.get_label(): list(zip((pd.Timestamp(x).date() for x in drawn.get_xdata(orig=True)), map(float, drawn.get_ydata()), strict=True))
        for drawn in axes.lines
        if drawn.get_marker() not in ("None", None, "")
    }  # fmt: skip


def names(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_yticklabels()]


def said(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_every_mark_stands_on_its_own_day(drawn: Any) -> None:
    _, axes, _ = drawn(every_status(), SHADES, TREATED)
    found = marks(axes)
    assert found["done"] == [(date(2025, 1, 14), 0.0)], "on the scan's day"
    assert found["booked"] == [(date(2025, 9, 12), 0.0)], "on the booked day"
    assert found["overdue"] == [(date(2025, 5, 10), 0.0)]
    assert found["follow-up stopped"] == [(date(2025, 6, 14), 1.0)]
    assert found["extra scan"] == [(date(2025, 6, 1), 1.0)]
    assert {day for day, _ in found["SBRT"]} == {date(2024, 10, 10)}
    assert set(STYLE) <= set(found)
    assert [x for x in axes.lines if x.get_label() == f"as of {AS_OF}"]


def test_statuses_differ_by_shape_alone() -> None:
    shapes = [(marker, filled) for marker, _, filled, _ in STYLE.values()] + [(m, True) for m, _, _ in OTHERS.values()]
    assert len(set(shapes)) == len(shapes)


def test_windows_run_from_earliest_to_latest_and_shades_include_both_ends(drawn: Any) -> None:
    _, axes, _ = drawn(frame(line(1, "2025-06-20", "due"), line(2, "2025-09-20", "upcoming", patient_id="B")), SHADES)
    bars = axes.collections[1].get_segments()
    assert [(s[0][0], s[1][0]) for s in bars] == [
        (date2num(date(2025, 6, 10)), date2num(date(2025, 6, 30))),
        (date2num(date(2025, 9, 10)), date2num(date(2025, 9, 30))),
    ]
    (shade,) = (c for c in axes.collections if not hasattr(c, "get_segments") or c.get_zorder() == 0.5)
    box = shade.get_paths()[0].get_extents()
    assert (box.x0, box.x1) == (date2num(date(2025, 3, 10)), date2num(date(2025, 6, 21)))


def test_a_cohort_is_sorted_by_what_comes_next_and_says_it(drawn: Any) -> None:
    rows = [
        line(1, "2025-08-01", "upcoming", patient_id="later"),
        line(1, "2025-05-01", "overdue", patient_id="late"),
        line(1, "2025-05-01", "booked", patient_id="booked", booked_date="2025-06-25"),
        line(None, None, "stopped", patient_id="gone", reason="follow-up stopped: hospice", stop_date="2025-05-01"),
    ]
    _, axes, _ = drawn(frame(*rows))
    assert names(axes) == ["late", "booked", "later", "gone"]
    assert said(axes)[:4] == ["2025-05-01 overdue", "2025-06-25 booked", "2025-08-01 upcoming", "stopped: hospice"]
    _, again, _ = drawn(frame(*reversed(rows)))
    assert names(again) == names(axes)


def test_of_sixty_patients_the_most_urgent_forty_are_drawn_and_the_rest_counted(drawn: Any) -> None:
    days = pd.date_range("2025-07-01", periods=60)
    figure, axes, _ = drawn(
        frame(*(line(1, str(d.date()), "upcoming", patient_id=f"P{59 - i:02d}") for i, d in enumerate(days)))
    )
    assert names(axes) == [f"P{59 - i:02d}" for i in range(MOST_LINES)]
    assert "40 of 60 patients, the most urgent first; 20 not drawn" in axes.get_title(loc="left")
    assert figure.get_size_inches()[1] <= 11.7, "it fits a page"


def test_a_single_patient_has_a_line_a_site_and_a_visit_of_several_stands_on_each(drawn: Any) -> None:
    visits = every_status().iloc[:7]
    _, axes, _ = drawn(visits, SHADES, TREATED)
    assert sorted(names(axes)) == ["L2", "T10-boost-of-Jane"]
    assert sorted(y for _, y in marks(axes)["done"]) == [0.0, 1.0]
    assert [a.get_xlabel() for a in axes.child_axes] == ["months since SBRT"]


def test_it_says_what_it_rests_on(drawn: Any) -> None:
    figure, axes, _ = drawn(every_status(), SHADES)
    assert axes.get_xlabel().startswith("Basis of the dates: assumption. Decision support")
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "pseudo-progression window (interpretation)" in legend
    assert "plan's horizon, not the end of surveillance" in legend


def test_nothing_is_cut_off_at_the_edges(drawn: Any) -> None:
    figure, axes, _ = drawn(every_status(), SHADES, TREATED)
    figure.draw_without_rendering()
    box = figure.bbox
    for thing in [
        *axes.texts,
        *figure.legends,
        *axes.get_yticklabels(),
        axes.title,
        axes._left_title,
        axes.xaxis.label,
    ]:
        extent = thing.get_window_extent()
        assert extent.x0 >= box.x0 - 1
        assert extent.x1 <= box.x1 + 1
        assert extent.y1 <= box.y1 + 1


@pytest.mark.parametrize("name", ["a$b$c", "$\\frac{$", "x" * 80, "\x1b[31m", "患者", "_^{"])
def test_any_id_can_be_drawn(drawn: Any, name: str, recwarn: Any) -> None:
    _, axes, _ = drawn(
        frame(line(1, "2025-06-20", "due", patient_id=name), line(1, "2025-06-21", "due", patient_id="B"))
    )
    assert "\x1b" not in names(axes)[0]
    assert len(names(axes)[0]) <= module.LONGEST_NAME
    assert not [w for w in recwarn if "Glyph" in str(w.message)]


@pytest.mark.parametrize(("kind", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_the_same_input_gives_the_same_bytes(kind: str, start: bytes) -> None:
    first, second = (timeline(every_status(), SHADES, TREATED, AS_OF, "t", kind) for _ in range(2))
    assert first == second
    assert first.startswith(start)


def test_a_picture_has_ink_in_it() -> None:
    image = Image.open(io.BytesIO(timeline(every_status(), SHADES, TREATED, AS_OF, "t", ".png"))).convert("RGB")
    colours = {colour for _, colour in image.getcolors(1 << 24) or []}
    assert {(0xD5, 0x5E, 0x00), (0x00, 0x9E, 0x73), (0xE4, 0xE4, 0xE4)} <= colours


def test_nobody_to_draw_is_no_error() -> None:
    assert timeline(every_status().iloc[:0], [], [], AS_OF, "t", ".svg").startswith(b"<?xml")


def test_drawing_leaves_the_callers_matplotlib_alone() -> None:
    before = dict(mpl.rcParams)
    timeline(every_status(), SHADES, TREATED, AS_OF, "t", ".png")
    assert dict(mpl.rcParams) == before
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_what_readings_ask_for_stands_first_and_in_words(drawn: Any) -> None:
    visits = every_status()
    last = str(visits["patient_id"].iloc[-1])
    plain = names(drawn(visits)[1])
    assert plain[0] != last
    kept = drawn(visits, standing=[(last, "T8", "urgent"), (last, "T8", "awaiting_decision")])[1]
    assert names(kept)[0] == last
    assert sorted(names(kept)) == sorted(plain)
    assert [text for text in said(kept) if text.startswith("URGENT REVIEW; ")]
