"""The names that were ever put under a line of the checklist: which one stands, and what became of the others."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from ..checklist.attesting import why_expired
from ..checklist.standing import Standing
from ..conf import Account
from ..models import ChecklistSignoff


@dataclass(frozen=True, slots=True)
class NameEntry:
    """One attestation; `state` says in words what it is worth today, `kind` is `stands`, `over` or `kept`."""

    signoff: ChecklistSignoff
    statements: list[str]
    kind: str
    state: str


def history_of(line: Standing, account: Account) -> list[NameEntry]:
    """Return all names under a line, the latest first."""
    return [_entry(signoff, line, account) for signoff in line.history]


def _entry(signoff: ChecklistSignoff, line: Standing, account: Account) -> NameEntry:
    kind, state = _worth(signoff, line, account)
    return NameEntry(signoff, signoff.statement.splitlines(), kind, state)


def _worth(signoff: ChecklistSignoff, line: Standing, account: Account) -> tuple[str, str]:
    if signoff.withdrawn_at is not None:
        return "over", _("withdrawn")
    # Without a statement nothing needs a person now: only the configuration can have ended it.
    if why := why_expired(signoff, account, line.statement or signoff.statement):
        return "over", _("expired: %(why)s") % {"why": why}
    if signoff != line.signoff:
        return "over", _("replaced by a later one")
    if not line.statement:
        return "kept", _("kept: nothing of this line needs a person now")
    return "stands", _("stands")
