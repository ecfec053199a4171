"""Which name stands under a line that a program cannot tell, and what it is worth today.

An attestation holds for the configuration and the words it was given for: with another key, contract, address of
the gateway or the shop, or another statement, it is over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from ..api.redaction import mask, one_line
from ..conf import Account
from ..models import ChecklistSignoff
from ..services import clock

MAX_NOTE_LENGTH = 500


def configuration_of(account: Account) -> dict[str, Any]:
    """Return the columns that tell which configuration a result or an attestation is about."""
    return {
        "account": account.alias,
        "contract": account.contract_name,
        "livemode": account.livemode,
        "api_key_fingerprint": account.api_key_fingerprint,
        "api_url": (account.api_url or account.contract.api_url)[:255],
        "base_url": account.base_url[:255],
    }


def attest(account: Account, item: str, *, statement: str, note: str, actor: Any) -> ChecklistSignoff:
    """Put a person's name under a line. Raises: ValueError with a sentence about the note or the statement"""
    if not statement:
        raise ValueError("Nothing of this line needs a person now: run flowlix_check again.")
    note = _checked(note)
    with transaction.atomic():
        return ChecklistSignoff.objects.create(
            **configuration_of(account),
            item=item,
            statement=statement,
            note=note,
            signed_by=actor,
            signed_by_name=actor.get_username()[:150],
            signed_at=clock.now(),
        )


def withdraw(signoff: ChecklistSignoff, *, note: str, actor: Any) -> bool:
    """Take a name away again; False when that has been done before. Raises: ValueError about the note"""
    note = _checked(note)
    standing = ChecklistSignoff.objects.filter(pk=signoff.pk, withdrawn_at__isnull=True)
    return bool(
        standing.update(
            withdrawn_at=clock.now(),
            withdrawn_by=actor,
            withdrawn_by_name=actor.get_username()[:150],
            withdrawal_note=note,
        )
    )


def signoffs(account: Account) -> Mapping[str, ChecklistSignoff]:
    """Return the name that stands under each line, whatever it is still worth. One statement."""
    names = {item: latest_of(history) for (_, item), history in histories([account]).items()}
    return {item: signoff for item, signoff in names.items() if signoff is not None}


def histories(accounts: Iterable[Account]) -> Mapping[tuple[str, str], Sequence[ChecklistSignoff]]:
    """Return all names there ever were by account and line, the earliest first. One statement."""
    found: defaultdict[tuple[str, str], list[ChecklistSignoff]] = defaultdict(list)
    ours = ChecklistSignoff.objects.filter(account__in=[account.alias for account in accounts])
    for signoff in ours.order_by("signed_at", "pk"):
        found[signoff.account, signoff.item].append(signoff)
    return found


def latest_of(history: Sequence[ChecklistSignoff]) -> ChecklistSignoff | None:
    """Return the name that stands: the latest. Where that was withdrawn none does, no earlier one comes back."""
    return history[-1] if history and history[-1].withdrawn_at is None else None


def why_expired(signoff: ChecklistSignoff, account: Account, statement: str) -> str:
    """Say why an attestation does not hold for this configuration and statement any more, "" while it does."""
    is_now = configuration_of(account)
    changed = {name for name, value in is_now.items() if getattr(signoff, name) != value}
    if "contract" in changed:
        return f"the contract was {signoff.contract} and is {account.contract_name}"
    if "livemode" in changed:
        return "the mode has changed"
    if "api_key_fingerprint" in changed:
        return "the key has changed"
    if "api_url" in changed:
        return f"the gateway's address was {signoff.api_url} and is {is_now['api_url']}"
    if "base_url" in changed:
        return f"the shop's address was {signoff.base_url} and is {account.base_url}"
    return "" if signoff.statement == statement else "what is to be attested has changed"


def words_of(signoff: ChecklistSignoff) -> str:
    """Say who attested when, and the note."""
    return f"Attested by {signoff.signed_by_name} on {signoff.signed_at:%Y-%m-%d %H:%M} UTC: {signoff.note}"


def _checked(note: str) -> str:
    """Return a note in one line. Raises: ValueError when it says nothing, is too long or holds a secret"""
    note = note.strip()
    if not note:
        raise ValueError("Write how you know.")
    if len(note) > MAX_NOTE_LENGTH:
        raise ValueError(f"Write at most {MAX_NOTE_LENGTH} characters.")
    if mask(note) != note:
        raise ValueError("Write no card number and no key: notes are kept and shown.")
    return one_line(note, MAX_NOTE_LENGTH)
