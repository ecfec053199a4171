"""Who knocks at an address of the admin, and what they are told."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client


def someone(who: str, *codenames: str) -> Client:
    """Return a client of a stranger, a customer, the superuser, or of staff with these permissions."""
    client = Client()
    if who == "stranger":
        return client
    if who == "superuser":
        client.force_login(get_user_model().objects.create_superuser("the superuser"))
        return client
    user = get_user_model().objects.create_user(f"{who} {' '.join(codenames)}"[:150], is_staff=who != "customer")
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return client


def told(response: Any) -> str:
    """Return "login", the status, or where a redirect leads."""
    location = response.headers.get("Location", "")
    if location.startswith("/admin/login/"):
        return "login"
    return location or str(response.status_code)


def messages_of(response: Any) -> list[str]:
    """Return the messages on a page, each with its level."""
    return [f"{message.level_tag}: {message}" for message in response.context["messages"]]
