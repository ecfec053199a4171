"""What the demo tells people when the shop is open: addresses, test cards, and what to try."""

from __future__ import annotations

from .stage import Stage

_ALWAYS = {
    "4000 0000 0000 0002": "is declined",
    "4000 0000 0000 9995": "is declined, insufficient funds",
}
TEST_CARDS = {
    "eu": {"4242 4242 4242 4242": "pays (Visa)", "5555 5555 5555 4444": "pays (Mastercard)", **_ALWAYS},
    "dev": {
        "4111 1111 1111 1111": "pays (Visa)",
        "4635 4400 0000 2223": "asks for a confirmation first (3-D Secure)",
        **_ALWAYS,
    },
}
"""By contract; the first one of each pays."""

_REFUNDS = {
    "eu": "refund it: in full and once. With --contract dev also in part.",
    "dev": "refund a part of it. It is under way for up to a minute; “Ask the gateway now” on its page is quicker.",
}
_WELCOME = """
The shop is open. Ctrl-C closes it.

  Shop     {stage.shop_url}/
  Admin    {stage.shop_url}/admin/   login admin, password {password}
  Gateway  {stage.emulator_url}/   (the emulator, contract {stage.contract}; no card is charged anywhere)

Test cards, with any expiry date in the future and any security code:

{cards}

Try: buy something, find its payment in the admin by the order's reference, look at its timeline, and
{refunds}
The emulator forgets its payments when the shop closes: those of earlier runs can only be looked at.

Go through the go-live checklist in a second terminal, then see it in the admin:

  {check}
"""


def welcome(stage: Stage, password: str) -> str:
    """Return what to print once everything answers."""
    cards = "\n".join(f"  {number}   {outcome}" for number, outcome in TEST_CARDS[stage.contract].items())
    return _WELCOME.format(
        stage=stage,
        password=password,
        cards=cards,
        refunds=_REFUNDS[stage.contract],
        check=stage.command("flowlix_check --network --scenarios"),
    )


def paying_card(contract: str) -> str:
    return next(iter(TEST_CARDS[contract]))
