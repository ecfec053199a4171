"""Every screen of the payments in the admin: no finding of axe, no breach of the policy, nothing wider than a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from django_flowlix.api import Money
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment, Refund
from django_flowlix.services import refund_payment, start_payment, sync_payment
from tests.conftest import a_request
from tests.e2e.conftest import Visitor, follow, go_without
from tests.e2e.support_staff import LIST, Staff, a_paid_payment, staff

__all__ = ["staff"]

NARROW = {"width": 390, "height": 844}
OURS = "#content"  # what stands around it is the stock admin's
# The browser's own style sheets need not be loaded again to be looked at, and axe writes style elements into the page.
OPTIONS = {"resultTypes": ["violations"], "preload": False}


def findings(visitor: Visitor) -> list[str]:
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ModuleNotFoundError:
        go_without('no axe: pip install "django-flowlix[dev]"')
    result = Axe().run(visitor.page, OURS, OPTIONS).response
    return [
        f"{visitor.page.url}: {violation['id']}: {node['html']}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


@pytest.fixture
def scenes(dev_emulator: EmulatorServer, settings: Any) -> dict[str, Payment]:
    """Payments in every state that has a look of its own."""
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"RETRY_BUDGET": 1}}
    dev_emulator.set_refund_delay(None)
    five = Money.from_major("5.00", "EUR")
    scenes = {name: a_paid_payment(dev_emulator, name) for name in ("paid", "part", "unknown", "review", "live")}
    scenes["open"] = start_payment(a_request(order_reference="open"))
    scenes["declined"] = start_payment(a_request(order_reference="declined"))
    dev_emulator.decline(str(scenes["declined"].gateway_id), "stolen_card")
    sync_payment(scenes["declined"])
    for outcome in ("succeed", "fail", None):
        refund = refund_payment(scenes["part"], five, reason="a reason that explains it")
        if outcome:
            dev_emulator.finish_refund(str(refund.gateway_id), outcome)
            sync_payment(scenes["part"])
    dev_emulator.fault("refund", "drop_after")
    refund_payment(scenes["unknown"], reason="damaged parcel")
    Payment.objects.filter(pk=scenes["review"].pk).update(review_reason="mismatch", review_since=timezone.now())
    Payment.objects.filter(pk=scenes["live"].pk).update(livemode=True)
    return scenes


def every_page(visitor: Visitor, scenes: dict[str, Payment]) -> Iterator[str]:
    """Walk through all screens; yields the name of each when it is there."""
    page = visitor.page
    addresses = {name: f"{LIST}{payment.pk}/change/" for name, payment in scenes.items()}
    addresses |= {
        "list": LIST,
        **{f"queue {queue}": f"{LIST}?queue={queue}" for queue in ("review", "unconfirmed", "stuck")},
        "mark reviewed": f"{LIST}review/?id={scenes['review'].pk}",
        "legal hold": f"{LIST}hold/?id={scenes['paid'].pk}",
        "refunds": "/admin/django_flowlix/refund/",
        "refunds unconfirmed": "/admin/django_flowlix/refund/?queue=unconfirmed",
        "refund": f"/admin/django_flowlix/refund/{Refund.objects.first().pk}/change/",  # type: ignore[union-attr]
        "app": "/admin/django_flowlix/",
        "not refundable": f"{LIST}{scenes['open'].pk}/refund/",
        "refund form": f"{LIST}{scenes['paid'].pk}/refund/",
    }
    for name, address in addresses.items():
        page.goto(address)
        yield name
    page.get_by_label("Amount").fill("500")
    follow(page.get_by_role("button", name="Continue"))
    yield "refund form with faults"
    page.get_by_label("Amount").fill("12.50")
    page.get_by_label("Reason").fill("a bag was stale")
    follow(page.get_by_role("button", name="Continue"))
    yield "confirmation"
    page.locator("[name=token]").evaluate("field => { field.value = 'too old' }")
    follow(page.get_by_role("button", name="Refund 12.50 EUR now"))
    yield "confirmation once more"
    follow(page.get_by_role("button", name="Refund 12.50 EUR now"))
    page.get_by_text("Text for a ticket to the gateway").click()
    yield "result"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(staff: Staff, scenes: dict[str, Payment], scheme: str) -> None:
    visitor = staff(color_scheme=scheme, bypass_csp=True)
    found = [finding for _ in every_page(visitor, scenes) for finding in findings(visitor)]

    assert found == []


def test_axe_would_find_something(staff: Staff, scenes: dict[str, Payment]) -> None:
    visitor = staff(bypass_csp=True)
    visitor.page.goto(f"{LIST}{scenes['paid'].pk}/change/")
    visitor.page.locator(".flowlix-amount").evaluate("text => text.style.setProperty('color', '#ddd')")

    assert [finding.split(": ")[1] for finding in findings(visitor)] == ["color-contrast"]


def test_every_page_fits_a_phone_and_keeps_the_policy(staff: Staff, scenes: dict[str, Payment]) -> None:
    visitor = staff(viewport=NARROW)
    too_wide = []
    for name in every_page(visitor, scenes):
        width = visitor.page.evaluate("document.documentElement.scrollWidth")
        if width > NARROW["width"]:
            too_wide.append(f"{name} is {width} px wide")

    assert too_wide + visitor.complaints == []
