"""Pressing Pay: to the hosted page, or to a page that tells the truth about why not."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import ApiCall, Payment
from tests.conftest import BASE_URL, TEST_KEY, FakeClock
from tests.web.conftest import Customer, addresses, gateway_calls, personal_details_in

pytestmark = pytest.mark.django_db


def test_the_customer_is_sent_to_the_hosted_page_by_one_request(customer: Customer, emulator: EmulatorServer) -> None:
    response = customer.pay()

    (at_gateway,) = emulator.payments()
    assert (response.status_code, response["Location"]) == (302, at_gateway.hosted_page_url)
    assert gateway_calls(emulator) == {"create_hosted": 1}
    payment = Payment.objects.get()
    assert (payment.status, payment.success_url, payment.failure_url) == ("pending", "/thanks/", "/sorry/")


def test_the_return_address_is_built_from_base_url_and_never_from_the_host_header(
    customer: Customer, emulator: EmulatorServer, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    token = customer.get("/token/").content.decode()
    customer.client.post("/pay/1001/", {"csrfmiddlewaretoken": token}, headers={"host": "evil.example"})

    (entry,) = emulator.log("create_hosted")
    assert json.loads(entry.body)["redirect_url"].startswith(f"{BASE_URL}/flowlix/return/")


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete"])
def test_a4_f9_nothing_but_post_starts_a_payment(customer: Customer, emulator: EmulatorServer, method: str) -> None:
    customer.client.handler.enforce_csrf_checks = False

    response = getattr(customer.client, method)("/pay/1001/")

    assert response.status_code == 405
    assert response["Allow"] == "POST, OPTIONS"
    assert (Payment.objects.count(), emulator.log()) == (0, [])


def test_f9_options_is_harmless(customer: Customer, emulator: EmulatorServer) -> None:
    assert customer.client.options("/pay/1001/").status_code == 200
    assert (Payment.objects.count(), emulator.log()) == (0, [])


def test_a3_without_the_csrf_token_nothing_happens(customer: Customer, emulator: EmulatorServer) -> None:
    assert customer.client.post("/pay/1001/").status_code == 403
    assert (Payment.objects.count(), emulator.log()) == (0, [])


def test_a3_csrf_is_checked_even_in_a_project_without_the_middleware(
    customer: Customer, emulator: EmulatorServer, settings: Any
) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Csrf" not in name]

    assert customer.client.post("/pay/1001/").status_code == 403
    assert emulator.log() == []


def test_i1_a_second_click_leads_to_the_same_page(customer: Customer, emulator: EmulatorServer) -> None:
    first, second = customer.pay(), customer.pay()

    assert first["Location"] == second["Location"]
    assert len(emulator.payments()) == 1
    assert gateway_calls(emulator)["create_hosted"] == 1


def test_s16_a_view_for_members_sends_guests_to_the_login(customer: Customer, emulator: EmulatorServer) -> None:
    response = customer.post("/pay-own/ada-7/")

    assert (response.status_code, response["Location"]) == (302, "/login/?next=/pay-own/ada-7/")
    assert (Payment.objects.count(), emulator.log()) == (0, [])


@pytest.mark.parametrize(("reference", "status"), [("ada-7", 302), ("bob-7", 404)])
def test_s16_a_member_pays_own_orders_only(
    customer: Customer, emulator: EmulatorServer, reference: str, status: int
) -> None:
    customer.client.force_login(get_user_model().objects.create_user("ada"))

    assert customer.post(f"/pay-own/{reference}/").status_code == status
    assert len(emulator.payments()) == (status == 302)


FOREIGN = [
    "https://evil.example/thanks/",
    "//evil.example/",
    "///evil.example/",
    "\\\\evil.example",
    "/\\evil.example",
    "https:evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://127.0.0.1:8000@evil.example/",
    "https://127.0.0.1.evil.example/",
    "ftp://127.0.0.1:8000/",
    "\x08//evil.example",
    "thanks/",
    "evil.example",
]


@pytest.mark.parametrize("name", ["next", "back"])
@pytest.mark.parametrize("url", FOREIGN)
def test_f8_a_foreign_address_is_refused_before_any_row_or_request(
    customer: Customer, emulator: EmulatorServer, url: str, name: str
) -> None:
    response = customer.post("/pay-careless/1001/", {name: url})

    assert response.status_code == 400
    fault = {"next": "success_url", "back": "failure_url"}[name]
    assert f"{fault} leads to a foreign host" in response.content.decode()
    assert (Payment.objects.count(), emulator.log()) == (0, [])


@pytest.mark.parametrize("url", ["/thanks/", "/thanks/?x=//evil.example", f"{BASE_URL}/thanks/", ""])
def test_f8_own_addresses_are_taken(customer: Customer, emulator: EmulatorServer, url: str) -> None:
    assert customer.post("/pay-careless/1001/", {"next": url}).status_code == 302
    assert Payment.objects.get().success_url == url


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("1001", "/orders/1001/paid/"),
        ("a/b?c=d&e#f", "/orders/a%2Fb%3Fc%3Dd%26e%23f/paid/"),
        ("//evil.example", "/orders/%2F%2Fevil.example/paid/"),
        ("\\evil.example", "/orders/%5Cevil.example/paid/"),
        ("№ 7 § ü%41", "/orders/%E2%84%96%207%20%C2%A7%20%C3%BC%2541/paid/"),
        ("{order_reference}", "/orders/%7Border_reference%7D/paid/"),
        ("{0.__class__}", "/orders/%7B0.__class__%7D/paid/"),
    ],
)
def test_the_placeholder_of_the_settings_is_filled_in_for_every_reference(
    customer: Customer, emulator: EmulatorServer, settings: Any, reference: str, target: str
) -> None:
    account = {**settings.FLOWLIX["default"], "SUCCESS_URL": "/orders/{order_reference}/paid/"}
    settings.FLOWLIX = {"default": account}

    assert customer.post(f"/pay-by-query/?{urlencode({'reference': reference})}").status_code == 302
    payment = Payment.objects.get()
    assert (payment.order_reference, payment.success_url) == (reference, target)
    emulator.pay(str(payment.gateway_id))
    assert customer.come_back(payment)["Location"] == target


def test_faults_of_the_request_are_named_all_at_once(customer: Customer, emulator: EmulatorServer) -> None:
    response = customer.post("/pay-nameless/")

    text = response.content.decode()
    assert response.status_code == 400
    assert "customer is missing" in text
    assert "description has 501 characters, at most 500 are allowed" in text
    assert (Payment.objects.count(), emulator.log()) == (0, [])


def test_a_view_without_a_request_says_what_to_write(customer: Customer) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"HostedPaymentView needs get_payment_request\(\)"):
        customer.post("/pay-forgotten/")


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example/hpp/pay_1",
        "http://evil.example/hpp",
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example/x",
        "https://user@pay.flowlix.eu/x",
        "https://pay.flowlix.eu.evil.example/x",
        "https://flowlix.eu:pass@evil.example/",
        "https://xflowlix.eu/",
    ],
)
def test_m11_the_customer_is_sent_to_trusted_hosted_pages_only(
    customer: Customer, emulator: EmulatorServer, page: str
) -> None:
    emulator.fault("create_hosted", "override", fields={"hpp_url": page, "redirect_url": page})

    response = customer.pay()

    payment = Payment.objects.get()
    assert response["Location"] == addresses(payment).pending
    assert page not in response["Location"]
    assert (payment.status, payment.hosted_page_url, payment.review_reason) == ("created", "", "mismatch")
    assert page not in customer.get(addresses(payment).pending).content.decode()


@pytest.mark.parametrize(
    "page", ["https://pay.flowlix.eu/hpp/x", "https://flowlix.dev/x", "https://pay.shop.example/x"]
)
def test_m11_the_gateways_own_domains_and_the_hosts_of_the_settings_are_trusted(
    customer: Customer, emulator: EmulatorServer, settings: Any, page: str
) -> None:
    settings.FLOWLIX = {"default": {**settings.FLOWLIX["default"], "HOSTED_PAGE_HOSTS": ["pay.shop.example"]}}
    emulator.fault("create_hosted", "override", fields={"hpp_url": page})

    assert customer.pay()["Location"] == page


def test_an_order_that_is_paid_leads_to_its_success_page(customer: Customer, emulator: EmulatorServer) -> None:
    payment = customer.start()
    emulator.pay(str(payment.gateway_id))
    customer.come_back(payment)

    response = customer.pay()

    assert (response.status_code, response["Location"]) == (302, "/thanks/")
    assert gateway_calls(emulator)["create_hosted"] == 1


def test_an_order_that_is_paid_at_the_gateway_is_found_paid_by_the_next_click(
    customer: Customer, emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    payment = customer.start()
    emulator.pay(str(payment.gateway_id))
    fake_clock.advance(minutes=2)

    assert customer.pay()["Location"] == "/thanks/"
    assert Payment.objects.get().status == "succeeded"


def test_i4_after_a_decline_the_next_click_is_a_new_attempt(customer: Customer, emulator: EmulatorServer) -> None:
    first = customer.start()
    emulator.decline(str(first.gateway_id))
    customer.come_back(first)

    second = customer.start()

    assert (second.attempt, second.gateway_id == first.gateway_id) == (2, False)
    assert [entry.idempotency_key for entry in emulator.log("create_hosted")] == [
        "payment-order-1001",
        "payment-order-1001-attempt-2",
    ]


def test_n2_an_unknown_outcome_is_shown_as_preparation_and_never_as_failure(
    customer: Customer, emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    emulator.fault("create_hosted", "drop_after", times=4)

    response = customer.pay()

    payment = Payment.objects.get()
    assert response["Location"] == addresses(payment).pending
    page = customer.get(response["Location"])
    assert page.status_code == 200
    assert "We are preparing your payment" in page.content.decode()
    assert not re.search("fail|declin|error|wrong", page.content.decode().lower())


@pytest.mark.parametrize(
    ("seconds", "retry_after"), [(3600, "3600"), (45, "45")], ids=["an hour", "longer than a request may take"]
)
def test_r7_a_limit_that_lasts_too_long_is_told_with_retry_after(
    customer: Customer, emulator: EmulatorServer, fake_clock: FakeClock, seconds: int, retry_after: str
) -> None:
    emulator.fault("create_hosted", "rate_limited", retry_after_seconds=seconds)

    response = customer.pay()

    text = response.content.decode()
    # A tenth is added, so that not all come back at the same moment.
    assert response.status_code == 503
    assert int(retry_after) <= int(response["Retry-After"]) <= int(retry_after) * 1.1 + 1
    assert "You have not been charged" in text
    assert f'action="{addresses(Payment.objects.get()).onward}"' in text
    assert sum(fake_clock.slept) == 0
    assert Payment.objects.get().status == "created"


def test_n1_a_gateway_that_cannot_be_reached_is_told_with_retry_after(
    customer: Customer, settings: Any, fake_clock: FakeClock, closed_port: int
) -> None:
    settings.FLOWLIX = {"default": {**settings.FLOWLIX["default"], "API_URL": f"http://127.0.0.1:{closed_port}"}}

    response = customer.pay()

    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert "You have not been charged" in response.content.decode()
    assert set(ApiCall.objects.values_list("outcome", flat=True)) == {"not_sent"}


def test_k5_a_refused_key_is_no_decline(customer: Customer, emulator: EmulatorServer) -> None:
    emulator.revoke_key(TEST_KEY)

    response = customer.pay()

    assert response.status_code == 503
    assert "declined" not in response.content.decode()
    assert len(emulator.log()) == 1


def test_a_refusal_by_the_gateway_is_final_and_not_the_customers_fault(
    customer: Customer, emulator: EmulatorServer
) -> None:
    emulator.fault("create_hosted", "status_before", status=422)

    response = customer.pay()

    text = response.content.decode()
    assert response.status_code == 502
    assert "The payment could not be started" in text
    assert "Injected fault" not in text, "the gateway's words are for the staff"
    assert addresses(Payment.objects.get()).onward not in text


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("status_before", {"status": 422}),
        ("status_before", {"status": 402}),
        ("status_before", {"status": 401}),
        ("rate_limited", {"retry_after_seconds": 300}),
        ("drop_after", {"times": 4}),
        ("override", {"fields": {"amount": 1}}),
    ],
)
def test_s3_no_page_of_a_start_shows_who_pays(
    customer: Customer, emulator: EmulatorServer, fake_clock: FakeClock, kind: str, options: dict[str, Any]
) -> None:
    emulator.fault("create_hosted", kind, **options)

    first = customer.post("/pay-by-query/?reference=1001")
    then = customer.client.get(addresses(Payment.objects.get()).pending, follow=True)

    assert personal_details_in(first) == []
    assert personal_details_in(then) == []
    assert "1001" in then.content.decode(), "the page was about this order"


def test_d13_a_reference_that_no_database_takes_is_a_fault_of_the_request(
    customer: Customer, emulator: EmulatorServer
) -> None:
    response = customer.post("/pay/a%00b/")

    assert response.status_code == 400
    assert "order_reference must not begin or end with white space or contain control" in response.content.decode()
    assert (Payment.objects.count(), emulator.log()) == (0, [])
