"""What the checklist consists of: sections of items, each with the probes that look; and the register of them all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from .context import Context
from .findings import Finding

_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_MAX_ID_LENGTH = 64


class Stage(StrEnum):
    """When a probe looks: always, with `--network`, with `--scenarios`, with `--live-payment`."""

    STATIC = "static"
    NETWORK = "network"
    SCENARIOS = "scenarios"
    LIVE_PAYMENT = "live-payment"


Probe = Callable[[Context], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the checklist."""

    id: str
    title: str


@dataclass(slots=True, eq=False)
class Item:
    """A line of the checklist: a stable id, what it claims, where that is explained, and who looks."""

    id: str
    section: Section
    title: str
    docs_url: str = ""
    probes: list[tuple[Stage, Probe]] = field(default_factory=list, repr=False)

    def probe(self, stage: Stage = Stage.STATIC) -> Callable[[Probe], Probe]:
        """Let the decorated function look for this item in a stage; it yields findings and may be one of several."""

        def add(probe: Probe) -> Probe:
            self.probes.append((stage, probe))
            return probe

        return add


_registered: dict[str, Item] = {}


def register(item: Item) -> Item:
    """Add a line to the checklist, under its section: a new section comes after those that are there.

    A third party calls it in the `ready()` of its AppConfig.
    Raises: ValueError for an id that is taken or is not lower-case words joined by hyphens, a section that has another
    title, or a link that is not http(s).
    """
    for name in (item.id, item.section.id):
        if not _ID.fullmatch(name) or len(name) > _MAX_ID_LENGTH:
            raise ValueError(
                f"{name!r} cannot be an id: write lower-case words joined by hyphens, such as stock-reserved"
            )
    if item.id in _registered:
        raise ValueError(f"the checklist has an item {item.id!r} already: choose another id")
    if item.docs_url and not item.docs_url.startswith(("https://", "http://")):
        raise ValueError(f"the link of {item.id!r} must be an http(s) address")
    titles = {str(other.section.title) for other in _registered.values() if other.section.id == item.section.id}
    if titles - {str(item.section.title)}:
        raise ValueError(f"the section {item.section.id!r} is called {titles.pop()!r} already: take its title")
    _registered[item.id] = item
    return item


def registered() -> Sequence[Item]:
    """Return all items in the order of the checklist: by section, and in each as they were registered."""
    order = list(dict.fromkeys(item.section.id for item in _registered.values()))
    return sorted(_registered.values(), key=lambda item: order.index(item.section.id))
