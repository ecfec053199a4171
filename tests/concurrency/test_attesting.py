"""Several people attest or withdraw the same line of the checklist at the same moment: one of them does."""

from __future__ import annotations

from functools import partial

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import ChecklistSignoff
from tests.admin.checked import CHECKLIST, a_line, a_name, a_run, attest_page, finding
from tests.admin.people import someone, told
from tests.admin.test_checklist_attest import form_of

from .conftest import Workers

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 4


def people() -> list[Client]:
    return [someone(f"attester {number}", "view_checklistrun", "attest_checklist") for number in range(PEOPLE)]


@pytest.mark.parametrize("step", ["attest", "withdraw"])
def test_of_many_at_once_one_does_it(emulator: EmulatorServer, workers: Workers, step: str) -> None:
    a_run(a_line("pci-scope", finding("person")))
    if step == "withdraw":
        a_name("pci-scope")
    address = attest_page("pci-scope", step)
    posts = [partial(client.post, address, form_of(client, address)) for client in people()]

    answers = sorted(told(response) for response in workers.together(*posts))
    assert answers == [f"{CHECKLIST}?account=default"] * (PEOPLE - 1) + [f"{CHECKLIST}?account=default#line-pci-scope"]
    assert ChecklistSignoff.objects.count() == 1
    assert LogEntry.objects.count() == 1
