"""A sentinel key, card and customer run through the main flows, and then every sink is searched for them (L1-L8).

Key and card must occur nowhere; the customer's name and e-mail only in `Payment.request_body`, and there only while
the outcome of the start is unknown.
"""

from __future__ import annotations

import http.client
import io
import logging
import pickle
import re
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory
from django.views.debug import ExceptionReporter
from pytest_httpserver import HTTPServer

from django_flowlix.api import FlowlixClient, FlowlixError, Money
from django_flowlix.conf import account, accounts, accounts_from_env
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import PaymentError
from django_flowlix.models import Payment, Refund, StatusChange
from django_flowlix.services import PaymentRequest, refund_payment, start_payment, sync_payment
from django_flowlix.services.gateway import Gateway
from django_flowlix.signals import payment_succeeded
from tests.conftest import BASE_URL, CUSTOMER, FakeClock, a_request

KEY = "_".join(["fl", "test", "sk", "SentinelSentinel0123456789"])
KEY_SECRET = KEY.rpartition("_")[2]
CARD = "5555555555554444"
CARD_SPELLINGS = (CARD, "5555 5555 5555 4444", "5555-5555-5555-4444")
NAME, EMAIL = "Quastenflosser", "zerlinde@sentinel.example"
WHO = replace(CUSTOMER, first_name="Zerlinde", last_name=NAME, email=EMAIL)

pytestmark = pytest.mark.django_db


def sentinel_request(**changes: Any) -> PaymentRequest:
    return a_request(customer=WHO, **changes)


# --- The sinks -----------------------------------------------------------------------------------------------


@dataclass
class Sinks:
    """Everything that was written, shown or raised, by where it stood."""

    texts: list[tuple[str, str]] = field(default_factory=list)

    def add(self, where: str, text: object) -> None:
        self.texts.append((where, str(text)))

    def response(self, response: Any) -> Any:
        self.add(f"page {response.request['PATH_INFO']}", response.content.decode())
        self.add("headers", dict(response.headers))
        return response

    def record(self, record: logging.LogRecord) -> None:
        message = logging.Formatter("%(name)s %(message)s").format(record)  # with the traceback, if there is one
        self.add(f"log {record.name}", f"{message} {record.args!r}")

    def error(self, error: BaseException, settings: Any) -> None:
        for kind, text in {"str": str(error), "repr": repr(error), "args": error.args, "vars": vars(error)}.items():
            self.add(f"{kind} of {type(error).__name__}", text)
        self.add("traceback", "".join(traceback.format_exception(error)))
        if isinstance(error, FlowlixError):
            self.add("pickle", pickle.dumps(error).decode("latin-1"))
        for debug in (True, False):
            settings.DEBUG = debug
            reporter = ExceptionReporter(RequestFactory().post("/pay/"), type(error), error, error.__traceback__)
            self.add(f"technical page, DEBUG={debug}", reporter.get_traceback_html())
            self.add(f"technical text, DEBUG={debug}", reporter.get_traceback_text())
        settings.DEBUG = False

    def holding(self, *sentinels: str) -> list[str]:
        """Return the places where a sentinel stands, with what stands around it."""
        pattern = re.compile(f".{{0,60}}(?:{'|'.join(map(re.escape, sentinels))}).{{0,20}}")
        found = [
            (where, pattern.search(text)) for where, text in self.texts if any(value in text for value in sentinels)
        ]
        return [f"{where}: {match.group()}" for where, match in found if match]


@pytest.fixture
def sinks(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Sinks]:
    """Every record of every logger at every level, also of those that nobody listens to."""
    collected = Sinks()
    make_record = logging.getLogRecordFactory()

    def recording(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make_record(*args, **kwargs)
        collected.record(record)
        return record

    logging.setLogRecordFactory(recording)
    # Django's report of every variable a template does not know is a hundred records a page, and none of ours.
    monkeypatch.setattr(logging.Logger, "isEnabledFor", lambda self, level: self.name != "django.template")
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 2)
    yield collected
    logging.setLogRecordFactory(make_record)


@pytest.fixture
def shop(
    emulator: EmulatorServer, settings: Any, monkeypatch: pytest.MonkeyPatch, fake_clock: FakeClock, sinks: Sinks
) -> EmulatorServer:
    """The gateway, and settings as the documentation advises: the key comes from the environment."""
    monkeypatch.setenv("FLOWLIX_SECRET_KEY", KEY)
    monkeypatch.setenv("FLOWLIX_API_URL", emulator.url)
    monkeypatch.setenv("FLOWLIX_BASE_URL", BASE_URL)
    settings.FLOWLIX = accounts_from_env()
    return emulator


def look_everywhere(sinks: Sinks, capfd: pytest.CaptureFixture[str]) -> None:
    """Add what can be looked at afterwards: rows, dumps, settings, admin, the customer's pages, the terminal."""
    browser = Client()
    browser.force_login(get_user_model().objects.create_superuser("root"))
    for path in ("", "payment/", "payment/?queue=review", "payment/export/", "refund/"):
        response = browser.get(f"/admin/django_flowlix/{path}")
        sinks.response(response) if not response.streaming else sinks.add(path, response.getvalue())
    for refund in Refund.objects.all():
        sinks.response(browser.get(f"/admin/django_flowlix/refund/{refund.pk}/change/"))
        sinks.add("repr of the refund", f"{refund!r} {refund}")
    for payment in Payment.objects.all():
        sinks.response(browser.get(f"/admin/django_flowlix/payment/{payment.pk}/change/"))
        sinks.response(browser.get(f"/admin/django_flowlix/payment/{payment.pk}/refund/"))
        for name in ("pending", "status", "result", "return"):
            sinks.response(Client().get(f"/flowlix/{name}/{payment.return_token}/"))
        sinks.add("repr of the payment", f"{payment!r} {payment} {payment.decline}")
    for model in apps.get_app_config("django_flowlix").get_models():
        for row in model._default_manager.values():
            for column, value in row.items():
                sinks.add(f"row {model.__name__}.{column}", value)
    for command in (["dumpdata", "django_flowlix"], ["diffsettings"], ["diffsettings", "--all", "--output=unified"]):
        stdout = io.StringIO()
        call_command(*command, stdout=stdout)
        sinks.add(" ".join(command), stdout.getvalue())
    client = FlowlixClient(account().secret_key, api_url=account().api_url)
    for value in (account(), accounts(), Gateway(account()), client):
        sinks.add(f"repr of {type(value).__name__}", f"{value!r} {value!s} {value:}")
    terminal = capfd.readouterr()
    sinks.add("stdout", terminal.out)
    sinks.add("stderr", terminal.err)


def assert_clean(sinks: Sinks) -> None:
    assert len(sinks.texts) > 50, "there was something to search"
    assert sinks.holding(KEY, KEY_SECRET, *CARD_SPELLINGS) == []


def personal_in(sinks: Sinks) -> list[str]:
    return sinks.holding(NAME, EMAIL, "Zerlinde")


# --- The flows -----------------------------------------------------------------------------------------------


def attempt(sinks: Sinks, settings: Any, action: Callable[[], object]) -> None:
    """Do what may fail; keep what it raised as a report would show it."""
    try:
        action()
    except (PaymentError, FlowlixError) as error:
        sinks.error(error, settings)


def test_l1_paid(shop: EmulatorServer, sinks: Sinks, fake_clock: FakeClock, capfd: Any) -> None:
    payment = start_payment(sentinel_request())
    shop.pay(str(payment.gateway_id), card=CARD)
    fake_clock.advance(minutes=1)
    sinks.response(Client().get(f"/flowlix/return/{payment.return_token}/", {"payment_id": payment.gateway_id}))

    look_everywhere(sinks, capfd)

    assert Payment.objects.get().status == "succeeded"
    assert sinks.holding("4444") != [], "the last four digits may be shown"
    assert_clean(sinks)
    assert personal_in(sinks) == []


FAILURES: dict[str, tuple[str, dict[str, Any]]] = {
    "server error": ("status_after", {"status": 503, "times": 9}),
    "timeout": ("drop_after", {"times": 9}),
    "refused by a proxy": ("html_before", {"status": 403}),
    "broken body": ("truncated_json", {"times": 9}),
    "truncated answer": ("truncated_answer", {"times": 9}),
    "without an id": ("omit", {"fields": ["id"], "times": 9}),
    "redirect": ("redirect", {"location": "https://evil.example/"}),
    "too large": ("huge_body", {"times": 9}),
    "in flight": ("in_flight", {"times": 9}),
    "over the limit": ("rate_limited", {"retry_after_seconds": 600}),
    "another amount": ("override", {"fields": {"amount": 1}}),
    "key refused": ("status_before", {"status": 401}),
    "card refused": ("status_before", {"status": 402}),
    "request refused": ("status_before", {"status": 422}),
}


@pytest.mark.parametrize("name", FAILURES)
def test_l1_a_start_that_fails(
    shop: EmulatorServer, sinks: Sinks, settings: Any, fake_clock: FakeClock, capfd: Any, name: str
) -> None:
    kind, options = FAILURES[name]
    shop.fault("create_hosted", kind, **options)

    attempt(sinks, settings, lambda: start_payment(sentinel_request()))
    payment = Payment.objects.get()
    body, is_open = payment.request_body, payment.status == "created"
    Payment.objects.update(request_body="")  # the one place where the details may stand
    look_everywhere(sinks, capfd)

    assert_clean(sinks)
    assert (EMAIL in body) is is_open, "kept while it is needed, and erased with the outcome"
    assert personal_in(sinks) == []


@pytest.mark.parametrize("name", ["server error", "timeout", "broken body", "another amount"])
def test_l8_details_are_erased_as_soon_as_the_outcome_is_known(
    shop: EmulatorServer, sinks: Sinks, settings: Any, fake_clock: FakeClock, capfd: Any, name: str
) -> None:
    kind, options = FAILURES[name]
    shop.fault("create_hosted", kind, **options | ({"times": 4} if "times" in options else {}))
    attempt(sinks, settings, lambda: start_payment(sentinel_request()))
    assert EMAIL in Payment.objects.get().request_body

    fake_clock.advance(minutes=5)
    stdout = io.StringIO()
    call_command("flowlix_sync", stdout=stdout, stderr=stdout)
    sinks.add("flowlix_sync", stdout.getvalue())
    look_everywhere(sinks, capfd)

    assert Payment.objects.get().status == "pending"
    assert_clean(sinks)
    assert personal_in(sinks) == []


@pytest.mark.parametrize("kind", ["drop_before", "status_before", "truncated_json", "html_after"])
def test_l1_a_look_that_fails(
    shop: EmulatorServer, sinks: Sinks, settings: Any, fake_clock: FakeClock, capfd: Any, kind: str
) -> None:
    payment = start_payment(sentinel_request())
    shop.pay(str(payment.gateway_id), card=CARD)
    shop.fault("retrieve", kind, times=20)
    fake_clock.advance(minutes=1)

    attempt(sinks, settings, lambda: sync_payment(payment))
    attempt(sinks, settings, lambda: Gateway(account()).client().retrieve_payment(payment_id=str(payment.gateway_id)))
    look_everywhere(sinks, capfd)

    assert_clean(sinks)
    assert personal_in(sinks) == []


def test_l6_a_decline_that_echoes_key_and_card(
    shop: EmulatorServer, sinks: Sinks, fake_clock: FakeClock, capfd: Any
) -> None:
    payment = start_payment(sentinel_request())
    shop.decline(str(payment.gateway_id))
    echo = {"decline_message": echoed(), "decline_code": KEY, "card": {"brand": CARD, "last4": CARD, "country": CARD}}
    shop.fault("retrieve", "override", fields=echo)
    fake_clock.advance(minutes=1)
    sync_payment(payment)

    look_everywhere(sinks, capfd)

    assert Payment.objects.get().status == "failed"
    assert_clean(sinks)


@pytest.mark.parametrize("word", [KEY, CARD, f"paid with {CARD_SPELLINGS[1]}"])
def test_l6_a_status_that_echoes_key_or_card(
    shop: EmulatorServer, sinks: Sinks, fake_clock: FakeClock, capfd: Any, word: str
) -> None:
    payment = start_payment(sentinel_request())
    shop.fault("retrieve", "override", fields={"status": word})
    fake_clock.advance(minutes=1)
    sync_payment(payment)
    payment.refresh_from_db()
    assert payment.review_reason == "unknown_status"

    look_everywhere(sinks, capfd)

    assert_clean(sinks)


def echoed() -> str:
    return f"Bearer {KEY} was used with {' or '.join(CARD_SPELLINGS)}"


def echo_everything(server: HTTPServer, status: int) -> None:
    """Let a gateway that nobody should trust put key and card into every field of its refusals."""
    texts = {"type": KEY, "code": CARD, "message": echoed(), "param": f"card[{CARD}]", "decline_code": CARD}
    body = {"error": {**texts, "doc_url": f"https://x.example/{KEY}", "request_id": f"req_{KEY}"}}
    headers = {"Flowlix-Request-Id": f"req {CARD} {KEY}", "Content-Type": f"application/json; x={KEY}"}
    server.expect_request(re.compile("/.*")).respond_with_json(body, status=status, headers=headers)


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 409, 418, 422, 429, 500, 503])
def test_l6_a_refusal_that_echoes_key_and_card_in_every_field(
    shop: EmulatorServer,
    sinks: Sinks,
    settings: Any,
    httpserver: HTTPServer,
    fake_clock: FakeClock,
    capfd: Any,
    status: int,
) -> None:
    payment = start_payment(sentinel_request(order_reference="seen"))
    echo_everything(httpserver, status)
    settings.FLOWLIX = {"default": {**settings.FLOWLIX["default"], "API_URL": httpserver.url_for("").rstrip("/")}}
    fake_clock.advance(hours=1)

    attempt(sinks, settings, lambda: sync_payment(payment))
    fake_clock.advance(hours=1)
    attempt(sinks, settings, lambda: start_payment(sentinel_request()))
    Payment.objects.update(request_body="")
    look_everywhere(sinks, capfd)

    assert len(httpserver.log) >= 2
    assert_clean(sinks)
    assert personal_in(sinks) == []


def test_l6_a_receivers_words_are_masked_where_we_keep_and_show_them(
    shop: EmulatorServer, sinks: Sinks, fake_clock: FakeClock, capfd: Any
) -> None:
    def careless(payment: Payment, **kwargs: object) -> None:
        raise RuntimeError(echoed())

    payment = start_payment(sentinel_request())
    shop.pay(str(payment.gateway_id), card=CARD)
    fake_clock.advance(minutes=1)
    payment_succeeded.connect(careless)
    try:
        sync_payment(payment)
    finally:
        payment_succeeded.disconnect(careless)
    assert "RuntimeError" in StatusChange.objects.latest("pk").last_error

    sinks.texts.clear()  # the log quotes the merchant's own exception; what we keep does not
    capfd.readouterr()
    look_everywhere(sinks, capfd)

    assert_clean(sinks)
    assert personal_in(sinks) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"description": f"paid with {CARD}"},
        {"metadata": {"card": CARD_SPELLINGS[2]}},
        {"metadata": {CARD: "x"}},
        {"amount": Money(0, "EUR", 2), "description": "x" * 501},
        {"order_reference": "x" * 256},
    ],
    ids=["description", "metadata", "metadata key", "amount", "reference"],
)
def test_l3_a_request_that_is_refused_quotes_nothing(
    shop: EmulatorServer, sinks: Sinks, settings: Any, capfd: Any, changes: dict[str, Any]
) -> None:
    try:
        start_payment(sentinel_request(**changes))
    except PaymentError as error:
        sinks.add("str", error)
        sinks.add("repr", repr(error))
        sinks.add("faults", getattr(error, "faults", ()))

    assert len(sinks.texts) >= 3
    assert Payment.objects.count() == 0
    assert sinks.holding(KEY, *CARD_SPELLINGS, NAME, EMAIL) == []


def test_the_search_finds_what_it_is_meant_to_find(sinks: Sinks, settings: Any) -> None:
    """Without this, an empty result would prove nothing."""
    logging.getLogger("urllib3.connectionpool").debug("header %s", KEY)
    try:
        headers = {"X-Key": KEY}
        raise FlowlixError(f"nothing {len(headers)}")
    except FlowlixError as error:
        sinks.error(error, settings)

    places = {place.partition(":")[0] for place in sinks.holding(KEY)}
    assert places >= {"log urllib3.connectionpool", "technical page, DEBUG=True", "technical page, DEBUG=False"}


# --- Refunds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*FAILURES, "nothing"])
def test_l1_a_refund(
    shop: EmulatorServer, sinks: Sinks, settings: Any, fake_clock: FakeClock, capfd: Any, name: str
) -> None:
    payment = start_payment(sentinel_request())
    shop.pay(str(payment.gateway_id), card=CARD)
    fake_clock.advance(minutes=1)
    sync_payment(payment)
    if name in FAILURES:
        kind, options = FAILURES[name]
        shop.fault("refund", kind, **options)

    attempt(sinks, settings, lambda: refund_payment(payment, reason="sent back"))
    fake_clock.advance(hours=1)
    stdout = io.StringIO()
    try:
        call_command("flowlix_sync", stdout=stdout, stderr=stdout)
    except CommandError as error:  # what is not settled is told, and what is told is searched
        sinks.error(error, settings)
    sinks.add("flowlix_sync", stdout.getvalue())
    look_everywhere(sinks, capfd)

    assert Refund.objects.exists()
    assert_clean(sinks)
    assert personal_in(sinks) == []


@pytest.mark.parametrize("status", [400, 401, 402, 404, 409, 422, 429, 500])
def test_l6_a_refund_refused_with_key_and_card_in_every_field(
    shop: EmulatorServer,
    sinks: Sinks,
    settings: Any,
    httpserver: HTTPServer,
    fake_clock: FakeClock,
    capfd: Any,
    status: int,
) -> None:
    payment = start_payment(sentinel_request())
    shop.pay(str(payment.gateway_id), card=CARD)
    sync_payment(payment)
    echo_everything(httpserver, status)
    settings.FLOWLIX = {"default": {**settings.FLOWLIX["default"], "API_URL": httpserver.url_for("").rstrip("/")}}
    fake_clock.advance(hours=1)

    attempt(sinks, settings, lambda: refund_payment(payment, reason="sent back"))
    look_everywhere(sinks, capfd)

    assert_clean(sinks)
    assert personal_in(sinks) == []


@pytest.mark.parametrize("reason", CARD_SPELLINGS)
def test_l3_u13_a_card_number_in_a_reason_is_refused_and_not_quoted(
    shop: EmulatorServer, sinks: Sinks, settings: Any, fake_clock: FakeClock, capfd: Any, reason: str
) -> None:
    payment = start_payment(sentinel_request())
    shop.pay(str(payment.gateway_id), card=CARD)
    sync_payment(payment)
    try:
        refund_payment(payment, reason=f"paid with {reason}")
    except PaymentError as error:
        sinks.add("str", error)
        sinks.add("repr", repr(error))
        sinks.add("fields", getattr(error, "fields", {}))
    look_everywhere(sinks, capfd)

    assert not Refund.objects.exists()
    assert_clean(sinks)
