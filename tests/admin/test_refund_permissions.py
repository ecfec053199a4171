"""Who may refund: asked on every request, before anything about the payment is told."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from django_flowlix.admin.refund_result import new_token
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment, Refund
from tests.admin.reading import LIST, page
from tests.admin.refunding import ask, confirm, refund_page, token_in

pytestmark = pytest.mark.django_db


def staff(name: str, *codenames: str) -> Client:
    user = get_user_model().objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def everything(client: Client, payment: Payment) -> list[int]:
    """Try every way to the screen, the direct POST with a valid token of one's own included."""
    user = get_user_model().objects.filter(pk=client.session.get("_auth_user_id", 0)).first()
    token = new_token(payment, user) if user else "x"
    answers = [
        client.get(refund_page(payment)),
        client.head(refund_page(payment)),
        ask(client, payment),
        confirm(client, payment, token),
        client.put(refund_page(payment)),
    ]
    return [answer.status_code for answer in answers]


def test_a1_strangers_are_sent_to_the_login(paid: Payment, client: Client, emulator: EmulatorServer) -> None:
    answers = [client.get(refund_page(paid)), ask(client, paid), confirm(client, paid, "x")]

    assert [answer.headers["Location"].split("?")[0] for answer in answers] == ["/admin/login/"] * 3
    assert not emulator.log("refund")


@pytest.mark.parametrize(
    "codenames",
    [
        (),
        ("view_payment",),
        ("refund_payment",),
        ("view_payment", "change_payment", "delete_payment", "add_payment", "review_payment", "export_payment"),
        ("view_refund",),
    ],
)
def test_a1_without_both_permissions_every_way_is_forbidden(
    paid: Payment, emulator: EmulatorServer, codenames: tuple[str, ...]
) -> None:
    assert everything(staff("clerk", *codenames), paid) == [403] * 5
    assert not emulator.log("refund")
    assert not Refund.objects.exists()


def test_a1_a_customer_who_is_no_staff_is_sent_to_the_login(paid: Payment, client: Client) -> None:
    user = get_user_model().objects.create_user("ada")
    user.user_permissions.set(Permission.objects.all())
    client.force_login(user)

    assert everything(client, paid) == [302] * 5
    assert not Refund.objects.exists()


@pytest.mark.parametrize("who", ["refunder", "almighty", "superuser"])
def test_with_both_permissions_it_works(paid: Payment, who: str, request: pytest.FixtureRequest) -> None:
    assert everything(request.getfixturevalue(who), paid) == [200, 200, 200, 302, 405]
    assert Refund.objects.get().status == "succeeded"


def test_u14_a_permission_that_was_taken_away_meanwhile_is_missed(
    paid: Payment, refunder: Client, emulator: EmulatorServer
) -> None:
    token = token_in(ask(refunder, paid))
    get_user_model().objects.get(username="anna").user_permissions.remove(
        Permission.objects.get(codename="refund_payment")
    )

    assert confirm(refunder, paid, token).status_code == 403
    assert not emulator.log("refund")
    assert not Refund.objects.exists()


def test_a3_without_a_csrf_token_nothing_happens(paid: Payment, emulator: EmulatorServer) -> None:
    root = get_user_model().objects.create_superuser("root")
    client = Client(enforce_csrf_checks=True)
    client.force_login(root)

    assert ask(client, paid).status_code == 403
    assert confirm(client, paid, new_token(paid, root)).status_code == 403
    assert not emulator.log("refund")


def test_a4_a_get_changes_nothing(paid: Payment, refunder: Client, emulator: EmulatorServer) -> None:
    token = token_in(ask(refunder, paid))
    data = {"step": "refund", "amount": "49.99", "reason": "x", "token": token}

    assert refunder.get(refund_page(paid), data).status_code == 200
    assert refunder.head(refund_page(paid), data).status_code == 200
    assert not emulator.log("refund")
    assert not Refund.objects.exists()


@pytest.mark.parametrize("unknown", ["999999", "rubbish", "%00", "1' OR '1'='1", "9" * 40, "_5F"])
@pytest.mark.parametrize("who", ["viewer", "refunder"])
def test_an_unknown_payment_is_not_found_and_tells_nothing_to_others(
    paid: Payment, unknown: str, who: str, request: pytest.FixtureRequest
) -> None:
    answer = request.getfixturevalue(who).get(f"{LIST}{unknown}/refund/")

    assert answer.status_code == (404 if who == "refunder" else 403)


def test_the_screen_is_never_cached(paid: Payment, refunder: Client) -> None:
    for answer in (refunder.get(refund_page(paid)), ask(refunder, paid)):
        assert "no-store" in answer.headers["Cache-Control"]


def test_p7_no_step_shows_the_customer_or_the_return_token(paid: Payment, refunder: Client) -> None:
    answers: list[Any] = [refunder.get(refund_page(paid)), ask(refunder, paid), refunder.get(page(paid))]

    for answer in answers:
        text = answer.content.decode()
        hidden = ("ada@example.com", "Lovelace", "Unter den Linden", "901820", paid.return_token)
        assert [value for value in hidden if value in text] == []
