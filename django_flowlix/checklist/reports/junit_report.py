"""The report for build servers, as JUnit's XML.

JUnit knows tests that pass, fail, err or are skipped, and no warning. So a line that warns is a test that passes, with
the warning in its output, and one that needs a person is skipped, with the statement to attest. Who wants either to
stop a build says so to the command (`--fail-level`). Lines are not timed one by one: only the whole has a time.

Source: github.com/testmoapp/junitxml (what Jenkins, GitLab and their like read)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC
from xml.etree import ElementTree as ET

from ..findings import Finding, Outcome, statement_of
from ..report import Line, Report
from .wording import facts, legible, remedy_of, seconds_of, word_of, worst_first

_SKIPPED = (Outcome.SKIP, Outcome.PERSON)


def render(report: Report) -> str:
    """Write a report as one `testsuites` element: a suite for each section, a case for each line."""
    root = ET.Element("testsuites", _figures("flowlix_check", report.lines), time=f"{seconds_of(report):.3f}")
    for section, title, lines in report.sections():
        root.append(_suite(section, title, lines, report))
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{legible(text)}\n'


def _figures(name: str, lines: Sequence[Line]) -> dict[str, str]:
    outcomes = [line.outcome for line in lines]
    return {
        "name": name,
        "tests": str(len(outcomes)),
        "failures": str(outcomes.count(Outcome.FAIL)),
        "errors": "0",
        "skipped": str(sum(outcome in _SKIPPED for outcome in outcomes)),
    }


def _suite(section: str, title: str, lines: Sequence[Line], report: Report) -> ET.Element:
    started_at = report.started_at.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00")
    suite = ET.Element("testsuite", _figures(title, lines), timestamp=started_at, time="0")
    properties = ET.SubElement(suite, "properties")
    for name, value in facts(report):
        ET.SubElement(properties, "property", name=name.lower().replace(" ", "_"), value=value)
    for line in lines:
        suite.append(_case(section, line))
    return suite


def _case(section: str, line: Line) -> ET.Element:
    case = ET.Element("testcase", classname=f"flowlix.{section}", name=line.item, time="0")
    if line.outcome is Outcome.FAIL:
        ET.SubElement(case, "failure", message=_message(line), type="fail").text = _text(line)
        return case
    if line.outcome in _SKIPPED:
        ET.SubElement(case, "skipped", message=_message(line))
    ET.SubElement(case, "system-out").text = _text(line)
    return case


def _message(line: Line) -> str:
    """Return what a build server shows in its list: what was seen, or what a person has to attest."""
    if line.outcome is Outcome.PERSON:
        return f"Needs a person: {' '.join(statement_of(line.findings).split())}"
    return " ".join(finding.looked_at for finding in line.findings if finding.outcome is line.outcome)


def _text(line: Line) -> str:
    """Return all that is known of a line, a sentence in each."""
    findings = [sentence for finding in worst_first(line.findings) for sentence in _sentences(finding, line)]
    return "\n".join(filter(None, [line.title, *findings, line.attestation, line.docs_url]))


def _sentences(finding: Finding, line: Line) -> Iterator[str]:
    yield f"{word_of(finding.outcome)}: {finding.looked_at}"
    if remedy := remedy_of(finding, line):
        yield f"→ {remedy}"
