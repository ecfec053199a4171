"""Everything that can go wrong between us and Flowlix, one class per cause.

FlowlixError
├── RequestInvalidError      refused by us before the network: all faults at once      definite
├── NotSentError             no byte of the request left this machine                  definite
├── NoAnswerError            sent, but the answer never came or broke off              UNKNOWN
├── UnreadableAnswerError    an answer nobody can rely on (HTML, broken JSON, 3xx)     UNKNOWN
└── AnsweredError            the gateway answered with an error
    ├── CardError            402: the card was declined                                definite
    ├── InvalidRequestError  400, 404, 422: refused for good
    │   └── NotFoundError    404                                                       definite
    ├── AuthenticationError  401, 403: key missing, wrong, revoked or not allowed      definite
    ├── IdempotencyError     409: key in flight, or used with another body             UNKNOWN
    ├── RateLimitError       429: nothing was done, come back later                    definite
    └── ApiError             5xx, 408, 421, 425: the gateway may or may not have acted UNKNOWN

The column on the right is what *one* answer says. `outcome_unknown` says it about the whole call: a 401 after a
timeout does not prove that the timed-out try did nothing, a 422 after a timeout does, if it is the gateway's own.

No error carries a key, a header or a body; gateway texts are masked and cut. All of them survive pickling.

Source: docs.flowlix.eu/api-reference/errors, docs.flowlix.dev/guides/errors
"""

from __future__ import annotations

from typing import ClassVar

from .redaction import one_line

_MESSAGE_LENGTH = 300
_MASKED_LENGTH = 4096


class FlowlixError(Exception):
    """A call to Flowlix that did not succeed.

    `operation` names the client method, `status` is the HTTP status (None without an answer), `type`, `code`,
    `param`, `decline_code` and `request_id` are the gateway's words ("" when it sent none), `retry_after_seconds`
    is how long to stay away (None when there is no reason to wait), `outcome_unknown` is True when the request
    may have taken effect at the gateway, `earlier_tries_unknown` when a try before this definite answer may have.
    """

    ambiguous: ClassVar[bool] = False
    """What one answer of this kind leaves open: may the request have taken effect?"""
    _judges_the_request: ClassVar[bool] = False
    _message_length: ClassVar[int] = _MESSAGE_LENGTH

    def __init__(
        self,
        message: str,
        *,
        operation: str = "",
        status: int | None = None,
        type: str = "",  # noqa: A002  the gateway's word
        code: str = "",
        param: str = "",
        decline_code: str = "",
        request_id: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        self.message = gateway_text(message, self._message_length)
        super().__init__(self.message)
        self.operation = operation
        self.status = status
        self.type = type
        self.code = code
        self.param = param
        self.decline_code = decline_code
        self.request_id = request_id
        self.retry_after_seconds = retry_after_seconds
        self.outcome_unknown = self.ambiguous
        self.earlier_tries_unknown = False

    @property
    def settles_earlier_tries(self) -> bool:
        """Does this answer also prove that earlier tries under the same key took no effect?

        Only when the gateway itself refused the request: a firewall's bare 400 has no `type`.
        """
        return self._judges_the_request and bool(self.type)

    def __str__(self) -> str:
        facts = [
            f"HTTP {self.status}" if self.status else "",
            "/".join(part for part in (self.type, self.code) if part),
            f"param {self.param}" if self.param else "",
            f"decline {self.decline_code}" if self.decline_code else "",
            f"request {self.request_id}" if self.request_id else "",
            "outcome unknown" if self.outcome_unknown else "",
        ]
        known = ", ".join(fact for fact in facts if fact)
        start = f"{self.operation}: " if self.operation else ""
        return f"{start}{self.message}{f' ({known})' if known else ''}"


class RequestInvalidError(FlowlixError, ValueError):
    """The request breaks the contract and was not sent; `faults` names every fault, none of them quotes a value."""

    _message_length = _MASKED_LENGTH

    def __init__(self, message: str, *, faults: tuple[str, ...] = (), operation: str = "") -> None:
        super().__init__(message, operation=operation)
        self.faults = faults


class NotSentError(FlowlixError):
    """No connection (DNS, refused, TLS handshake): not a byte of the request was sent."""


class NoAnswerError(FlowlixError):
    """The request was sent, or may have been, and no whole answer came back in time."""

    ambiguous = True


class UnreadableAnswerError(FlowlixError):
    """An answer came that cannot be relied on: not JSON, too large, a redirect, or without id, amount or status."""

    ambiguous = True


class AnsweredError(FlowlixError):
    """The gateway answered with an error object."""


class CardError(AnsweredError):
    """The card was declined; `decline_code` says why."""

    _judges_the_request = True


class InvalidRequestError(AnsweredError):
    """The gateway refused the request for good: the same body will be refused again."""

    _judges_the_request = True


class NotFoundError(InvalidRequestError):
    """No such object for this key: wrong id, other mode, other merchant, or a wrong API address."""

    _judges_the_request = False


class AuthenticationError(AnsweredError):
    """The key is missing, malformed, revoked or not allowed to do this."""


class IdempotencyError(AnsweredError):
    """The key is still in flight or was used with another body; never answered with a new key."""

    ambiguous = True


class RateLimitError(AnsweredError):
    """The gateway did nothing and asks to come back in `retry_after_seconds`."""


class ApiError(AnsweredError):
    """The gateway failed; it may have acted before it failed."""

    ambiguous = True


def gateway_text(text: str, limit: int) -> str:
    """Return a text from outside as it may be logged, shown and stored: masked, on one line, at most `limit` long.

    A text too long to be searched in no time is cut before, and loses the digits there: half a card number is not
    recognised.
    """
    end = len(text)
    if end > _MASKED_LENGTH:
        end = next((i for i in range(_MASKED_LENGTH, 0, -1) if text[i - 1].isalpha()), 0)
    return one_line(text[:end], limit)


def error_class(status: int, error_type: str) -> type[AnsweredError]:
    """Return the class for an error answer; the HTTP status decides, the type tells a decline from a bad request.

    Source: docs.flowlix.eu/api-reference/errors (402), docs.flowlix.dev/guides/errors (422 `card_error`)
    """
    if status >= 500 or status in (408, 421, 425):
        return ApiError
    by_status: dict[int, type[AnsweredError]] = {
        401: AuthenticationError,
        402: CardError,
        403: AuthenticationError,
        404: NotFoundError,
        409: IdempotencyError,
        429: RateLimitError,
    }
    return by_status.get(status) or (CardError if error_type == "card_error" else InvalidRequestError)
