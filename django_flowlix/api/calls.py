"""One logical call: tries, waits and a deadline, and what all of its tries together say about the outcome.

tenacity runs the loop; `retry.py` decides. The clock, the sleep and chance come from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tenacity import RetryCallState, Retrying

from .answers import json_value, malformed, outcome, rate_limit_remaining, request_id
from .contracts import MalformedObjectError
from .errors import FlowlixError, NoAnswerError, NotSentError, RateLimitError, UnreadableAnswerError
from .objects import Exchange
from .retry import rate_limit_backoff, wait_before_next_try, with_jitter
from .secret import Secret
from .transport import Answer, AnswerTooLargeError, TransportError

T = TypeVar("T")
_LEAST_TIMEOUT_SECONDS = 0.05


class Observer(Protocol):
    """Is told of every try, and of every wait before it begins."""

    def exchanged(self, exchange: Exchange) -> None: ...

    def waiting(self, seconds: float) -> None: ...


class Sender(Protocol):
    """Makes one HTTP exchange, as `Transport` does over the network."""

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, str | int] | None = None,
        body: Secret | None = None,
        timeout_seconds: tuple[float, float],
    ) -> Answer:
        """Return the answer whatever its status. Raises: TransportError"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Time and chance, and the limits set to them; all in seconds."""

    sleep: Callable[[float], None]
    monotonic: Callable[[], float]
    now: Callable[[], float]
    chance: Callable[[], float]
    timeout_seconds: tuple[float, float]
    deadline_seconds: float


@dataclass(slots=True, kw_only=True)
class Call:
    """A request and the story of its tries; `request_id` is that of the answer it ended with.

    Without `repeats_unknown` a try that may have taken effect is the last one.
    """

    transport: Sender
    timing: Timing
    observer: Observer | None
    operation: str
    method: str
    path: str
    headers: Mapping[str, str]
    params: Mapping[str, str | int] | None = None
    body: Secret | None = None
    repeats_unknown: bool = True
    request_id: str = ""
    _tries: int = 0
    _ambiguous: bool = False
    _least_wait_seconds: float | None = None
    _started_at: float = 0.0

    def run(self, read: Callable[[object], T]) -> T:
        """Return what `read` makes of the answer's JSON; `read` may raise MalformedObjectError.

        Raises: FlowlixError, with `outcome_unknown` telling about all tries, and `retry_after_seconds` telling the
        wait that did not fit into the deadline.
        """
        self._started_at = self.timing.monotonic()
        loop = Retrying(
            retry=lambda state: self._least_wait_seconds is not None,
            wait=lambda state: with_jitter(self._least_wait_seconds or 0.0, chance=self.timing.chance()),
            stop=self._passes_deadline,
            sleep=self.timing.sleep,
            before_sleep=self._before_sleep,
            reraise=True,
        )
        try:
            value: T = loop(self._try, read)
            return value
        except FlowlixError as error:
            error.outcome_unknown = self.method == "POST" and self._leaves_open(error)
            error.earlier_tries_unknown = self.method == "POST" and self._ambiguous and not error.ambiguous
            raise

    def _leaves_open(self, last: FlowlixError) -> bool:
        return last.ambiguous or (self._ambiguous and not last.settles_earlier_tries)

    def _try(self, read: Callable[[object], T]) -> T:
        self._tries += 1
        self._least_wait_seconds = None
        began = self.timing.monotonic()
        answer, value, error = self._exchange(read)
        if isinstance(error, RateLimitError) and error.retry_after_seconds is None:
            error.retry_after_seconds = rate_limit_backoff(self._tries)  # the other processes are to pause as well
        self._report(answer, error, round((self.timing.monotonic() - began) * 1000))
        if error is not None:
            self._ambiguous = self._ambiguous or error.ambiguous
            if self.repeats_unknown or not error.ambiguous:
                self._least_wait_seconds = wait_before_next_try(error, tries_made=self._tries)
            raise error
        assert value is not None  # noqa: S101  narrows: there is an error or a value
        return value

    def _exchange(self, read: Callable[[object], T]) -> tuple[Answer | None, T | None, FlowlixError | None]:
        try:
            answer = self._send()
        except TransportError as failure:
            return None, None, self._failure(failure)
        try:
            value = read(json_value(answer, self.operation, now=self.timing.now()))
            self.request_id = request_id(answer)
            return answer, value, None
        except MalformedObjectError as fault:
            return answer, None, malformed(answer, self.operation, fault)
        except FlowlixError as error:
            return answer, None, error

    def _send(self) -> Answer:
        remaining = max(self._remaining_seconds(), _LEAST_TIMEOUT_SECONDS)
        connect_seconds, answer_seconds = self.timing.timeout_seconds
        return self.transport.send(
            self.method,
            self.path,
            headers=self.headers,
            params=self.params,
            body=self.body,
            timeout_seconds=(min(connect_seconds, remaining), min(answer_seconds, remaining)),
        )

    def _failure(self, failure: TransportError) -> FlowlixError:
        kind: type[FlowlixError] = NoAnswerError if failure.sent else NotSentError
        if isinstance(failure, AnswerTooLargeError):
            kind = UnreadableAnswerError
        return kind(str(failure), operation=self.operation)

    def _report(self, answer: Answer | None, error: FlowlixError | None, duration_ms: int) -> None:
        if self.observer is None:
            return
        self.observer.exchanged(
            Exchange(
                operation=self.operation,
                method=self.method,
                path=self.path,
                try_number=self._tries,
                outcome=outcome(error),
                duration_ms=duration_ms,
                idempotency_key=self.headers.get("Idempotency-Key", ""),
                http_status=answer.status if answer else None,
                request_id=request_id(answer) if answer else "",
                error_type=error.type or type(error).__name__ if error else "",
                error_code=error.code if error else "",
                decline_code=error.decline_code if error else "",
                rate_limit_remaining=rate_limit_remaining(answer) if answer else None,
                retry_after_seconds=error.retry_after_seconds if error else None,
            )
        )

    def _remaining_seconds(self) -> float:
        return self.timing.deadline_seconds - (self.timing.monotonic() - self._started_at)

    def _passes_deadline(self, state: RetryCallState) -> bool:
        if state.upcoming_sleep + _LEAST_TIMEOUT_SECONDS < self._remaining_seconds():
            return False
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, FlowlixError):
            error.retry_after_seconds = self._least_wait_seconds
        return True

    def _before_sleep(self, state: RetryCallState) -> None:
        if self.observer is not None:
            self.observer.waiting(state.upcoming_sleep)
