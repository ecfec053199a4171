"""What the values say of themselves: sums that count what is certain, and texts that stay out of sight."""

from __future__ import annotations

import pytest

from django_flowlix.api import GatewayPayment, GatewayRefund, GatewayRefundStatus, GatewayStatus, Money, RefundRequest


def a_refund(amount_minor, status):
    return GatewayRefund(
        id="r1", amount_minor=amount_minor, currency="EUR", status=status, gateway_status="x", reason="Too late"
    )


def a_payment(refunds):
    return GatewayPayment(
        id="pay_1",
        amount_minor=4999,
        currency="EUR",
        status=GatewayStatus.SUCCEEDED,
        gateway_status="succeeded",
        livemode=False,
        refunds=refunds,
    )


def test_only_refunds_that_succeeded_have_been_returned():
    amounts = zip((1, 20, 300, 4000, 50), [*GatewayRefundStatus, GatewayRefundStatus.SUCCEEDED], strict=True)
    assert list(GatewayRefundStatus) == ["pending", "succeeded", "failed", "unknown"]
    assert a_payment(tuple(a_refund(*each) for each in amounts)).amount_refunded_minor == 70


@pytest.mark.parametrize("refunds", [None, ()])
def test_a_payment_that_tells_of_no_refund_has_returned_nothing(refunds):
    payment = a_payment(refunds)
    assert (payment.amount_refunded_minor, payment.refunds) == (0, refunds)


def test_l8_the_reason_of_a_refund_is_not_shown():
    request = RefundRequest(payment_id="pay_1", amount=Money(100, "EUR"), reason="Too late")
    payment = a_payment((a_refund(100, GatewayRefundStatus.PENDING),))
    assert "pay_1" in repr(request)
    assert "Too late" not in repr(request) + repr(payment) + str(payment)
