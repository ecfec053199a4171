"""`manage.py flowlix_emulator`: the local gateway, with the same options as `python -m django_flowlix.emulator`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...emulator.command_line import EmulatorError, add_options, run


class Command(BaseCommand):
    help = "Runs a local Flowlix gateway for development, with a hosted payment page and faults on demand."
    # The emulator knows nothing of the project, so a broken project must not keep it from starting.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run(options)
        except EmulatorError as error:
            raise CommandError(str(error)) from error
