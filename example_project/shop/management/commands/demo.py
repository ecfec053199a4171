"""`demo`: open the example shop with everything it needs, or let it buy something by itself (`--smoke`)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...demo.performance import run_for_people, run_smoke
from ...demo.stage import CONTRACTS, DemoError


class Command(BaseCommand):
    help = "Starts the emulator, the shop and the background check, and stops them on Ctrl-C."
    requires_system_checks = []  # the children check themselves, in the environment that they really have

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, help="port of the shop, 8000 by default, any free one with --smoke")
        parser.add_argument(
            "--emulator-port", type=int, help="port of the emulator, 8900 by default, any free one with --smoke"
        )
        parser.add_argument(
            "--contract",
            choices=CONTRACTS,
            default=CONTRACTS[0],
            help="the gateway's contract: eu refunds in full and once, dev also in part (default eu)",
        )
        parser.add_argument(
            "--smoke",
            action="store_true",
            help="buy something in a temporary database, refund it, check the shop, and say whether all of that worked",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        run, ports = (run_smoke, (0, 0)) if options["smoke"] else (run_for_people, (8000, 8900))
        given = (options["port"], options["emulator_port"])
        shop_port, emulator_port = (
            default if port is None else port for port, default in zip(given, ports, strict=True)
        )
        try:
            run(shop_port, emulator_port, options["contract"], self._tell)
        except DemoError as error:
            raise CommandError(str(error)) from None

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
