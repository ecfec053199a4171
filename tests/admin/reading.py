"""How the admin's pages are read."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_flowlix.models import Payment

LIST = "/admin/django_flowlix/payment/"


def page(payment: Payment) -> str:
    return f"{LIST}{payment.pk}/change/"


def text_of(client: Client, path: str, data: dict[str, Any] | None = None) -> str:
    response = client.get(path, data)
    assert response.status_code == 200
    return response.content.decode()


def glance(text: str) -> str:
    """Return the words of the section on top of a payment's page."""
    section = re.search(r'<section class="flowlix-glance".*?</section>', text, re.DOTALL)
    assert section
    return " ".join(re.sub(r"<[^>]*>", " ", section.group()).split())


def own_queries(queries: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in queries.captured_queries if "flowlix" in query["sql"]]
