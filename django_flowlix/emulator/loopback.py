"""Which host names mean this machine: where the emulator may listen, and by which names it may be asked."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
