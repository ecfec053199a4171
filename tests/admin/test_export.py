"""The export: every row that is filtered for, in constant memory, harmless in a spreadsheet, for those who may."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_flowlix.admin import export
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment
from django_flowlix.services import start_payment
from tests.admin.people import messages_of, someone, told
from tests.admin.reading import LIST, own_queries, text_of
from tests.admin.rows import NOON, a_payment, a_refund, many_payments
from tests.conftest import CUSTOMER, FakeClock, a_request

pytestmark = pytest.mark.django_db
EXPORT = f"{LIST}export/"
HEAD = (
    "created,order,attempt,status,review reason,mode,account,amount,currency,refunded,card brand,card last four,"
    "payment id,from_checklist"
)


@pytest.fixture
def exporter() -> Client:
    return someone("staff", "view_payment", "export_payment")


def lines(client: Client, **chosen: str) -> list[list[str]]:
    response = client.get(EXPORT, chosen)
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(text, newline="")))[1:]


def orders(client: Client, **chosen: str) -> list[str]:
    return [line[1] for line in lines(client, **chosen)]


def test_a_file_with_every_column(exporter: Client, fake_clock: FakeClock) -> None:
    fake_clock.current = NOON
    a_payment("A, 1", attempt=2, livemode=True, amount_refunded_minor=1250, created_at=NOON.replace(microsecond=5))
    a_payment(
        "yen",
        attempt=1,
        amount_minor=700,
        currency="JPY",
        exponent=0,
        status="created",
        review_reason="unproven",
        review_since=NOON,
        gateway_id=None,
        card_brand="",
        card_last4="",
        from_checklist=True,
        created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )
    response = exporter.get(EXPORT)

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="payments-2026-03-14.csv"'
    assert "no-store" in response["Cache-Control"]
    assert b"".join(response.streaming_content).decode().split("\r\n") == [  # type: ignore[attr-defined]
        HEAD,
        '2026-03-14T12:00:00+00:00,"A, 1",2,succeeded,,live,default,49.99,EUR,12.50,visa,4242,pay_1,no',
        "2026-01-02T03:04:05+00:00,yen,1,created,unproven,test,default,700,JPY,0,,,,yes",
        "",
    ]


def test_times_are_utc_and_words_are_the_same_in_every_language(exporter: Client, settings: Any) -> None:
    settings.TIME_ZONE, settings.LANGUAGE_CODE, settings.USE_THOUSAND_SEPARATOR = "Asia/Tokyo", "de", True
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Locale" not in name]
    a_payment(amount_minor=123456789)

    ((created, *_rest, amount, _currency, _refunded, _brand, _last4, _id, _made_by),) = lines(exporter)
    assert (created, amount) == ("2026-03-14T12:00:00+00:00", "1234567.89")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("\tx", "'\tx"),
        ("  =1", "'  =1"),
        ("＝1+1", "'＝1+1"),  # noqa: RUF001
        ("＋1", "'＋1"),  # noqa: RUF001
        ("－1", "'－1"),  # noqa: RUF001
        ("＠x", "'＠x"),  # noqa: RUF001
        ('=HYPERLINK("http://evil.example","x")', '\'=HYPERLINK("http://evil.example","x")'),
        ("A-1", "A-1"),
        ("1001", "1001"),
        ("'quoted'", "'quoted'"),
        ("", ""),
        (4999, "4999"),
    ],
)
def test_no_cell_is_a_formula(text: object, cell: str) -> None:
    assert export.defused(text) == cell


def test_an_order_cannot_smuggle_a_formula_into_the_file(exporter: Client) -> None:
    nasty = '=cmd|"/c calc"!A1'
    a_payment(nasty, card_brand="+x", gateway_id="@id")

    ((_created, order, *_rest, brand, _last4, payment_id, _made_by),) = lines(exporter)
    assert (order, brand, payment_id) == (f"'{nasty}", "'+x", "'@id")


@pytest.fixture
def some(exporter: Client) -> None:
    a_payment("newest", created_at=NOON + timedelta(days=1), livemode=True)
    a_payment("refunded", amount_refunded_minor=4999)
    a_payment("declined", status="failed", card_last4="0005", created_at=NOON - timedelta(days=1))
    a_payment("doubt", review_reason="mismatch", review_since=NOON, created_at=NOON - timedelta(days=2))
    a_refund(Payment.objects.get(order_reference="refunded"), gateway_id="re_x")


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"status__exact": "failed"},
        {"mode": "live"},
        {"queue": "review"},
        {"review_reason": "mismatch"},
        {"day__to": "2026-03-14"},
        {"q": "re_x"},
        {"q": "4242"},
        {"q": "declined"},
        {"q": "4242", "mode": "test"},
        {"q": "nothing"},
    ],
)
def test_it_holds_what_the_list_shows(some: None, exporter: Client, chosen: dict[str, str]) -> None:
    text = text_of(exporter, LIST, chosen)
    listed = re.findall(r'field-order_reference"><a[^>]*>([^<]*)</a>', text)
    link = re.search(r'href="([^"]*)">Export as CSV', text)
    assert link
    response = exporter.get(link[1].replace("&amp;", "&"))
    exported = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode())))[1:]  # type: ignore[attr-defined]

    assert [line[1] for line in exported] == listed
    assert listed or chosen == {"q": "nothing"}


def test_the_link_keeps_the_filters_and_forgets_the_page(some: None, exporter: Client) -> None:
    text = text_of(exporter, LIST, {"mode": "test", "q": "4242", "p": "1", "o": "5", "all": "", "e": "1"})

    assert f'href="{EXPORT}?mode=test&amp;q=4242">Export as CSV' in text
    assert f'href="{EXPORT}">Export as CSV' in text_of(exporter, LIST)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 100])
def test_batches_hold_every_row_once(exporter: Client, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(export, "BATCH_SIZE", size)
    many_payments(3)
    many = [a_payment(f"same{number}") for number in range(4)]  # of the same moment as m0

    assert orders(exporter) == [*(payment.order_reference for payment in reversed(many)), "m0", "m1", "m2"]


def test_a_row_that_arrives_meanwhile_disturbs_nothing(exporter: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "BATCH_SIZE", 2)
    many_payments(5)
    content = iter(exporter.get(EXPORT).streaming_content)  # type: ignore[attr-defined]
    begun = [next(content), next(content)]
    a_payment("late", created_at=NOON + timedelta(hours=1))
    text = b"".join([*begun, *content]).decode()

    assert re.findall(r",(m\d|late),", text) == ["m0", "m1", "m2", "m3", "m4"]


def test_it_is_not_capped_and_reads_batch_by_batch(exporter: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "BATCH_SIZE", 100)
    monkeypatch.setattr("django_flowlix.admin.paging.MOST_LISTED", 10)
    many_payments(250)
    with CaptureQueriesContext(connection) as queries:
        assert len(lines(exporter)) == 250

    rows = [sql for sql in own_queries(queries) if "COUNT" not in sql]
    assert len(rows) == 4, "three batches, and the last is followed by nothing"
    assert all("LIMIT 100" in sql for sql in rows)
    assert all("OFFSET" not in sql for sql in rows)


def test_nothing_is_read_before_the_first_line_leaves(exporter: Client) -> None:
    many_payments(3)
    response = exporter.get(EXPORT)
    with CaptureQueriesContext(connection) as queries:
        assert next(iter(response.streaming_content)).decode() == f"{HEAD}\r\n"  # type: ignore[attr-defined]

    assert not queries.captured_queries


def test_p7_nothing_personal_is_read_or_written(
    emulator: EmulatorServer, fake_clock: FakeClock, exporter: Client
) -> None:
    start_payment(a_request())
    with CaptureQueriesContext(connection) as queries:
        (line,) = lines(exporter)

    batch = next(sql for sql in own_queries(queries) if "COUNT" not in sql)
    for hidden in ("request_body", "metadata", "description", "return_token", "idempotency_key", "hosted_page_url"):
        assert hidden not in batch
    written = " ".join(line)
    assert [value for value in CUSTOMER.as_dict().values() if len(value) > 2 and value in written] == []


@pytest.mark.parametrize(
    ("who", "codenames", "answer"),
    [
        ("stranger", [], "login"),
        ("customer", ["view_payment", "export_payment"], "login"),
        ("staff", [], "403"),
        ("staff", ["view_payment"], "403"),
        ("staff", ["view_payment", "refund_payment", "review_payment"], "403"),
        ("staff", ["export_payment"], "403"),
        ("staff", ["view_payment", "export_payment"], "200"),
        ("superuser", [], "200"),
    ],
)
def test_who_may_export(who: str, codenames: list[str], answer: str) -> None:
    a_payment()
    client = someone(who, *codenames)

    assert told(client.get(EXPORT)) == answer
    assert told(client.post(EXPORT)) == {"200": "405"}.get(answer, answer)
    response = client.get(LIST)
    assert ("Export as CSV" in response.content.decode()) is (answer == "200")


@pytest.mark.parametrize("chosen", [{"mode": "maybe"}, {"day__from": "x"}, {"queue": "\x00"}, {"account": "nobody"}])
def test_an_unknown_filter_leads_back_to_the_list(some: None, exporter: Client, chosen: dict[str, str]) -> None:
    response = exporter.get(EXPORT, chosen, follow=True)

    assert response.redirect_chain == [(LIST, 302)]
    (message,) = messages_of(response)
    assert "so the whole list is shown" in message


@pytest.mark.parametrize("lookup", ["request_body__contains", "return_token", "idempotency_key__startswith"])
def test_hidden_columns_cannot_be_questioned_here_either(some: None, exporter: Client, lookup: str) -> None:
    assert exporter.get(EXPORT, {lookup: "a"}).status_code == 400


def test_a_search_that_is_refused_is_not_a_file_of_everything(some: None, exporter: Client) -> None:
    response = exporter.get(EXPORT, {"q": "a\x00"}, follow=True)

    assert response.redirect_chain == [(LIST, 302)]
    assert messages_of(response) == ["error: Null characters are not allowed."]
