"""The go-live checklist as a program, behind `manage.py flowlix_check` and the admin's page.

Third parties add lines with `register`; see docs/how-to/checklist-items.md.
"""

from __future__ import annotations

from . import catalogue  # noqa: F401  the gateway's own lines come first, whoever registers more
from .context import Context
from .findings import Finding, Outcome, failed, needs_person, noted, passed, skipped, warned
from .items import Item, Section, Stage, register

__all__ = [
    "Context",
    "Finding",
    "Item",
    "Outcome",
    "Section",
    "Stage",
    "failed",
    "needs_person",
    "noted",
    "passed",
    "register",
    "skipped",
    "warned",
]
