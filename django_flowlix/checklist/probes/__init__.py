"""Who looks for the lines of the catalogue; importing this package gives each its probes."""

from __future__ import annotations

from . import cache, gateway, shop

__all__ = ["cache", "gateway", "shop"]
