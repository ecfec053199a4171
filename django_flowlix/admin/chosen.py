"""Which payments a request names, and to which of our own pages it leads back."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.contrib.admin import AdminSite
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from ..models import Payment

MOST_AT_ONCE = 100

_KEY = re.compile(r"[0-9]{1,18}")


class NotChosen(ValueError):  # noqa: N818  it is an answer to a person, not a fault
    """The request names no payments, or too many; the text is a sentence for the person."""


def check_keys(keys: Sequence[str]) -> None:
    """Refuse what is not the form of a primary key, before a database meets it. Raises: NotChosen"""
    if not all(map(_KEY.fullmatch, keys)):
        raise NotChosen(_("That is not the key of a payment. Nothing was done."))


def named(keys: Sequence[str], among: QuerySet[Payment]) -> list[Payment]:
    """Return the payments of these primary keys, the newest first. Raises: NotChosen"""
    check_keys(keys)
    distinct = set(map(int, keys))
    if len(distinct) > MOST_AT_ONCE:
        raise _too_many()
    return ticked(among.filter(pk__in=distinct).order_by("-created_at", "-pk"))


def ticked(payments: QuerySet[Payment]) -> list[Payment]:
    """Return the payments that were ticked in the list, in its order. Raises: NotChosen"""
    found = list(payments[: MOST_AT_ONCE + 1])
    if not found:
        raise NotChosen(_("No payment was chosen. Nothing was done."))
    if len(found) > MOST_AT_ONCE:
        raise _too_many()
    return found


def _too_many() -> NotChosen:
    return NotChosen(_("At most %(most)s payments at once: choose fewer. Nothing was done.") % {"most": MOST_AT_ONCE})


def way_back(request: HttpRequest, site: AdminSite, otherwise: str = "") -> str:
    """Return the page that the request asks to lead back to (`next`) if it is the list or a payment's page.

    If not: `otherwise`, or the list.
    """
    payments = reverse("admin:django_flowlix_payment_changelist", current_app=site.name)
    asked = request.POST.get("next") or request.GET.get("next") or ""
    # The path is compared as a whole: a browser would follow dots, and read a backslash as a slash.
    path, _mark, _query = asked.partition("?")
    ours = re.fullmatch(rf"{re.escape(payments)}(?:[0-9]+/change/)?", path)
    return asked if ours and asked.isprintable() else otherwise or payments
