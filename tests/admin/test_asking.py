"""Ask the gateway now: from the page, from a row, in bulk; by POST alone, and outside of any transaction."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from django_flowlix.admin import asking
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment, StatusChange
from django_flowlix.services import start_payment
from django_flowlix.services.asking import AskReport
from tests.admin.people import messages_of, someone, told
from tests.admin.reading import LIST, page, text_of
from tests.admin.rows import a_payment, many_payments
from tests.conftest import FakeClock, a_request

pytestmark = pytest.mark.django_db
ASK = f"{LIST}ask/"


def ticked(*payments: Payment, **more: Any) -> dict[str, Any]:
    return {"action": "ask_the_gateway", "_selected_action": [payment.pk for payment in payments], "index": "0"} | more


def test_the_answer_is_booked_and_said(
    payment: Payment, viewer: Client, emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    emulator.pay(str(payment.gateway_id))
    fake_clock.advance(minutes=1)

    response = viewer.post(ASK, {"id": payment.pk}, follow=True)

    assert response.redirect_chain == [(LIST, 302)]
    assert messages_of(response) == ["success: Asked about 1 payment. Something has changed: order 1001 is now “paid”."]
    assert Payment.objects.get().status == "succeeded"
    assert StatusChange.objects.latest("pk").source == "admin"


def test_nothing_new_is_said_too(payment: Payment, viewer: Client, fake_clock: FakeClock) -> None:
    fake_clock.advance(minutes=1)

    assert messages_of(viewer.post(ASK, {"id": payment.pk}, follow=True)) == [
        "info: Asked about 1 payment. The gateway has nothing new: order 1001 is still “waiting for the customer”."
    ]


def test_a_gateway_in_trouble_is_said_in_plain_words(
    payment: Payment, viewer: Client, emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    emulator.fault("retrieve", "status_before", status=503, times=9)
    fake_clock.advance(minutes=1)

    (message,) = messages_of(viewer.post(ASK, {"id": payment.pk}, follow=True))

    assert message.startswith("warning: Asked about 1 payment. 1 could not be asked about.")


def test_several_at_once_from_the_list(
    payment: Payment, viewer: Client, emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    other = start_payment(a_request(order_reference="1002"))
    emulator.pay(str(other.gateway_id))
    fake_clock.advance(minutes=1)

    response = viewer.post(f"{LIST}?mode=test", ticked(payment, other), follow=True)

    assert response.redirect_chain == [(f"{LIST}?mode=test", 302)]
    assert messages_of(response) == ["success: Asked about 2 payments. 1 has changed. Nothing new about 1."]
    assert Payment.objects.get(pk=other.pk).status == "succeeded"


@pytest.mark.parametrize(
    ("report", "level", "sentences"),
    [
        ({"changed": 2, "unchanged": 3}, "success", "2 have changed. Nothing new about 3."),
        ({"unchanged": 3}, "info", "Nothing new about 3."),
        ({"failed": 2, "errors": ["default: refused"]}, "warning", "2 could not be asked about. default: refused"),
        (
            {"unchanged": 1, "left": 1},
            "warning",
            "Nothing new about 1. 1 was not reached in time: flowlix_sync will take it up.",
        ),
        ({"left": 4}, "warning", "4 were not reached in time: flowlix_sync will take them up."),
        (
            {},
            "info",
            "There is nothing to ask about: the gateway does not have it, or it is being asked right now.",
        ),
    ],
)
def test_every_outcome_has_its_words(
    viewer: Client, monkeypatch: pytest.MonkeyPatch, report: dict[str, Any], level: str, sentences: str
) -> None:
    empty: dict[str, Any] = {"changed": 0, "unchanged": 0, "failed": 0, "left": 0, "errors": []}
    monkeypatch.setattr(asking, "ask_now", lambda payments: AskReport(**empty | report))
    keys = [a_payment(str(number)).pk for number in range(5)]

    assert messages_of(viewer.post(ASK, {"id": keys}, follow=True)) == [f"{level}: Asked about 5 payments. {sentences}"]


def test_a_row_of_a_queue_asks_without_a_script(payment: Payment, fake_clock: FakeClock) -> None:
    """The button belongs to the list's own form: with its token, whatever else is in the form."""
    client = someone("staff", "view_payment")
    client.handler.enforce_csrf_checks = True
    fake_clock.advance(days=4)
    text = text_of(client, LIST, {"queue": "stuck"})
    form = text[text.index('<form id="changelist-form"') :]
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    button = re.search(r'formaction="([^"]+)" name="id" value="(\d+)"', form)
    assert token
    assert button
    sent = {"csrfmiddlewaretoken": token[1], "action": "", "select_across": "0", "id": button[2]}

    assert client.post(button[1], {"id": button[2]}).status_code == 403
    assert client.post(button[1], sent)["Location"] == f"{LIST}?queue=stuck"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many payments were asked about, call by call; nobody is really asked."""
    calls: list[int] = []

    def note(payments: list[Payment]) -> AskReport:
        calls.append(len(payments))
        return AskReport(changed=0, unchanged=len(payments), failed=0, left=0, errors=[])

    monkeypatch.setattr(asking, "ask_now", note)
    return calls


NOT_A_KEY = "That is not the key of a payment. Nothing was done."
NONE_CHOSEN = "No payment was chosen. Nothing was done."


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        ([], NONE_CHOSEN),
        ([""], NOT_A_KEY),
        (["rubbish"], NOT_A_KEY),
        (["1", "rubbish"], NOT_A_KEY),
        (["\x00"], NOT_A_KEY),
        (["1\x00"], NOT_A_KEY),
        (["-1"], NOT_A_KEY),
        (["1.5"], NOT_A_KEY),
        (["٣"], NOT_A_KEY),
        (["9" * 18], NONE_CHOSEN),
        (["9" * 19], NOT_A_KEY),
        (["9" * 5000], NOT_A_KEY),
        (["1' OR '1'='1"], NOT_A_KEY),
    ],
)
def test_bad_keys_get_a_clear_answer_and_nobody_is_asked(
    viewer: Client, asked: list[int], keys: list[str], answer: str
) -> None:
    a_payment()
    in_bulk = {"action": "ask_the_gateway", "_selected_action": keys, "index": "0"}

    assert messages_of(viewer.post(ASK, {"id": keys}, follow=True)) == [f"warning: {answer}"]
    if keys:  # Django itself says when nothing is ticked
        assert messages_of(viewer.post(LIST, in_bulk, follow=True)) == [f"warning: {answer}"]
    assert asked == []


def test_a_hundred_at_most(viewer: Client, asked: list[int]) -> None:
    many_payments(101)
    keys = [payment.pk for payment in Payment.objects.all()]
    refusal = ["warning: At most 100 payments at once: choose fewer. Nothing was done."]

    assert messages_of(viewer.post(ASK, {"id": keys}, follow=True)) == refusal
    assert messages_of(viewer.post(LIST, ticked(*Payment.objects.all()), follow=True)) == refusal
    across = ticked(*Payment.objects.all()[:1], select_across="1")
    assert messages_of(viewer.post(LIST, across, follow=True)) == refusal
    assert asked == []

    viewer.post(ASK, {"id": keys[:100] + keys[:100]})
    assert asked == [100]


@pytest.mark.parametrize(
    ("who", "codenames", "answer"),
    [
        ("stranger", [], "login"),
        ("customer", ["view_payment"], "login"),
        ("staff", [], "403"),
        ("staff", ["view_refund", "review_payment", "export_payment"], "403"),
        ("staff", ["view_payment"], LIST),
        ("superuser", [], LIST),
    ],
)
def test_who_may_ask(asked: list[int], who: str, codenames: list[str], answer: str) -> None:
    payment, client = a_payment(), someone(who, *codenames)
    expected = [1] if answer == LIST else []

    assert told(client.post(ASK, {"id": payment.pk})) == answer
    assert asked == expected
    # The same in bulk, by a POST to the list's address.
    assert told(client.post(LIST, ticked(payment))) == answer
    assert asked == expected * 2


@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "patch"])
def test_it_takes_a_post(asked: list[int], viewer: Client, method: str) -> None:
    response = getattr(viewer, method)(f"{ASK}?id={a_payment().pk}")

    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert asked == []


def test_it_takes_the_forms_token(asked: list[int]) -> None:
    client = someone("superuser")
    client.handler.enforce_csrf_checks = True

    assert client.post(ASK, {"id": a_payment().pk}).status_code == 403
    assert asked == []


@pytest.mark.parametrize(
    ("back", "leads"),
    [
        (f"{LIST}7/change/", f"{LIST}7/change/"),
        (f"{LIST}?queue=stuck&p=2", f"{LIST}?queue=stuck&p=2"),
        (LIST, LIST),
        ("", LIST),
        ("https://evil.example/", LIST),
        ("//evil.example/admin/django_flowlix/payment/", LIST),
        ("/\\evil.example", LIST),
        (f"{LIST}../../../logout/", LIST),
        (f"{LIST}%2e%2e/", LIST),
        ("/admin/logout/", LIST),
        (f"{LIST}7/delete/", LIST),
        ("javascript:alert(1)", LIST),
        (f"{LIST}?x\r\nSet-Cookie: a=b", LIST),
        (f"{LIST}\x00", LIST),
        ("/" + "[" * 50, LIST),
    ],
)
def test_it_leads_back_to_our_own_pages_alone(asked: list[int], viewer: Client, back: str, leads: str) -> None:
    response = viewer.post(ASK, {"id": a_payment().pk, "next": back})

    assert (response.status_code, response["Location"]) == (302, leads)


def test_the_page_asks_too(payment: Payment, viewer: Client, asked: list[int]) -> None:
    text = text_of(viewer, page(payment))
    form = re.search(rf'<form[^>]*action="{ASK}"[^>]*>(.*?)</form>', text, re.DOTALL)
    assert form
    sent = dict(re.findall(r'name="(id|next)" value="([^"]*)"', form[1]))

    assert viewer.post(ASK, sent)["Location"] == page(payment)
    assert asked == [1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["view", "action"])
def test_it_works_with_atomic_requests(
    payment: Payment,
    viewer: Client,
    emulator: EmulatorServer,
    fake_clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    emulator.pay(str(payment.gateway_id))
    fake_clock.advance(minutes=1)

    if way == "view":
        viewer.post(ASK, {"id": payment.pk})
    else:
        viewer.post(LIST, ticked(payment))

    assert Payment.objects.get().status == "succeeded"
