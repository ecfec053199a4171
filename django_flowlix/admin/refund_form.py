"""The form of a refund: how much, and why. The rules are the services'; each fault is said at its field."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..api import Money, MoneyError
from ..exceptions import InvalidRefundRequest
from ..models import Payment
from ..services.refund_request import RefundQuote, check_refund

_FRACTION = re.compile(r"[.,]([0-9]*)\Z")


class RefundForm(forms.Form):
    """Checks a refund without making it; `cleaned_data["amount"]` is the Money and `["reason"]` the text.

    Where a contract refunds in full only, the amount is not a field to write in: it is shown, and travels hidden.
    """

    # Not required here: what is missing is told by the services, in the same words for everybody.
    amount = forms.CharField(required=False)
    reason = forms.CharField(label=gettext_lazy("Reason"), required=False)

    def __init__(self, payment: Payment, quoted: RefundQuote, data: Any = None) -> None:
        super().__init__(
            data, initial={"amount": str(quoted.remaining.major)}, label_suffix="", use_required_attribute=False
        )
        self.payment = payment
        self.quoted = quoted
        amount, reason = self.fields["amount"], self.fields["reason"]
        amount.widget = _amount_widget() if quoted.partial else forms.HiddenInput()
        amount.label = _("Amount in %(currency)s") % {"currency": payment.currency}
        amount.help_text = _("At most %(remaining)s. Write less to refund only a part.") % {
            "remaining": quoted.remaining
        }
        reason.help_text = _(
            "At most %(most)s characters, for your colleagues and perhaps for the gateway: "
            "nothing personal, no card number."
        ) % {"most": quoted.max_reason_length}
        reason.widget.attrs |= {"class": "vTextField", "maxlength": quoted.max_reason_length, "required": True}

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        amount = None  # with a fault in it: so that the reason is checked all the same
        if "amount" in data:
            try:
                amount = self._amount(data["amount"])
            except MoneyError as error:
                self.add_error("amount", str(error))
        try:
            data["amount"] = check_refund(self.payment, amount, data.get("reason", ""))
        except InvalidRefundRequest as error:
            self.add_faults(error)
        return data

    def add_faults(self, error: InvalidRefundRequest) -> None:
        """Say each fault at its field, and above the form what no other entry would mend."""
        for name, faults in error.fields.items():
            if name not in self.errors:
                self.add_error(name if name in self.fields else None, list(faults))

    def _amount(self, text: str) -> Money:
        """Return what was written. Raises: MoneyError with a sentence for the field"""
        payment = self.payment
        if not text:
            raise MoneyError(_("Write the amount to refund."))
        fraction = _FRACTION.search(text)
        # 1,000 and 1.000 are one to some people and a thousand to others.
        if fraction and len(fraction[1]) > payment.exponent:
            raise MoneyError(
                _("%(currency)s has %(count)s decimals: write %(example)s, without separators of thousands.")
                % {"currency": payment.currency, "count": payment.exponent, "example": payment.amount.major}
            )
        plain = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
        return Money.from_major(plain, payment.currency, payment.exponent)


def _amount_widget() -> forms.Widget:
    return forms.TextInput(
        attrs={"class": "vTextField", "inputmode": "decimal", "autocomplete": "off", "required": True}
    )
