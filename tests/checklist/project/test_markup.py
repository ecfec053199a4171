"""What a page must not ask for, and what it must not show."""

from __future__ import annotations

import pytest

from django_flowlix.checklist.project.markup import card_inputs_in, settings_uses_in


@pytest.mark.parametrize(
    "text",
    [
        '<input autocomplete="cc-number">',
        "<input autocomplete='billing cc-csc'>",
        "<input autocomplete=cc-number>",
        '<Field autoComplete={"cc-number"} />',
        '<input type="text" name="card_number">',
        '<input\n  type="text"\n  name="cardNumber">',
        "<input name='card-number'/>",
        "<input name=cvc>",
        "<input onChange={event => change(event)} name={'cvc'} />",
        '<INPUT NAME="CVV2">',
        '<input name="pan" /><input name="exp_month">',
        'h("input", {autoComplete:"cc-number"})',
        "h('input', {'autocomplete': 'billing cc-csc'})",
        "field.setAttribute('autocomplete', 'cc-number')",
        "const a = {autoComplete: `cc-number`}",
        '<input name="security-code">',
    ],
)
def test_card_inputs(text: str) -> None:
    assert list(card_inputs_in(f"<form>\n{text}")) == [2]


@pytest.mark.parametrize(
    "text",
    [
        '<input autocomplete="cc-name">',
        '<input name="company">',
        '<input name="discard">',
        '<input name="panel">',
        '<input name="pan"> <input name="tax_office">',
        "autocomplete is off; cc-number is none",
        '<p class="cvc">Where is my card number?</p>',
        '<meta name="pan">',
        '<input type="text"><a name="cvc">',
    ],
)
def test_other_markup(text: str) -> None:
    assert list(card_inputs_in(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "{{ settings.FLOWLIX.default.SECRET_KEY }}",
        "{{ FLOWLIX }}",
        "{% if FLOWLIX %}",
        "{{ flowlix_secret_key|escapejs }}",
        "{{ account.secret_key }}",
        "{% with key=webhook_secret %}",
    ],
)
def test_settings_in_templates(text: str) -> None:
    assert list(settings_uses_in(f"<p>\n<b>{text}</b>")) == [2]


@pytest.mark.parametrize(
    "text",
    [
        '{% translate "the secure page of Flowlix" %}',
        "{{ payment }} FLOWLIX {{ order }}",
        "secret_key",
        "{# FLOWLIX #}",
    ],
)
def test_other_templates(text: str) -> None:
    assert list(settings_uses_in(text)) == []
