"""What the emulator sends back: a finished answer, or a refusal that becomes the documented error object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any


class Delivery(Enum):
    """How the bytes reach the client; everything but WHOLE is a fault that only a real socket can show."""

    WHOLE = "whole"
    DROPPED = "dropped"
    TRUNCATED = "truncated"
    DRIPPED = "dripped"


@dataclass(frozen=True)
class Answer:
    """One answer; `withheld` names headers that a fault keeps off it."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()
    delivery: Delivery = Delivery.WHOLE
    drip_pause_seconds: float = 0.0

    def with_headers(self, headers: Mapping[str, str]) -> Answer:
        """Return the answer with `headers` added, its own headers winning and withheld ones left out."""
        merged = {**headers, **self.headers}
        return replace(self, headers={k: v for k, v in merged.items() if k not in self.withheld})


def json_answer(status: int, value: object) -> Answer:
    return Answer(status, json.dumps(value, separators=(",", ":")).encode())


class RefusalError(Exception):
    """A request the gateway refuses, as the error object of the contract.

    Source: docs.flowlix.eu/api-reference/errors (all keys are always present)
    """

    def __init__(
        self,
        status: int,
        error_type: str,
        code: str | None,
        message: str,
        *,
        param: str | None = None,
        decline_code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.fields: dict[str, Any] = {
            "type": error_type,
            "code": code,
            "message": message,
            "param": param,
            "decline_code": decline_code,
        }

    def answer(self, request_id: str, doc_url: str | None) -> Answer:
        error = {**self.fields, "doc_url": doc_url, "request_id": request_id}
        return replace(json_answer(self.status, {"error": error}), headers=self.headers)


def invalid(param: str | None, message: str, code: str = "parameter_invalid") -> RefusalError:
    return RefusalError(400, "invalid_request_error", code, message, param=param)
