"""The rules that requests of every contract share, as sentences for the developer who broke one.

A fault names the field and the remedy and never quotes the value: values are personal data, or a card number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from ..errors import gateway_text
from ..money import Money
from ..objects import Customer
from ..redaction import contains_card_number, looks_like_phone

MAX_DESCRIPTION_LENGTH = 500
MAX_TEXT_LENGTH = 255
_CARD = "looks like a card number, which must never be sent: write the last four digits at most"
# Half a surrogate pair cannot be written in UTF-8, which is what JSON is read as.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_ADDRESS = re.compile(r"[\x21-\x7e]+")
_COUNTRY = re.compile(r"[A-Z]{2}")
_PHONE = re.compile(r"\+?[1-9][0-9]{6,14}")
_PHONE_PUNCTUATION = re.compile(r"[\s().\-/\u00a0]")


def amount_faults(amount: Money) -> Iterator[str]:
    if amount.amount_minor < 1:
        yield "amount must be at least 1 minor unit"


def redirect_url_faults(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        absolute = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        absolute = False
    if not absolute or not _ADDRESS.fullmatch(url):
        yield "redirect_url must be an absolute http(s) address without spaces, such as https://shop.example/return"


def customer_faults(customer: Customer | None, *, required: bool) -> Iterator[str]:
    """Yield the faults of the customer block: every sub-field is required as soon as there is a block.

    Source: docs.flowlix.eu/guides/hosted-payment-page (customer), docs.flowlix.dev/guides/direct-api
    """
    if customer is None:
        if required:
            yield "customer is missing: the contract requires e-mail, names, country, phone, address, city and zip"
        return
    for name, value in customer.as_dict().items():
        yield from _customer_field_faults(name, value)


def _customer_field_faults(name: str, value: object) -> Iterator[str]:
    label = f"customer.{name}"
    if not isinstance(value, str) or not value.strip():
        yield f"{label} is missing"
        return
    yield from _text_faults(label, value, MAX_TEXT_LENGTH)
    if name == "email" and not _EMAIL.fullmatch(value):
        yield f"{label} is not an e-mail address"
    if name == "country" and not _COUNTRY.fullmatch(value):
        yield f"{label} must be an ISO 3166-1 alpha-2 code in capitals, such as DE"
    if name == "phone" and not _PHONE.fullmatch(compact_phone(value)):
        yield f"{label} must be international, such as +49 30 901820"


def compact_phone(phone: str) -> str:
    """Return a phone number as it is sent: `+49 (30) 90-1820` as `+4930901820`. Source: ITU-T E.164"""
    return _PHONE_PUNCTUATION.sub("", phone)


def description_faults(description: object) -> Iterator[str]:
    if not isinstance(description, str):
        yield "description must be text"
    else:
        yield from _text_faults("description", description, MAX_DESCRIPTION_LENGTH)


def reason_faults(reason: object, *, max_length: int) -> Iterator[str]:
    """Yield the faults of a refund's reason. Source: docs.flowlix.dev/guides/refunds"""
    if not isinstance(reason, str):
        yield "reason must be text"
    elif not reason.strip():
        yield f"reason is missing: say in 1 to {max_length} characters why the money is returned"
    else:
        yield from _text_faults("reason", reason, max_length)


def metadata_faults(
    metadata: Mapping[str, str], *, max_entries: int, ids: frozenset[str], max_value_length: int | None = None
) -> Iterator[str]:
    """Yield the faults of metadata; entries named in `ids` are identifiers and exempt from the card number rule.

    One random 16-digit number in 45 looks like a card number, so order numbers are told apart by field, not by luck.
    """
    if not isinstance(metadata, Mapping):
        yield f"metadata must be a mapping of texts, not {type(metadata).__name__}"
        return
    if len(metadata) > max_entries:
        yield f"metadata has {len(metadata)} entries, at most {max_entries} are allowed"
    for position, (key, value) in enumerate(metadata.items(), start=1):
        if not isinstance(key, str) or not key or contains_card_number(key):
            yield f"metadata key no. {position} must be a text that is not a card number"
        elif not isinstance(value, str):
            yield f"metadata[{gateway_text(key, 40)}] must be text, not {type(value).__name__}"
        else:
            yield from _metadata_value_faults(f"metadata[{gateway_text(key, 40)}]", value, max_value_length, key in ids)


def _metadata_value_faults(label: str, value: str, max_length: int | None, is_identifier: bool) -> Iterator[str]:
    if max_length is not None and len(value) > max_length:
        yield f"{label} has {len(value)} characters, at most {max_length} are allowed"
    if not is_identifier and contains_card_number(value):
        yield f"{label} {_CARD}"


def _text_faults(label: str, value: str, max_length: int) -> Iterator[str]:
    if len(value) > max_length:
        yield f"{label} has {len(value)} characters, at most {max_length} are allowed"
    if _CONTROL.search(value):
        yield f"{label} contains a line break or control character"
    if contains_card_number(value) and not (label == "customer.phone" and looks_like_phone(value)):
        yield f"{label} {_CARD}"
