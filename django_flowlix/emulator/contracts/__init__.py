"""The published contracts, by name; what differs between them stands in one module per contract."""

from __future__ import annotations

from .base import Contract
from .dev import DevContract
from .eu import EuContract

CONTRACTS: dict[str, type[Contract]] = {contract.name: contract for contract in (EuContract, DevContract)}


def contract_named(name: str) -> Contract:
    """Return a contract.

    Raises: ValueError naming the contracts there are.
    """
    if name not in CONTRACTS:
        raise ValueError(f"unknown contract {name!r}: choose one of {', '.join(CONTRACTS)}")
    return CONTRACTS[name]()
