"""What arrived at the gateway, read from the emulator's own log and memory."""

from __future__ import annotations

from django_flowlix.emulator.server import EmulatorServer


def creates(emulator: EmulatorServer) -> list[tuple[str | None, str]]:
    """Return key and body of every create, in order."""
    return [(entry.idempotency_key, entry.body) for entry in emulator.log("create_hosted")]


def assert_one_payment(emulator: EmulatorServer) -> None:
    """P1: whatever was sent however often, it was one key, one body and at most one payment."""
    sent, made = set(creates(emulator)), emulator.payments()
    assert len(sent) == 1, sent
    assert len(made) == 1, made
