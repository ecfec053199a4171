"""pci-scope and error-types, as far as the project's own source says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_flowlix.checklist import Finding, Outcome
from django_flowlix.checklist.project import contents
from django_flowlix.models import ApiCall
from tests.checklist.project.conftest import Project

Findings = Callable[[str], list[Finding]]
SERVICES = "from django_flowlix.services import {}\n"


def counted(findings: list[Finding]) -> list[tuple[Outcome, str]]:
    return [
        (found.outcome, found.looked_at)
        for found in findings
        if found.outcome is not Outcome.NOTE and "Rehearsed" not in found.looked_at
    ]


def notes(findings: list[Finding]) -> list[str]:
    return [found.looked_at for found in findings if found.outcome is Outcome.NOTE]


def a_call(**changes: Any) -> None:
    values = {"account": "default", "livemode": True, "operation": "create_direct", "try_number": 1, "duration_ms": 9}
    ApiCall.objects.create(**values | {"outcome": "ok", "api_key_fingerprint": "0" * 16} | changes)


# --- pci-scope -----------------------------------------------------------------------------------------------


def test_a_project_that_touches_no_card(findings: Findings, project: Project) -> None:
    project.write("shop/views.py")
    project.write("shop/templates/shop/pay.html", '<form><input name="email"></form>')
    found = findings("pci-scope")
    ((outcome, words),) = counted(found)
    assert outcome is Outcome.PASS
    assert words.endswith("Python files (1 searched) and pages and scripts (1 searched).")
    assert notes(found) == ["No direct payment in live mode is on record."]


def test_no_source_is_no_proof(findings: Findings, project: Project) -> None:
    project.write("README.md")
    assert [outcome for outcome, _ in counted(findings("pci-scope"))] == [Outcome.SKIP]


@pytest.mark.parametrize(("mode", "outcome"), [("live_key", Outcome.FAIL), ("test_key", Outcome.WARN)])
@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "shop/pay.py",
            "\nclient.create_direct_payment(body=b)\n",
            "create_direct_payment() is called: shop/pay.py:2.",
        ),
        (
            "templates/pay.html",
            '<input autocomplete="cc-number">',
            "There are fields for card data: templates/pay.html:1.",
        ),
        (
            "shop/forms.py",
            "class F(Form):\n    cvc = CharField()\n",
            "There are fields for card data: shop/forms.py:2.",
        ),
    ],
)
def test_a_project_that_touches_cards(
    findings: Findings,
    project: Project,
    request: pytest.FixtureRequest,
    mode: str,
    outcome: Outcome,
    name: str,
    text: str,
    words: str,
) -> None:
    request.getfixturevalue(mode)
    project.write(name, text)
    assert counted(findings("pci-scope")) == [(outcome, words)]


def test_a_direct_payment_on_record_fails(findings: Findings, project: Project) -> None:
    project.write("shop/views.py")
    a_call()
    found = [words for outcome, words in counted(findings("pci-scope")) if outcome is Outcome.FAIL]
    assert len(found) == 1
    assert found[0].startswith("Card data was sent to the gateway directly, in live mode, the last time on 20")


@pytest.mark.parametrize("changes", [{"livemode": False}, {"account": "berlin"}, {"operation": "create_hosted"}])
def test_other_calls_do_not(findings: Findings, project: Project, changes: dict[str, Any]) -> None:
    project.write("shop/views.py")
    a_call(**changes)
    assert [outcome for outcome, _ in counted(findings("pci-scope"))] == [Outcome.PASS]


def test_what_could_not_be_parsed_is_noted(findings: Findings, project: Project) -> None:
    project.write("shop/views.py")
    project.write("shop/old.py", "print 'card'\n")
    for item_id in ("pci-scope", "error-types"):
        assert "Could not be read as Python: shop/old.py." in notes(findings(item_id))


def test_what_could_not_be_read_is_skipped(
    findings: Findings, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "PIECE_BYTES", 100)
    project.write("shop/views.py", "from django_flowlix.views import HostedPaymentView\n")
    project.write("shop/big.py", "x = 1\n" * 100)
    for item_id in ("pci-scope", "error-types"):
        assert (Outcome.SKIP, "Not searched: shop/big.py.") in counted(findings(item_id))


# --- error-types ---------------------------------------------------------------------------------------------


def test_the_view_answers_for_the_project(findings: Findings, project: Project) -> None:
    project.write("shop/views.py", "from django_flowlix.views import HostedPaymentView\n")
    assert counted(findings("error-types")) == [
        (Outcome.PASS, "HostedPaymentView is used: it answers every error of a start.")
    ]


def test_a_call_that_catches_passes(findings: Findings, project: Project) -> None:
    project.write(
        "shop/views.py",
        SERVICES.format("start_payment") + "try:\n    start_payment(x)\nexcept PaymentError:\n    pass\n",
    )
    assert counted(findings("error-types")) == [
        (Outcome.PASS, "Every call of a service catches what can come: shop/views.py:3.")
    ]


def test_a_call_that_catches_nothing_is_warned_of(findings: Findings, project: Project) -> None:
    project.write("shop/views.py", SERVICES.format("refund_payment") + "\nrefund_payment(x)\n")
    assert counted(findings("error-types")) == [
        (
            Outcome.WARN,
            "shop/views.py:3 uses refund_payment() and does not catch InvalidRefundRequest, RefundRejected.",
        )
    ]


def test_the_view_does_not_answer_for_a_loose_call(findings: Findings, project: Project) -> None:
    project.write("shop/views.py", "from django_flowlix.views import HostedPaymentView\n")
    project.write("shop/tasks.py", SERVICES.format("sync_payment") + "sync_payment(x)\n")
    assert [outcome for outcome, _ in counted(findings("error-types"))] == [Outcome.WARN, Outcome.PASS]


def test_calls_in_tests_are_no_customers(findings: Findings, project: Project) -> None:
    project.write("tests/test_pay.py", SERVICES.format("start_payment") + "start_payment(x)\n")
    assert [outcome for outcome, _ in counted(findings("error-types"))] == [Outcome.SKIP]


def test_many_loose_calls_are_counted(findings: Findings, project: Project) -> None:
    project.write("shop/views.py", SERVICES.format("start_payment") + "start_payment(x)\n" * 12)
    found = counted(findings("error-types"))
    assert [outcome for outcome, _ in found] == [Outcome.WARN] * 11
    assert found[-1][1] == "2 more calls are like that."


def test_whoever_calls_a_function_may_answer_for_it(findings: Findings, project: Project) -> None:
    function = "def {}(order):\n    start_payment(order)\n    start_payment(order)\n"
    project.write("shop/tasks.py", SERVICES.format("start_payment") + function.format("pay") + function.format("retry"))
    found = [finding for finding in findings("error-types") if finding.outcome is Outcome.PERSON]
    (person,) = found
    assert person.to_do == (
        "Whoever calls these functions answers every PaymentError and FlowlixError that comes out of them: "
        "pay() in shop/tasks.py, retry() in shop/tasks.py."
    )
    assert person.looked_at == (
        "A function leaves what can come out of a service to whoever calls it: "
        "shop/tasks.py:3, shop/tasks.py:4, shop/tasks.py:6, shop/tasks.py:7."
    )
    assert [outcome for outcome, _ in counted(findings("error-types"))] == [Outcome.PERSON]


def test_the_statement_stays_when_lines_move(findings: Findings, project: Project) -> None:
    text = SERVICES.format("start_payment") + "def pay(order):\n    start_payment(order)\n"
    statements = []
    for above in ("", "# One line more\n"):
        project.write("shop/tasks.py", above + text)
        statements.append([finding.to_do for finding in findings("error-types") if finding.outcome is Outcome.PERSON])
    assert statements[0] == statements[1] != []


def test_what_a_view_hands_on_is_warned_of(findings: Findings, project: Project) -> None:
    project.write(
        "shop/views.py",
        "from django_flowlix.services import refund_payment, start_payment\n"
        "def pay(request):\n    try:\n        start_payment(x)\n    except PaymentError:\n        pass\n"
        "    on_commit(partial(refund_payment, p))\n",
    )
    assert counted(findings("error-types")) == [
        (
            Outcome.WARN,
            "shop/views.py:7 uses refund_payment() and does not catch InvalidRefundRequest, RefundRejected.",
        )
    ]
