"""card-numbers-not-logged: what the handlers of LOGGING make of secrets, what error reports show, what logs hold."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from django.views.debug import get_default_exception_reporter_filter

from ...conf import accounts
from .. import catalogue, log_tree
from ..context import Context
from ..findings import Finding, failed, judge_of, needs_person, noted, passed, skipped, warned
from ..log_probe import LOCALS, Trial, try_handlers
from ..project.log_files import search_log_files
from ..project.survey import named

_FILTER = (
    'Write "filters": {"redaction": {"()": "django_flowlix.log_redaction.RedactionFilter"}} in LOGGING, '
    'and "filters": ["redaction"] with this handler.'
)
_DJANGOS = (
    "It is one of Django's own defaults. Name the logger in LOGGING, so that its records come to the root's handler: "
    '"loggers": {"django": {"level": "INFO"}}.'
)
_ROOT = 'Give LOGGING a root logger whose handler has the redaction filter: "root": {"handlers": ["console"]}.'
_NO_HTML = "Leave include_html off: local variables are shown in HTML mails, and no filter sees them."


@catalogue.CARD_NUMBERS_NOT_LOGGED.probe()
def handlers(context: Context) -> Iterator[Finding]:
    trials = try_handlers()
    for trial in trials:
        yield from _judged(trial, context.account.livemode)
    tight = [trial for trial in trials if not (trial.is_silent or trial.shown or trial.unclear)]
    if tight:
        yield passed(
            "Records with a card number, a key and a token in message, arguments, extra and exception were given to "
            f"{named(map(_label, tight))}: none is shown."
        )
    elif all(trial.is_silent for trial in trials):
        yield skipped("No handler lets a record through at present.", "Run it with the settings of the shop's server.")


def _judged(trial: Trial, livemode: bool) -> Iterator[Finding]:
    if trial.unclear:
        yield needs_person(
            f"{_label(trial)} {trial.unclear}: what it writes cannot be told.",
            f"{trial.name} writes no card number and no key: it was tried.",
        )
    kinds = [kind for kind in trial.shown if kind != LOCALS]
    if kinds:
        secrets = sorted(set().union(*(trial.shown[kind] for kind in kinds)))
        words = f"{_label(trial)} shows {_and(secrets)} that stands in {_and(kinds)}."
        yield _leak(trial, words, livemode)
    elif trial.shown:
        judge = judge_of(livemode)
        yield judge(f"{_label(trial)} shows {LOCALS}, with what stands in it.", _NO_HTML)
    if trial.is_silent:
        yield noted(f"{_label(trial)} lets no record through at present.")


def _leak(trial: Trial, words: str, livemode: bool) -> Finding:
    if trial.name == "logging.lastResort":
        judge = judge_of(livemode)
        return judge(f"There is no handler for records of loggers that LOGGING does not name: {words}", _ROOT)
    if trial.loggers == ["django.server"]:
        return warned(f"{words} Only runserver logs there.", _remedy(trial))
    return failed(words, _remedy(trial))


def _remedy(trial: Trial) -> str:
    is_djangos = all(name.partition(".")[0] == "django" for name in trial.loggers)
    return (
        _DJANGOS
        if is_djangos and log_tree.configured_loggers().keys().isdisjoint({"django", *trial.loggers})
        else _FILTER
    )


def _label(trial: Trial) -> str:
    return f"{named(trial.loggers)} → {trial.name}"


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


@catalogue.CARD_NUMBERS_NOT_LOGGED.probe()
def ways_around_handlers(context: Context) -> Iterator[Finding]:
    """Look for what takes records before any handler does."""
    if "sentry_sdk" in sys.modules:
        yield needs_person(
            "sentry_sdk is loaded, and takes records and local variables past the handlers of LOGGING.",
            "sentry_sdk sends no card number and no key: it was tried.",
        )
    if changed := log_tree.changed_methods():
        yield needs_person(
            f"Records pass through what was put in the place of {_and(changed)}, before any handler of LOGGING: what "
            "that sends cannot be told.",
            f"What stands in the place of {_and(changed)} sends no card number and no key: it was tried.",
        )


@catalogue.CARD_NUMBERS_NOT_LOGGED.probe()
def error_reports(context: Context) -> Iterator[Finding]:
    """Look at the settings that error reports show, in mails to the admins and on the page of DEBUG."""
    shown = get_default_exception_reporter_filter().get_safe_settings()
    secrets = [secret.reveal() for each in accounts().values() for secret in (each.secret_key, *each.webhook_secrets)]
    leaks = sorted(name for name, value in shown.items() if any(secret in repr(value) for secret in secrets))
    if leaks:
        yield failed(
            f"Error reports show a key: it stands in the setting {_and(leaks)}.",
            "Write Secret(...) around it, or give the setting a name with KEY or SECRET in it, which Django masks.",
        )
    else:
        yield passed("The settings that error reports show hold no key.")


@catalogue.CARD_NUMBERS_NOT_LOGGED.probe()
def log_files(context: Context) -> Iterator[Finding]:
    """Look for card numbers that have been written already; keys are told of by secret-key-server-side."""
    found = context.once(search_log_files)
    judge = judge_of(context.account.livemode)
    if found.cards:
        yield judge(
            f"What looks like a card number stands in a log file: {named(found.cards)}.",
            "Find what wrote it, put RedactionFilter on that handler, and delete the log.",
        )
    elif found.searched:
        yield passed(f"Nothing looks like a card number in the log files: {named(found.searched)}.")
