"""The published contracts by name. A new one is a module beside these and a line here."""

from __future__ import annotations

from .base import Contract, MalformedObjectError
from .dev import DevContract
from .eu import EuContract

CONTRACTS: dict[str, Contract] = {contract.name: contract for contract in (EuContract(), DevContract())}

__all__ = ["CONTRACTS", "Contract", "MalformedObjectError"]
