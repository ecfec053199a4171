"""What the shop asks for: a quantity, and the eight details that the gateway wants to know of a customer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from django_flowlix.api.redaction import contains_card_number

from .basket import MAX_QUANTITY
from .countries import DELIVERY_COUNTRIES
from .models import Order

_PHONE_PUNCTUATION = re.compile(r"[\s().\-/]")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")

# The words browsers know for each field, so that a customer types little.
# Source: html.spec.whatwg.org, "Autofill detail tokens"
_BROWSER_HINTS: Mapping[str, Mapping[str, str]] = {
    "first_name": {"autocomplete": "given-name"},
    "last_name": {"autocomplete": "family-name"},
    "email": {"autocomplete": "email"},
    "phone": {"autocomplete": "tel", "type": "tel", "placeholder": "+49 30 901820"},
    "address": {"autocomplete": "address-line1"},
    "zip": {"autocomplete": "postal-code"},
    "city": {"autocomplete": "address-level2"},
    "country": {"autocomplete": "country"},
}


class QuantityForm(forms.Form):
    """How often a product is wanted; 0 takes it out of the basket."""

    quantity = forms.IntegerField(min_value=0, max_value=MAX_QUANTITY, initial=1)


class CheckoutForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Who buys and where it goes."""

    phone = forms.CharField(
        label=_("Phone"), max_length=30, help_text=_("With the country code, for the parcel service only.")
    )
    country = forms.ChoiceField(label=_("Country"), choices=[("", _("Please choose")), *DELIVERY_COUNTRIES])

    class Meta:
        model = Order
        fields = ["first_name", "last_name", "email", "phone", "address", "zip", "city", "country"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        for name, hints in _BROWSER_HINTS.items():
            self.fields[name].widget.attrs.update(hints)
            self.fields[name].error_messages["required"] = _("Please fill this in.")

    def clean_phone(self) -> str:
        phone = _PHONE_PUNCTUATION.sub("", self.cleaned_data["phone"])
        if not _PHONE.fullmatch(phone):
            raise ValidationError(
                _("Please write the number with its country code, such as +49 30 901820."), code="phone"
            )
        return phone

    def clean(self) -> dict[str, Any]:
        """Refuse card numbers here, where the customer can correct it: the gateway's client refuses them later."""
        details = super().clean() or self.cleaned_data
        for name in [name for name, value in details.items() if name != "phone" and contains_card_number(value)]:
            self.add_error(
                name, _("This looks like a card number. Please leave it out: cards are asked for when you pay.")
            )
        return details
