"""A rehearsal is the account's own client before a script: without a network, without sleep, without a trace."""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.api import ApiError, NoAnswerError
from django_flowlix.api.transport import Transport
from django_flowlix.checklist.rehearsal import accepted, refund, refusal, rehearse
from django_flowlix.conf import account
from django_flowlix.models import ApiCall
from django_flowlix.services import clock
from tests.checklist.recorded import configured, live

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("emulator")]
BUSY = refusal(503, "api_error")


@pytest.fixture(autouse=True)
def _nothing_real(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise AssertionError("a rehearsal does nothing for real")

    monkeypatch.setattr(Transport, "send", refuse)
    monkeypatch.setattr(clock, "sleep", refuse)


def test_nothing_is_sent_slept_or_recorded(emulator: Any) -> None:
    played = rehearse(account(), BUSY, accepted())

    assert played.error is None
    assert len(played.tries) == 2
    assert emulator.log() == []
    assert not ApiCall.objects.exists()


def test_a_live_account_is_rehearsed_like_any_other(settings: Any) -> None:
    live(settings)
    assert [each.path for each in rehearse(account(), accepted()).tries] == ["/v1/payments/hpp"]


def test_tries_never_hold_the_key() -> None:
    (only,) = rehearse(account(), accepted()).tries
    assert "Authorization" not in only.headers
    assert account().secret_key.reveal() not in repr(only)


def test_the_account_s_own_settings_are_used(settings: Any) -> None:
    configured(settings, API_VERSION="2026-01-31", RETRY_BUDGET=3, TIMEOUT=(1, 2))

    played = rehearse(account(), BUSY)

    assert played.tries[0].headers["Flowlix-Version"] == "2026-01-31"
    assert len(played.tries) == 2, "half a second each and one between them; three more do not fit"
    assert isinstance(played.error, ApiError)


def test_an_answer_that_never_comes_takes_as_long_as_the_time_out(settings: Any) -> None:
    configured(settings, RETRY_BUDGET=3, TIMEOUT=(1, 2.5))

    played = rehearse(account(), None)

    assert (played.seconds, played.waits) == (2.5, [])
    assert isinstance(played.error, NoAnswerError)


def test_a_time_out_shorter_than_the_answer_loses_it(settings: Any) -> None:
    configured(settings, TIMEOUT=0.2, RETRY_BUDGET=1)
    assert isinstance(rehearse(account(), accepted()).error, NoAnswerError)


def test_the_last_reply_is_given_again_and_again() -> None:
    assert len(rehearse(account(), BUSY, deadline_seconds=60).tries) == 4


@pytest.mark.parametrize("contract", ["eu", "dev"])
def test_refunds_are_rehearsed_in_both_contracts(settings: Any, contract: str) -> None:
    configured(settings, CONTRACT=contract)

    played = rehearse(account(), accepted(200), act=refund)

    assert played.error is None
    assert [each.path for each in played.tries] == ["/v1/payments/pay_rehearsal/refund"]
