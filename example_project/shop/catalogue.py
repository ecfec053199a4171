"""What is on the shelves of the demo."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from .models import Product


class _Entry(NamedTuple):
    slug: str  # the picture is named like it
    name: str
    price: str  # EUR
    summary: str
    description: str


_NOTEBOOK = """\
Thread-sewn, so it lies flat from the first page. The paper is heavy enough for fountain pens, and the cover forgives \
rain, coffee and backpacks.

A ribbon for today, a pocket for train tickets."""

_PEN = """\
A slim pen that starts at the first stroke, even after a week in a drawer.

Takes cartridges and the converter that comes with it. The nib can be changed by hand."""

_INK = "Almost black when wet, a deep plum when dry. Washable, gentle to nibs, and hard to stop using."

_PENCILS = """\
Six pencils of incense cedar that sharpen to a long point and stay there.

The box stands on a desk and is meant to."""

_RULER = "Engraved rather than printed: the marks will still be there when the ruler has gone brown in your hands."

_LETTERS = """\
For the letter you have been meaning to write. Laid paper with a deckle edge, and envelopes in brick red."""

_SEAL = """\
A brass seal on a turned handle, and enough wax for about sixty letters.

Hot wax is hot. Please mind the cat."""

_TAPE = "Rice paper tape that tears straight, holds well and comes off without taking the page with it."

_PRODUCTS = [
    _Entry("field-notebook", "Field notebook", "18.50", "A5, dot grid, 192 pages", _NOTEBOOK),
    _Entry("heron-pen", "Heron fountain pen", "49.00", "Steel nib, fine, with converter", _PEN),
    _Entry("midnight-plum", "Midnight plum ink", "16.90", "50 ml, dries in eight seconds", _INK),
    _Entry("six-pencils", "Six pencils, boxed", "12.00", "Cedar, HB to 4B", _PENCILS),
    _Entry("brass-ruler", "Brass ruler", "22.00", "15 cm, engraved, unlacquered", _RULER),
    _Entry("letter-set", "Letter set", "14.50", "20 sheets, 10 lined envelopes", _LETTERS),
    _Entry("wax-seal", "Wax seal kit", "26.00", "Beech handle, two sticks of wax", _SEAL),
    _Entry("washi-tape", "Washi tape, three rolls", "9.80", "15 mm wide, 10 m each", _TAPE),
]


def fill_shelves() -> int:
    """Put the products on the shelves, refresh those that are there, and return how many there are."""
    for position, entry in enumerate(_PRODUCTS):
        values = entry._asdict() | {
            "price": Decimal(entry.price),
            "picture": f"{entry.slug}.svg",
            "position": position,
        }
        Product.objects.update_or_create(slug=entry.slug, defaults=values)
    return len(_PRODUCTS)
