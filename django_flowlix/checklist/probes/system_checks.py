"""system-checks: what `manage.py check --deploy` says, ours first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.core.checks import CheckMessage, run_checks
from django.core.checks.messages import ERROR, WARNING
from django.db import connections

from .. import catalogue
from ..context import Context
from ..findings import Finding, failed, noted, passed, warned
from ..items import Stage

_TEST_KEY_IN_A_DEPLOYED_PROJECT = "flowlix.W032"
"""With a test key it is no news: the line live-key-set says it."""
_TO_READ = (
    "Read docs.djangoproject.com/en/stable/ref/checks, or silence it in SILENCED_SYSTEM_CHECKS if it is meant so."
)


@catalogue.SYSTEM_CHECKS.probe(Stage.STATIC)
def system_checks(context: Context) -> Iterator[Finding]:
    messages = [each for each in _all_messages() if not each.is_silenced()]
    livemode = context.account.livemode
    for_deployment = [each for each in messages if not livemode and _is_for_deployment(each)]
    counted = [each for each in messages if each.level >= WARNING and each not in for_deployment]
    for message in counted:
        judge = failed if message.level >= ERROR else warned
        yield judge(f"{message.id or 'without an id'}: {message.msg}", message.hint or _TO_READ)
    yield from _of_deployment(for_deployment)
    if not counted and not any(each.id != _TEST_KEY_IN_A_DEPLOYED_PROJECT for each in for_deployment):
        yield passed("Django's system checks, those of check --deploy and of the databases included, say nothing.")
    yield from _notes(messages)


def _all_messages() -> Sequence[CheckMessage]:
    messages = run_checks(include_deployment_checks=True, databases=list(connections))
    return sorted(messages, key=lambda each: (not (each.id or "").startswith("flowlix."), -each.level))


def _is_for_deployment(message: CheckMessage) -> bool:
    """Is it a warning about a project that takes real money, such as security.W004?"""
    name = message.id or ""
    return message.level < ERROR and (name.startswith("security.W") or name == _TEST_KEY_IN_A_DEPLOYED_PROJECT)


def _of_deployment(messages: Sequence[CheckMessage]) -> Iterator[Finding]:
    names = [str(each.id) for each in messages if each.id != _TEST_KEY_IN_A_DEPLOYED_PROJECT]
    if names:
        yield warned(
            f"Of check --deploy, for when real money is taken: {', '.join(names)}.",
            "Run manage.py check --deploy; with a live key each of these is a line of its own.",
        )
    if len(names) < len(messages):
        yield noted(f"{_TEST_KEY_IN_A_DEPLOYED_PROJECT}: the account has a test key, which live-key-set is about.")


def _notes(messages: Sequence[CheckMessage]) -> Iterator[Finding]:
    for message in messages:
        if message.level < WARNING:
            yield noted(f"{message.id or 'without an id'}: {message.msg}")
    if settings.SILENCED_SYSTEM_CHECKS:
        yield noted(f"Silenced by the project: {', '.join(sorted(settings.SILENCED_SYSTEM_CHECKS))}.")
