"""The Content-Security-Policy of every page: own files only, no inline script or style."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def content_security_policy(hosted_page_origins: list[str]) -> str:
    """Return the policy; `hosted_page_origins` are where a form of ours may end up, e.g. `https://pay.example`."""
    return "; ".join(
        [
            "default-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            # Browsers apply form-action to the redirect after a POST too, and Pay redirects to the hosted page.
            " ".join(["form-action 'self'", *hosted_page_origins]),
        ]
    )


class ContentSecurityPolicyMiddleware:
    """Adds the policy to every answer. (Django has a middleware of its own from version 6.0 on.)"""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policy = content_security_policy(settings.SHOP_HOSTED_PAGE_ORIGINS)
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
