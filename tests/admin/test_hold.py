"""Legal hold: what is about to be held, a reason that must be there, who may, and how it reads afterwards."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import Client

from django_flowlix.models import Payment, StatusChange
from django_flowlix.services import erase_personal_data
from django_flowlix.services.holds import put_on_hold, release_hold
from tests.admin.people import messages_of, someone, told
from tests.admin.reading import LIST, glance, page, text_of
from tests.admin.rows import NOON, a_payment, many_payments
from tests.conftest import FakeClock

pytestmark = pytest.mark.django_db
HOLD, RELEASE = f"{LIST}hold/", f"{LIST}release/"


@pytest.fixture
def payment(fake_clock: FakeClock) -> Payment:
    fake_clock.current = NOON
    return a_payment("1001")


@pytest.fixture
def held(payment: Payment) -> Payment:
    Payment.objects.update(legal_hold_since=NOON)
    return payment


@pytest.fixture
def lawyer() -> Client:
    return someone("lawyer", "view_payment", "hold_payment")


def is_held(payment: Payment) -> bool:
    payment.refresh_from_db()
    return payment.legal_hold_since is not None


def timeline_of(client: Client, payment: Payment) -> str:
    text = text_of(client, page(payment))
    table = text[text.index('id="flowlix-timeline-heading"') :].split("</table>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", table)).split())


def test_the_page_says_what_will_happen(held: Payment, lawyer: Client) -> None:
    free = a_payment("free", livemode=True)
    keys = {"id": [held.pk, free.pk]}

    text = text_of(lawyer, HOLD, keys)
    assert re.findall(r'flowlix-reason">([^<]*)<', text) == [
        "Put on legal hold",  # the newest first
        "on legal hold already: it will be left as it is",
    ]
    assert "until somebody releases the hold" in text
    assert text.count("LIVE") == 1
    assert re.search(r'<input type="text" name="reason"[^>]* required', text)
    text = text_of(lawyer, RELEASE, keys)
    assert re.findall(r'flowlix-reason">([^<]*)<', text) == [
        "not on legal hold: it will be left as it is",
        "Release legal hold",
    ]
    assert (is_held(held), is_held(free)) == (True, False), "to look is not to do"


def test_it_is_held_and_released_with_reason_name_and_log(payment: Payment, lawyer: Client) -> None:
    response = lawyer.post(HOLD, {"id": payment.pk, "reason": " File 7/26 "}, follow=True)

    assert response.redirect_chain == [(page(payment), 302)]
    assert messages_of(response) == ["success: 1 payment is on legal hold now."]
    payment.refresh_from_db()
    assert (payment.legal_hold_since, payment.status) == (NOON, "succeeded")
    response = lawyer.post(RELEASE, {"id": payment.pk, "reason": "case closed"}, follow=True)
    assert messages_of(response) == ["success: The legal hold of 1 payment is released."]
    assert not is_held(payment)

    name = "lawyer view_payment hold_payment"
    columns = ("from_status", "to_status", "source", "actor", "note", "signal", "deliver_at")
    assert list(StatusChange.objects.order_by("pk").values_list(*columns)) == [
        ("succeeded", "succeeded", "admin", name, "put on legal hold\nFile 7/26", "", None),
        ("succeeded", "succeeded", "admin", name, "legal hold released\ncase closed", "", None),
    ]
    assert [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")] == [
        "Put on legal hold: File 7/26",
        "Legal hold released: case closed",
    ]


def test_the_payments_page_shows_it(payment: Payment, lawyer: Client) -> None:
    lawyer.post(HOLD, {"id": payment.pk, "reason": "File <7/26>"})
    text = text_of(lawyer, page(payment))

    assert "On legal hold Nothing of it is pruned or erased" in glance(text)
    assert "Since 2026-03-14 12:00." in glance(text)
    assert f'href="{RELEASE}?id={payment.pk}"' in text
    assert f'href="{HOLD}?' not in text
    story = timeline_of(lawyer, payment)
    assert "put on legal hold by lawyer view_payment hold_payment · staff · “File <7/26>”" in story
    assert "reviewed" not in story

    lawyer.post(RELEASE, {"id": payment.pk, "reason": "case closed"})
    assert "On legal hold" not in glance(text_of(lawyer, page(payment)))
    assert "legal hold released by lawyer" in timeline_of(lawyer, payment)
    assert f'href="{HOLD}?id={payment.pk}"' in text_of(lawyer, page(payment))


def test_after_an_erasure_the_page_says_so(payment: Payment, lawyer: Client) -> None:
    lawyer.post(HOLD, {"id": payment.pk, "reason": "Ada's file"})
    lawyer.post(RELEASE, {"id": payment.pk, "reason": "Ada's case is closed"})
    assert erase_personal_data([payment]).erased == [payment]

    assert "Personal data erased on 2026-03-14" in glance(text_of(lawyer, page(payment)))
    story = timeline_of(lawyer, payment)
    assert "put on legal hold by lawyer" in story
    assert "Ada" not in story


def test_a_review_that_uses_the_same_words_is_still_a_review(payment: Payment, viewer: Client) -> None:
    StatusChange.objects.create(
        payment=payment,
        from_status="succeeded",
        to_status="succeeded",
        source="admin",
        actor="anna",
        note="put on legal hold",
    )
    assert "marked as reviewed by anna · staff · “put on legal hold”" in timeline_of(viewer, payment)


def test_many_at_once(held: Payment, lawyer: Client) -> None:
    others = [a_payment(str(number)) for number in range(3)]
    keys = [payment.pk for payment in (held, *others)]

    response = lawyer.post(HOLD, {"id": keys, "reason": "File 7/26", "next": f"{LIST}?q=7"}, follow=True)

    assert response.redirect_chain == [(f"{LIST}?q=7", 302)]
    assert messages_of(response) == [
        "success: 3 payments are on legal hold now.",
        "warning: 1 payment was left as it is.",
    ]
    assert Payment.objects.filter(legal_hold_since__isnull=False).count() == 4
    assert StatusChange.objects.count() == LogEntry.objects.count() == 3


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("", "This field is required."),
        ("   ", "This field is required."),
        ("x" * 201, "The note has 201 characters, at most 200 are kept."),
        ("two\nlines", "The note contains a line break or control character: write it on one line."),
        ("a\x00b", "Null characters are not allowed."),
        ("paid with 4242 4242 4242 4242", "The note looks like it holds a card number"),
    ],
)
@pytest.mark.parametrize("address", [HOLD, RELEASE])
def test_a_bad_reason_is_said_at_the_field_and_nothing_is_done(
    payment: Payment, lawyer: Client, reason: str, sentence: str, address: str
) -> None:
    held = a_payment("held", legal_hold_since=NOON)
    response = lawyer.post(address, {"id": [payment.pk, held.pk], "reason": reason})
    field = response.content.decode().split('class="form-row')[1].split("</fieldset>")[0]

    assert response.status_code == 200
    assert sentence in html.unescape(field)
    assert 'aria-invalid="true"' in field
    assert (is_held(payment), is_held(held)) == (False, True)
    assert not StatusChange.objects.exists()
    assert not LogEntry.objects.exists()


def test_where_nothing_is_to_be_done_there_is_no_form(held: Payment, lawyer: Client) -> None:
    text = text_of(lawyer, HOLD, {"id": held.pk})

    assert 'name="reason"' not in text
    assert 'type="submit" class="default"' not in text


# --- The actions ----------------------------------------------------------------------------------------------------


def chosen(action: str, *payments: Payment, **more: Any) -> dict[str, Any]:
    return {"action": action, "_selected_action": [payment.pk for payment in payments], "index": "0"} | more


@pytest.mark.parametrize(("action", "address"), [("put_on_legal_hold", HOLD), ("release_legal_hold", RELEASE)])
def test_the_action_leads_to_the_page_and_back(payment: Payment, lawyer: Client, action: str, address: str) -> None:
    leads_to = lawyer.post(f"{LIST}?q=1001", chosen(action, payment))["Location"]

    assert leads_to == f"{address}?id={payment.pk}&next=%2Fadmin%2Fdjango_flowlix%2Fpayment%2F%3Fq%3D1001"
    assert f'name="next" value="{LIST}?q=1001"' in text_of(lawyer, leads_to)
    assert not is_held(payment)


def test_the_action_takes_a_hundred(lawyer: Client) -> None:
    many_payments(101)
    refusal = ["warning: At most 100 payments at once: choose fewer. Nothing was done."]
    everything = list(Payment.objects.all())

    assert messages_of(lawyer.post(LIST, chosen("put_on_legal_hold", *everything), follow=True)) == refusal
    hundred = lawyer.post(LIST, chosen("put_on_legal_hold", *everything[:100]))["Location"]
    assert text_of(lawyer, hundred).count('name="id"') == 100


@pytest.mark.parametrize("keys", [[], ["rubbish"], ["\x00"], ["-1"], ["9" * 40], ["999999999"], list(range(101))])
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("address", [HOLD, RELEASE])
def test_bad_keys_get_a_clear_answer(lawyer: Client, keys: list[Any], method: str, address: str) -> None:
    response = getattr(lawyer, method)(address, {"id": keys, "reason": "x"}, follow=True)

    assert response.redirect_chain == [(LIST, 302)]
    (message,) = messages_of(response)
    assert message.endswith("Nothing was done.")


# --- Who may --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "codenames", "looking", "doing"),
    [
        ("stranger", [], "login", "login"),
        ("customer", ["view_payment", "hold_payment"], "login", "login"),
        ("staff", [], "403", "403"),
        ("staff", ["view_payment"], "403", "403"),
        ("staff", ["view_payment", "refund_payment", "export_payment", "review_payment"], "403", "403"),
        ("staff", ["view_payment", "change_payment", "delete_payment", "add_payment"], "403", "403"),
        ("staff", ["hold_payment"], "403", "403"),
        ("staff", ["view_payment", "hold_payment"], "200", "page"),
        ("superuser", [], "200", "page"),
    ],
)
def test_who_may_hold_and_release(payment: Payment, who: str, codenames: list[str], looking: str, doing: str) -> None:
    client, data = someone(who, *codenames), {"id": payment.pk, "reason": "File 7/26"}
    for address, after in ((HOLD, doing == "page"), (RELEASE, False)):
        assert told(client.get(address, {"id": payment.pk})) == looking
        assert told(client.head(address, {"id": payment.pk})) == looking
        assert told(client.post(address, data)).replace(page(payment), "page") == doing
        assert is_held(payment) is after
    assert StatusChange.objects.count() == (2 if doing == "page" else 0)


def test_without_the_permission_nothing_is_offered(payment: Payment, viewer: Client) -> None:
    for action, address in (("put_on_legal_hold", HOLD), ("release_legal_hold", RELEASE)):
        assert action not in text_of(viewer, LIST)
        assert address not in text_of(viewer, page(payment))
        viewer.post(LIST, chosen(action, payment))
    assert not is_held(payment)
    assert "put_on_legal_hold" in text_of(someone("superuser"), LIST)


def test_a_permission_that_was_taken_away_meanwhile_is_missed(payment: Payment, lawyer: Client) -> None:
    text_of(lawyer, HOLD, {"id": payment.pk})
    get_user_model().objects.get().user_permissions.clear()

    assert lawyer.post(HOLD, {"id": payment.pk, "reason": "x"}).status_code == 403
    assert not is_held(payment)


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
@pytest.mark.parametrize("address", [HOLD, RELEASE])
def test_other_methods_are_refused(payment: Payment, lawyer: Client, method: str, address: str) -> None:
    assert getattr(lawyer, method)(f"{address}?id={payment.pk}").status_code == 405


def test_a_get_does_nothing(payment: Payment, lawyer: Client) -> None:
    lawyer.get(HOLD, {"id": payment.pk, "reason": "File 7/26"})
    assert not is_held(payment)


def test_it_takes_the_forms_token(payment: Payment) -> None:
    client = someone("superuser")
    client.handler.enforce_csrf_checks = True

    assert client.post(HOLD, {"id": payment.pk, "reason": "x"}).status_code == 403
    assert not is_held(payment)


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/admin/logout/", f"{LIST}../"])
def test_it_leads_back_to_our_own_pages_alone(payment: Payment, lawyer: Client, back: str) -> None:
    assert f'href="{page(payment)}" class="closelink"' in text_of(lawyer, HOLD, {"id": payment.pk, "next": back})
    assert lawyer.post(HOLD, {"id": payment.pk, "reason": "x", "next": back})["Location"] == page(payment)


@pytest.mark.django_db(transaction=True)
def test_it_works_with_atomic_requests(payment: Payment, lawyer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)

    assert told(lawyer.post(HOLD, {"id": payment.pk, "reason": "x"})) == page(payment)
    assert is_held(payment)


@pytest.mark.parametrize("address", [HOLD, RELEASE])
def test_the_page_keeps_a_strict_policy(payment: Payment, lawyer: Client, address: str) -> None:
    text = text_of(lawyer, address, {"id": payment.pk})

    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text)
    assert not [tag for tag in re.findall(r"<script[^>]*>", text) if "src=" not in tag]
    assert "django_flowlix/admin_list.css" in text


# --- The service ----------------------------------------------------------------------------------------------------


def test_a_hold_begins_once_and_keeps_its_beginning(payment: Payment, fake_clock: FakeClock) -> None:
    clerk = get_user_model().objects.create_user("x" * 150)
    stale = Payment.objects.get()
    assert put_on_hold(payment, reason="first", actor=clerk)
    fake_clock.advance(days=1)
    assert not put_on_hold(stale, reason="second", actor=clerk)

    assert stale.legal_hold_since == payment.legal_hold_since == NOON
    assert StatusChange.objects.get().actor == "x" * 150
    assert release_hold(stale, reason="y" * 200, actor=clerk)
    assert not release_hold(payment, reason="again", actor=clerk)
    assert StatusChange.objects.count() == 2


def test_inside_a_transaction_it_refuses(payment: Payment) -> None:
    clerk = get_user_model().objects.create_user("clerk")
    with transaction.atomic(), pytest.raises(RuntimeError):
        put_on_hold(payment, reason="x", actor=clerk)
    assert not is_held(payment)
