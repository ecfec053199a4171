"""Mark as reviewed: what is about to be marked, a note that must be there, and only what the person has seen."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client

from django_flowlix.models import Payment, StatusChange
from tests.admin.people import messages_of, someone, told
from tests.admin.reading import LIST, page, text_of
from tests.admin.rows import NOON, a_payment, many_payments
from tests.conftest import FakeClock

pytestmark = pytest.mark.django_db
REVIEW = f"{LIST}review/"
MISMATCH = "the gateway's answer does not match what was asked for"


@pytest.fixture
def doubtful(fake_clock: FakeClock) -> Payment:
    fake_clock.current = NOON
    return a_payment("1001", review_reason="mismatch", review_since=NOON)


@pytest.fixture
def reviewer() -> Client:
    return someone("staff", "view_payment", "review_payment")


def state(payment: Payment) -> tuple[str, str, bool]:
    payment.refresh_from_db()
    return payment.review_reason, payment.reviewed_reason, payment.reviewed_at is not None


UNTOUCHED = ("mismatch", "", False)
REVIEWED = ("", "mismatch", True)


def test_the_page_says_what_will_be_marked(doubtful: Payment, reviewer: Client) -> None:
    stuck = a_payment("stuck", status="pending", created_at=NOON.replace(month=1))
    fine = a_payment("fine", livemode=True)
    text = html.unescape(text_of(reviewer, REVIEW, {"id": [doubtful.pk, stuck.pk, fine.pk]}))

    assert re.findall(r'flowlix-reason">([^<]*)<', text) == [
        "nothing: it will be left as it is",  # the newest first
        MISMATCH,
        "the gateway has not decided for too long",
    ]
    assert text.count("LIVE") == 1
    assert re.search(r'<input type="text" name="note"[^>]* required', text)
    assert state(doubtful) == UNTOUCHED, "to look is not to mark"


def test_it_is_marked_with_note_name_and_log(doubtful: Payment, reviewer: Client) -> None:
    response = reviewer.post(REVIEW, {"id": doubtful.pk, "note": " Asked the shop, it is right. "}, follow=True)

    assert response.redirect_chain == [(page(doubtful), 302)]
    assert messages_of(response) == ["success: 1 payment is marked as reviewed."]
    assert state(doubtful) == REVIEWED
    change = StatusChange.objects.get()
    assert (change.note, change.source, change.actor) == (
        "Asked the shop, it is right.",
        "admin",
        "staff view_payment review_payment",
    )
    (entry,) = LogEntry.objects.all()
    assert (entry.object_id, entry.is_change()) == (str(doubtful.pk), True)
    assert entry.get_change_message() == f"Reviewed ({MISMATCH}): Asked the shop, it is right."


def test_a_stuck_payments_entry_says_why_it_was_looked_at(reviewer: Client, fake_clock: FakeClock) -> None:
    fake_clock.current = NOON
    stuck = a_payment("stuck", status="pending", created_at=NOON.replace(month=1))
    reviewer.post(REVIEW, {"id": stuck.pk, "note": "looked"})

    assert LogEntry.objects.get().get_change_message() == "Reviewed (the gateway has not decided for too long): looked"


def test_many_at_once_each_with_its_entry(reviewer: Client, fake_clock: FakeClock) -> None:
    fake_clock.current = NOON
    waiting = [a_payment(str(number), review_reason="unproven", review_since=NOON) for number in range(3)]
    fine = a_payment("fine")
    keys = [payment.pk for payment in (*waiting, fine)]

    response = reviewer.post(REVIEW, {"id": keys, "note": "looked", "next": f"{LIST}?queue=review"}, follow=True)

    assert response.redirect_chain == [(f"{LIST}?queue=review", 302)]
    assert messages_of(response) == [
        "success: 3 payments are marked as reviewed.",
        "warning: 1 payment is not: nothing to review, or something else came up since you looked.",
    ]
    assert Payment.objects.needing_review().count() == 0
    assert sorted(entry.object_id for entry in LogEntry.objects.all()) == sorted(str(p.pk) for p in waiting)


def test_what_came_up_since_the_person_looked_stays(doubtful: Payment, reviewer: Client) -> None:
    text = text_of(reviewer, REVIEW, {"id": doubtful.pk})
    sent = dict(re.findall(r'type="hidden" name="(id|seen)" value="([^"]*)"', text))
    Payment.objects.update(review_reason="second_success")

    response = reviewer.post(REVIEW, sent | {"note": "looked"}, follow=True)

    assert sent == {"id": str(doubtful.pk), "seen": f"{doubtful.pk}:mismatch"}
    assert messages_of(response) == [
        "warning: 1 payment is not: nothing to review, or something else came up since you looked."
    ]
    assert state(doubtful) == ("second_success", "", False)
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("seen", ["rubbish", "\x00", "1:\x00", ":", "x" * 5000, "1:no_such_reason"])
def test_rubbish_in_what_was_seen_does_no_harm(doubtful: Payment, reviewer: Client, seen: str) -> None:
    assert reviewer.post(REVIEW, {"id": doubtful.pk, "note": "looked", "seen": seen}).status_code == 302
    assert state(doubtful) == REVIEWED


@pytest.mark.parametrize(
    ("note", "sentence"),
    [
        ("", "This field is required."),
        ("   ", "This field is required."),
        ("x" * 256, "The note has 256 characters, at most 255 are kept."),
        ("two\nlines", "The note contains a line break or control character: write it on one line."),
        ("a\x00b", "Null characters are not allowed."),
        ("paid with 4242 4242 4242 4242", "The note looks like it holds a card number"),
    ],
)
def test_a_bad_note_is_said_at_the_field_and_nothing_is_marked(
    doubtful: Payment, reviewer: Client, note: str, sentence: str
) -> None:
    second = a_payment("second", review_reason="unproven", review_since=NOON)
    response = reviewer.post(REVIEW, {"id": [doubtful.pk, second.pk], "note": note})
    field = response.content.decode().split('class="form-row')[1].split("</fieldset>")[0]

    assert response.status_code == 200
    assert sentence in html.unescape(field)
    assert 'aria-invalid="true"' in field
    assert Payment.objects.needing_review().count() == 2
    assert not StatusChange.objects.exists()
    assert not LogEntry.objects.exists()


def test_a_note_of_255_characters_is_kept_and_shown_escaped(doubtful: Payment, reviewer: Client) -> None:
    note = "<script>" + "ä" * 247
    reviewer.post(REVIEW, {"id": doubtful.pk, "note": note})

    assert StatusChange.objects.get().note == note
    assert note not in text_of(reviewer, page(doubtful))
    assert note in html.unescape(text_of(reviewer, page(doubtful)))


def test_where_nothing_is_to_be_reviewed_there_is_no_form(reviewer: Client) -> None:
    payment = a_payment()
    text = text_of(reviewer, REVIEW, {"id": payment.pk})

    assert "nothing: it will be left as it is" in text
    assert 'name="note"' not in text
    assert 'value="Mark as reviewed"' not in text


# --- The action -----------------------------------------------------------------------------------------------------


def chosen(*payments: Payment, **more: Any) -> dict[str, Any]:
    return {"action": "mark_as_reviewed", "_selected_action": [payment.pk for payment in payments], "index": "0"} | more


def test_the_action_leads_to_the_page_and_back(doubtful: Payment, reviewer: Client) -> None:
    address = reviewer.post(f"{LIST}?queue=review", chosen(doubtful))["Location"]

    assert address == f"{REVIEW}?id={doubtful.pk}&next=%2Fadmin%2Fdjango_flowlix%2Fpayment%2F%3Fqueue%3Dreview"
    assert f'name="next" value="{LIST}?queue=review"' in text_of(reviewer, address)
    assert state(doubtful) == UNTOUCHED


def test_the_action_takes_a_hundred(reviewer: Client) -> None:
    many_payments(101)
    refusal = ["warning: At most 100 payments at once: choose fewer. Nothing was done."]
    everything = list(Payment.objects.all())

    assert messages_of(reviewer.post(LIST, chosen(*everything), follow=True)) == refusal
    assert messages_of(reviewer.post(LIST, chosen(everything[0], select_across="1"), follow=True)) == refusal
    hundred = reviewer.post(LIST, chosen(*everything[:100]))["Location"]
    assert text_of(reviewer, hundred).count('name="id"') == 100


@pytest.mark.parametrize("keys", [[], ["rubbish"], ["\x00"], ["-1"], ["9" * 40], ["999999999"], list(range(101))])
@pytest.mark.parametrize("method", ["get", "post"])
def test_bad_keys_get_a_clear_answer(reviewer: Client, keys: list[Any], method: str) -> None:
    response = getattr(reviewer, method)(REVIEW, {"id": keys, "note": "looked"}, follow=True)

    assert response.redirect_chain == [(LIST, 302)]
    (message,) = messages_of(response)
    assert message.endswith("Nothing was done.")


# --- Who may --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "codenames", "looking", "marking"),
    [
        ("stranger", [], "login", "login"),
        ("customer", ["view_payment", "review_payment"], "login", "login"),
        ("staff", [], "403", "403"),
        ("staff", ["view_payment"], "403", "403"),
        ("staff", ["view_payment", "refund_payment", "export_payment"], "403", "403"),
        ("staff", ["review_payment"], "403", "403"),
        ("staff", ["view_payment", "review_payment"], "200", "page"),
        ("superuser", [], "200", "page"),
    ],
)
def test_who_may_review(doubtful: Payment, who: str, codenames: list[str], looking: str, marking: str) -> None:
    client = someone(who, *codenames)

    assert told(client.get(REVIEW, {"id": doubtful.pk})) == looking
    assert told(client.post(REVIEW, {"id": doubtful.pk, "note": "looked"})).replace(page(doubtful), "page") == marking
    assert state(doubtful) == (REVIEWED if marking == "page" else UNTOUCHED)


def test_without_the_permission_there_is_no_action(doubtful: Payment, viewer: Client) -> None:
    assert "mark_as_reviewed" not in text_of(viewer, LIST)
    viewer.post(LIST, chosen(doubtful))

    assert state(doubtful) == UNTOUCHED
    assert "mark_as_reviewed" in text_of(someone("superuser"), LIST)


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(doubtful: Payment, reviewer: Client, method: str) -> None:
    assert getattr(reviewer, method)(f"{REVIEW}?id={doubtful.pk}").status_code == 405


def test_it_takes_the_forms_token(doubtful: Payment) -> None:
    client = someone("superuser")
    client.handler.enforce_csrf_checks = True

    assert client.post(REVIEW, {"id": doubtful.pk, "note": "looked"}).status_code == 403
    assert state(doubtful) == UNTOUCHED


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/admin/logout/", f"{LIST}../"])
def test_it_leads_back_to_our_own_pages_alone(doubtful: Payment, reviewer: Client, back: str) -> None:
    assert f'href="{page(doubtful)}" class="closelink"' in text_of(reviewer, REVIEW, {"id": doubtful.pk, "next": back})
    response = reviewer.post(REVIEW, {"id": doubtful.pk, "note": "looked", "next": back})

    assert response["Location"] == page(doubtful)


@pytest.mark.django_db(transaction=True)
def test_it_works_with_atomic_requests(doubtful: Payment, reviewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)

    assert told(reviewer.post(REVIEW, {"id": doubtful.pk, "note": "looked"})) == page(doubtful)
    assert state(doubtful) == REVIEWED


def test_the_page_keeps_a_strict_policy(doubtful: Payment, reviewer: Client) -> None:
    text = text_of(reviewer, REVIEW, {"id": doubtful.pk})

    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text)
    assert not [tag for tag in re.findall(r"<script[^>]*>", text) if "src=" not in tag]
    assert "django_flowlix/admin_list.css" in text
