"""The text for a terminal: what it says, how wide it is, and that nothing in it depends on colour."""

from __future__ import annotations

import re

import pytest
from django.core.management.color import make_style

from django_flowlix.checklist.findings import Outcome
from django_flowlix.checklist.report import Report
from django_flowlix.checklist.reports.text_report import render
from tests.checklist.reports.examples import (
    A_FAILURE,
    A_PASS,
    A_PERSON,
    A_SKIP,
    HOSTILE,
    a_line,
    a_report,
    every_outcome,
    finding,
    hostile,
)

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
EXPECTED = """\
Flowlix go-live checklist
  Account   default
  Contract  eu
  Mode      test
  Gateway   https://api.flowlix.eu
  Shop      https://shop.example.com
  Version   django-flowlix 1.2.3
  Stages    static, network
  Lines     all 6
  Run by    ada@build-7
  Run at    2026-01-31 08:05:07 UTC, 2 s

Integration
  PASS    The line key-from-environment [key-from-environment]
          - The key comes from FLOWLIX_SECRET_KEY, and none of 412 files holds
            one. The key comes from FLOWLIX_SECRET_KEY, and none of 412 files
            holds one. The key comes from FLOWLIX_SECRET_KEY, and none of 412
            files holds one. The key comes from FLOWLIX_SECRET_KEY, and none …
          - Note: The file .env is not under version control.
  WARN    The line decline-texts [decline-texts]
          - The code try_again_later has no text of its own.
            → Write one in your translations, or leave the general one and say
              so to your support staff.
          - Pass: Texts of 31 decline codes were looked at.
          https://docs.example.com/checklist.html#decline-texts

Security
  FAIL    HTTPS everywhere: the API, the shop, its cookies, its proxy, and
          whatever else a customer may come across [https]
          - SESSION_COOKIE_SECURE is False in
            /srv/shop/releases/2026-01-31T08-00-00/shop/settings/production_with_a_long_name.py:118,
            so the session's cookie travels in the clear whenever a customer
            follows an old link.
            → Set SESSION_COOKIE_SECURE = True.
          - Warn: SECURE_HSTS_SECONDS is 0.
            → Set it to 3600, and to a year when nothing is missed.
          - Pass: The API is asked over TLS.
          https://docs.example.com/checklist.html#https
  PASS    The line pci-scope [pci-scope]
          - Person: No form of the project asks for a card.
            → Attested: Cards are entered on the hosted page only.
          Attested by ada on 2026-01-30 09:00 UTC: read through every template
          of the shop

Installation
  SKIP    The line gateway-reachable [gateway-reachable]
          - Not looked at: it is looked at over the network: run flowlix_check
            --network.
          https://docs.example.com/checklist.html#gateway-reachable
  PERSON  The line first-transactions-watched [first-transactions-watched]
          - 12 payments were made.
            → To attest: Somebody watched the first transactions as they came
              in.
          Attested by ada on 2026-01-02 09:00 UTC: watched. That is over: the
          key has changed.
          https://docs.example.com/checklist.html#first-transactions-watched

6 lines: 1 FAIL, 1 WARN, 1 PERSON, 1 SKIP, 2 PASS
1 line fails: mend it, then check again.
1 line warns: mend it before customers come.
1 line needs a person: attest it in the admin, under Go-live checklist.
1 line was skipped: it says why.
This was test mode: check again with the live key before real customers come.
"""


def test_a_report_with_every_outcome_reads_like_this() -> None:
    assert render(every_outcome()) == EXPECTED


def test_colours_add_nothing_that_could_not_be_read_without() -> None:
    coloured = render(every_outcome(), style=make_style("dark"))

    assert COLOUR.sub("", coloured) == EXPECTED
    assert coloured != EXPECTED


@pytest.mark.parametrize(
    ("palette", "word"),
    [("dark", "\x1b[31;1m  FAIL "), ("light", "\x1b[31;1m  FAIL "), ("error=magenta", "\x1b[35m  FAIL ")],
)
def test_the_colours_are_those_of_djangos_palettes(palette: str, word: str) -> None:
    assert word in render(every_outcome(), style=make_style(palette))


def test_a_palette_without_colours_is_respected() -> None:
    assert render(every_outcome(), style=make_style("nocolor")) == EXPECTED


@pytest.mark.parametrize("width", [50, 60, 80, 120])
def test_no_line_is_wider_than_the_page_but_for_addresses_and_paths(width: int) -> None:
    findings = [finding(outcome, "x" * 300 + " word" * 60, "y" * 200 + " do it" * 40) for outcome in Outcome]
    line = a_line("long", Outcome.FAIL, *findings, title="z" * 200, section_title="s" * 200, attestation="a" * 300)
    report = a_report(line, *every_outcome().lines, account="b" * 64, ran_by="c" * 150)

    lines = COLOUR.sub("", render(report, width=width, style=make_style("dark"))).splitlines()

    assert {line.strip().partition(" ")[0] for line in lines if len(line) > width and "/" not in line} == set()


def test_a_long_word_is_broken_and_a_path_is_not() -> None:
    path = "/srv/" + "directory/" * 12 + "settings.py:7,"
    text = render(a_report(a_line("long", Outcome.FAIL, finding(Outcome.FAIL, f"{path} {'x' * 100}"))))

    assert f"\n          - {path}\n            {'x' * 68}\n            {'x' * 32}\n" in text


def test_a_pass_is_cut_unless_all_is_asked_for() -> None:
    report = a_report(a_line("long", Outcome.PASS, finding(Outcome.PASS, "word " * 100 + "end.")))

    assert "end." not in render(report)
    assert render(report).count("word") > 50
    assert "word end.\n" in render(report, is_whole=True)


def test_a_request_id_is_never_cut_away() -> None:
    seen = "word " * 100 + "(request req_8k2Lm)."
    assert "req_8k2Lm)." in render(a_report(a_line("long", Outcome.PASS, finding(Outcome.PASS, seen))))


def test_an_id_stands_whole_beside_its_line_and_the_lines_keep_the_width() -> None:
    item = "x" * 31 + "-" + "y" * 32
    text = render(a_report(a_line(item, Outcome.PASS, finding(Outcome.PASS, "Seen."), title="word " * 14)))

    assert f"[{item}]\n" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_live_mode_is_said_in_words() -> None:
    text = render(every_outcome(livemode=True))

    assert "  Mode      LIVE: real money\n" in text
    assert "This was test mode" not in text


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (a_report(A_PASS, A_PASS, livemode=True), ["All 2 lines pass."]),
        (a_report(A_PASS, livemode=True, is_whole=False), ["Only a part of the checklist was looked at."]),
        (a_report(A_FAILURE, A_FAILURE, livemode=True), ["2 lines fail: mend them, then check again."]),
        (
            a_report(A_PERSON, A_PERSON, livemode=True),
            ["2 lines need a person: attest them in the admin, under Go-live checklist."],
        ),
        (a_report(A_SKIP, A_SKIP, A_SKIP, livemode=True), ["3 lines were skipped: each says why."]),
        (
            a_report(A_PASS),
            ["All 1 line pass.", "This was test mode: check again with the live key before real customers come."],
        ),
    ],
)
def test_the_end_says_what_to_do_next(report: Report, said: list[str]) -> None:
    foot = render(report).rstrip("\n").rpartition("\n\n")[2]
    assert foot.splitlines()[1:] == said


def test_a_part_of_the_checklist_is_called_one() -> None:
    assert "  Lines     1, a part of the checklist\n" in render(a_report(A_PASS, is_whole=False))


def test_nobody_known_is_said() -> None:
    assert "  Run by    unknown\n" in render(a_report(A_PASS, ran_by=""))


def test_hostile_text_moves_no_cursor_and_turns_no_direction() -> None:
    text = render(hostile())

    assert set(re.findall(r"[\x00-\x1f\x7f-\x9f\u202e\ud800]", text)) == {"\n"}
    assert "\\x1b[31m" in text  # shown for what it is
    assert text.encode()
    assert HOSTILE not in text
