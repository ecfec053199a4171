"""A customer made of code: opens pages over HTTP, fills in forms as a browser's autofill does, and presses buttons.

Staff are made of the same code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

_TIMEOUT_SECONDS = 30


@dataclass(slots=True)
class Form:
    """A form of a page: its values as they stand, and which field asks for what (`autocomplete`)."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    names_by_purpose: dict[str, str] = field(default_factory=dict)


class _PageReader(HTMLParser):
    """Collects a page's links by their text, and its forms.

    The first submit button of a form counts, as when a person presses Enter.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: dict[str, str] = {}
        self.forms: list[Form] = []
        self._address: str | None = None
        self._text = ""
        self._form: Form | None = None
        self._has_button = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "a":
            self._address, self._text = attributes.get("href", ""), ""
        elif tag == "form":
            self._form = Form(attributes.get("action", ""), attributes.get("method", "get").lower())
            self._has_button = False
            self.forms.append(self._form)
        elif self._form is not None and tag in ("input", "select", "textarea", "button"):
            self._read_control(self._form, tag, attributes)

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "a" and self._address is not None:
            self.links.setdefault(self._text.strip(), self._address)
            self._address = None

    def _read_control(self, form: Form, tag: str, attributes: dict[str, str]) -> None:
        kind = attributes.get("type", "submit" if tag == "button" else "text")
        name = attributes.get("name", "")
        if kind == "submit":
            if name and not self._has_button:
                form.values[name] = attributes.get("value", "")
            self._has_button = True
        elif name:
            form.values[name] = attributes.get("value", "")
            for purpose in attributes.get("autocomplete", "").split():
                form.names_by_purpose[purpose] = name


class Customer:
    """Keeps cookies and the page that is open."""

    def __init__(self, shop_url: str) -> None:
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the environment has no business on this machine's own ports
        self.url = shop_url
        self.page = ""

    def open(self, address: str) -> None:
        """Open an address. Raises: LookupError when the page is not there."""
        self._arrive(self._session.get(urljoin(self.url, address), timeout=_TIMEOUT_SECONDS))

    def follow(self, text: str) -> None:
        """Follow the first link with exactly this text. Raises: LookupError when there is none."""
        links = _PageReader(self.page).links
        if text not in links:
            raise LookupError(f"{self.url} has no link {text!r}")
        self.open(links[text])

    def submit(self, action: str = "", **purposes: str) -> None:
        """Fill in and send the form whose action contains `action` and that asks for all `purposes`.

        Purposes are autocomplete words with `_` for `-` (`cc_number`); other names are fields of the form.
        Raises: LookupError when the page has no such form.
        """
        wanted = {purpose.replace("_", "-"): value for purpose, value in purposes.items()}
        form = self._form(action, wanted)
        for purpose, value in wanted.items():
            form.values[form.names_by_purpose.get(purpose, purpose)] = value
        address = urljoin(self.url, form.action)
        data = {"data": form.values} if form.method == "post" else {"params": form.values}
        self._arrive(self._session.request(form.method, address, timeout=_TIMEOUT_SECONDS, **data))  # type: ignore[arg-type]

    def _form(self, action: str, wanted: dict[str, str]) -> Form:
        for form in _PageReader(self.page).forms:
            if action in form.action and wanted.keys() <= form.names_by_purpose.keys() | form.values.keys():
                return form
        raise LookupError(f"{self.url} has no form {action!r} that asks for {', '.join(wanted) or 'nothing'}")

    def _arrive(self, answer: requests.Response) -> None:
        self.url, self.page = answer.url, answer.text
        if answer.status_code >= 400:
            raise LookupError(f"{answer.request.method} {answer.url} answered {answer.status_code}")
