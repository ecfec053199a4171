"""A request that breaks the contract is described field by field, and no value is ever quoted."""

from __future__ import annotations

import pytest

from django_flowlix.api import Customer, Money
from django_flowlix.api.contracts import validation

PAN = "4242424242424242"
PEOPLE = {
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "country": "DE",
    "phone": "+49 30 901820",
    "address": "Unter den Linden 1",
    "city": "Berlin",
    "zip": "10117",
}


def customer_faults(**changes):
    return list(validation.customer_faults(Customer(**PEOPLE | changes), required=True))


def metadata_faults(metadata, ids=frozenset(), max_value_length=None):
    return list(validation.metadata_faults(metadata, max_entries=50, ids=ids, max_value_length=max_value_length))


def reason_faults(reason):
    return list(validation.reason_faults(reason, max_length=50))


def test_s10_nothing_cannot_be_collected():
    assert list(validation.amount_faults(Money(1, "EUR"))) == []
    assert len(list(validation.amount_faults(Money(0, "EUR")))) == 1


@pytest.mark.parametrize(
    "url", ["https://shop.example/r", "http://127.0.0.1:8000/flowlix/return/t0k3n/", "https://shop.example/r?a=b&c=%20"]
)
def test_a_return_address_is_absolute(url):
    assert list(validation.redirect_url_faults(url)) == []


@pytest.mark.parametrize(
    "url",
    ["", "/return", "//shop.example/r", "shop.example/r", "javascript:alert(1)", "ftp://a/b", "https://", "https:///r",
     "https://[::1/r", "https://shop.example/a b", "https://shop.example/r\n", "https://shöp.example/r", "https://:80/"],
)  # fmt: skip
def test_any_other_return_address_is_a_fault(url):
    (fault,) = validation.redirect_url_faults(url)
    assert fault.startswith("redirect_url must be an absolute http(s) address")


def test_a_customer_who_is_complete_has_no_fault():
    assert customer_faults() == []


def test_a_missing_customer_is_a_fault_where_one_is_required():
    assert list(validation.customer_faults(None, required=False)) == []
    (fault,) = validation.customer_faults(None, required=True)
    assert fault.startswith("customer is missing")


@pytest.mark.parametrize("value", ["", "  ", "\u00a0", None, 5])
@pytest.mark.parametrize("name", PEOPLE)
def test_every_field_of_the_customer_is_required(name, value):
    assert customer_faults(**{name: value}) == [f"customer.{name} is missing"]


def test_all_faults_are_named_at_once():
    assert len(customer_faults(**dict.fromkeys(PEOPLE, ""))) == 8


@pytest.mark.parametrize("name", ["first_name", "last_name", "address", "city", "zip"])
def test_texts_have_a_length_and_one_line(name):
    assert customer_faults(**{name: "x" * 255}) == []
    assert customer_faults(**{name: "x" * 256}) == [f"customer.{name} has 256 characters, at most 255 are allowed"]
    for bad in ("a\nb", "a\rb", "a\x00b", "a\u2028b", "a\x85b", "a\ud800b", "a\x1b[31mb"):
        assert customer_faults(**{name: bad}) == [f"customer.{name} contains a line break or control character"]


@pytest.mark.parametrize("name", ["email", "first_name", "last_name", "address", "city", "zip"])
def test_l3_no_field_of_the_customer_may_hold_a_card_number(name):
    value = f"{PAN}@example.com" if name == "email" else f"x {PAN[:4]} {PAN[4:8]}-{PAN[8:12]}.{PAN[12:]}"
    (fault,) = customer_faults(**{name: value})
    assert fault.startswith(f"customer.{name} looks like a card number")
    assert "4242" not in fault


def test_l4_a_phone_number_that_passes_for_a_card_number_is_a_phone_number():
    # 13 digits, begins like a Visa card, and its Luhn sum is 50.
    assert customer_faults(phone="+4915112345678") == []
    assert any("card number" in fault for fault in customer_faults(phone="4915112345678"))


@pytest.mark.parametrize("email", ["ada", "ada@", "@example.com", "a@b", "a b@example.com", "a@b@c.de", "ada@example."])
def test_an_address_that_is_no_e_mail_address_is_a_fault(email):
    assert customer_faults(email=email) == ["customer.email is not an e-mail address"]


@pytest.mark.parametrize("country", ["de", "DEU", "D", "Germany", "ÄÖ", "D1", "DE "])
def test_a_country_is_two_capitals(country):
    (fault,) = customer_faults(country=country)
    assert fault == "customer.country must be an ISO 3166-1 alpha-2 code in capitals, such as DE"


@pytest.mark.parametrize("phone", ["+4930901820", "+49 (30) 90-18.20", "0049 30 1"[2:] + "2345", "+1 202 555 0100"])
def test_a_phone_number_is_international_however_it_is_written(phone):
    assert customer_faults(phone=phone) == []


@pytest.mark.parametrize(
    "phone", ["030 901820", "+0 30 901820", "12345", "+49 30 9018 20 ext 5", "+" + "1" * 16, "call me"]
)
def test_any_other_phone_number_is_a_fault(phone):
    assert "customer.phone must be international, such as +49 30 901820" in customer_faults(phone=phone)


def test_a_description_is_text_of_at_most_500_characters():
    assert list(validation.description_faults("x" * 500)) == []
    assert list(validation.description_faults("")) == []
    assert list(validation.description_faults("x" * 501)) == ["description has 501 characters, at most 500 are allowed"]
    assert list(validation.description_faults(None)) == ["description must be text"]


@pytest.mark.parametrize(
    "spelling",
    [PAN, "4242 4242 4242 4242", "4242-4242-4242-4242", "4242.4242.4242.4242", "4242\u00a04242\u00a04242\u00a04242",
     "".join(chr(0xFF10 + int(digit)) for digit in PAN),
     "no.4242424242424242!", "card 378282246310005", "2223003122003222"],
)  # fmt: skip
def test_l3_a_card_number_in_a_description_is_a_fault_in_every_spelling(spelling):
    (fault,) = validation.description_faults(spelling)
    assert fault.startswith("description looks like a card number")
    assert not any(character.isdigit() for character in fault)


def test_metadata_is_a_mapping_of_texts():
    assert metadata_faults({"a": "1", "b": ""}) == []
    assert metadata_faults({"a": 1, "b": None}) == [
        "metadata[a] must be text, not int",
        "metadata[b] must be text, not NoneType",
    ]
    assert metadata_faults(None) == ["metadata must be a mapping of texts, not NoneType"]
    assert metadata_faults([("a", "1")]) == ["metadata must be a mapping of texts, not list"]


@pytest.mark.parametrize("key", ["", 5, None, PAN])
def test_a_metadata_key_is_told_by_its_place(key):
    assert metadata_faults({"a": "1", key: "x"}) == ["metadata key no. 2 must be a text that is not a card number"]


def test_l5_a_metadata_key_cannot_forge_a_line_or_flood_the_message():
    (fault,) = metadata_faults({"a\nINFO paid" + "x" * 1000: 5})
    assert "\n" not in fault
    assert len(fault) < 100


def test_metadata_has_at_most_so_many_entries():
    assert metadata_faults({f"k{n}": "x" for n in range(50)}) == []
    assert metadata_faults({f"k{n}": "x" for n in range(51)}) == ["metadata has 51 entries, at most 50 are allowed"]


def test_a_metadata_value_has_a_length_where_the_contract_sets_one():
    assert metadata_faults({"a": "x" * 5000}) == []
    assert metadata_faults({"a": "x" * 500}, max_value_length=500) == []
    ids = frozenset({"order_reference"})
    assert metadata_faults({"order_reference": "x" * 501, "a": PAN + "x" * 500}, ids, 500) == [
        "metadata[order_reference] has 501 characters, at most 500 are allowed",
        "metadata[a] has 516 characters, at most 500 are allowed",
        "metadata[a] looks like a card number, which must never be sent: write the last four digits at most",
    ]


@pytest.mark.parametrize("reason", ["x", "x" * 50, "Zurück: größer bestellt", "2 of 3 bags"])
def test_a_reason_of_one_to_so_many_characters_has_no_fault(reason):
    assert reason_faults(reason) == []


@pytest.mark.parametrize("reason", ["", " ", "\t\n", "\u00a0"])
def test_a_reason_is_required(reason):
    assert reason_faults(reason) == ["reason is missing: say in 1 to 50 characters why the money is returned"]


@pytest.mark.parametrize("reason", [None, 5, b"late", ["late"]])
def test_a_reason_is_text(reason):
    assert reason_faults(reason) == ["reason must be text"]


@pytest.mark.parametrize(
    ("reason", "fault"),
    [
        ("x" * 51, "reason has 51 characters, at most 50 are allowed"),
        ("too\nlate", "reason contains a line break or control character"),
        ("late\x00", "reason contains a line break or control character"),
        ("late\ud800", "reason contains a line break or control character"),
    ],
)
def test_a_reason_is_one_short_line(reason, fault):
    assert reason_faults(reason) == [fault]


def test_l3_a_reason_holds_no_card_number():
    (fault,) = reason_faults("card 4242 4242 4242 4242")
    assert fault.startswith("reason looks like a card number")
    assert "4242" not in fault


def test_l4_a_card_number_in_metadata_is_a_fault_except_under_the_name_of_an_identifier():
    assert metadata_faults({"order_reference": PAN}, ids=frozenset({"order_reference"})) == []
    (fault,) = metadata_faults({"note": PAN}, ids=frozenset({"order_reference"}))
    assert fault.startswith("metadata[note] looks like a card number")
    assert PAN not in fault
