"""What `--network` says of the shop's own address: its certificate, plain http, and the way back from the gateway."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import include, path
from werkzeug import Response

from django_flowlix.checklist import Outcome
from django_flowlix.checklist.network import Reply, Unreachable
from django_flowlix.checklist.probes import shop
from tests.checklist.looking import told
from tests.conftest import TEST_KEY

pytestmark = pytest.mark.django_db

LIVE_KEY = "_".join(["fl", "live", "sk", "s" * 24])
RETURN_PATH = "/flowlix/return/flowlix-check/"
OURS = {"Allow": "GET, POST, HEAD, OPTIONS"}


@pytest.fixture
def shop_server(server: Any, emulator: Any, settings: Any) -> Any:
    address = server.url_for("").rstrip("/")
    settings.FLOWLIX = {"default": {"SECRET_KEY": TEST_KEY, "API_URL": emulator.url, "BASE_URL": address}}
    return server


def test_our_own_return_view_is_recognised(look: Any, live_server: Any, emulator: Any, settings: Any) -> None:
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"BASE_URL": live_server.url}}
    found = look("return-address", "static", "network")
    assert found.outcome is Outcome.PASS
    assert "the return view is there" in told(found, Outcome.PASS)


def test_that_the_address_resolves_here_does_not_prove_that_it_answers(look: Any) -> None:
    found = look("return-address")
    assert found.outcome is Outcome.SKIP
    assert "flowlix/return/" in told(found, Outcome.NOTE)


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        (Response(status=404), Outcome.FAIL, "lead to this project"),
        (Response(status=400), Outcome.FAIL, "ALLOWED_HOSTS"),
        (Response(status=502), Outcome.FAIL, "HTTP 502"),
        (Response(status=301, headers={"Location": "https://www.shop.example/x"}), Outcome.FAIL, "www.shop.example"),
        (Response(status=301, headers={"Location": RETURN_PATH}), Outcome.FAIL, "SECURE_PROXY_SSL_HEADER"),
        (Response(status=200, headers={"Allow": "GET"}), Outcome.WARN, "cannot be told"),
        (Response(status=405), Outcome.WARN, "cannot be told"),
        (Response(status=200, headers=OURS), Outcome.PASS, "the return view is there"),
    ],
)
def test_what_the_return_address_answers_is_judged(
    answer: Response, outcome: Outcome, words: str, look: Any, shop_server: Any
) -> None:
    shop_server.expect_request(RETURN_PATH, method="OPTIONS").respond_with_handler(lambda _: answer)
    found = look("return-address", "network")
    assert found.outcome is outcome
    assert words in told(found, outcome)


def test_a_shop_that_is_not_started_is_a_refused_connection(look: Any, shop_server: Any) -> None:
    shop_server.stop()
    found = look("return-address", "network")
    assert found.outcome is Outcome.FAIL
    assert "the connection was refused" in told(found, Outcome.FAIL)


def catch_all(request: Any, rest: str) -> HttpResponse:
    return HttpResponse(rest)


class CatchAllFirst:
    urlpatterns = [path("<path:rest>", catch_all), path("flowlix/", include("django_flowlix.urls"))]


class Without:
    urlpatterns = [path("<path:rest>", catch_all)]


@pytest.mark.parametrize(
    ("urlconf", "words"), [(CatchAllFirst, "catches the return address"), (Without, "are not included")]
)
def test_a_url_configuration_that_hides_the_return_view_is_noticed(
    urlconf: Any, words: str, look: Any, settings: Any
) -> None:
    settings.ROOT_URLCONF = urlconf
    found = look("return-address")
    assert found.outcome is Outcome.FAIL
    assert words in told(found, Outcome.FAIL)


# BASE_URL over https


@pytest.fixture
def replies(monkeypatch: pytest.MonkeyPatch, settings: Any) -> dict[str, Any]:
    """What the shop's addresses answer; a text is why there is no answer."""
    settings.FLOWLIX = {"default": {"SECRET_KEY": LIVE_KEY, "BASE_URL": "https://shop.example"}}
    known: dict[str, Any] = {"https://shop.example": Reply(200, {}, datetime.now(UTC) + timedelta(days=60))}

    def ask(method: str, url: str) -> Reply:
        reply = known[url]
        if isinstance(reply, str):
            raise Unreachable(reply)
        return reply

    monkeypatch.setattr(shop, "ask", ask)
    return known


@pytest.mark.parametrize(
    ("plain", "outcome", "words"),
    [
        (Reply(301, {"location": "https://shop.example/"}, None), Outcome.PASS, "leads to shop.example over https"),
        ("the connection was refused", Outcome.PASS, "Nothing answers at http://shop.example/"),
        (Reply(200, {}, None), Outcome.FAIL, "SECURE_SSL_REDIRECT"),
        (Reply(301, {"location": "http://www.shop.example/"}, None), Outcome.FAIL, "does not lead to https"),
    ],
)
def test_what_plain_http_answers_is_judged(
    plain: Any, outcome: Outcome, words: str, look: Any, replies: dict[str, Any]
) -> None:
    replies["http://shop.example/"] = plain
    found = look("https", "network")
    assert found.outcome is outcome
    assert words in told(found, outcome)


def test_a_shop_whose_certificate_ends_is_noticed(look: Any, replies: dict[str, Any]) -> None:
    replies["https://shop.example"] = Reply(200, {}, datetime.now(UTC) + timedelta(days=2))
    replies["http://shop.example/"] = "the connection was refused"
    assert "shop.example answers over TLS" in told(look("https", "network"), Outcome.FAIL)


def test_a_shop_that_does_not_answer_over_https_is_noticed(look: Any, replies: dict[str, Any]) -> None:
    replies["https://shop.example"] = "its certificate is refused (certificate has expired)"
    found = look("https", "network")
    assert found.outcome is Outcome.FAIL
    assert "certificate has expired" in told(found, Outcome.FAIL)


def test_a_shop_on_this_machine_has_no_tls_to_look_at(look: Any) -> None:
    assert look("https", "network").outcome is Outcome.SKIP
