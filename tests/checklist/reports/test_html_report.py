"""The page for a ticket: it stands for itself, its policy holds its own style and nothing else, and text stays text."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from django_flowlix.checklist.findings import Outcome
from django_flowlix.checklist.report import Report
from django_flowlix.checklist.reports.html_report import policy, render
from tests.checklist.reports.examples import A_PASS, A_SKIP, a_line, a_report, every_outcome, finding, hostile

LOADING = {"src", "srcset", "href", "action", "data", "poster", "background", "style", "formaction", "ping"}


class Page(HTMLParser):
    """A page as a browser reads it: its elements with their attributes, and its text in order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page(report: Report) -> Page:
    return Page(render(report))


def test_the_policy_is_the_hash_of_the_one_style_and_forbids_the_rest() -> None:
    source = render(every_outcome())
    (style,) = re.findall(r"<style>(.*?)</style>", source, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (stated,) = (
        each["content"] for each in Page(source).all("meta") if each.get("http-equiv") == "Content-Security-Policy"
    )

    assert stated == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert stated == policy()


def test_nothing_is_loaded_and_nothing_runs() -> None:
    elements = page(every_outcome()).elements

    assert {name for name, _ in elements} & {"script", "link", "img", "iframe", "object", "form", "base"} == set()
    loading = [(name, key) for name, attributes in elements for key in attributes if key in LOADING]
    assert set(loading) == {("a", "href")}
    assert [key for _, attributes in elements for key in attributes if key.startswith("on")] == []
    assert "url(" not in render(every_outcome())
    assert "@import" not in render(every_outcome())


def test_the_page_says_what_was_run() -> None:
    text = page(every_outcome()).text

    for fact in (
        "Account default",
        "Contract eu",
        "Shop https://shop.example.com",
        "Version django-flowlix 1.2.3",
        "Stages static, network",
        "Lines all 6",
        "Run by ada@build-7",
        "Run at 2026-01-31 08:05:07 UTC, 2 s",
    ):
        assert fact in text


@pytest.mark.parametrize(("livemode", "shown"), [(True, "LIVE real money"), (False, "Test mode no real money")])
def test_the_mode_is_said_in_words(livemode: bool, shown: str) -> None:
    assert shown in page(every_outcome(livemode=livemode)).text


def test_the_title_names_account_mode_and_time() -> None:
    assert "Go-live checklist: default, LIVE, 2026-01-31 08:05:07 UTC" in page(every_outcome(livemode=True)).text


def test_every_line_is_there_with_its_outcome_in_words_and_as_a_sign() -> None:
    text = page(every_outcome()).text

    for shown in (
        "✓ PASS The line key-from-environment",
        "! WARN The line decline-texts",
        "✕ FAIL HTTPS everywhere: the API",
        "✓ PASS The line pci-scope",
        "\N{EN DASH} SKIP The line gateway-reachable",
        "? PERSON The line first-transactions-watched",
    ):
        assert shown in text


def test_findings_remedies_and_attestations_are_there() -> None:
    text = page(every_outcome()).text

    for shown in (
        "The code try_again_later has no text of its own. → Write one in your translations",
        "! WARN SECURE_HSTS_SECONDS is 0. → Set it to 3600",
        "i NOTE The file .env is not under version control.",
        "→ To attest: Somebody watched the first transactions as they came in.",
        "→ Attested: Cards are entered on the hosted page only.",
        "Attested by ada on 2026-01-30 09:00 UTC: read through every template of the shop",
        "1 line needs a person: attest it in the admin, under Go-live checklist.",
        "That is over: the key has changed.",
    ):
        assert shown in text


def test_the_counts_stand_on_top() -> None:
    text = page(every_outcome()).text
    assert "1 ✕ FAIL 1 ! WARN 1 ? PERSON 1 \N{EN DASH} SKIP 2 ✓ PASS" in text


def test_a_line_links_to_its_explanation() -> None:
    links = [each["href"] for each in page(every_outcome()).all("a")]

    assert "https://docs.example.com/checklist.html#https" in links
    assert [link for link in links if link is None or not link.startswith(("#section-", "https://"))] == []


def test_a_line_without_an_explanation_has_no_link() -> None:
    links = page(a_report(a_line("own", Outcome.PASS, finding(Outcome.PASS, "Seen."), docs_url=""))).all("a")
    assert [link["href"] for link in links] == ["#section-1"]


def test_every_link_within_the_page_leads_somewhere_and_no_id_is_there_twice() -> None:
    twice = a_line("again", Outcome.SKIP, *A_SKIP.findings, section="security", section_title="Another security")
    shown = page(a_report(*every_outcome().lines, twice))
    ids = [attributes["id"] for _, attributes in shown.elements if "id" in attributes]

    assert len(ids) == len(set(ids))
    assert {each["href"] for each in shown.all("a") if (each["href"] or "").startswith("#")} <= {
        f"#{id_}" for id_ in ids
    }
    assert {each["aria-labelledby"] for _, each in shown.elements if "aria-labelledby" in each} <= set(ids)


def test_hostile_text_stays_text() -> None:
    plain, attacked = page(a_report(*hostile().lines)), page(hostile())

    assert [name for name, _ in attacked.elements] == [name for name, _ in plain.elements]
    assert attacked.all("script") == []
    assert attacked.text.count("<script>alert(1)</script> & \"quoted\" 'too' ]]>") >= 80
    assert "{{ x }} {% y %}" in attacked.text
    assert re.findall(r"[\x00-\x08\x0b-\x1f\u202e\ud800\ufffe]", render(hostile())) == []
    assert "<script" not in render(hostile())


def test_the_settings_of_the_projects_templates_do_not_matter(settings: Any) -> None:
    before = render(a_report(A_PASS))
    settings.TEMPLATES = []
    settings.USE_THOUSAND_SEPARATOR = True

    assert render(a_report(A_PASS)) == before
