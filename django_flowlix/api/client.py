"""FlowlixClient: one keyword-only method per gateway operation, values in, frozen dataclasses out."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from .calls import Call, Observer, Sender, Timing
from .contracts import CONTRACTS, Contract, MalformedObjectError
from .errors import InvalidRequestError, RequestInvalidError, UnreadableAnswerError
from .idempotency import MAX_KEY_LENGTH
from .objects import DirectPaymentRequest, GatewayPayment, HostedPaymentRequest, RefundRequest
from .secret import Secret
from .transport import Transport, is_loopback
from .wire import body_text, parse_json

T = TypeVar("T")
PAGE_SIZE = 100
_VERSION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HEADER_WORD = re.compile(r"[\x21-\x7e]+")
_SEGMENT = re.compile(r"[A-Za-z0-9_:~-][A-Za-z0-9_.:~-]*")


class FlowlixClient:
    """Talks to Flowlix with one secret key.

    `contract` is the name of a published contract, `api_url` overrides its address (plain http on a loopback address
    with a test key only), `api_version` is sent as `Flowlix-Version`. `timeout_seconds` is (connect, whole exchange),
    `deadline_seconds` bounds one call with all its tries and waits. `ca_bundle` is the path of a PEM file to trust
    instead of the public authorities. `transport`, `sleep`, `monotonic`, `now` (Unix time) and `chance` (uniform in
    [0, 1)) are handed in by tests and rehearsals.

    Raises: ValueError for an unknown contract, a key of another contract, or an address, proxy or version that cannot
    be used; no text quotes the key.
    Source: docs.flowlix.eu/api-reference/authentication
    """

    def __init__(
        self,
        secret_key: str,
        *,
        contract: str = "eu",
        api_url: str = "",
        api_version: str = "",
        timeout_seconds: tuple[float, float] = (3.05, 8.0),
        deadline_seconds: float = 20.0,
        ca_bundle: str = "",
        proxy: str = "",
        observer: Observer | None = None,
        transport: Sender | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        # Wrapped in their own names, so that the frame of an error raised below shows masks.
        secret_key, proxy = Secret(secret_key), Secret(proxy)
        if contract not in CONTRACTS:
            raise ValueError(f"unknown contract {contract!r}: write one of {', '.join(CONTRACTS)}")
        if api_version and not _VERSION.fullmatch(api_version):
            raise ValueError("the API version must look like 2026-01-31")
        self.contract: Contract = CONTRACTS[contract]
        self.api_url = (api_url or self.contract.api_url).rstrip("/")
        self.livemode = _checked_mode(self.contract, secret_key, self.api_url)
        self._transport = transport or Transport(self.api_url, secret_key, ca_bundle=ca_bundle, proxy=proxy)
        self._headers = {"Accept": "application/json"} | ({"Flowlix-Version": api_version} if api_version else {})
        self._observer = observer
        self._timing = Timing(
            sleep=sleep,
            monotonic=monotonic,
            now=now,
            chance=chance,
            timeout_seconds=timeout_seconds,
            deadline_seconds=deadline_seconds,
        )

    def __repr__(self) -> str:
        return f"<FlowlixClient {self.contract.name} {'live' if self.livemode else 'test'} {self.api_url}>"

    def observed(self, observer: Observer, *, deadline_seconds: float) -> FlowlixClient:
        """Return a client on the same connections that tells `observer` and gives up after `deadline_seconds`."""
        twin = copy(self)
        twin._observer = observer
        twin._timing = replace(self._timing, deadline_seconds=deadline_seconds)
        return twin

    def prepare(self, request: HostedPaymentRequest | DirectPaymentRequest) -> Secret:
        """Return the exact body text of a create request, to be stored and sent (again) as it is.

        Raises: RequestInvalidError with every fault of the request; nothing is sent.
        """
        _refuse(self.contract.faults(request))
        if isinstance(request, HostedPaymentRequest):
            return body_text(self.contract.hosted_payment_body(request))
        return body_text(self.contract.direct_payment_body(request))

    def create_hosted_payment(self, *, body: str, idempotency_key: str) -> GatewayPayment:
        """Create a hosted payment from a prepared body; the answer's `hosted_page_url` is where the customer pays.

        Raises: FlowlixError; look at `outcome_unknown`.
        Source: docs.flowlix.eu/api-reference/payments/create-an-hpp-payment
        """
        body = Secret(body)
        sent_redirect_url = self._sent_redirect_url(body)

        def read(data: object) -> GatewayPayment:
            payment = self.contract.read_payment(data, sent_redirect_url=sent_redirect_url)
            if not payment.hosted_page_url:
                raise MalformedObjectError("the answer names no hosted page")
            return payment

        return self._post("create_hosted", "/v1/payments/hpp", body, idempotency_key, read)

    def create_direct_payment(self, *, body: str, idempotency_key: str) -> GatewayPayment:
        """Pay with a published test card; test keys only, because card numbers do not belong in a merchant's server.

        Raises: FlowlixError; ValueError with a live key.
        Source: docs.flowlix.eu/guides/direct-api
        """
        body = Secret(body)
        if self.livemode:
            raise ValueError("direct payments are for the self-check with test keys: use the hosted page")
        return self._post("create_direct", "/v1/payments", body, idempotency_key, self.contract.read_payment)

    def prepare_refund(self, request: RefundRequest) -> Secret:
        """Return the exact body text of a refund, to be stored and sent (again) as it is; "" where none is sent.

        Raises: RequestInvalidError with every fault of the request; nothing is sent.
        """
        _refuse(self.contract.refund_faults(request))
        body = self.contract.refund_body(request)
        return Secret("") if body is None else body_text(body)

    def refund_payment(self, *, payment_id: str, body: str, idempotency_key: str) -> GatewayPayment:
        """Refund a payment as the prepared body says, in full where the contract sends none; the answer is the payment.

        Where the gateway keeps no answer of a failed request, a try whose outcome is unknown is not repeated here: the
        payment must be read before.
        Raises: FlowlixError; look at `outcome_unknown`. ValueError for a body where none is sent, or none where one is:
        the gateway would return another amount than was meant.
        Source: docs.flowlix.eu/guides/refunds, docs.flowlix.dev/guides/refunds
        """
        body = Secret(body)
        if bool(body) is not self.contract.partial_refunds:
            raise ValueError("the body must be the text that prepare_refund() returned")
        path = self.contract.refund_path(_segment(payment_id))
        return self._post(
            "refund",
            path,
            body or None,
            idempotency_key,
            self.contract.read_payment,
            repeats_unknown=self.contract.keeps_failed_answers,
        )

    def retrieve_payment(self, *, payment_id: str) -> GatewayPayment:
        """Fetch one payment as it stands.

        Raises: FlowlixError.
        Source: docs.flowlix.eu/guides/hosted-payment-page
        """
        return self._call("retrieve", "GET", f"/v1/payments/{_segment(payment_id)}", self.contract.read_payment)

    def list_payments(
        self, *, created_from: int | None = None, created_before: int | None = None
    ) -> Iterator[GatewayPayment]:
        """Iterate over payments, newest first, 100 per call; Unix seconds, from inclusive, before exclusive.

        The times are checked here as well, and a gateway that refuses the filters is asked without them, because the
        published pages do not agree on the filters' names.
        Raises: FlowlixError, while iterating.
        Source: docs.flowlix.eu/api-reference/pagination
        """
        params: dict[str, str | int] = {"limit": PAGE_SIZE}
        if created_from is not None:
            params["created[gte]"] = created_from
        if created_before is not None:
            params["created[lt]"] = created_before
        cursors: set[str] = set()
        has_more = True
        while has_more:
            try:
                page, has_more = self._call("list", "GET", "/v1/payments", self._read_page, params=dict(params))
            except InvalidRequestError:
                if cursors or not _without_filters(params):
                    raise
                continue
            yield from (payment for payment in page if _is_within(payment, created_from, created_before))
            if not has_more or all(_is_before(payment, created_from) for payment in page):
                return  # newest first: everything after a page that is too old is older still
            cursor = page[-1].id
            if cursor in cursors:
                raise UnreadableAnswerError("the pages of the list go round in a circle", operation="list")
            cursors.add(cursor)
            params["starting_after"] = cursor

    def _sent_redirect_url(self, body: Secret) -> Secret:
        """Return the return address inside a prepared body; it holds the payment's token."""
        try:
            sent = parse_json(body.encode())
        except ValueError:
            sent = None
        if not isinstance(sent, Mapping):
            raise ValueError("the body must be the text that prepare() returned")
        return Secret(self.contract.sent_redirect_url(sent))

    def _read_page(self, data: object) -> _Page:
        entries, has_more = self.contract.read_list(data)
        if has_more and not entries:
            raise MalformedObjectError("a page without entries cannot be followed by more")
        return _Page([self.contract.read_payment(entry) for entry in entries], has_more)

    def _post(
        self,
        operation: str,
        path: str,
        body: Secret | None,
        idempotency_key: str,
        read: Callable[[object], T],
        *,
        repeats_unknown: bool = True,
    ) -> T:
        if len(idempotency_key) > MAX_KEY_LENGTH or not _HEADER_WORD.fullmatch(idempotency_key):
            raise ValueError(f"an idempotency key is 1 to {MAX_KEY_LENGTH} printable ASCII characters without spaces")
        headers = {"Idempotency-Key": idempotency_key}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return self._call(operation, "POST", path, read, body=body, headers=headers, repeats_unknown=repeats_unknown)

    def _call(
        self,
        operation: str,
        method: str,
        path: str,
        read: Callable[[object], T],
        *,
        body: Secret | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        repeats_unknown: bool = True,
    ) -> T:
        call = Call(
            transport=self._transport,
            timing=self._timing,
            observer=self._observer,
            operation=operation,
            method=method,
            path=path,
            headers=self._headers | dict(headers or {}),
            params=params,
            body=body,
            repeats_unknown=repeats_unknown,
        )
        return _stamped(call.run(read), call.request_id)


def _refuse(faults: list[str]) -> None:
    if faults:
        raise RequestInvalidError("; ".join(faults), faults=tuple(faults))


class _Page(NamedTuple):
    payments: list[GatewayPayment]
    has_more: bool


def _stamped(value: T, request_id: str) -> T:
    """Let every payment know which exchange it comes from."""
    if isinstance(value, GatewayPayment):
        return replace(value, request_id=request_id)
    if isinstance(value, _Page):
        return value._replace(payments=[replace(payment, request_id=request_id) for payment in value.payments])
    return value


def _checked_mode(contract: Contract, secret_key: Secret, api_url: str) -> bool:
    """Return whether the key is live. Raises: ValueError when key, contract and address do not belong together."""
    livemode = contract.livemode_of(secret_key)
    if livemode is None:
        prefixes = f"{contract.test_key_prefix} or {contract.live_key_prefix}"
        raise ValueError(f"a key of contract {contract.name!r} begins with {prefixes}")
    if not _HEADER_WORD.fullmatch(secret_key):
        raise ValueError("the key contains white space or another character that no key has: copy it again")
    parts = urlsplit(api_url)
    if not parts.hostname or parts.scheme not in ("https", "http"):
        raise ValueError("the API address must be absolute, such as https://api.flowlix.eu")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("the API address must have no query, fragment or credentials")
    if parts.scheme == "http" and (livemode or not is_loopback(parts.hostname)):
        raise ValueError("the API address must be https; plain http is for loopback addresses with a test key")
    return livemode


def _without_filters(params: dict[str, str | int]) -> bool:
    """Take the filters by time out, whose names are inferred for this contract; False when there were none."""
    names = [name for name in params if name.startswith("created")]
    for name in names:
        del params[name]
    return bool(names)


def _is_within(payment: GatewayPayment, created_from: int | None, created_before: int | None) -> bool:
    if created_before is not None and payment.created_at is not None and payment.created_at >= created_before:
        return False
    return not _is_before(payment, created_from)


def _is_before(payment: GatewayPayment, moment: int | None) -> bool:
    return moment is not None and payment.created_at is not None and payment.created_at < moment


def _segment(payment_id: str) -> str:
    """Return an id that cannot change the path. Raises: ValueError"""
    if not _SEGMENT.fullmatch(payment_id):
        raise ValueError("a payment id consists of letters, digits and -_.:~")
    return payment_id
