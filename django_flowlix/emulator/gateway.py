"""The order in which a request meets the gateway: key, rate limit, fault, idempotency, work."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from . import idempotency, schema
from .answers import Answer, Delivery, RefusalError
from .contracts.base import Call
from .delays import InterruptedByResetError
from .faults import NO_FAULT
from .keys import ApiKey
from .rate_limit import rate_limited
from .request_log import LogEntry
from .state import State


@dataclass(frozen=True)
class Incoming:
    """A request as it came off the wire; header names are in lower case."""

    method: str
    path: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes
    base_url: str


class Exchange:
    """One request and its way to an answer."""

    def __init__(self, state: State, incoming: Incoming, entry: LogEntry) -> None:
        self._state, self._incoming, self._entry = state, incoming, entry
        self._generation = state.delays.generation
        self._headers = {state.contract.request_id_header: entry.request_id}
        self._fault = NO_FAULT

    def answer(self) -> Answer:
        """Return the answer, with the headers that every answer carries."""
        try:
            answer = self._authenticated()
        except RefusalError as refusal:
            answer = self._rendered(refusal)
        except InterruptedByResetError:
            answer = Answer(500, b"", delivery=Delivery.DROPPED)
        return answer.with_headers(self._headers)

    def _authenticated(self) -> Answer:
        state, incoming = self._state, self._incoming
        api_key = self._admitted_key()
        operation, payment_id = state.contract.find_operation(incoming.method, incoming.path)
        self._entry.operation = operation.name
        with state.lock:
            self._fault = state.faults.take(operation.name)
        self._entry.fault = self._fault.kind or None
        call = Call(operation, state, api_key.livemode, incoming.base_url, incoming.query, payment_id)
        return self._faulted(call, api_key)

    def _admitted_key(self) -> ApiKey:
        with self._state.lock:
            api_key = self._state.keys.authenticate(self._incoming.headers.get("authorization"))
            now = self._state.clock.now()
            budget = self._state.rate_limit.count(api_key.value, now)
        self._headers.update(budget.headers())
        if budget.exceeded:
            raise rate_limited(str(max(1, math.ceil(budget.reset_at - now))))
        return api_key

    def _faulted(self, call: Call, api_key: ApiKey) -> Answer:
        fault = self._fault
        if fault.replaces_work:
            self._pause(fault.delay_seconds)
            return self._rendered(fault.instead(call.now))
        answer = self._once(call, api_key)
        if not fault.delays_work:
            self._pause(fault.delay_seconds)
        return self._rendered(fault.spoil(answer))

    def _once(self, call: Call, api_key: ApiKey) -> Answer:
        incoming = self._incoming
        try:
            self._state.contract.check_headers(incoming.headers)
            content_type = incoming.headers.get("content-type", "")
            call = replace(call, parameters=schema.parsed_json(incoming.body, content_type))
            # Only POST honours the header; on a GET it means nothing.
            key = idempotency.validated_key(self._entry.idempotency_key) if incoming.method == "POST" else None
            return self._work(call) if key is None else self._replayed_or_stored(call, api_key.value, key)
        except RefusalError as refusal:
            return self._rendered(refusal)

    def _replayed_or_stored(self, call: Call, scope: str, key: str) -> Answer:
        fingerprint = idempotency.fingerprint(call.operation.method, self._incoming.path, call.parameters)
        with self._state.lock:
            stored = self._state.slots.claim(scope, key, fingerprint, call.now)
        if stored is not None:
            self._entry.replayed = True
            return stored
        answer = None
        try:
            answer = self._work(call)
        finally:
            self._settle(scope, key, answer)
        return answer

    def _settle(self, scope: str, key: str, answer: Answer | None) -> None:
        with self._state.lock:
            if answer is not None and self._state.contract.stores(answer):
                self._state.slots.store(scope, key, answer)
            elif self._generation == self._state.delays.generation:
                self._state.slots.release(scope, key)

    def _work(self, call: Call) -> Answer:
        if self._fault.delays_work:
            self._pause(self._fault.delay_seconds)
        try:
            with self._state.lock:
                self._state.delays.require_generation(self._generation)
                return call.operation.work(call)
        except RefusalError as refusal:
            return self._rendered(refusal)

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self._state.delays.hold(seconds, self._generation)

    def _rendered(self, result: Answer | RefusalError) -> Answer:
        if isinstance(result, RefusalError):
            return result.answer(self._entry.request_id, self._state.contract.errors_url)
        return result
