"""What pictures are made from and consist of: figures by slices of time, shapes with their coordinates. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Slot:
    """One slice of time: its column, and what a pointer over it reads; `is_open` when it is not over yet."""

    title: str
    is_open: bool = False
    x: str = ""
    width: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A text below the picture at the slot of this index; a minor one is left out where there is no room."""

    index: int
    text: str
    is_minor: bool = False
    x: str = ""
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers of one kind, one per slot."""

    kind: str
    label: str
    numbers: Sequence[int]


@dataclass(frozen=True, slots=True)
class Point:
    """A figure of one slot; of `is_few` events it is drawn hollow, not joined to its neighbours, and sets no scale."""

    value: float
    is_few: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """Figures of one kind, one per slot, None where there is none."""

    kind: str
    label: str
    points: Sequence[Point | None]


@dataclass(frozen=True, slots=True)
class GridLine:
    y: str
    text_y: str
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    kind: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A figure; one that `is_beyond` the scale is drawn as an arrow, whose outline is `arrow`, at the upper edge."""

    kind: str
    x: str
    y: str
    is_few: bool
    is_beyond: bool = False
    arrow: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """The joined part of a curve as the `d` of a path."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture, ready to be written as SVG."""

    grid: list[GridLine]
    slots: list[Slot]
    labels: list[Label]
    bars: list[Bar] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    dots: list[Dot] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Is there nothing to be seen but the axes?"""
        return not self.bars and not self.dots

    @property
    def goes_beyond(self) -> bool:
        return any(dot.is_beyond for dot in self.dots)
