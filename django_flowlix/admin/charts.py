"""Pictures of figures over time as coordinates: stacked bars, lines with gaps, round numbers on the axis. Pure.

Everything is measured in the units of a drawing of `WIDTH` by `HEIGHT`; coordinates are texts with a dot, whatever the
language, because they are attributes of SVG.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .chart_axis import ticks
from .chart_shapes import Bar, Chart, Curve, Dot, GridLine, Label, Line, Point, Series, Slot

WIDTH, HEIGHT = 520, 200
LEFT, RIGHT, TOP, BOTTOM = 40, 520, 24, 174
"""The edges of the part in which figures are drawn; around it stand the numbers of the axes."""
BAR_SHARE = 0.7
LEAST_HEIGHT = 2
"""One declined payment among thousands has to be seen as well."""
ARROW = 4
LABEL_ROOM = 28
"""What a text below the picture needs on either side of its middle."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What all kinds of pictures share: the slots, the texts below them, and how a number of the axis is written."""

    slots: Sequence[Slot]
    labels: Sequence[Label]
    written: Callable[[float], str]

    @property
    def slot_width(self) -> float:
        return (RIGHT - LEFT) / len(self.slots)

    def middle(self, index: int) -> float:
        return LEFT + (index + 0.5) * self.slot_width

    def placed_slots(self) -> list[Slot]:
        width = coordinate(self.slot_width)
        return [
            replace(slot, x=coordinate(LEFT + index * self.slot_width), width=width)
            for index, slot in enumerate(self.slots)
        ]

    def placed_labels(self) -> list[Label]:
        return [self._placed(label) for label in self.labels]

    def _placed(self, label: Label) -> Label:
        x = self.middle(label.index)
        if x + LABEL_ROOM > WIDTH:
            return replace(label, x=coordinate(WIDTH), anchor="end")
        return replace(label, x=coordinate(x))


def stacked_bars(frame: Frame, series: Sequence[Series]) -> Chart:
    """Draw numbers of several kinds on top of each other, the first at the bottom."""
    columns = list(zip(*(one.numbers for one in series), strict=True))
    top, grid = _grid(frame, max(map(sum, columns), default=0), least_step=1)
    width = frame.slot_width * BAR_SHARE
    bars: list[Bar] = []
    for index, numbers in enumerate(columns):
        x, base = coordinate(frame.middle(index) - width / 2), float(BOTTOM)
        for one, number in zip(series, numbers, strict=True):
            if number:
                height = max(number / top * (BOTTOM - TOP), LEAST_HEIGHT)
                base -= height
                bars.append(Bar(one.kind, x, coordinate(base), coordinate(width), coordinate(height)))
    return Chart(grid=grid, slots=frame.placed_slots(), labels=frame.placed_labels(), bars=bars)


def curves(frame: Frame, drawn: Sequence[Curve], least_step: float = 0) -> Chart:
    """Draw figures over time: joined where neighbours have enough events, with a gap where there are none."""
    points = [point for curve in drawn for point in curve.points if point]
    # One declined payment of one is 100 %: it must not press everything else flat.
    judged = [point for point in points if not point.is_few] or points
    top, grid = _grid(frame, max((point.value for point in judged), default=0), least_step)
    lines: list[Line] = []
    dots: list[Dot] = []
    for curve in drawn:
        joined: list[Dot | None] = []
        for index, point in enumerate(curve.points):
            dot = _dot(frame, curve.kind, index, point, top) if point else None
            dots += [dot] if dot else []
            joined.append(None if dot is None or dot.is_few else dot)
        if path := _path(joined):
            lines.append(Line(curve.kind, path))
    return Chart(grid=grid, slots=frame.placed_slots(), labels=frame.placed_labels(), lines=lines, dots=dots)


def coordinate(number: float) -> str:
    """Return a coordinate to a tenth, as short as it can be written."""
    return f"{number:.1f}".removesuffix(".0")


def _grid(frame: Frame, largest: float, least_step: float) -> tuple[float, list[GridLine]]:
    """Return the number at the upper edge, and the lines with their numbers."""
    numbers = ticks(largest, least_step)
    places = [BOTTOM - number / numbers[-1] * (BOTTOM - TOP) for number in numbers]
    lines = [
        GridLine(coordinate(y), coordinate(y - 4), frame.written(number))
        for y, number in zip(places, numbers, strict=True)
    ]
    return numbers[-1], lines


def _dot(frame: Frame, kind: str, index: int, point: Point, top: float) -> Dot:
    x = frame.middle(index)
    if point.value > top:
        left, right = coordinate(x - ARROW), coordinate(x + ARROW)
        arrow = f"{left},{TOP} {right},{TOP} {coordinate(x)},{TOP - 2 * ARROW}"
        return Dot(kind, coordinate(x), coordinate(TOP), point.is_few, is_beyond=True, arrow=arrow)
    return Dot(kind, coordinate(x), coordinate(BOTTOM - point.value / top * (BOTTOM - TOP)), point.is_few)


def _path(dots: Sequence[Dot | None]) -> str:
    """Join neighbours; one that stands alone is a dot and needs no line."""
    parts = []
    for before, dot, after in zip([None, *dots[:-1]], dots, [*dots[1:], None], strict=True):
        if dot and (before or after):
            parts.append(f"{'L' if before else 'M'}{dot.x} {dot.y}")
    return " ".join(parts)
