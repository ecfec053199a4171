"""The work queues: who stands in them, in which order, how many, and who may see that."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_flowlix.services.monitoring.queues import PAYMENT_QUEUES, REFUND_QUEUES, Waiting, waiting
from tests.admin.people import someone
from tests.admin.reading import LIST, own_queries, text_of
from tests.admin.rows import NOON, a_payment, a_refund, many_payments
from tests.conftest import FakeClock

pytestmark = pytest.mark.django_db
INDEX = "/admin/django_flowlix/"
REFUNDS = f"{INDEX}refund/"


@pytest.fixture
def work(fake_clock: FakeClock) -> None:
    """Two to review, one unconfirmed, two stuck for three days; of refunds one unconfirmed, one stuck for a week."""
    fake_clock.current = NOON
    a_payment("fine")
    a_payment("review late", review_reason="mismatch", review_since=NOON, created_at=NOON - timedelta(days=9))
    a_payment("review first", review_reason="unproven", review_since=NOON - timedelta(hours=1))
    a_payment("unconfirmed", status="created", first_sent_at=NOON, gateway_id=None)
    a_payment("not sent", status="created", gateway_id=None)
    a_payment("waiting", status="pending", created_at=NOON - timedelta(days=2, hours=23))
    a_payment("stuck", status="pending", created_at=NOON - timedelta(days=3))
    a_payment("stuck longer", status="pending", created_at=NOON - timedelta(days=30))
    a_payment("stuck but known", status="pending", created_at=NOON - timedelta(days=30), reviewed_at=NOON)
    paid = a_payment("with refunds")
    a_refund(paid, status="created", sequence=71, reason="lost")
    a_refund(paid, status="pending", created_at=NOON - timedelta(days=6), reason="slow")
    a_refund(paid, status="pending", created_at=NOON - timedelta(days=8), reason="too slow")
    a_refund(paid, status="succeeded", reason="done")


def orders(text: str) -> list[str]:
    return re.findall(r'field-order_reference"><a[^>]*>([^<]*)</a>', text)


def reasons(text: str) -> list[str]:
    return re.findall(r'field-reason">([^<]*)<', text)


@pytest.mark.parametrize(
    ("queue", "waiting"),
    [
        ("review", ["review first", "review late"]),
        ("unconfirmed", ["unconfirmed"]),
        ("stuck", ["stuck longer", "stuck"]),
    ],
)
def test_who_waits_longest_comes_first(work: None, viewer: Client, queue: str, waiting: list[str]) -> None:
    assert orders(text_of(viewer, LIST, {"queue": queue})) == waiting
    # A queue has one order, whatever the address asks for.
    assert orders(text_of(viewer, LIST, {"queue": queue, "o": "-7.7.6.5.1"})) == waiting


@pytest.mark.parametrize(("queue", "waiting"), [("unconfirmed", ["lost"]), ("stuck", ["too slow"])])
def test_the_refunds_queues(work: None, almighty: Client, queue: str, waiting: list[str]) -> None:
    assert reasons(text_of(almighty, REFUNDS, {"queue": queue})) == waiting


def lines(client: Client) -> list[tuple[str, str, str]]:
    text = text_of(client, INDEX)
    found = re.findall(r'<th scope="row"><a href="([^"]*)">([^<]*)</a></th>\s*<td class="flowlix-count">([^<]*)<', text)
    return [(label, number, address) for address, label, number in found]


def test_the_apps_page_counts_them_and_leads_there(work: None, almighty: Client) -> None:
    assert lines(almighty) == [
        ("Payments: needs review", "2", f"{LIST}?queue=review"),
        ("Payments: unconfirmed", "1", f"{LIST}?queue=unconfirmed"),
        ("Payments: stuck", "2", f"{LIST}?queue=stuck"),
        ("Refunds: unconfirmed", "1", f"{REFUNDS}?queue=unconfirmed"),
        ("Refunds: stuck", "1", f"{REFUNDS}?queue=stuck"),
    ]


def test_the_number_is_that_of_the_list(work: None, almighty: Client) -> None:
    for _label, number, address in lines(almighty):
        assert int(number) == text_of(almighty, address).count("<tr><t"), address


@pytest.mark.parametrize(
    ("codenames", "expected"),
    [
        (["view_payment"], ["Payments"] * 3),
        (["view_refund"], ["Refunds"] * 2),
        (["view_payment", "view_refund"], ["Payments"] * 3 + ["Refunds"] * 2),
        (["refund_payment", "review_payment", "export_payment"], None),
        ([], None),
    ],
)
def test_one_sees_the_queues_of_what_one_may_view(work: None, codenames: list[str], expected: list[str] | None) -> None:
    client = someone("staff", *codenames)
    response = client.get(INDEX)

    if expected is None:
        assert "Work queues" not in response.content.decode()
        assert "flowlix-count" not in response.content.decode()
    else:
        assert [label.split(":")[0] for label, _number, _address in lines(client)] == expected


@pytest.mark.parametrize("who", ["stranger", "customer"])
def test_others_are_sent_to_the_login(work: None, who: str) -> None:
    assert someone(who).get(INDEX)["Location"].startswith("/admin/login/")


def test_the_apps_page_costs_one_query_for_the_queues_and_one_for_the_alerts(work: None, almighty: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        text_of(almighty, INDEX)

    own = [sql for sql in own_queries(queries) if "checklist" not in sql]
    assert ["flowlix_alert" in sql for sql in own] == [True, False]
    assert len(queries) <= 8


@pytest.mark.parametrize(("number", "shown"), [(3, "3"), (4, "3+")])
def test_counting_stops(
    almighty: Client, monkeypatch: pytest.MonkeyPatch, number: int, shown: str, fake_clock: FakeClock
) -> None:
    monkeypatch.setattr("django_flowlix.services.monitoring.queues.MOST_COUNTED", 3)
    monkeypatch.setattr("django_flowlix.templatetags.flowlix_admin.MOST_COUNTED", 3)
    many_payments(number + 5, status="succeeded")
    many_payments_to_review(number)

    assert lines(almighty)[0][1] == shown
    assert {waits.number for waits in waiting(PAYMENT_QUEUES + REFUND_QUEUES).values()} == {number, 0}


def many_payments_to_review(count: int) -> None:
    for number in range(count):
        a_payment(f"r{number}", review_reason="mismatch", review_since=NOON)


def test_a_thousand_is_written_with_its_comma(almighty: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    queues = (*PAYMENT_QUEUES, *REFUND_QUEUES)
    monkeypatch.setattr(
        "django_flowlix.templatetags.flowlix_admin.waiting", lambda asked: dict.fromkeys(queues, Waiting(1001, NOON))
    )

    assert {number for _label, number, _address in lines(almighty)} == {"1,000+"}


def test_nothing_to_count() -> None:
    assert waiting([]) == {}


def test_no_work_is_quiet(almighty: Client) -> None:
    text = text_of(almighty, INDEX)

    assert {number for _label, number, _address in lines(almighty)} == {"0"}
    assert "flowlix-waits" not in text


def test_only_in_a_queue_a_row_has_a_button(work: None, viewer: Client) -> None:
    assert "formaction" not in text_of(viewer, LIST)
    text = text_of(viewer, LIST, {"queue": "stuck"})
    buttons: list[Any] = re.findall(r'formaction="([^"]*)" name="id" value="(\d+)"', text)

    assert len(buttons) == 2
    assert {address for address, _key in buttons} == {
        f"{LIST}ask/?next=%2Fadmin%2Fdjango_flowlix%2Fpayment%2F%3Fqueue%3Dstuck"
    }


def test_the_queue_of_doubts_says_which(work: None, viewer: Client) -> None:
    text = text_of(viewer, LIST, {"queue": "review"})

    assert "the gateway&#x27;s answer does not match what was asked for</td>" in text
    assert "field-review_reason" not in text_of(viewer, LIST, {"queue": "stuck"})
