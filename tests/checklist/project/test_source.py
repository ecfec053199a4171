"""What the project's own code does with payments, read from its source."""

from __future__ import annotations

import warnings
from textwrap import dedent, indent

import pytest

from django_flowlix.checklist.project.source import read_code

START = {"InvalidPaymentRequest", "AlreadyPaid", "PaymentRejected", "PaymentUnavailable", "PaymentUnconfirmed"}


def uncaught(code: str) -> list[set[str]]:
    return [set(call.uncaught) for call in read_code(dedent(code)).service_calls]


def start_within(handlers: str) -> str:
    head = "from django_flowlix.exceptions import *\nfrom django_flowlix.services import start_payment\n"
    return f"{head}try:\n    start_payment(x)\n{handlers}\n"


@pytest.mark.parametrize(
    "code",
    [
        "from django_flowlix.services import start_payment\nstart_payment(x)",
        "from django_flowlix.services import start_payment as start\nstart(x)",
        "from django_flowlix import services\nservices.start_payment(x)",
        "import django_flowlix.services as money\nmoney.start_payment(x)",
        "import django_flowlix.services\ndjango_flowlix.services.start_payment(x)",
        "def view():\n    from django_flowlix.services import start_payment\n    return redirect(start_payment(x).url)",
    ],
)
def test_a_call_is_known_however_it_is_imported(code: str) -> None:
    assert uncaught(code) == [START]


@pytest.mark.parametrize(
    "code",
    [
        "from shop.services import start_payment\nstart_payment(x)",
        "def start_payment(x): ...\nstart_payment(x)",
        "self.start_payment(x)",
    ],
)
def test_a_namesake_is_not_ours(code: str) -> None:
    assert uncaught(code) == []


def test_calls_have_their_line_and_name() -> None:
    code = read_code("from django_flowlix.services import sync_payment\n\nsync_payment(x)\n")
    assert [(call.line, call.service) for call in code.service_calls] == [(3, "sync_payment")]


@pytest.mark.parametrize(
    "handlers",
    [
        "except PaymentError:\n    pass",
        "except exceptions.PaymentError as error:\n    pass",
        "except (ValueError, PaymentError):\n    pass",
        "except Exception:\n    pass",
        "except:\n    pass",
        "except* PaymentError:\n    pass",
        "\n".join(f"except {name}:\n    pass" for name in sorted(START)),
    ],
)
def test_what_is_caught_is_not_missed(handlers: str) -> None:
    assert uncaught(start_within(handlers)) == [set()]


@pytest.mark.parametrize(
    ("handlers", "missing"),
    [
        ("except KeyError:\n    pass", START),
        ("except AlreadyPaid:\n    pass", START - {"AlreadyPaid"}),
        ("except ValueError:\n    pass", START - {"InvalidPaymentRequest"}),
        ("except UNKNOWN_ERRORS:\n    pass", START),
        ("finally:\n    pass", START),
    ],
)
def test_what_is_not_caught_is_named(handlers: str, missing: set[str]) -> None:
    assert uncaught(start_within(handlers)) == [missing]


@pytest.mark.parametrize(
    "code",
    [
        "later = start_payment",
        "on_commit(partial(start_payment, x))",
        "try:\n    on_commit(partial(start_payment, x))\nexcept PaymentError:\n    pass",
        "pool.submit(start_payment, x)",
        "sync_to_async(start_payment)(x)",
    ],
)
def test_who_hands_a_service_on_catches_nothing(code: str) -> None:
    head = "from asgiref.sync import sync_to_async\nfrom django_flowlix.services import start_payment\n"
    assert uncaught(f"{head}{code}\n") == [START]


@pytest.mark.parametrize("imported", ["asgiref.sync", "channels.db"])
def test_a_service_that_is_awaited_is_called(imported: str) -> None:
    head = f"from {imported} import {{0}}\nfrom django_flowlix.services import start_payment\n"
    code = "async def pay():\n    try:\n        await {0}(start_payment)(x)\n    except PaymentError:\n        pass\n"
    name = "sync_to_async" if imported == "asgiref.sync" else "database_sync_to_async"
    assert uncaught((head + code).format(name)) == [set()]


@pytest.mark.parametrize(
    ("handlers", "missing"),
    [
        ("except PaymentError:\n    raise", START),
        ("except PaymentError:\n    log()\n    raise", START),
        ("except PaymentError as error:\n    raise error", START),
        ("except AlreadyPaid:\n    raise\nexcept PaymentError:\n    pass", {"AlreadyPaid"}),
        ("except PaymentError:\n    pass\nexcept Exception:\n    raise", set()),
        ("except PaymentError as error:\n    raise Http404 from error", set()),
        ("except PaymentError:\n    if odd():\n        raise", set()),
    ],
)
def test_who_raises_it_again_does_not_catch(handlers: str, missing: set[str]) -> None:
    assert uncaught(start_within(handlers)) == [missing]


@pytest.mark.parametrize("errors", ["PaymentError", "KeyError, PaymentError", "ERRORS"])
@pytest.mark.parametrize("opened", ["suppress({})", "open(x), contextlib.suppress({})"])
def test_what_is_suppressed_is_caught(errors: str, opened: str) -> None:
    head = (
        "import contextlib\nfrom contextlib import suppress\nfrom django_flowlix.exceptions import PaymentError\n"
        "from django_flowlix.services import start_payment\nERRORS = PaymentError\n"
    )
    assert uncaught(f"{head}with {opened.format(errors)}:\n    start_payment(x)\n") == [set()]
    assert uncaught(f"{head}with suppress(KeyError):\n    start_payment(x)\n") == [START]
    assert uncaught(f"{head}with opened({errors}):\n    start_payment(x)\n") == [START]


@pytest.mark.parametrize(
    "constants",
    [
        "ERRORS = (PaymentError, FlowlixError)",
        "ERRORS: tuple = (PaymentError,)",
        "FIRST = (AlreadyPaid,)\nERRORS = FIRST + (PaymentError,)",
        "ERRORS = (KeyError, *OTHERS)\nOTHERS = (PaymentError,)",
        "ERRORS = PaymentError",
    ],
)
def test_constants_of_the_module_are_understood(constants: str) -> None:
    assert uncaught(f"{constants}\n" + start_within("except ERRORS:\n    pass")) == [set()]


def test_constants_that_are_made_of_themselves_catch_nothing() -> None:
    assert uncaught("ERRORS = (ERRORS,)\n" + start_within("except ERRORS:\n    pass")) == [START]


@pytest.mark.parametrize(
    ("code", "function"),
    [
        ("start_payment(x)", ""),
        ("def pay(order):\n    start_payment(x)", "pay"),
        ("class Till:\n    def pay(self):\n        start_payment(x)", "Till.pay"),
        ("@shared_task\ndef pay(order):\n    start_payment(x)", "pay"),
        ("def pay(order):\n    on_commit(lambda: start_payment(x))", "pay"),
        ("class Till:\n    paid = start_payment(x)", ""),
        ("def pay(request, order):\n    start_payment(x)", ""),
        ("async def pay(request):\n    start_payment(x)", ""),
        ("def pay(request):\n    def now():\n        start_payment(x)", ""),
        ("class Pay(FormView):\n    def form_valid(self, form):\n        start_payment(x)", ""),
        ("class Pay(rest.ViewSet):\n    def create(self, data):\n        start_payment(x)", ""),
        ("class Command(BaseCommand):\n    def handle(self, **options):\n        start_payment(x)", ""),
    ],
)
def test_somebody_else_may_catch_what_comes_out_of_a_function_but_not_of_a_view(code: str, function: str) -> None:
    (call,) = read_code(f"from django_flowlix.services import start_payment\n{code}\n").service_calls
    assert call.function == function


@pytest.mark.parametrize("part", ["except PaymentError:", "else:", "finally:"])
def test_only_the_body_of_a_try_is_caught(part: str) -> None:
    head = "from django_flowlix.services import start_payment\ntry:\n    pass\nexcept PaymentError:\n    pass\n"
    code = head.removesuffix("except PaymentError:\n    pass\n") if part.startswith("except") else head
    assert uncaught(f"{code}{part}\n    start_payment(x)\n") == [START]


def test_an_outer_try_counts_but_not_around_a_function() -> None:
    nested = (
        "try:\n    try:\n        start_payment(x)\n    except KeyError:\n        pass\nexcept PaymentError:\n    pass\n"
    )
    defined = "try:\n    def later():\n        start_payment(x)\nexcept PaymentError:\n    pass\n"
    head = "from django_flowlix.services import start_payment\n"
    assert uncaught(head + nested) == [set()]
    assert uncaught(head + defined) == [START]
    assert uncaught(head + defined.replace("def later():", "async def later():")) == [START]
    assert uncaught(head + "try:\n    f = lambda: start_payment(x)\nexcept PaymentError:\n    pass\n") == [START]
    assert uncaught(head + "def f():\n" + indent(nested, "    ")) == [set()]


def test_the_other_services_raise_other_errors() -> None:
    code = "from django_flowlix.services import refund_payment, sync_payment\n{}\nexcept {}:\n    pass\n"
    refund = code.format("try:\n    refund_payment(x)", "{}")
    assert uncaught(refund.format("RefundError")) == [set()]
    assert uncaught(refund.format("RefundRejected")) == [{"InvalidRefundRequest"}]
    sync = code.format("try:\n    sync_payment(x)", "{}")
    assert uncaught(sync.format("(FlowlixError, PaymentUnavailable)")) == [set()]
    assert uncaught(sync.format("PaymentError")) == [{"FlowlixError"}]
    assert uncaught(sync.format("FlowlixError")) == [{"PaymentUnavailable"}]


@pytest.mark.parametrize(
    "code",
    [
        "from django_flowlix.views import HostedPaymentView\nclass Pay(HostedPaymentView): ...",
        "import django_flowlix.views as flowlix\nclass Pay(flowlix.HostedPaymentView): ...",
    ],
)
def test_the_view_is_seen(code: str) -> None:
    assert read_code(code).uses_hosted_view
    assert not read_code("class HostedPaymentView: ...").uses_hosted_view


@pytest.mark.parametrize("call", ["client.create_direct_payment(body=b)", "x().y.create_direct_payment()"])
def test_direct_payments_are_seen(call: str) -> None:
    assert read_code(f"def pay():\n    {call}\n").direct_payments == [2]
    assert read_code(f"# {call}\n").direct_payments == []


@pytest.mark.parametrize(
    "field",
    [
        "card_number = forms.CharField()",
        "cvc = CharField(max_length=4)",
        "credit_card: str = models.TextField()",
        "cc_number = serializers.CharField()",
        "security_code = forms.IntegerField()",
        "pan = forms.RegexField(r'x')",
        "CardNumber = forms.CharField()",
    ],
)
def test_card_fields_are_seen(field: str) -> None:
    assert read_code(f"class CardForm(forms.Form):\n    name = forms.CharField()\n    {field}\n").card_fields == [3]


@pytest.mark.parametrize(
    "code",
    [
        'self.fields["card_number"] = forms.CharField()',
        'form.fields["cvc"] = x',
        'self.fields["card_number"], x = y',
    ],
)
def test_card_fields_that_come_later_are_seen(code: str) -> None:
    assert read_code(f"def __init__(self):\n    {code}\n").card_fields == [2]


@pytest.mark.parametrize("code", ['fields["card_number"] = x', 'self.fields["card_brand"] = x', 'self.rows["cvc"] = x'])
def test_other_keys_are_no_card_fields(code: str) -> None:
    assert read_code(f"{code}\n").card_fields == []


def fields(*names: str, of: str = "Form") -> list[int]:
    lines = "".join(f"    {name} = CharField()\n" for name in names)
    return read_code(f"class {of}:\n{lines}\n# card\n").card_fields


@pytest.mark.parametrize("name", ["cvc_code", "cvv_number", "cvc", "csc_code", "card_cvv2"])
def test_a_code_is_one_whatever_else_it_is_called(name: str) -> None:
    assert fields(name) == [2]


@pytest.mark.parametrize("beside", ["cvc_code", "exp_month", "exp_year", "security_code"])
def test_a_number_among_a_cards_fields_is_the_cards(beside: str) -> None:
    assert 3 in fields(beside, "number")


@pytest.mark.parametrize("beside", ["name", "holder", "value", "card_type", "expiry_date", "expert_year"])
def test_a_number_elsewhere_is_any(beside: str) -> None:
    assert fields(beside, "number", of="GiftCard") == []


@pytest.mark.parametrize("beside", ["expiry", "holder_name", "card_type", "cvv"])
def test_a_pan_among_a_cards_fields_is_the_cards(beside: str) -> None:
    assert 3 in fields(beside, "pan")


def test_a_pan_elsewhere_is_a_tax_number() -> None:
    assert fields("company", "pan", "gstin", of="TaxForm") == []
    assert fields("pan", of="CardForm") == [2]


@pytest.mark.parametrize(
    "field", ["card_brand = forms.CharField()", "gift_card = forms.CharField()", "pan = 7", "card_number = read()"]
)
def test_other_fields_are_none(field: str) -> None:
    assert read_code(f"class CardForm(forms.Form):\n    {field}\n").card_fields == []


def test_what_is_no_python_is_told() -> None:
    with pytest.raises(SyntaxError):
        read_code("print 'card'")


def test_warnings_of_the_projects_code_are_its_own_business() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_code("card = '\\d'\n").card_fields == []
