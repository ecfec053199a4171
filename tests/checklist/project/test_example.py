"""The example shop, in the repository that it is developed in, breaks none of these lines."""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.checklist import Outcome

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "item_id",
    ["secret-key-server-side", "webhooks-verified", "card-numbers-not-logged", "pci-scope", "error-types"],
)
def test_it_has_nothing_to_mend(look: Any, item_id: str) -> None:
    line = look(item_id)
    assert line.outcome in (Outcome.PASS, Outcome.SKIP), line.findings


def test_plain_http_is_all_that_it_is_warned_of(look: Any) -> None:
    assert look("https").outcome is Outcome.WARN
