"""https, by the settings: the addresses, Django's cookies and redirect, and what it believes of a proxy.

That it works is a matter of the network; see `shop`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from .. import catalogue
from ..context import Context
from ..findings import Finding, failed, judge_of, needs_person, noted, passed, warned

_SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
_SECURITY = "django.middleware.security.SecurityMiddleware"
_AN_HOUR = 3600
_MADE_UP_PAGE = "flowlix-check-made-up/"


@catalogue.HTTPS.probe()
def addresses(context: Context) -> Iterator[Finding]:
    account = context.account
    for name, url in (("API_URL", account.api_url or account.contract.api_url), ("BASE_URL", account.base_url)):
        if urlsplit(url).scheme == "https":
            yield passed(f"{name} is {url}.")
        elif account.livemode:
            yield failed(f"{name} is plain http: {url}.", "Write the https address.")
        else:
            yield warned(f"{name} is plain http: {url}.", "Fine for development. Write https for real customers.")


@catalogue.HTTPS.probe()
def django_settings(context: Context) -> Iterator[Finding]:
    """Look at what matters once customers come over https."""
    if urlsplit(context.account.base_url).scheme != "https":
        yield noted("The SECURE_ and _COOKIE_SECURE settings were not judged: they count once BASE_URL is https.")
        return
    yield from _cookies(context.account.livemode)
    yield from _redirect(context.account.livemode)
    yield from _strict_transport()
    yield from _proxy(context.account.livemode)
    if settings.USE_X_FORWARDED_HOST:
        yield noted("USE_X_FORWARDED_HOST is on: the proxy must overwrite X-Forwarded-Host.")


def _cookies(livemode: bool) -> Iterator[Finding]:
    names = ["SESSION_COOKIE_SECURE"] if _SESSIONS in settings.MIDDLEWARE else []
    if not settings.CSRF_USE_SESSIONS:
        names.append("CSRF_COOKIE_SECURE")
    judge = judge_of(livemode)
    for name in names:
        if getattr(settings, name):
            yield passed(f"{name} is on.")
        else:
            yield judge(f"{name} is off: a request over http tells the cookie to the network.", f"Set {name} = True.")


def _redirect(livemode: bool) -> Iterator[Finding]:
    if not _redirects():
        yield needs_person(
            f"Django does not redirect from http to https: {_off('SECURE_SSL_REDIRECT is off')}.",
            "The proxy in front of Django redirects every http address of the shop to https.",
        )
    elif exempt := [pattern for pattern in settings.SECURE_REDIRECT_EXEMPT if _leaves_out_pages(pattern)]:
        judge = judge_of(livemode)
        yield judge(
            f"SECURE_REDIRECT_EXEMPT leaves pages of the shop on http: {', '.join(map(repr, exempt))}.",
            "Name single addresses there, such as ^healthz$.",
        )
    else:
        yield passed("SECURE_SSL_REDIRECT is on.")
        if settings.SECURE_REDIRECT_EXEMPT:
            yield noted("SECURE_REDIRECT_EXEMPT leaves addresses out; the return address and a made-up one are not.")


def _leaves_out_pages(pattern: str) -> bool:
    """Does it fit the return address, or one that nobody can have meant by it? As SecurityMiddleware compares them."""
    pages = [_MADE_UP_PAGE]
    with suppress(NoReverseMatch):  # `return_path` says that it is not there
        pages.append(reverse("django_flowlix:return", args=["made-up"]).lstrip("/"))
    return any(re.search(pattern, page) for page in pages)


def _strict_transport() -> Iterator[Finding]:
    seconds = settings.SECURE_HSTS_SECONDS if _SECURITY in settings.MIDDLEWARE else 0
    if seconds >= _AN_HOUR:
        yield passed(f"SECURE_HSTS_SECONDS is {seconds}.")
    elif seconds > 0:
        yield warned(
            f"SECURE_HSTS_SECONDS is {seconds}: browsers forget within the hour to stay on https.",
            "Set it to 3600 at first, and to a year once all of the shop is on https.",
        )
    else:
        yield needs_person(
            f"Django does not tell browsers to stay on https: {_off('SECURE_HSTS_SECONDS is 0')}.",
            "The proxy in front of Django sends Strict-Transport-Security with the shop's pages.",
        )


def _redirects() -> bool:
    return _SECURITY in settings.MIDDLEWARE and settings.SECURE_SSL_REDIRECT


def _off(setting: str) -> str:
    return setting if _SECURITY in settings.MIDDLEWARE else "SecurityMiddleware is not in MIDDLEWARE"


def _proxy(livemode: bool) -> Iterator[Finding]:
    """Say what a wrong header would do. Nothing here can tell whether there is a proxy at all."""
    header = settings.SECURE_PROXY_SSL_HEADER
    if header:
        yield from _trusted(str(header[0]), livemode)
    elif _redirects():
        yield noted(
            "SECURE_PROXY_SSL_HEADER is not set: if TLS ends at a proxy, every page leads to itself; "
            "flowlix_check --network sees that."
        )
    elif livemode:
        yield needs_person(
            "SECURE_PROXY_SSL_HEADER is not set: if TLS ends at a proxy, Django takes every request for http.",
            "TLS ends in the server that runs Django, not at a proxy in front of it.",
        )
    else:
        yield noted("SECURE_PROXY_SSL_HEADER is not set: it has to be where TLS ends at a proxy.")


def _trusted(variable: str, livemode: bool) -> Iterator[Finding]:
    header = variable.removeprefix("HTTP_").replace("_", "-").title()
    said = f"SECURE_PROXY_SSL_HEADER is set: Django believes {header}."
    if livemode:
        yield needs_person(said, f"The proxy removes {header} from what customers send before it sets its own.")
    else:
        yield noted(f"{said} The proxy must remove it from what customers send.")
