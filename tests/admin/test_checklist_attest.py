"""Names under the checklist's lines: what is attested, who may, what is refused and told, and what is written."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_flowlix.models import ChecklistRun, ChecklistSignoff
from tests.admin.checked import (
    CHECKLIST,
    RUNS,
    STATEMENT,
    a_foreign_line,
    a_line,
    a_name,
    a_run,
    attest_page,
    finding,
    line_in,
    words,
)
from tests.admin.people import messages_of, someone, told
from tests.admin.reading import own_queries, text_of
from tests.admin.rows import NOON
from tests.conftest import TEST_KEY, FakeClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("emulator")]
ATTEST, WITHDRAW = attest_page("pci-scope"), attest_page("pci-scope", "withdraw")
HERE = f"{CHECKLIST}?account=default"
BACK = f"{HERE}#line-pci-scope"
NAME = "attester view_checklistrun attest_checklist"


@pytest.fixture(autouse=True)
def noon(fake_clock: FakeClock) -> FakeClock:
    fake_clock.current = NOON
    return fake_clock


@pytest.fixture
def attester() -> Client:
    return someone("attester", "view_checklistrun", "attest_checklist")


@pytest.fixture
def run() -> ChecklistRun:
    return a_run(a_line("pci-scope", finding("person", "A program cannot see.")), a_line("https", finding("warn")))


def shown_in(text: str) -> str:
    (shown,) = re.findall(r'name="shown" value="([^"]*)"', text)
    return str(shown)


def form_of(client: Client, address: str, note: str = "I looked at every template.") -> dict[str, str]:
    """What the form of a page would send."""
    return {"shown": shown_in(text_of(client, address)), "note": note}


def content(text: str) -> str:
    return words(text[text.index('id="content"') :])


def errors_in(text: str) -> list[str]:
    return [words(error) for error in re.findall(r'<ul class="errorlist"[^>]*>(.*?)</ul>', text, re.DOTALL)]


def test_the_page_says_what_exactly_is_attested_and_what_that_means(attester: Client, run: ChecklistRun) -> None:
    with CaptureQueriesContext(connection) as queries:
        page = content(text := text_of(attester, ATTEST))

    assert f"What you attest with your name, {NAME} : {STATEMENT} Account default Mode test Contract eu" in page
    assert "Shop's address http://127.0.0.1:8000 What the program saw A program cannot see. What it means" in page
    assert "It holds for this key, this contract, these addresses of gateway and shop, and these words." in page
    assert re.search(r'<label for="id_note"[^>]*>How you know:</label>', text)
    assert re.search(r'<input type="text" name="note"[^>]* maxlength="500"[^>]* required', text)
    assert "Such as who looked, when, and the number of the ticket." in page
    assert f'href="{BACK}" class="closelink"' in text
    assert len(own_queries(queries)) == 3
    assert not ChecklistSignoff.objects.exists(), "to look is not to do"


def test_several_statements_are_attested_together(attester: Client) -> None:
    a_run(a_line("pci-scope", finding("person"), finding("person", "Nor this.", "The second.")))
    text = text_of(attester, ATTEST)
    attester.post(ATTEST, form_of(attester, ATTEST))

    (quoted,) = re.findall(r"<blockquote.*?</blockquote>", text, re.DOTALL)
    assert re.findall(r"<p>(.*?)</p>", quoted) == [STATEMENT, "The second."]
    assert ChecklistSignoff.objects.get().statement == f"{STATEMENT}\nThe second."


def test_a_name_is_put_under_a_line_and_taken_away_again(attester: Client, run: ChecklistRun) -> None:
    response = attester.post(ATTEST, form_of(attester, ATTEST, "  Looked at <every> template. "), follow=True)

    assert response.redirect_chain == [(BACK, 302)]
    assert messages_of(response) == ["success: Your name stands under “Cards are entered on the hosted page only” now."]
    assert line_in(response.content.decode(), "pci-scope").startswith("pass ")
    signoff = ChecklistSignoff.objects.get()
    assert (signoff.item, signoff.statement, signoff.note) == ("pci-scope", STATEMENT, "Looked at <every> template.")
    assert (signoff.signed_by_name, signoff.signed_at, signoff.withdrawn_at) == (NAME, NOON, None)
    assert (signoff.account, signoff.contract, signoff.livemode) == ("default", "eu", False)

    page = content(text_of(attester, WITHDRAW))
    assert f"What {NAME} attested on 2026-03-14 12:00 UTC: {STATEMENT} The note: Looked at <every> template." in page
    assert "The line needs a person again" in page
    response = attester.post(WITHDRAW, form_of(attester, WITHDRAW, "It was another branch."), follow=True)

    assert response.redirect_chain == [(BACK, 302)]
    assert messages_of(response) == [f"success: The attestation of {NAME} is withdrawn."]
    assert line_in(response.content.decode(), "pci-scope").startswith("needs a person ")
    signoff.refresh_from_db()
    assert (signoff.withdrawn_by_name, signoff.withdrawn_at) == (NAME, NOON)
    assert signoff.withdrawal_note == "It was another branch."
    assert signoff.note == "Looked at <every> template.", "nothing is deleted"


def test_both_stand_in_the_admins_log(attester: Client, run: ChecklistRun) -> None:
    newest = a_run(a_line("https", finding("pass")), is_whole=False, started_at=NOON.replace(hour=13))
    attester.post(ATTEST, form_of(attester, ATTEST, "Looked."))
    attester.post(WITHDRAW, form_of(attester, WITHDRAW, "Did\u202e not."))

    entries = LogEntry.objects.order_by("pk")
    assert [(entry.object_id, entry.get_change_message()) for entry in entries] == [
        (str(newest.pk), "Attested pci-scope: Looked."),
        (str(newest.pk), f"Attestation of pci-scope by {NAME} withdrawn: Did\\u202e not."),
    ]
    assert "Attested pci-scope: Looked." in text_of(attester, f"{RUNS}{newest.pk}/history/")


@pytest.mark.parametrize(
    ("note", "error"),
    [
        ("", "This field is required."),
        ("   ", "This field is required."),
        ("x" * 501, "Write at most 500 characters."),
        ("card 4242 4242 4242 4242", "Write no card number and no key: notes are kept and shown."),
        (f"key {TEST_KEY}", "Write no card number and no key: notes are kept and shown."),
    ],
    ids=["none", "blanks", "too long", "card number", "key"],
)
@pytest.mark.parametrize("step", ["attest", "withdraw"])
def test_a_note_that_will_not_do_is_said_at_the_field(
    attester: Client, run: ChecklistRun, step: str, note: str, error: str
) -> None:
    if step == "withdraw":
        a_name("pci-scope")
    address = attest_page("pci-scope", step)
    response = attester.post(address, form_of(attester, address, note))

    assert response.status_code == 200
    text = response.content.decode()
    assert errors_in(text) == [error]
    assert "<title>Error: " in text
    assert 'aria-describedby="id_note_helptext' in text
    assert ChecklistSignoff.objects.filter(withdrawn_at__isnull=True).count() == (step == "withdraw")
    assert not LogEntry.objects.exists()


def test_a_statement_that_has_changed_meanwhile_is_not_attested(attester: Client, run: ChecklistRun) -> None:
    sent = form_of(attester, ATTEST, "I looked at the old one.")
    a_run(a_line("pci-scope", finding("person", "", "No card is stored.")), started_at=NOON.replace(hour=13))
    response = attester.post(ATTEST, sent)
    text = response.content.decode()

    assert response.status_code == 200
    assert "What this page is about has changed in the meantime: read it again. Nothing was done." in content(text)
    assert "No card is stored." in content(text)
    assert 'value="I looked at the old one."' in text
    assert not ChecklistSignoff.objects.exists()

    attester.post(ATTEST, {"shown": shown_in(text), "note": "I looked at the new one."})
    assert ChecklistSignoff.objects.get().statement == "No card is stored."


@pytest.mark.parametrize(
    "change", [{"SECRET_KEY": f"{TEST_KEY}New"}, {"CONTRACT": "dev"}, {"BASE_URL": "http://localhost"}]
)
def test_nothing_is_attested_for_a_configuration_that_was_not_shown(
    attester: Client, run: ChecklistRun, settings: Any, change: dict[str, str]
) -> None:
    sent = form_of(attester, ATTEST)
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | change}
    a_run(a_line("pci-scope", finding("person")))
    response = attester.post(ATTEST, sent)

    assert "has changed in the meantime" in content(response.content.decode())
    assert not ChecklistSignoff.objects.exists()


@pytest.mark.parametrize("shown", [None, "", "0" * 64])
def test_a_form_that_showed_nothing_is_not_taken(attester: Client, run: ChecklistRun, shown: str | None) -> None:
    response = attester.post(ATTEST, {"note": "Blind."} | ({"shown": shown} if shown is not None else {}))

    assert "has changed in the meantime" in content(response.content.decode())
    assert not ChecklistSignoff.objects.exists()


def test_where_a_name_stands_already_that_is_told(attester: Client, run: ChecklistRun) -> None:
    sent = form_of(attester, ATTEST)
    a_name("pci-scope")
    for response in (attester.post(ATTEST, sent, follow=True), attester.get(ATTEST, follow=True)):
        assert response.redirect_chain == [(HERE, 302)]
        assert messages_of(response) == ["warning: “pci-scope” is attested by berta already. Nothing was done."]

    assert ChecklistSignoff.objects.count() == 1
    assert not LogEntry.objects.exists()


def test_sending_twice_writes_once(attester: Client, run: ChecklistRun) -> None:
    sent = form_of(attester, ATTEST)
    attester.post(ATTEST, sent)
    response = attester.post(ATTEST, sent, follow=True)

    assert messages_of(response)[-1].startswith(f"warning: “pci-scope” is attested by {NAME} already.")
    assert ChecklistSignoff.objects.count() == 1


def test_after_a_name_has_expired_there_is_room_for_another(attester: Client, run: ChecklistRun) -> None:
    a_name("pci-scope", api_key_fingerprint="0" * 16)
    page = content(text_of(attester, ATTEST))
    attester.post(ATTEST, form_of(attester, ATTEST))

    assert (
        "All attestations of this line berta · 2026-03-14 12:00 UTC · test · eu · expired: the key has changed" in page
    )
    assert line_in(text_of(attester, CHECKLIST), "pci-scope").startswith("pass ")


def test_a_second_withdrawal_is_told_and_changes_nothing(attester: Client, run: ChecklistRun) -> None:
    a_name("pci-scope")
    sent = form_of(attester, WITHDRAW, "the first")
    attester.post(WITHDRAW, sent)
    response = attester.post(WITHDRAW, sent | {"note": "the second"}, follow=True)

    assert messages_of(response)[-1] == (
        "warning: No attestation stands under “pci-scope” now: it may be withdrawn already. Nothing was done."
    )
    assert ChecklistSignoff.objects.get().withdrawal_note == "the first"
    assert LogEntry.objects.count() == 1


def test_another_name_than_the_one_shown_is_not_withdrawn(attester: Client, run: ChecklistRun) -> None:
    a_name("pci-scope", statement="An older one.")
    sent = form_of(attester, WITHDRAW, "of the older one")
    a_name("pci-scope", at=NOON.replace(hour=13), signed_by_name="carl")
    response = attester.post(WITHDRAW, sent)

    assert "has changed in the meantime" in content(response.content.decode())
    assert "What carl attested" in content(response.content.decode())
    assert not ChecklistSignoff.objects.filter(withdrawn_at__isnull=False).exists()


def test_a_name_can_be_withdrawn_when_its_line_needs_nobody_or_has_no_run(attester: Client) -> None:
    a_name("pci-scope")
    response = attester.post(WITHDRAW, form_of(attester, WITHDRAW, "There was never a run."), follow=True)

    assert messages_of(response) == ["success: The attestation of berta is withdrawn."]
    assert ChecklistSignoff.objects.get().withdrawal_note == "There was never a run."


@pytest.mark.parametrize(
    ("item", "answer"),
    [
        ("https", "Nothing of “https” needs a person now. Nothing was done."),
        ("clock", "Nothing of “clock” needs a person now. Nothing was done."),
        ("no-such-line", "The checklist has no line “no-such-line”. Nothing was done."),
    ],
    ids=["warns", "not looked at", "unknown"],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_only_what_needs_a_person_can_be_attested(
    attester: Client, run: ChecklistRun, method: str, item: str, answer: str
) -> None:
    response = getattr(attester, method)(attest_page(item), {"note": "x"} if method == "post" else None, follow=True)

    assert response.redirect_chain[-1] == (HERE, 302)
    assert messages_of(response) == [f"warning: {answer}"]
    assert not ChecklistSignoff.objects.exists()


@pytest.mark.parametrize("outcome", ["fail", "warn"])
def test_a_line_that_fails_besides_cannot_be_attested_away(attester: Client, outcome: str) -> None:
    a_run(a_line("pci-scope", finding("person"), finding(outcome)))

    assert told(attester.get(ATTEST)) == HERE
    assert "/attest/" not in text_of(attester, CHECKLIST)


def test_a_line_that_was_registered_no_more_is_told(attester: Client) -> None:
    with a_foreign_line():
        a_run(a_line("stock-reserved", finding("person")))
        assert attester.get(attest_page("stock-reserved")).status_code == 200
    (message,) = messages_of(attester.get(attest_page("stock-reserved"), follow=True))
    assert "has no line “stock-reserved”" in message


def test_no_other_account_takes_the_place_of_one_that_is_not_there(attester: Client, run: ChecklistRun) -> None:
    sent = form_of(attester, ATTEST)
    response = attester.post(attest_page("pci-scope", alias="second"), sent, follow=True)

    assert response.redirect_chain == [(CHECKLIST, 302)]
    (message,) = messages_of(response)
    assert message.startswith("warning: FLOWLIX has no account 'second'")
    assert not ChecklistSignoff.objects.exists()


def test_wrong_settings_are_told(attester: Client, run: ChecklistRun, settings: Any) -> None:
    settings.FLOWLIX = {}
    response = attester.get(ATTEST, follow=True)

    assert "FLOWLIX is not set." in messages_of(response)[0]


def test_each_account_is_attested_for_itself(attester: Client, settings: Any) -> None:
    default = settings.FLOWLIX["default"]
    settings.FLOWLIX = {"default": default, "second": default | {"SECRET_KEY": f"{TEST_KEY}Too"}}
    for alias in ("default", "second"):
        a_run(a_line("pci-scope", finding("person")), alias=alias)
    address = attest_page("pci-scope", alias="second")
    response = attester.post(address, form_of(attester, address))

    assert response["Location"] == f"{CHECKLIST}?account=second#line-pci-scope"
    assert ChecklistSignoff.objects.get().account == "second"
    assert line_in(text_of(attester, CHECKLIST), "pci-scope").startswith("needs a person")


@pytest.mark.parametrize(
    ("who", "codenames", "expected"),
    [
        ("stranger", [], "login"),
        ("customer", ["view_checklistrun", "attest_checklist"], "login"),
        ("staff", ["view_checklistrun"], "403"),
        ("staff", ["attest_checklist"], "403"),
        ("staff", ["view_payment", "hold_payment"], "403"),
        ("staff", ["view_checklistrun", "attest_checklist"], "200"),
        ("superuser", [], "200"),
    ],
)
def test_who_may_attest_and_withdraw(
    run: ChecklistRun, superuser: Client, who: str, codenames: list[str], expected: str
) -> None:
    client = someone(who, *codenames)
    sent = form_of(superuser, ATTEST)
    assert told(client.get(ATTEST)) == expected
    posted = told(client.post(ATTEST, sent))
    assert posted == (BACK if expected == "200" else expected)
    assert ChecklistSignoff.objects.exists() == (expected == "200")

    ChecklistSignoff.objects.all().delete()
    a_name("pci-scope")
    sent = form_of(superuser, WITHDRAW)
    assert told(client.get(WITHDRAW)) == expected
    assert told(client.post(WITHDRAW, sent)) == posted
    assert ChecklistSignoff.objects.filter(withdrawn_at__isnull=False).exists() == (expected == "200")


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
@pytest.mark.parametrize("address", [ATTEST, WITHDRAW])
def test_other_methods_are_refused(attester: Client, run: ChecklistRun, method: str, address: str) -> None:
    assert getattr(attester, method)(address).status_code == 405


def test_a_form_from_elsewhere_is_refused(run: ChecklistRun, superuser: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = superuser.cookies

    assert strict.post(ATTEST, form_of(superuser, ATTEST)).status_code == 403
    assert not ChecklistSignoff.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_it_steps_out_of_a_transaction_around_the_request(
    run: ChecklistRun, attester: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong while the answer is made: what the person decided is in the database."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    sent = form_of(attester, ATTEST)
    monkeypatch.setattr(
        "django_flowlix.admin.attest.HttpResponseRedirect", lambda *_: (_ for _ in ()).throw(RuntimeError("no answer"))
    )
    attester.raise_request_exception = False

    assert attester.post(ATTEST, sent).status_code == 500
    assert ChecklistSignoff.objects.count() == 1


def test_others_words_are_text_here_too(attester: Client) -> None:
    hostile = '<script>alert("1")</script>'
    a_run(a_line("pci-scope", finding("person", hostile, hostile)))
    a_name("pci-scope", note=hostile, statement=hostile, signed_by_name=hostile, base_url="https://old.example")
    for address in (ATTEST, WITHDRAW):
        assert hostile not in text_of(attester, address)
