"""A customer for the emulator's hosted page, which is on this machine: pays with a test card and comes back.

Against the gateway itself a person does that.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import requests
from django.test import Client
from django.urls import get_script_prefix

from ...api.transport import is_loopback
from ...conf import Account

_TIMEOUT_SECONDS = 15


def is_emulated(account: Account) -> bool:
    """Tell whether the account's gateway is an emulator on this machine, by its control address."""
    url = account.api_url or account.contract.api_url
    if account.livemode or not is_loopback(urlsplit(url).hostname or ""):
        return False
    try:
        with _session() as session:
            answer = session.get(f"{url}/_emulator/", timeout=_TIMEOUT_SECONDS)
            return answer.status_code == 200 and answer.json()["contract"] == account.contract_name
    except (requests.RequestException, ValueError, KeyError, TypeError):
        return False


def pay(hosted_page_url: str, number: str, year: int) -> str:
    """Fill in the page's form; returns where it leads the customer, "" when it does not lead anywhere."""
    form = {"holder_name": "Flowlix Check", "number": number, "expiry": f"12/{year}", "cvc": "123", "action": "pay"}
    try:
        with _session() as session:
            answer = session.post(hosted_page_url, data=form, timeout=_TIMEOUT_SECONDS, allow_redirects=False)
            return answer.headers.get("Location", "") if answer.status_code == 303 else ""
    except requests.RequestException:
        return ""


def come_back(url: str) -> tuple[int, str]:
    """Open the shop's return address in this process, through its middleware and URLs; returns status and redirect."""
    parts = urlsplit(url)
    client = Client(raise_request_exception=False, headers={"host": parts.netloc})
    path = f"/{parts.path.removeprefix(get_script_prefix())}"
    response = client.get(f"{path}?{parts.query}", secure=parts.scheme == "https")
    return response.status_code, response.headers.get("Location", "")


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a proxy of the environment has no business on this machine's own ports
    return session
