"""`seed_shop`: fill the shelves, and with `--admin` make sure that somebody can log in to the admin."""

from __future__ import annotations

import os
import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandParser

from ...catalogue import fill_shelves


class Command(BaseCommand):
    help = "Puts the demo's products on the shelves; with --admin also sets up the login `admin`."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--admin",
            action="store_true",
            help="create the superuser `admin`, or give it a new password: DJANGO_SUPERUSER_PASSWORD or a random one",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{fill_shelves()} products are on the shelves.")
        if options["admin"]:
            given = os.environ.get("DJANGO_SUPERUSER_PASSWORD")
            password = given or secrets.token_urlsafe(12)
            set_admin_password(password)
            self.stdout.write(f"Admin login: admin{'' if given else f', password {password}'}")


def set_admin_password(password: str) -> None:
    """Create the superuser `admin` with this password, or give it to the one that is there."""
    user, _ = get_user_model().objects.get_or_create(username="admin")
    user.is_staff = user.is_superuser = user.is_active = True
    user.set_password(password)
    user.save()
