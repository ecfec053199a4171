"""Which pages a customer may be sent to."""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.conf import account
from django_flowlix.services.gateway import is_trusted_page
from tests.conftest import TEST_KEY

LOCAL = {"SECRET_KEY": TEST_KEY, "API_URL": "http://127.0.0.1:8900", "BASE_URL": "http://127.0.0.1:8000"}
TEST = {"SECRET_KEY": TEST_KEY, "BASE_URL": "https://shop.example"}
LIVE = {"SECRET_KEY": TEST_KEY.replace("test", "live", 1), "BASE_URL": "https://shop.example"}


@pytest.mark.parametrize(
    ("configured", "url", "trusted"),
    [
        (LIVE, "https://pay.flowlix.eu/hpp/pay_1", True),
        (LIVE, "https://flowlix.eu/hpp/pay_1", True),
        (LIVE, "https://api.flowlix.dev/x", True),
        (LIVE, "https://flowlix.eu.evil.example/", False),
        (LIVE, "https://evilflowlix.eu/", False),
        (LIVE, "http://pay.flowlix.eu/", False),
        (LIVE, "ftp://pay.flowlix.eu/", False),
        (LIVE, "https://user:word@pay.flowlix.eu/", False),
        (LIVE, "https://[broken", False),
        (LIVE, "https://evil.example\\.flowlix.eu/x", False),
        (LIVE, "https://pay.flowlix.eu/x\\y", False),
        (LIVE, "https://evil.example\t.flowlix.eu/x", False),
        (LIVE, "https://pay.flowlix.eu\n/x", False),
        (LIVE, "HTTPS://pay.flowlix.eu/x", False),
        (LIVE, "javascript:alert(1)", False),
        (LIVE, "", False),
        (LIVE, "http://127.0.0.1:8900/hpp", False),
        (LIVE, "https://shop.example/flowlix/return/x/", False),
        (TEST, "http://127.0.0.1:8900/hpp", False),
        (LOCAL, "http://127.0.0.1:8900/hpp/pay_1", True),
        (LOCAL, "http://localhost:9999/hpp/pay_1", True),
        (LOCAL, "http://192.168.0.1/hpp/pay_1", False),
        (LOCAL, "http://127.0.0.1:8000/flowlix/return/x/", False),
        (LOCAL, "https://pay.flowlix.eu/hpp/pay_1", True),
        (LIVE | {"HOSTED_PAGE_HOSTS": ["pay.example"]}, "https://pay.example/hpp", True),
        (LIVE | {"HOSTED_PAGE_HOSTS": ["pay.example"]}, "https://a.pay.example/hpp", False),
        (LIVE | {"HOSTED_PAGE_HOSTS": ["pay.example"]}, "http://pay.example/hpp", False),
    ],
)
def test_m11_customers_go_to_the_gateways_own_pages_only(
    settings: Any, configured: dict[str, Any], url: str, *, trusted: bool
) -> None:
    settings.FLOWLIX = {"default": configured}
    assert is_trusted_page(account(), url) is trusted
