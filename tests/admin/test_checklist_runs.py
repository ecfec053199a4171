"""The runs of the checklist in the admin: the list, a run's page as it was, the file, and who may see them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_flowlix.checklist import Outcome
from django_flowlix.models import ChecklistRun
from tests.admin.checked import (
    CHECKLIST,
    RUNS,
    a_foreign_line,
    a_line,
    a_run,
    attest_page,
    finding,
    line_in,
    lines_in,
    outcomes_in,
    tally_in,
    words,
)
from tests.admin.people import messages_of, someone, told
from tests.admin.reading import own_queries, text_of
from tests.admin.rows import NOON
from tests.conftest import TEST_KEY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("emulator")]
HOSTILE = '<script>alert("1")</script> ' + "word" * 400


@pytest.fixture
def reader() -> Client:
    """Staff who may look at the checklist and at nothing else."""
    return someone("reader", "view_checklistrun")


@pytest.fixture
def two_accounts(settings: Any) -> None:
    default = settings.FLOWLIX["default"]
    settings.FLOWLIX = {"default": default, "second": default | {"SECRET_KEY": f"{TEST_KEY}Too", "CONTRACT": "eu"}}


def a_mixed_run(**changes: Any) -> ChecklistRun:
    return a_run(
        a_line("minor-units", finding("pass", "Amounts are integers.")),
        a_line(
            "retry-5xx",
            finding("fail", "RETRY_BUDGET is 1 s.", "Set RETRY_BUDGET to 20."),
            finding("note", "It is read from the environment."),
        ),
        a_line("https", finding("warn", "HSTS is off.", "Set SECURE_HSTS_SECONDS.")),
        a_line("pci-scope", finding("person", "A program cannot see.", "Cards are entered elsewhere.")),
        a_line("clock", finding("skip", "Not looked at: run flowlix_check --network.", stage="")),
        **changes,
    )


def cells(text: str, column: str) -> list[str]:
    return [words(cell) for cell in re.findall(rf'<t[hd] class="field-{column}[^"]*">(.*?)</t[hd]>', text, re.DOTALL)]


def test_the_newest_come_first_with_all_that_tells_them_apart(reader: Client) -> None:
    a_mixed_run(hours_ago=2, ran_by="deploy", version="1.3.0", stages=("static", "network"))
    a_run(a_line("https", finding("pass")), livemode=True, is_whole=False)
    text = text_of(reader, RUNS)

    assert cells(text, "started") == ["2026-03-14 12:00 UTC", "2026-03-14 10:00 UTC"]
    assert cells(text, "mode") == ["LIVE", "test"]
    assert cells(text, "outcomes") == ["pass 1", "fail 1 warn 1 needs a person 1 skip 1 pass 1"]
    assert cells(text, "extent") == ["static · only some lines", "static, network"]
    assert cells(text, "ran_by") == ["anna", "deploy"]
    assert cells(text, "version") == ["1.4.0", "1.3.0"]
    assert cells(text, "contract") == ["eu", "eu"]
    assert f'<a href="{CHECKLIST}">Go-live checklist</a>' in text


def test_times_are_utc_whatever_the_project_has(reader: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    run = a_run(a_line("https", finding("pass")))

    assert cells(text_of(reader, RUNS), "started") == ["2026-03-14 12:00 UTC"]
    page = words(text_of(reader, f"{RUNS}{run.pk}/change/"))
    assert "Go-live checklist run: default · 2026-03-14 12:00 UTC" in page
    assert "Run at 2026-03-14 12:00:00 UTC" in page


def test_the_page_and_its_runs_have_one_name_each(reader: Client) -> None:
    run = a_run(a_line("https", finding("pass")))
    index, runs, one = (text_of(reader, page) for page in ("/admin/", RUNS, f"{RUNS}{run.pk}/change/"))

    assert "Go-live checklist runs" in words(index)
    assert "Go-live checklist runs" in words(runs)
    assert "Go-live checklist" in re.findall(r"<a [^>]*>([^<]*)</a>", one)
    for page in (index, runs, one, text_of(reader, CHECKLIST)):
        assert not re.search("of the checklist|checklist as it stands", words(page), re.IGNORECASE)


def test_the_list_costs_the_same_however_many_runs_there_are(reader: Client) -> None:
    for number in range(30):
        a_run(a_line("https", finding("pass")), a_line("clock", finding("fail")), hours_ago=number)
    with CaptureQueriesContext(connection) as queries:
        text = text_of(reader, RUNS)

    assert cells(text, "outcomes") == ["fail 1 pass 1"] * 30
    assert len(own_queries(queries)) == 3


def test_runs_are_filtered_by_account_where_there_are_several(reader: Client, two_accounts: None) -> None:
    a_run(a_line("https", finding("pass")))
    a_run(a_line("https", finding("pass")), alias="second", hours_ago=1)

    assert cells(text_of(reader, RUNS), "account") == ["default", "second"]
    assert cells(text_of(reader, RUNS, {"account": "second"}), "account") == ["second"]
    (message,) = messages_of(reader.get(RUNS, {"account": "third"}, follow=True))
    assert "has no choice “third”" in message


def test_a_single_account_needs_no_filter(reader: Client) -> None:
    a_run(a_line("https", finding("pass")))
    text = text_of(reader, RUNS)

    assert cells(text, "account") == []
    assert "changelist-filter" not in text


@pytest.mark.parametrize("query", [{"ran_by": "anna"}, {"results__findings__contains": "1"}])
def test_other_columns_are_no_filters(reader: Client, query: dict[str, str]) -> None:
    assert reader.get(RUNS, query).status_code in (302, 400)


def test_a_run_is_shown_as_it_was(reader: Client) -> None:
    run = a_mixed_run()
    with CaptureQueriesContext(connection) as queries:
        text = text_of(reader, f"{RUNS}{run.pk}/change/")

    assert len([sql for sql in own_queries(queries) if "content_type" not in sql]) == 2
    assert tally_in(text) == {"fail": "1", "warn": "1", "needs a person": "1", "skip": "1", "pass": "1"}
    assert outcomes_in(text) == {
        "minor-units": "pass",
        "retry-5xx": "fail",
        "https": "warn",
        "pci-scope": "needs a person",
        "clock": "skip",
    }
    assert line_in(text, "retry-5xx") == (
        "fail A 5xx is retried after 1 s, 2 s and 4 s under the same key "
        "RETRY_BUDGET is 1 s. What to do: Set RETRY_BUDGET to 20. It is read from the environment. "
        "retry-5xx About this line : A 5xx is retried after 1 s, 2 s and 4 s under the same key"
    )
    assert "To attest: Cards are entered elsewhere." in line_in(text, "pci-scope")
    assert 'reference/checklist.html#retry-5xx"' in text
    page = words(text[text.index('id="content"') :])
    assert "TEST With a test key" in page
    assert "Run at 2026-03-14 12:00:00 UTC Run by anna Account default Mode test Contract eu" in page
    assert "Shop's address http://127.0.0.1:8000 How far static Version 1.4.0" in page
    assert "Attest" not in re.sub("To attest", "", page)
    assert re.findall(r'<h2 id="section-([^"]*)">', text) == [
        "api-integration",
        "error-handling",
        "security",
        "installation",
    ]


def test_a_live_run_is_told_from_a_test_run(reader: Client) -> None:
    run = a_run(a_line("https", finding("pass")), livemode=True, is_whole=False, ran_by="")
    page = words(text_of(reader, f"{RUNS}{run.pk}/change/"))

    assert "LIVE With the live key: real cards, real money" in page
    assert "Run by - Account" in page
    assert "static · only some lines" in page


def test_what_was_attested_then_stays_attested(reader: Client) -> None:
    said = "Attested by berta on 2026-03-14 11:00 UTC: Looked at every template."
    run = a_run(a_line("pci-scope", finding("person"), outcome=Outcome.PASS, attestation=said))
    text = line_in(text_of(reader, f"{RUNS}{run.pk}/change/"), "pci-scope")

    assert text.startswith("pass ")
    assert "Attested: Cards are entered on the hosted page only. Attested by berta" in text
    assert said in text


def test_a_line_that_is_no_longer_registered_stays_in_its_run(reader: Client) -> None:
    with a_foreign_line():
        run = a_run(a_line("stock-reserved", finding("warn", "One shelf is not.", "Reserve it.")))
        address = f"{RUNS}{run.pk}/change/"
        before = text_of(reader, address)
    text = text_of(reader, address)

    assert lines_in(before) == lines_in(text) == ["stock-reserved"]
    assert line_in(text, "stock-reserved").startswith("warn Stock is reserved One shelf is not.")
    assert 'href="https://shop.example/stock"' in text
    assert "stock-reserved" not in lines_in(text_of(reader, CHECKLIST))


def test_what_others_wrote_is_text(reader: Client) -> None:
    line = a_line("other-line", finding("fail", HOSTILE, HOSTILE), title=HOSTILE[:255], docs_url="javascript:alert(1)")
    run = a_run(line, ran_by="<b>anna</b>")
    text = text_of(reader, f"{RUNS}{run.pk}/change/")

    assert HOSTILE.split(" ")[0] not in text
    assert "javascript:" not in text
    assert "<b>anna" not in text + text_of(reader, RUNS)


def test_the_file_is_one_to_keep(reader: Client) -> None:
    run = a_mixed_run()
    response = reader.get(f"{RUNS}{run.pk}/report/")

    assert response.status_code == 200
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="flowlix-check-default-2026-03-14-1200.html"'
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["X-Content-Type-Options"] == "nosniff"
    file = response.content.decode()
    assert file.startswith("<!doctype html>")
    assert "RETRY_BUDGET is 1 s." in file
    assert f'href="{RUNS}{run.pk}/report/" download' in text_of(reader, f"{RUNS}{run.pk}/change/")


def test_an_account_cannot_write_the_files_header(reader: Client) -> None:
    run = a_run(a_line("https", finding("pass")), account='a"b/ü')
    header = reader.get(f"{RUNS}{run.pk}/report/")["Content-Disposition"]

    assert header == "attachment; filename*=utf-8''flowlix-check-a%22b/%C3%BC-2026-03-14-1200.html"


@pytest.mark.parametrize("run", ["999999", "99999999999999999999999999", "0"])
def test_a_run_that_is_not_there_has_no_file(reader: Client, run: str) -> None:
    assert reader.get(f"{RUNS}{run}/report/").status_code == 404


def addresses(run: ChecklistRun) -> list[str]:
    return [RUNS, f"{RUNS}{run.pk}/change/", f"{RUNS}{run.pk}/report/", f"{RUNS}{run.pk}/history/", CHECKLIST]


@pytest.mark.parametrize(
    ("who", "codenames", "expected"),
    [
        ("stranger", [], ["login"] * 5),
        ("customer", ["view_checklistrun", "attest_checklist"], ["login"] * 5),
        ("staff", [], ["403"] * 5),
        ("staff", ["view_payment", "view_alert", "attest_checklist"], ["403"] * 5),
        ("staff", ["view_checklistrun"], ["200"] * 5),
        ("superuser", [], ["200"] * 5),
    ],
)
def test_who_may_see_them(who: str, codenames: list[str], expected: list[str]) -> None:
    run = a_mixed_run()
    client = someone(who, *codenames)

    assert [told(client.get(address)) for address in addresses(run)] == expected


def test_nobody_adds_changes_or_deletes_one(superuser: Client) -> None:
    run = a_mixed_run()

    assert superuser.get(f"{RUNS}add/").status_code == 403
    assert superuser.get(f"{RUNS}{run.pk}/delete/").status_code == 403
    assert superuser.post(f"{RUNS}{run.pk}/change/", {"ran_by": "nobody"}).status_code == 403
    assert ChecklistRun.objects.get().ran_by == "anna"


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_pages_that_show_do_nothing_else(superuser: Client, method: str) -> None:
    run = a_mixed_run()
    for address in (CHECKLIST, f"{RUNS}{run.pk}/report/"):
        assert getattr(superuser, method)(address).status_code == 405


def monitoring(text: str) -> list[tuple[str, str]]:
    block = re.search(r"<caption>Monitoring</caption>.*?</table>", text, re.DOTALL)
    rows = re.findall(r'<a href="([^"]*)">(Go-live checklist.*?)</tr>', block.group(), re.DOTALL) if block else []
    return [(address, words(row)) for address, row in rows]


ROW = "Go-live checklist: what was found, line by line"


def test_the_apps_page_says_how_it_stands(reader: Client) -> None:
    address = f"{CHECKLIST}?account=default"
    assert monitoring(text_of(reader, "/admin/django_flowlix/")) == [
        (address, f"{ROW} test never run with these settings")
    ]
    a_mixed_run()
    assert monitoring(text_of(reader, "/admin/django_flowlix/")) == [(address, f"{ROW} test 1 line fails")]
    assert monitoring(text_of(someone("other", "view_alert"), "/admin/django_flowlix/")) == []


def test_the_apps_page_has_a_row_for_each_account(reader: Client, two_accounts: None) -> None:
    a_run(a_line("https", finding("warn")), a_line("clock", finding("warn")))
    a_run(a_line("https", finding("person")), alias="second", started_at=NOON - timedelta(days=1))
    with CaptureQueriesContext(connection) as queries:
        text = text_of(reader, "/admin/django_flowlix/")

    assert [row for _, row in monitoring(text)] == [
        f"{ROW} (default) test 2 lines warn",
        f"{ROW} (second) test 1 line needs a person",
    ]
    assert len([sql for sql in own_queries(queries) if "checklist" in sql]) == 4


def test_the_apps_page_stands_with_wrong_settings(reader: Client, settings: Any) -> None:
    settings.FLOWLIX = {"default": {"SECRET_KEY": "nonsense"}}
    assert monitoring(text_of(reader, "/admin/django_flowlix/")) == [(CHECKLIST, f"{ROW} wrong settings")]


def test_the_attesting_pages_are_not_taken_for_runs(superuser: Client) -> None:
    a_run(a_line("pci-scope", finding("person")))
    assert "What you attest" in text_of(superuser, attest_page("pci-scope"))
