"""Starting a payment while the gateway misbehaves: one key, one body, one payment, and never a wrong word."""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import PaymentRejected, PaymentUnavailable, PaymentUnconfirmed
from django_flowlix.models import ApiCall, Payment, StatusChange
from django_flowlix.services import start_payment
from django_flowlix.services.reconciliation import Run
from tests.conftest import TEST_KEY, FakeClock, a_request
from tests.services.arrivals import assert_one_payment, creates

pytestmark = pytest.mark.django_db

UNREADABLE = [
    ("html_after", {}),
    ("truncated_answer", {}),
    ("truncated_json", {}),
    ("empty_body", {}),
    ("json_null", {}),
    ("json_array", {}),
    ("not_a_number", {}),
    ("huge_body", {}),
    ("nested_body", {}),
    ("omit", {"fields": ["id"]}),
    ("omit", {"fields": ["status"]}),
    ("omit", {"fields": ["hpp_url", "redirect_url"]}),
    ("override", {"fields": {"amount": "49.99"}}),
    ("override", {"fields": {"amount": 49.99}}),
    ("override", {"fields": {"amount": True}}),
]


@pytest.mark.parametrize("failures", [1, 2, 3])
@pytest.mark.parametrize("kind", ["status_before", "status_after"])
def test_n5_n6_5xx_is_retried_under_the_same_key(
    emulator: EmulatorServer, fake_clock: FakeClock, failures: int, kind: str
) -> None:
    emulator.fault("create_hosted", kind, status=503, times=failures)
    payment = start_payment(a_request())

    assert payment.status == "pending"
    assert len(creates(emulator)) == failures + 1
    assert_one_payment(emulator)
    for waited, least in zip(fake_clock.slept, [1, 2, 4], strict=False):
        assert least <= waited <= least * 1.1 + 0.1
    assert list(ApiCall.objects.order_by("pk").values_list("try_number", flat=True)) == [*range(1, failures + 2)]


@pytest.mark.parametrize("kind", ["status_before", "status_after", "drop_before", "drop_after"])
def test_n5_exhausted_retries_leave_an_unknown_outcome(
    emulator: EmulatorServer, fake_clock: FakeClock, kind: str
) -> None:
    emulator.fault("create_hosted", kind, times=4)
    with pytest.raises(PaymentUnconfirmed) as raised:
        start_payment(a_request())

    payment = Payment.objects.get()
    assert raised.value.payment == payment
    assert payment.is_unconfirmed
    assert payment.request_body != "", "it is needed for the replay"
    assert payment.lease_until is None
    assert StatusChange.objects.count() == 0

    again = start_payment(a_request())
    assert (again.pk, again.status) == (payment.pk, "pending")
    assert len(creates(emulator)) == 5
    assert_one_payment(emulator)


@pytest.mark.parametrize(("kind", "options"), UNREADABLE)
def test_m1_m4_m5_m10_unreadable_answers_are_unknown_and_repaired(
    emulator: EmulatorServer, fake_clock: FakeClock, kind: str, options: dict[str, Any]
) -> None:
    emulator.fault("create_hosted", kind, **options)
    payment = start_payment(a_request())

    assert payment.status == "pending"
    assert ApiCall.objects.order_by("pk")[0].outcome == "unknown"
    assert_one_payment(emulator)


def test_i5_sync_finishes_an_unknown_create(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    emulator.fault("create_hosted", "drop_after", times=4)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())
    fake_clock.advance(minutes=1)
    report = Run().execute()

    assert report.changed == 1
    assert Payment.objects.get().status == "pending"
    assert_one_payment(emulator)


@pytest.mark.parametrize(
    ("field", "value"), [("amount", 1), ("currency", "usd"), ("livemode", True), ("livemode", None)]
)
def test_s9_k3_create_answer_about_something_else_is_not_believed(
    emulator: EmulatorServer, fake_clock: FakeClock, field: str, value: Any
) -> None:
    emulator.fault("create_hosted", "override", fields={field: value})
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())

    payment = Payment.objects.get()
    assert (payment.status, payment.review_reason, payment.hosted_page_url) == ("created", "mismatch", "")
    assert StatusChange.objects.get().signal == "payment_needs_review"


@pytest.mark.parametrize(
    "url",
    [
        "http://pay.flowlix.eu/x",
        "https://evil.example/x",
        "javascript:alert(1)",
        "https://flowlix.eu.evil.example/",
        "https://u:p@pay.flowlix.eu/",
    ],
)
def test_m11_hosted_page_elsewhere_is_never_shown(emulator: EmulatorServer, fake_clock: FakeClock, url: str) -> None:
    emulator.fault("create_hosted", "override", fields={"hpp_url": url, "redirect_url": url})
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())
    assert Payment.objects.get().hosted_page_url == ""
    assert Payment.objects.get().review_reason == "mismatch"


def test_m11_hosted_page_host_can_be_added(emulator: EmulatorServer, settings: Any) -> None:
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"HOSTED_PAGE_HOSTS": ["pay.example"]}}
    emulator.fault("create_hosted", "override", fields={"hpp_url": "https://pay.example/x"})
    assert start_payment(a_request()).hosted_page_url == "https://pay.example/x"


def test_k5_refused_key_is_no_decline_and_the_same_attempt_goes_on_with_the_right_key(
    emulator: EmulatorServer, fake_clock: FakeClock, settings: Any
) -> None:
    emulator.revoke_key(TEST_KEY)
    with pytest.raises(PaymentUnavailable):
        start_payment(a_request())
    payment = Payment.objects.get()
    assert (payment.status, payment.first_sent_at) == ("created", None)
    assert len(emulator.log()) == 1, "401 is not retried"

    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"SECRET_KEY": f"{TEST_KEY}2"}}
    again = start_payment(a_request())
    assert (again.pk, again.status, again.attempt) == (payment.pk, "pending", 1)
    assert_one_payment(emulator)


def test_i9_key_rotated_while_unknown_is_found_in_the_list_not_sent_again(
    emulator: EmulatorServer, fake_clock: FakeClock, settings: Any
) -> None:
    emulator.fault("create_hosted", "drop_after", times=4)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"SECRET_KEY": f"{TEST_KEY}2"}}
    sent_before = len(creates(emulator))

    fake_clock.advance(minutes=1)
    Run().execute()
    payment = Payment.objects.get()
    assert payment.gateway_id == emulator.payments()[0].id
    assert payment.status == "pending"
    assert len(creates(emulator)) == sent_before
    assert len(emulator.payments()) == 1


def test_k5_401_after_a_timeout_does_not_prove_that_nothing_happened(
    emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    emulator.fault("create_hosted", "drop_after")
    emulator.fault("create_hosted", "status_before", status=401)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())
    assert Payment.objects.get().is_unconfirmed


def test_refused_connection_in_a_later_call_does_not_undo_an_earlier_unknown(
    emulator: EmulatorServer, fake_clock: FakeClock, settings: Any
) -> None:
    emulator.fault("create_hosted", "drop_after", times=4)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())
    sent_at = Payment.objects.get().first_sent_at

    working = settings.FLOWLIX
    settings.FLOWLIX = {"default": working["default"] | {"API_URL": "http://127.0.0.1:9"}}
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())
    assert Payment.objects.get().first_sent_at == sent_at

    settings.FLOWLIX = working
    assert start_payment(a_request()).status == "pending"
    assert_one_payment(emulator)


def test_n1_refused_connection_is_certainly_not_sent(
    emulator: EmulatorServer, fake_clock: FakeClock, settings: Any
) -> None:
    working = settings.FLOWLIX
    settings.FLOWLIX = {"default": working["default"] | {"API_URL": "http://127.0.0.1:9"}}
    with pytest.raises(PaymentUnavailable):
        start_payment(a_request())
    payment = Payment.objects.get()
    assert (payment.status, payment.first_sent_at) == ("created", None)
    assert [round(waited) for waited in fake_clock.slept] == [1, 2, 4]
    assert set(ApiCall.objects.values_list("outcome", flat=True)) == {"not_sent"}

    settings.FLOWLIX = working
    assert start_payment(a_request()).attempt == 1


def test_refused_connection_is_given_up_in_the_background_without_a_request(
    emulator: EmulatorServer, fake_clock: FakeClock, settings: Any
) -> None:
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"API_URL": "http://127.0.0.1:9"}}
    with pytest.raises(PaymentUnavailable):
        start_payment(a_request())
    fake_clock.advance(minutes=31)
    calls_before = ApiCall.objects.count()
    Run().execute()

    assert Payment.objects.get().status == "rejected"
    assert ApiCall.objects.count() == calls_before


@pytest.mark.parametrize("status", [400, 422, 402])
def test_definite_refusal_is_not_retried_and_the_next_click_is_a_new_attempt(
    emulator: EmulatorServer, fake_clock: FakeClock, status: int
) -> None:
    emulator.fault("create_hosted", "status_before", status=status)
    with pytest.raises(PaymentRejected) as raised:
        start_payment(a_request())
    assert raised.value.payment is not None
    assert raised.value.payment.status == "rejected"
    assert Payment.objects.get().request_body == ""
    assert len(emulator.log()) == 1

    second = start_payment(a_request())
    assert second.attempt == 2
    assert [key for key, _ in creates(emulator)] == ["payment-order-1001", "payment-order-1001-attempt-2"]


def test_404_on_create_is_a_wrong_address_not_a_refused_order(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    emulator.fault("create_hosted", "status_before", status=404)
    with pytest.raises(PaymentUnavailable):
        start_payment(a_request())
    assert Payment.objects.get().status == "created"
    assert start_payment(a_request()).attempt == 1


def test_r1_retry_after_within_the_deadline_is_waited_for(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    emulator.fault("create_hosted", "rate_limited", retry_after_seconds=7)
    assert start_payment(a_request()).status == "pending"
    assert 7 <= fake_clock.slept[0] <= 7.8
    assert_one_payment(emulator)


def test_r7_retry_after_beyond_the_deadline_is_handed_to_the_customer(
    emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    emulator.fault("create_hosted", "rate_limited", retry_after_seconds=45)
    with pytest.raises(PaymentUnavailable) as raised:
        start_payment(a_request())
    assert 45 <= raised.value.retry_after_seconds <= 50
    assert fake_clock.slept == []
    assert Payment.objects.get().first_sent_at is None


def test_r6_all_callers_of_the_key_pause_together(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    emulator.fault("create_hosted", "rate_limited", retry_after_seconds=45)
    with pytest.raises(PaymentUnavailable):
        start_payment(a_request())
    with pytest.raises(PaymentUnavailable) as raised:
        start_payment(a_request(order_reference="1002"))
    assert raised.value.retry_after_seconds == 45
    assert len(emulator.log()) == 1, "the second order asked nobody"

    fake_clock.advance(seconds=30)
    assert start_payment(a_request(order_reference="1002")).status == "pending"
    assert fake_clock.slept == [15.0]


def test_i7_409_in_flight_is_waited_for(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    emulator.fault("create_hosted", "in_flight", times=2)
    assert start_payment(a_request()).status == "pending"
    assert_one_payment(emulator)


def test_i6_lasting_409_stops_and_asks_for_a_person_never_for_a_new_key(
    emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    emulator.fault("create_hosted", "in_flight", times=8)
    for _ in range(2):
        with pytest.raises(PaymentUnconfirmed):
            start_payment(a_request())
    payment = Payment.objects.get()
    assert (payment.status, payment.review_reason) == ("created", "key_conflict")
    assert {key for key, _ in creates(emulator)} == {"payment-order-1001"}


def test_i8_after_the_keys_life_it_is_looked_for_and_adopted(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    emulator.fault("create_hosted", "drop_after", times=4)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())
    sent_before = len(creates(emulator))
    emulator.pay(emulator.payments()[0].id)
    for both in (emulator, fake_clock):
        both.advance(hours=25)
    Run().execute()

    payment = Payment.objects.get()
    assert (payment.status, payment.gateway_id) == ("succeeded", emulator.payments()[0].id)
    assert len(creates(emulator)) == sent_before


def test_i8_after_the_keys_life_proven_absence_is_booked_and_a_new_attempt_may_start(
    emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    emulator.fault("create_hosted", "drop_before", times=4)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())
    for both in (emulator, fake_clock):
        both.advance(hours=25)

    second = start_payment(a_request())
    assert (second.attempt, second.status) == (2, "pending")
    assert Payment.objects.get(attempt=1).status == "rejected"
    assert len(emulator.payments()) == 1


def test_i8_without_a_readable_list_absence_is_not_proven(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    emulator.fault("create_hosted", "drop_before", times=4)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())
    for both in (emulator, fake_clock):
        both.advance(hours=25)
    emulator.fault("list", "html_after", times=4)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())
    assert Payment.objects.get().status == "created"


def test_m14_redirect_is_not_followed(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    emulator.fault("create_hosted", "redirect", status=307, location=f"{emulator.url}/v1/payments")
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())
    assert [entry.operation for entry in emulator.log()] == ["create_hosted"]


def test_c8_no_wait_passes_the_deadline(emulator: EmulatorServer, fake_clock: FakeClock, settings: Any) -> None:
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"RETRY_BUDGET": 2}}
    emulator.fault("create_hosted", "status_before", status=500, times=4)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())
    assert len(fake_clock.slept) == 1
    assert len(creates(emulator)) == 2
