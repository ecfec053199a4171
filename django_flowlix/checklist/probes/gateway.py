"""What `--network` learns from the gateway: is it there, does it take the key, what do its answers bring.

Source: docs.flowlix.eu/api-reference/{authentication, rate-limits}
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from ...api import ApiError, AuthenticationError, RateLimitError
from .. import catalogue
from ..context import Context
from ..findings import Finding, failed, noted, passed, skipped, warned
from ..items import Stage
from ..network import Unreachable, ask
from ..question import Asked, ask_gateway
from ..refusals import words_of

SOON, VERY_SOON = timedelta(days=14), timedelta(days=3)
"""A certificate that ends so soon: renewals are made a month ahead."""
_SKEW_WARNS, _SKEW_FAILS = timedelta(seconds=30), timedelta(minutes=5)
_RATE_LIMIT_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


@catalogue.GATEWAY_REACHABLE.probe(Stage.NETWORK)
def reachable(context: Context) -> Iterator[Finding]:
    account = context.account
    url = account.api_url or account.contract.api_url
    host = urlsplit(url).netloc
    try:
        reply = ask("GET", url, ca_bundle=account.ca_bundle, proxy=account.proxy)
    except Unreachable as cause:
        remedy = "See that this server may connect to it: name service, firewall, PROXY, CA_BUNDLE."
        yield failed(f"{host}: {cause}.", remedy)
        return
    if reply.certificate_until is None:
        yield warned(f"{host} answers, without TLS.", "Fine for an emulator on this machine, and nothing else.")
    else:
        yield certificate(host, reply.certificate_until, context.now)


def certificate(host: str, until: datetime, now: datetime) -> Finding:
    """Judge how long a certificate that was accepted is still good."""
    words = f"{host} answers over TLS; its certificate is good until {until:%Y-%m-%d}."
    remedy = "See that it is renewed before: nobody can pay afterwards."
    if until - now < VERY_SOON:
        return failed(words, remedy)
    return warned(words, remedy) if until - now < SOON else passed(words)


@catalogue.KEY_ACCEPTED.probe(Stage.NETWORK)
def key(context: Context) -> Iterator[Finding]:
    asked, mode = context.once(ask_gateway), _mode(context.account.livemode)
    if isinstance(asked.error, AuthenticationError):
        copy = "Copy the key again from Dashboard > Settings > API Keys; was it revoked, or is it another contract's?"
        yield failed(f"The gateway refuses the key: {words_of(asked.error)}.", copy)
    elif asked.error is not None:
        yield _unanswered(asked)
    elif any(payment.livemode is not None for payment in asked.payments):
        yield _mode_of_payments(context, asked)
    else:
        yield passed(f"The gateway lists payments with the key (request {asked.request_id or 'without id'}).")
        yield noted(f"None of them says its mode; the key's prefix says {mode}.")


def _mode_of_payments(context: Context, asked: Asked) -> Finding:
    """A key's mode really comes from the merchant's record behind it; the prefix only agrees as a rule."""
    mode = context.account.livemode
    others = [payment for payment in asked.payments if payment.livemode not in (None, mode)]
    if others:
        words = f"By its prefix the key is of {_mode(mode)} mode, but it lists payments of {_mode(not mode)} mode"
        return failed(f"{words} (request {asked.request_id}).", "Ask the gateway's support which mode the key is of.")
    return passed(f"The gateway takes the key and lists payments of {_mode(mode)} mode (request {asked.request_id}).")


def _mode(livemode: bool) -> str:
    return "live" if livemode else "test"


def _unanswered(asked: Asked) -> Finding:
    """Say why there is nothing to look at; a gateway that is busy or failing says nothing about the key."""
    error = asked.error
    words = f"The gateway could not be asked: {words_of(error) if error else 'it gave no answer'}."
    if isinstance(error, RateLimitError | ApiError):
        return skipped(words, "Try again in a moment.")
    return failed(words, "See gateway-reachable, then check again.")


@catalogue.ANSWER_HEADERS.probe(Stage.NETWORK)
def headers(context: Context) -> Iterator[Finding]:
    asked = context.once(ask_gateway)
    if asked.answer is None:
        yield _unanswered(asked)
        return
    if asked.request_id:
        yield passed(f"The answer brought the request id {asked.request_id}.")
    else:
        remedy = "The gateway's support asks for it: does a proxy in between take headers away?"
        yield failed(f"HTTP {asked.answer.status} came without a request id.", remedy)
    if not isinstance(asked.error, AuthenticationError):  # an answer to a refused key has no rate limit
        yield from _rate_limit(context, asked)


def _rate_limit(context: Context, asked: Asked) -> Iterator[Finding]:
    missing = [name for name in _RATE_LIMIT_HEADERS if not asked.header(name)]
    if missing:
        remedy = "Without them the background cannot slow down in time: does a proxy take headers away?"
        yield warned(f"The answer lacks {', '.join(missing)}.", remedy)
        return
    limit, account = asked.header("X-RateLimit-Limit"), context.account
    budgeted = account.requests_per_minute or account.contract.requests_per_minute
    words = (
        f"The rate limit is {limit} a minute, {asked.header('X-RateLimit-Remaining')} left; {budgeted} are counted on."
    )
    if limit.isdigit() and int(limit) < budgeted:
        yield warned(words, f"Set REQUESTS_PER_MINUTE to {limit}.")
    else:
        yield passed(words)


@catalogue.CLOCK.probe(Stage.NETWORK)
def clock(context: Context) -> Iterator[Finding]:
    asked = context.once(ask_gateway)
    if asked.answer is None:
        yield _unanswered(asked)
        return
    theirs = _date(asked.header("Date"))
    if theirs is None:
        yield skipped("The gateway's answer has no Date to compare with.")
        return
    ours = asked.sent_at + (asked.answered_at - asked.sent_at) / 2
    skew = abs(theirs - ours)
    words = f"This server's clock and the gateway's differ by {skew.total_seconds():.0f} s."
    remedy = "Let the server keep its time by NTP: how long a key lives, and who may send, is decided by the clock."
    if skew >= _SKEW_FAILS:
        yield failed(words, remedy)
    else:
        yield warned(words, remedy) if skew >= _SKEW_WARNS else passed(words)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo is not None else None
