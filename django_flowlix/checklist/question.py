"""The one question that `--network` puts to the gateway with the key: its latest payments, and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import DatabaseError

from ..api import FlowlixError, GatewayPayment
from ..api.answers import request_id
from ..api.calls import Sender
from ..api.transport import Answer, Transport
from ..services import clock
from ..services.gateway import Gateway, new_client
from .context import Context

_DEADLINE_SECONDS = 15.0
_PAYMENTS_READ = 100
"""One page of the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of the question: payments or an error, and the last answer with the times around it."""

    payments: tuple[GatewayPayment, ...] = ()
    error: FlowlixError | None = None
    answer: Answer | None = None
    sent_at: datetime
    answered_at: datetime
    is_recorded: bool = True
    """Has the database taken the record of the tries?"""

    @property
    def request_id(self) -> str:
        return request_id(self.answer) if self.answer is not None else ""

    def header(self, name: str) -> str:
        return self.answer.headers.get(name, "") if self.answer is not None else ""


def ask_gateway(context: Context) -> Asked:
    """Read the account's latest payments as the shop would, retries and all; the tries are on record like others."""
    account = context.account
    line = _Listening(
        Transport(
            account.api_url or account.contract.api_url,
            account.secret_key,
            ca_bundle=account.ca_bundle,
            proxy=account.proxy,
        )
    )
    gateway = Gateway(account, deadline_seconds=_DEADLINE_SECONDS)
    client = new_client(account, transport=line, observer=gateway, deadline_seconds=_DEADLINE_SECONDS)
    payments: tuple[GatewayPayment, ...] = ()
    failure = None
    try:
        gateway.wait_out_pause()
        payments = tuple(islice(client.list_payments(), _PAYMENTS_READ))
    except FlowlixError as error:
        failure = error
    return Asked(
        payments=payments,
        error=failure,
        answer=line.answer,
        sent_at=line.sent_at,
        answered_at=line.answered_at,
        is_recorded=_is_recorded(gateway),
    )


def _is_recorded(gateway: Gateway) -> bool:
    try:
        gateway.record()
    except DatabaseError:  # `migrations` says what is wrong with the database
        return False
    return True


@dataclass(slots=True)
class _Listening:
    """Passes requests on and keeps the last answer, headers and all."""

    inner: Sender
    answer: Answer | None = None
    sent_at: datetime = field(default_factory=clock.now)
    answered_at: datetime = field(default_factory=clock.now)

    def send(self, method: str, path: str, *, headers: Mapping[str, str], **request: Any) -> Answer:
        self.answer, self.sent_at = None, clock.now()
        answer = self.inner.send(method, path, headers=headers, **request)
        self.answer, self.answered_at = answer, clock.now()
        return answer
