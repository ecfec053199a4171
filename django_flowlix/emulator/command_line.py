"""The command line of the emulator, shared by `python -m django_flowlix.emulator` and `manage.py flowlix_emulator`."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from typing import Any

DEFAULT_PORT = 8900


class EmulatorError(Exception):
    """The emulator cannot start; the message says why and what to do."""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--contract", default="eu", help="published contract to speak (default: eu)")
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"0 takes a free one (default: {DEFAULT_PORT})")
    parser.add_argument(
        "--accept-key",
        action="append",
        default=[],
        metavar="KEY",
        help="accept only this API key; may be repeated (default: every well-formed key)",
    )
    parser.add_argument(
        "--rate-limit", type=int, metavar="N", help="requests per minute and key (default: the contract's)"
    )
    parser.add_argument("--log-requests", action="store_true", help="print a line for every request")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m django_flowlix.emulator", description="A local Flowlix gateway.")
    add_options(parser)
    try:
        run(vars(parser.parse_args(arguments)))
    except EmulatorError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def run(options: dict[str, Any]) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises: EmulatorError for options that make no sense, a port that is taken, or without Flask.
    """
    try:
        _serve(options)
    except OSError as error:
        raise EmulatorError(f"{error.strerror}. Choose another port with --port, 0 for any free one.") from error
    except (ValueError, ModuleNotFoundError) as error:
        raise EmulatorError(str(error)) from error


def _serve(options: dict[str, Any]) -> None:
    # Not at the top: without Flask, the help text and a clear error must still work.
    from .server import EmulatorServer

    if options["log_requests"]:
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    server = EmulatorServer(
        options["contract"],
        host=options["host"],
        port=options["port"],
        accepted_keys=options["accept_key"],
        requests_per_minute=options["rate_limit"],
    )
    stopped = _stop_signal()
    with server:
        sys.stdout.write(f"Flowlix emulator ({options['contract']}) on {server.url}\n")
        sys.stdout.flush()
        stopped.wait()


def _stop_signal() -> threading.Event:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped
