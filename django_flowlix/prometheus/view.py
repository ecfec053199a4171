"""The page that Prometheus scrapes: GET with a bearer token, outside transactions, never cached."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views import View
from django.views.decorators.cache import cache_control
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from ..api.secret import Secret
from .collector import FlowlixCollector

# Source: RFC 6750, section 2.1 (b64token)
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{24,}=*")


def _own_registry() -> Collector:
    registry = CollectorRegistry()
    registry.register(FlowlixCollector())
    return registry


class MetricsView(View):
    """The metrics as text: `path("metrics/flowlix/", MetricsView.as_view(token=env("FLOWLIX_METRICS_TOKEN")))`.

    `registry` is what is shown: this app's metrics, unless another registry is given.
    """

    http_method_names = ("get",)
    token = Secret("")
    registry: Collector = _own_registry()

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        """Return the view. Raises: ImproperlyConfigured without a token of 24 or more letters, digits and `._~+/-`."""
        initkwargs["token"] = _checked(initkwargs.get("token", cls.token))
        view = cache_control(no_store=True)(super().as_view(**initkwargs))
        return login_not_required(transaction.non_atomic_requests(view))

    def get(self, request: HttpRequest) -> HttpResponse:
        if not self._may_read(request):
            refusal = HttpResponse("A bearer token is needed.\n", status=401, content_type="text/plain; charset=utf-8")
            refusal["WWW-Authenticate"] = 'Bearer realm="metrics"'
            return refusal
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return HttpResponse(encode(self.registry), content_type=content_type)

    def _may_read(self, request: HttpRequest) -> bool:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        # In constant time: how soon a comparison ends would tell how much of a guess is right.
        is_right = hmac.compare_digest(given.strip().encode(), self.token.reveal().encode())
        return scheme.lower() == "bearer" and is_right


def _checked(token: object) -> Secret:
    if not isinstance(token, str) or not _TOKEN.fullmatch(Secret(token).reveal()):
        raise ImproperlyConfigured(
            "MetricsView needs a token of at least 24 letters, digits and ._~+/-. Make one with: openssl rand -hex 32"
        )
    return Secret(token)
