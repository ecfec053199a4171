"""How staff read what a line of the checklist came to: a word, and a sign of a shape of its own beside its colour."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..checklist import Outcome
from ..checklist.reports.wording import SIGNS
from ..checklist.standing import AccountStanding

WORDS = {
    Outcome.FAIL: gettext_lazy("fail"),
    Outcome.WARN: gettext_lazy("warn"),
    Outcome.PERSON: gettext_lazy("needs a person"),
    Outcome.SKIP: gettext_lazy("skip"),
    Outcome.PASS: gettext_lazy("pass"),
    Outcome.NOTE: gettext_lazy("note"),
    None: gettext_lazy("not looked at"),
}
_UNSEEN = "\N{WHITE CIRCLE}"


def kind_of(outcome: Outcome | None) -> str:
    """Return the part of a class that decides the colour."""
    return f"outcome-{outcome.value}" if outcome else "outcome-unseen"


def sign_of(outcome: Outcome | None) -> str:
    """Return the sign that the reports have too, and one of its own for what no run has looked at."""
    return SIGNS[outcome] if outcome else _UNSEEN


def outcome_sign(outcome: Outcome | None) -> SafeString:
    """Return a sign that is read aloud as the word."""
    return format_html(
        '<span class="flowlix-mark flowlix-{}" role="img" aria-label="{}">{}</span>',
        kind_of(outcome),
        WORDS[outcome],
        sign_of(outcome),
    )


def outcome_badge(outcome: Outcome | None, more: object = "") -> SafeString:
    """Return sign and word in a frame, and what else is to stand there."""
    return format_html(
        '<span class="flowlix-badge flowlix-outcome flowlix-{}"><span class="flowlix-mark" aria-hidden="true">{}</span>'
        "<span>{}{}</span></span>",
        kind_of(outcome),
        sign_of(outcome),
        WORDS[outcome],
        format_html(" {}", more) if more else "",
    )


def count_badges(counts: Mapping[Outcome, int]) -> SafeString:
    """Return how many lines came to each outcome, the worst first, without those that none came to."""
    badges = ((outcome_badge(outcome, number_format(count)),) for outcome, count in counts.items() if count)
    return format_html_join(" ", "{}", badges)


def verdict(standing: AccountStanding) -> str:
    """Say in a few words what the checklist comes to: how many lines are as bad as the worst."""
    if standing.last_run is None:
        return _("never run with these settings")
    counts = standing.counts
    if number := counts[Outcome.FAIL]:
        words = ngettext("%(count)s line fails", "%(count)s lines fail", number)
    elif number := counts[Outcome.WARN]:
        words = ngettext("%(count)s line warns", "%(count)s lines warn", number)
    elif number := counts[Outcome.PERSON]:
        words = ngettext("%(count)s line needs a person", "%(count)s lines need a person", number)
    elif number := standing.unseen:
        words = ngettext("%(count)s line was not looked at", "%(count)s lines were not looked at", number)
    elif number := counts[Outcome.SKIP]:
        words = ngettext("%(count)s line was skipped", "%(count)s lines were skipped", number)
    else:
        words = _("every line passes")
    return words % {"count": number_format(number)}
