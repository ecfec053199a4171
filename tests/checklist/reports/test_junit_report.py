"""JUnit's XML for build servers: what passes, fails and is skipped there, and that hostile text stays text."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from django_flowlix.checklist.findings import Outcome
from django_flowlix.checklist.report import Report
from django_flowlix.checklist.reports.junit_report import render
from tests.checklist.reports.examples import A_FAILURE, A_WARNING, a_line, a_report, every_outcome, finding, hostile


def read(report: Report) -> ET.Element:
    return ET.fromstring(render(report).encode())


def case(report: Report, item: str) -> ET.Element:
    (found,) = (each for each in read(report).iter("testcase") if each.get("name") == item)
    return found


def test_every_section_is_a_suite_and_every_line_a_case() -> None:
    found = {
        suite.get("name"): [(each.get("classname"), each.get("name")) for each in suite.iter("testcase")]
        for suite in read(every_outcome()).iter("testsuite")
    }

    assert found == {
        "Integration": [
            ("flowlix.integration", "key-from-environment"),
            ("flowlix.integration", "decline-texts"),
        ],
        "Security": [("flowlix.security", "https"), ("flowlix.security", "pci-scope")],
        "Installation": [
            ("flowlix.installation", "gateway-reachable"),
            ("flowlix.installation", "first-transactions-watched"),
        ],
    }


def test_the_figures_are_right() -> None:
    root = read(every_outcome())
    names = ("name", "tests", "failures", "errors", "skipped")

    assert [root.get(name) for name in (*names, "time")] == ["flowlix_check", "6", "1", "0", "2", "2.500"]
    assert [[suite.get(name) for name in names] for suite in root] == [
        ["Integration", "2", "0", "0", "0"],
        ["Security", "2", "1", "0", "0"],
        ["Installation", "2", "0", "0", "2"],
    ]
    assert {suite.get("timestamp") for suite in root} == {"2026-01-31T08:05:07"}


def test_what_was_run_stands_in_the_properties() -> None:
    suite = read(every_outcome(livemode=True)).find("testsuite")
    assert suite is not None
    assert {each.get("name"): each.get("value") for each in suite.iter("property")} == {
        "account": "default",
        "contract": "eu",
        "mode": "LIVE: real money",
        "gateway": "https://api.flowlix.eu",
        "shop": "https://shop.example.com",
        "version": "django-flowlix 1.2.3",
        "stages": "static, network",
        "lines": "all 6",
        "run_by": "ada@build-7",
        "run_at": "2026-01-31 08:05:07 UTC, 2 s",
    }


@pytest.mark.parametrize(
    ("item", "children"),
    [
        ("key-from-environment", ["system-out"]),
        ("decline-texts", ["system-out"]),
        ("https", ["failure"]),
        ("gateway-reachable", ["skipped", "system-out"]),
        ("first-transactions-watched", ["skipped", "system-out"]),
    ],
)
def test_the_outcome_is_what_a_build_server_takes_it_for(item: str, children: list[str]) -> None:
    assert [child.tag for child in case(every_outcome(), item)] == children


def test_a_failure_says_what_was_seen_and_everything_else() -> None:
    failure = case(a_report(A_FAILURE), "https").find("failure")
    assert failure is not None

    assert failure.get("message") == A_FAILURE.findings[2].looked_at
    assert failure.text == (
        "HTTPS everywhere: the API, the shop, its cookies, its proxy, and whatever else a customer may come across\n"
        f"FAIL: {A_FAILURE.findings[2].looked_at}\n"
        "→ Set SESSION_COOKIE_SECURE = True.\n"
        "WARN: SECURE_HSTS_SECONDS is 0.\n"
        "→ Set it to 3600, and to a year when nothing is missed.\n"
        "PASS: The API is asked over TLS.\n"
        "https://docs.example.com/checklist.html#https"
    )


def test_several_failures_of_one_line_are_all_in_the_message() -> None:
    line = a_line("two", Outcome.FAIL, finding(Outcome.FAIL, "One."), finding(Outcome.FAIL, "Two."))
    failure = case(a_report(line), "two").find("failure")

    assert failure is not None
    assert failure.get("message") == "One. Two."


def test_a_warning_passes_and_is_in_the_output() -> None:
    output = case(a_report(A_WARNING), "decline-texts").findtext("system-out")

    assert "WARN: The code try_again_later has no text of its own." in (output or "")


def test_what_needs_a_person_is_skipped_with_the_statement_to_attest() -> None:
    skipped = case(every_outcome(), "first-transactions-watched").find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "Needs a person: Somebody watched the first transactions as they came in."


def test_a_skipped_line_says_why() -> None:
    skipped = case(every_outcome(), "gateway-reachable").find("skipped")
    assert skipped is not None
    assert (skipped.get("message") or "").startswith("Not looked at: it is looked at over the network")


def test_an_attestation_is_in_the_output() -> None:
    output = case(every_outcome(), "pci-scope").findtext("system-out") or ""
    assert "Attested by ada on 2026-01-30 09:00 UTC: read through every template of the shop" in output


def test_hostile_text_stays_text() -> None:
    root = read(hostile())

    assert {each.tag for each in root.iter()} == {
        *("testsuites", "testsuite", "properties", "property", "testcase"),
        *("failure", "skipped", "system-out"),
    }
    (failure,) = root.iter("failure")
    shown = "<script>alert(1)</script> & \"quoted\" 'too' ]]> �\N{REPLACEMENT CHARACTER}�[31m�� {{ x }} {% y %} �evil"
    assert failure.get("message") == shown


def test_the_end_of_a_report_is_the_end_of_a_line() -> None:
    assert render(every_outcome()).startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ')
    assert render(every_outcome()).endswith("</testsuites>\n")
