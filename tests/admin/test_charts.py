"""Pictures as coordinates, computed by hand: the drawn part is 480 wide (40 to 520) and 150 high (174 up to 24)."""

from __future__ import annotations

import pytest

from django_flowlix.admin.chart_axis import step_of, ticks
from django_flowlix.admin.chart_shapes import Chart, Curve, Label, Point, Series, Slot
from django_flowlix.admin.charts import Frame, coordinate, curves, stacked_bars


def a_frame(count: int, *labels: Label) -> Frame:
    slots = [Slot(f"slot {index}", is_open=index == count - 1) for index in range(count)]
    return Frame(slots, labels, lambda number: f"<{number:g}>")


def bars(chart: Chart) -> list[tuple[str, ...]]:
    return [(bar.kind, bar.x, bar.y, bar.width, bar.height) for bar in chart.bars]


@pytest.mark.parametrize(
    ("largest", "least_step", "expected"),
    [
        (0, 0, [0, 1]),
        (0, 1, [0, 1]),
        (1, 1, [0, 1]),
        (2, 1, [0, 1, 2]),
        (5, 1, [0, 1, 2, 3, 4, 5]),
        (6, 1, [0, 2, 4, 6]),
        (7, 1, [0, 2, 4, 6, 8]),
        (51, 1, [0, 20, 40, 60]),
        (100, 1, [0, 20, 40, 60, 80, 100]),
        (1200, 1, [0, 500, 1000, 1500]),
        (1, 0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.3, 0, [0, 0.1, 0.2, 0.3]),
        (0.15, 0, [0, 0.05, 0.1, 0.15]),
        (0.004, 0.01, [0, 0.01]),
        (2.5, 0, [0, 0.5, 1, 1.5, 2, 2.5]),
        (30, 0, [0, 10, 20, 30]),
        (3_000_000_000, 1, [0, 1_000_000_000, 2_000_000_000, 3_000_000_000]),
    ],
)
def test_the_numbers_of_an_axis(largest: float, least_step: float, expected: list[float]) -> None:
    assert ticks(largest, least_step) == expected


@pytest.mark.parametrize("largest", [value * power for value in range(1, 100, 7) for power in (0.001, 0.1, 1, 1000)])
def test_an_axis_has_two_to_six_numbers_and_nothing_exceeds_it(largest: float) -> None:
    numbers = ticks(largest)

    assert 2 <= len(numbers) <= 6
    assert numbers[-1] >= largest * (1 - 1e-9)
    assert str(step_of(largest)).strip("0.").rstrip("0")[:1] in ("1", "2", "5")


def test_bars_stand_on_each_other() -> None:
    """Four slots of 120: bars of 84 in their middle. 10 is the top: 15 units for each."""
    chart = stacked_bars(
        a_frame(4), [Series("paid", "paid", [6, 0, 1, 0]), Series("declined", "declined", [4, 2, 0, 0])]
    )

    assert bars(chart) == [
        ("paid", "58", "84", "84", "90"),
        ("declined", "58", "24", "84", "60"),
        ("declined", "178", "144", "84", "30"),
        ("paid", "298", "159", "84", "15"),
    ]
    assert [(line.y, line.text_y, line.text) for line in chart.grid] == [
        ("174", "170", "<0>"),
        ("144", "140", "<2>"),
        ("114", "110", "<4>"),
        ("84", "80", "<6>"),
        ("54", "50", "<8>"),
        ("24", "20", "<10>"),
    ]


def test_one_among_thousands_is_seen() -> None:
    chart = stacked_bars(a_frame(1), [Series("paid", "", [5000]), Series("declined", "", [1])])

    assert [(bar.kind, bar.height) for bar in chart.bars] == [("paid", "125"), ("declined", "2")]
    assert chart.grid[-1].text == "<6000>"


def test_slots_cover_the_whole_width() -> None:
    chart = stacked_bars(a_frame(3), [Series("paid", "", [0, 0, 0])])

    assert [(slot.title, slot.x, slot.width, slot.is_open) for slot in chart.slots] == [
        ("slot 0", "40", "160", False),
        ("slot 1", "200", "160", False),
        ("slot 2", "360", "160", True),
    ]
    assert chart.is_empty


def test_labels_stand_below_the_middle_of_their_slot_and_do_not_leave_the_picture() -> None:
    chart = stacked_bars(a_frame(24, Label(0, "12:00"), Label(3, "15:00", is_minor=True), Label(23, "11:00")), [])

    assert [(label.text, label.x, label.anchor, label.is_minor) for label in chart.labels] == [
        ("12:00", "50", "middle", False),
        ("15:00", "110", "middle", True),
        ("11:00", "520", "end", False),
    ]


def test_a_curve_has_gaps_and_does_not_join_what_is_of_few() -> None:
    """Six slots of 80, their middles at 80, 160 and so on; the top is 0.5, so that 0.1 is 30 units."""
    points = [Point(0.1), Point(0.5), None, Point(0.2), Point(0.4, is_few=True), Point(0.3)]
    chart = curves(a_frame(6), [Curve("rate", "", points)])

    assert [(line.kind, line.path) for line in chart.lines] == [("rate", "M80 144 L160 24")]
    assert [(dot.x, dot.y, dot.is_few) for dot in chart.dots] == [
        ("80", "144", False),
        ("160", "24", False),
        ("320", "114", False),
        ("400", "54", True),
        ("480", "84", False),
    ]
    assert not chart.is_empty


def test_two_parts_of_a_curve_are_two_strokes() -> None:
    points = [Point(1), Point(1), None, Point(1), Point(0)]
    chart = curves(a_frame(5), [Curve("p95", "", points)])

    assert [line.path for line in chart.lines] == ["M88 24 L184 24 M376 24 L472 174"]


def test_a_figure_of_few_beyond_the_scale_of_the_others_is_an_arrow_at_the_edge() -> None:
    points = [Point(0.1), Point(1.0, is_few=True), Point(0.05, is_few=True)]
    chart = curves(a_frame(3), [Curve("rate", "", points)])

    assert [(dot.y, dot.is_beyond, dot.arrow) for dot in chart.dots] == [
        ("24", False, ""),
        ("24", True, "276,24 284,24 280,16"),
        ("99", False, ""),
    ]
    assert chart.goes_beyond
    assert chart.grid[-1].text == "<0.1>"


def test_where_all_are_of_few_they_set_the_scale() -> None:
    chart = curves(a_frame(2), [Curve("rate", "", [Point(1.0, is_few=True), Point(0.0, is_few=True)])])

    assert [dot.y for dot in chart.dots] == ["24", "174"]
    assert not chart.goes_beyond
    assert chart.lines == []


@pytest.mark.parametrize("points", [[None], [None, None]])
def test_a_curve_without_figures_is_empty(points: list[Point | None]) -> None:
    chart = curves(a_frame(len(points)), [Curve("rate", "", points)])

    assert chart.is_empty
    assert [line.y for line in chart.grid] == ["174", "24"]


def test_series_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        stacked_bars(a_frame(2), [Series("a", "", [1, 2]), Series("b", "", [1])])


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (10, "10"), (10.04, "10"), (10.05, "10.1"), (16.6667, "16.7"), (1234.5, "1234.5")]
)
def test_coordinates_are_short_and_have_a_dot(number: float, text: str) -> None:
    assert coordinate(number) == text
