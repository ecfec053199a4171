"""How staff refund in the tests: the form, the confirmation, the click on the last button."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

from django_flowlix.models import Payment
from tests.admin.reading import LIST, page


def refund_page(payment: Payment) -> str:
    return f"{LIST}{payment.pk}/refund/"


def ask(client: Client, payment: Payment, amount: str = "49.99", reason: str = "sent back") -> Any:
    """Fill in the form; a text of the page that follows."""
    return client.post(refund_page(payment), {"step": "check", "amount": amount, "reason": reason})


def token_in(response: Any) -> str:
    """Return the token of a confirmation page."""
    found = re.search(r'name="token" value="([^"]+)"', response.content.decode())
    assert found, "this is no confirmation page"
    return found.group(1)


def confirm(client: Client, payment: Payment, token: str, amount: str = "49.99", reason: str = "sent back") -> Any:
    """Press the last button."""
    data = {"step": "refund", "amount": amount, "reason": reason, "token": token}
    return client.post(refund_page(payment), data)


def refund(client: Client, payment: Payment, amount: str = "49.99", reason: str = "sent back") -> str:
    """Go the whole way; returns what the payment's page says afterwards."""
    answer = confirm(client, payment, token_in(ask(client, payment, amount, reason)), amount, reason)
    return result_of(client, payment, answer)


def result_of(client: Client, payment: Payment, answer: HttpResponse) -> str:
    """Follow the redirect to the payment's page and return its message."""
    assert (answer.status_code, answer.headers.get("Location")) == (302, page(payment))
    text = client.get(page(payment)).content.decode()
    messages = re.findall(r'<li class="(\w+)">(.*?)</li>', text, re.DOTALL)
    assert len(messages) == 1
    return f"{messages[0][0]}: {messages[0][1]}"
