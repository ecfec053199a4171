"""Some hours of payments and calls in test mode, and how the dashboard is read."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape

from tests.admin.rows import NOON
from tests.services.monitoring.happened import calls, payments, refund

DASHBOARD = "/admin/django_flowlix/alert/dashboard/"
DASH = "\N{EN DASH}"
SPACE = "\N{NO-BREAK SPACE}"


def ago(**age: float) -> datetime:
    return NOON - timedelta(**age)


def some_hours() -> None:
    """In test mode: 27 paid and 9 declined at 10:00, 2 paid and 1 declined at 11:30, 3 expired; 100 calls and more."""
    visa = {"card_brand": "visa", "card_country": "DE"}
    payments(23, "succeeded", ago(hours=2), **visa)
    payments(4, "succeeded", ago(hours=2), card_brand="mastercard", card_country="FR", currency="SEK")
    payments(6, "failed", ago(hours=2), decline_code="insufficient_funds", **visa)
    payments(3, "failed", ago(hours=2), decline_code="stolen_card", card_brand="mastercard", card_country="FR")
    paid = payments(2, "succeeded", ago(minutes=30), amount_minor=123_456, **visa)
    payments(1, "failed", ago(minutes=30), **visa)
    payments(3, "expired", ago(hours=5))
    refund(paid[0], "succeeded", ago(minutes=20), amount_minor=250)
    refund(paid[1], "failed", ago(minutes=20))
    calls(90, ago(hours=2), duration_ms=99)
    calls(4, ago(hours=2), http_status=503, outcome="unknown", duration_ms=2500)
    calls(2, ago(hours=3), http_status=429, outcome="error", duration_ms=99)
    calls(1, ago(hours=3), http_status=None, outcome="unknown", duration_ms=31_000, operation="refund")
    calls(3, ago(hours=3), http_status=None, outcome="not_sent", duration_ms=0)


def words_of(text: str) -> str:
    content = text[text.index('id="content"') :]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", content)).replace(SPACE, " ").split())


def headlines(text: str) -> dict[str, list[str]]:
    block = re.search(r'<dl class="flowlix-figures">.*?</dl>', text, re.DOTALL)
    assert block
    found = re.findall(r"<dt>(.*?)</dt>(.*?)</div>", block.group(), re.DOTALL)
    return {
        name: [unescape(cell).replace(SPACE, " ") for cell in re.findall(r"<dd[^>]*>(.*?)</dd>", cells)]
        for name, cells in found
    }


def table_of(text: str, picture: str) -> dict[str, list[str]]:
    figure = re.search(rf'<figure [^>]*id="flowlix-{picture}".*?</figure>', text, re.DOTALL)
    assert figure
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', figure.group(), re.DOTALL)
    return {name: unescape("|".join(re.findall(r"<td>(.*?)</td>", cells))).split("|") for name, cells in rows}


def rows_of(text: str, heading: str) -> list[list[str]]:
    section = re.search(rf"<h2[^>]*>{heading}</h2>.*?</section>", text, re.DOTALL)
    assert section
    body = section.group().partition("<tbody")[2]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[unescape(re.sub(r"<[^>]*>", "", cell)).replace(SPACE, " ").strip() for cell in row] for row in cells]
