"""Putting a name under a line of the checklist and taking it away: when that can be done, and what is agreed to."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..checklist.attesting import MAX_NOTE_LENGTH, attest, configuration_of, withdraw
from ..checklist.standing import Standing
from ..conf import Account
from .noted_step import note_field

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class NotNow(Exception):  # noqa: N818  it is an answer to a person, not a fault
    """There is nothing to do here; the text is a sentence for the person."""


class AttestForm(forms.Form):
    note = note_field(
        label=gettext_lazy("How you know"),
        help_text=gettext_lazy(
            "Such as who looked, when, and the number of the ticket. It stands under the line, in every report and in "
            "the admin's log, with your name."
        ),
        most=MAX_NOTE_LENGTH,
    )


class WithdrawForm(forms.Form):
    note = note_field(
        label=gettext_lazy("Why it no longer holds"),
        help_text=gettext_lazy("It is kept with your name, beside the attestation, and in the admin's log."),
        most=MAX_NOTE_LENGTH,
    )


class NameStep(ABC):
    """What such a step is called, when it can be taken, and how."""

    name: ClassVar[str]
    title: ClassVar[_StrPromise]
    form: ClassVar[type[forms.Form]]

    @abstractmethod
    def check(self, line: Standing) -> None:
        """Raises: NotNow when it cannot be taken"""

    @abstractmethod
    def shown(self, line: Standing, account: Account) -> str:
        """Return a fingerprint of what the person agrees to: a form that was made for something else is not taken."""

    @abstractmethod
    def take(self, line: Standing, account: Account, note: str, actor: Any) -> str:
        """Take it and return the words for the admin's log. Raises: ValueError with a sentence about the note"""

    @abstractmethod
    def told(self, line: Standing) -> str:
        """Say that it was taken."""


class AttestStep(NameStep):
    name = "attest"
    title = gettext_lazy("Attest")
    form = AttestForm

    def check(self, line: Standing) -> None:
        if line.is_attested and line.signoff:
            # The name does not come first: Django begins every message with a capital.
            words = {"name": line.signoff.signed_by_name, "line": line.item.id}
            raise NotNow(_("“%(line)s” is attested by %(name)s already. Nothing was done.") % words)
        if not line.statement:
            raise NotNow(_("Nothing of “%(line)s” needs a person now. Nothing was done.") % {"line": line.item.id})

    def shown(self, line: Standing, account: Account) -> str:
        told = json.dumps([line.item.id, line.statement, configuration_of(account)], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()

    def take(self, line: Standing, account: Account, note: str, actor: Any) -> str:
        signoff = attest(account, line.item.id, statement=line.statement, note=note, actor=actor)
        return _("Attested %(line)s: %(note)s") % {"line": line.item.id, "note": signoff.note}

    def told(self, line: Standing) -> str:
        return _("Your name stands under “%(line)s” now.") % {"line": line.item.title}


class WithdrawStep(NameStep):
    name = "withdraw"
    title = gettext_lazy("Withdraw attestation")
    form = WithdrawForm

    def check(self, line: Standing) -> None:
        if line.signoff is None:
            words = _("No attestation stands under “%(line)s” now: it may be withdrawn already. Nothing was done.")
            raise NotNow(words % {"line": line.item.id})

    def shown(self, line: Standing, account: Account) -> str:
        return str(line.signoff.pk) if line.signoff else ""

    def take(self, line: Standing, account: Account, note: str, actor: Any) -> str:
        if line.signoff is None or not withdraw(line.signoff, note=note, actor=actor):
            raise NotNow(_("That was withdrawn in the meantime. Nothing was done."))
        line.signoff.refresh_from_db()
        return _("Attestation of %(line)s by %(name)s withdrawn: %(note)s") % {
            "line": line.item.id,
            "name": line.signoff.signed_by_name,
            "note": line.signoff.withdrawal_note,
        }

    def told(self, line: Standing) -> str:
        name = line.signoff.signed_by_name if line.signoff else ""
        return _("The attestation of %(name)s is withdrawn.") % {"name": name}


ATTEST, WITHDRAW = AttestStep(), WithdrawStep()
