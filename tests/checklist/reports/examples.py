"""Reports to look at: one with every outcome and long texts, and one with texts that would break out of any format."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django_flowlix.checklist.findings import Finding, Outcome
from django_flowlix.checklist.report import Line, Report

STARTED_AT = datetime(2026, 1, 31, 8, 5, 7, 250_000, tzinfo=UTC)
DOCS_URL = "https://docs.example.com/checklist.html"
HOSTILE = "<script>alert(1)</script> & \"quoted\" 'too' ]]> \x00\x08\x1b[31m\ud800\ufffe {{ x }} {% y %} \u202eevil"


def a_line(item: str, outcome: Outcome, *findings: Finding, section: str = "security", **changes: Any) -> Line:
    line = Line(
        item=item,
        title=f"The line {item}",
        section=section,
        section_title=section.capitalize(),
        docs_url=f"{DOCS_URL}#{item}",
        outcome=outcome,
        findings=findings,
    )
    return replace(line, **changes)


def finding(outcome: Outcome, looked_at: str, to_do: str = "", stage: str = "static") -> Finding:
    return Finding(outcome, looked_at, to_do, stage)


def a_report(*lines: Line, **changes: Any) -> Report:
    report = Report(
        account="default",
        contract="eu",
        livemode=False,
        api_key_fingerprint="0123456789abcdef",
        api_url="https://api.flowlix.eu",
        base_url="https://shop.example.com",
        version="1.2.3",
        stages=("static", "network"),
        is_whole=True,
        ran_by="ada@build-7",
        started_at=STARTED_AT,
        finished_at=STARTED_AT + timedelta(seconds=2.5),
        lines=lines,
    )
    return replace(report, **changes)


A_PASS = a_line(
    "key-from-environment",
    Outcome.PASS,
    finding(Outcome.PASS, "The key comes from FLOWLIX_SECRET_KEY, and none of 412 files holds one. " * 4),
    finding(Outcome.NOTE, "The file .env is not under version control."),
    section="integration",
)
AN_ATTESTED_PASS = a_line(
    "pci-scope",
    Outcome.PASS,
    finding(Outcome.PERSON, "No form of the project asks for a card.", "Cards are entered on the hosted page only."),
    attestation="Attested by ada on 2026-01-30 09:00 UTC: read through every template of the shop",
)
A_WARNING = a_line(
    "decline-texts",
    Outcome.WARN,
    finding(Outcome.PASS, "Texts of 31 decline codes were looked at."),
    finding(
        Outcome.WARN,
        "The code try_again_later has no text of its own.",
        "Write one in your translations, or leave the general one and say so to your support staff.",
    ),
    section="integration",
)
A_FAILURE = a_line(
    "https",
    Outcome.FAIL,
    finding(Outcome.PASS, "The API is asked over TLS."),
    finding(Outcome.WARN, "SECURE_HSTS_SECONDS is 0.", "Set it to 3600, and to a year when nothing is missed."),
    finding(
        Outcome.FAIL,
        "SESSION_COOKIE_SECURE is False in "
        "/srv/shop/releases/2026-01-31T08-00-00/shop/settings/production_with_a_long_name.py:118, "
        "so the session's cookie travels in the clear whenever a customer follows an old link.",
        "Set SESSION_COOKIE_SECURE = True.",
    ),
    title="HTTPS everywhere: the API, the shop, its cookies, its proxy, and whatever else a customer may come across",
)
A_SKIP = a_line(
    "gateway-reachable",
    Outcome.SKIP,
    finding(Outcome.SKIP, "Not looked at: it is looked at over the network: run flowlix_check --network.", stage=""),
    section="installation",
)
A_PERSON = a_line(
    "first-transactions-watched",
    Outcome.PERSON,
    finding(Outcome.PERSON, "12 payments were made.", "Somebody watched the first transactions as they came in."),
    attestation="Attested by ada on 2026-01-02 09:00 UTC: watched. That is over: the key has changed.",
    section="installation",
)
EVERY_OUTCOME = (A_PASS, A_WARNING, A_FAILURE, AN_ATTESTED_PASS, A_SKIP, A_PERSON)


def every_outcome(**changes: Any) -> Report:
    return a_report(*EVERY_OUTCOME, **changes)


def hostile() -> Report:
    """A report whose every text wants to break out of its place."""
    findings = [finding(outcome, HOSTILE, HOSTILE) for outcome in Outcome]
    texts = {"title": HOSTILE, "section_title": HOSTILE, "attestation": HOSTILE, "docs_url": f"{DOCS_URL}#{HOSTILE}"}
    lines = [a_line(f"line-{outcome}", outcome, *findings, **texts) for outcome in Outcome if outcome != "note"]
    return a_report(*lines, account=HOSTILE, ran_by=HOSTILE, api_url=HOSTILE, base_url=HOSTILE, version=HOSTILE)
