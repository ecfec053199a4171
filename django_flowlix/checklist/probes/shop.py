"""What `--network` learns about the shop as its customers reach it: its certificate, and the way back from paying."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from django.urls import NoReverseMatch, Resolver404, get_script_prefix, resolve, reverse

from .. import catalogue
from ..context import Context
from ..findings import Finding, failed, judge_of, noted, passed, warned
from ..items import Stage
from ..network import Reply, Unreachable, ask
from .gateway import certificate

_REDIRECTS = (301, 302, 303, 307, 308)
_VIEW_NAME = "django_flowlix:return"
_TOKEN = "flowlix-check"  # noqa: S105  no payment's token: the view is asked what it can do, not about a payment
_WHERE_FROM = "Run it where the address is reached as from outside."


@catalogue.HTTPS.probe(Stage.NETWORK)
def shop_over_https(context: Context) -> Iterator[Finding]:
    base_url = context.account.base_url
    host = urlsplit(base_url).netloc
    if urlsplit(base_url).scheme == "http":
        yield noted(f"{base_url} is this machine's own: there is no TLS to look at.")
        return
    try:
        reply = ask("HEAD", base_url)
    except Unreachable as cause:
        yield failed(f"BASE_URL, {host}: {cause}.", f"Customers must reach it over https. {_WHERE_FROM}")
        return
    if reply.certificate_until is not None:
        yield certificate(host, reply.certificate_until, context.now)
    yield _plain(context, urlsplit(base_url).hostname or "")


def _plain(context: Context, host: str) -> Finding:
    """Judge what the shop does with a customer who writes http."""
    try:
        reply = ask("HEAD", f"http://{host}/")
    except Unreachable:
        return passed(f"Nothing answers at http://{host}/.")
    location = reply.headers.get("location", "")
    if reply.status in _REDIRECTS and location.startswith("https://"):
        return passed(f"http://{host}/ leads to {urlsplit(location).netloc} over https.")
    judge = judge_of(context.account.livemode)
    words = f"http://{host}/ answers HTTP {reply.status} and does not lead to https."
    return judge(words, "Set SECURE_SSL_REDIRECT = True, or let the web server redirect.")


@catalogue.RETURN_ADDRESS.probe(Stage.STATIC)
def return_path(context: Context) -> Iterator[Finding]:
    """Say where it would be; that it answers is a matter of the network."""
    remedy = 'Add path("flowlix/", include("django_flowlix.urls")) to the root URLconf, before what catches all.'
    try:
        found = resolve(f"/{reverse(_VIEW_NAME, args=[_TOKEN]).removeprefix(get_script_prefix())}")
    except (NoReverseMatch, Resolver404):
        yield failed("The URLs of django_flowlix are not included.", remedy)
        return
    if found.view_name != _VIEW_NAME:
        yield failed(f"Another pattern of the project ({found.route}) catches the return address.", remedy)
    else:
        yield noted(f"The return address is at {found.route}.")


@catalogue.RETURN_ADDRESS.probe(Stage.NETWORK)
def return_address(context: Context) -> Iterator[Finding]:
    url = context.account.base_url + reverse(_VIEW_NAME, args=[_TOKEN])
    try:
        reply = ask("OPTIONS", url)
    except Unreachable as cause:
        host = urlsplit(url).netloc
        yield failed(f"{host}: {cause}.", f"Start the shop, or correct BASE_URL. {_WHERE_FROM}")
        return
    yield _judged(url, reply)


def _judged(url: str, reply: Reply) -> Finding:
    """Judge an answer to OPTIONS, which our return view gives without looking for a payment."""
    said = f"OPTIONS {url} answered HTTP {reply.status}"
    location = urljoin(url, reply.headers.get("location", ""))
    if reply.status == 200 and {"GET", "POST"} <= {word.strip() for word in reply.headers.get("allow", "").split(",")}:
        return passed(f"{said}, and takes GET and POST: the return view is there.")
    if reply.status in _REDIRECTS and location.rstrip("/") == url.rstrip("/"):
        loop = (
            "Django does not know that it is reached over https: set SECURE_PROXY_SSL_HEADER; the proxy must send it."
        )
        return failed(f"{said} and leads to itself: customers would go round in a circle.", loop)
    if reply.status in _REDIRECTS:
        elsewhere = urlsplit(location).netloc or "another page"
        return failed(f"{said} and leads to {elsewhere}.", "Set BASE_URL to the address that the shop answers at.")
    if reply.status == 400:
        return failed(f"{said}.", "Add the host of BASE_URL to ALLOWED_HOSTS.")
    if reply.status == 404:
        return failed(f"{said}.", "Does BASE_URL lead to this project, and are the URLs of django_flowlix included?")
    if reply.status >= 500:
        return failed(f"{said}.", "The shop's error log says why.")
    return warned(
        f"{said}: it cannot be told whether our view is there.", "Let the web server pass OPTIONS on, or try by hand."
    )
