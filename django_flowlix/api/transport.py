"""The only file that touches `requests`: one HTTP exchange, safely.

Bearer key on our own host only, TLS verified (there is no way to turn that off), nothing taken from the environment
(`~/.netrc` would replace our Authorization header, `REQUESTS_CA_BUNDLE` would override verification), no redirects, no
cookies, no retries of urllib3's own, one keep-alive session per thread, answers over 1 MB refused, and the read timeout
bounds the *whole* answer, so that a byte a second cannot hold a worker.

Errors are raised outside the `except` that saw them: the frames of requests and urllib3 hold the Authorization header
in local variables, and an error report prints every frame of a chained exception.
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import threading
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from django_flowlix import __version__

from .secret import Secret

MAX_ANSWER_BYTES = 1024 * 1024
_CHUNK_BYTES = 16 * 1024

# True once the first byte of the current request may have left: tells a failed TLS handshake from a broken answer.
_bytes_left: ContextVar[bool] = ContextVar("flowlix_bytes_left", default=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers (case-insensitive), the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class TransportError(Exception):
    """No whole answer. `sent` is False only when it is certain that no byte of the request left this machine."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


class AnswerTooLargeError(TransportError):
    """The answer is longer than any genuine one."""


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Transport:
    """HTTP to one API address with one key; safe to share between threads and across forks."""

    def __init__(self, api_url: str, secret_key: Secret, *, ca_bundle: str = "", proxy: str = "") -> None:
        self._api_url = api_url.rstrip("/")
        self._auth = _BearerAuth(secret_key)
        self._verify: str | bool = ca_bundle or True
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}
        self._local = threading.local()

    def __repr__(self) -> str:
        return f"<Transport {urlsplit(self._api_url).netloc}>"

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
        """Do one exchange; `timeout_seconds` is (connect, whole answer). Raises: TransportError"""
        failure: TransportError | None = None
        answer: Answer | None = None
        _bytes_left.set(False)
        try:
            response = self._session().request(
                method,
                self._api_url + path,
                params=params,
                data=None if body is None else body.reveal().encode(),
                headers=dict(headers),
                auth=self._auth,
                timeout=timeout_seconds,
                allow_redirects=False,
                stream=True,
                verify=self._verify,
                proxies=self._proxies,
            )
            with response:
                give_up_at = time.monotonic() + timeout_seconds[1]
                answer = Answer(response.status_code, response.headers, _read(response, give_up_at))
        except TransportError as error:
            failure = error
        except Exception as error:  # noqa: BLE001  whatever it was, its frames hold the key
            failure = TransportError(_reason(error), sent=_may_have_been_sent(error))
        if answer is None:
            raise failure or TransportError("no answer", sent=True)
        return answer

    def _session(self) -> requests.Session:
        # A forked worker must not share its parent's sockets.
        if getattr(self._local, "pid", None) != os.getpid():
            self._local.session, self._local.pid = _new_session(), os.getpid()
        session: requests.Session = self._local.session
        return session


class _BearerAuth(requests.auth.AuthBase):
    def __init__(self, secret_key: Secret) -> None:
        self._secret_key = secret_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._secret_key.reveal()}"
        return request


def _new_session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Compressed answers could hide a bomb, and answers are small: ask for plain ones.
    session.headers.update({"Accept-Encoding": "identity", "User-Agent": f"django-flowlix/{__version__}"})
    session.mount("https://", _Adapter())
    session.mount("http://", _Adapter())
    return session


def _read(response: requests.Response, give_up_at: float) -> bytes:
    """Read the body piece by piece, as it arrives, within the limits."""
    body = bytearray()
    while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise AnswerTooLargeError(f"answer over {MAX_ANSWER_BYTES} bytes", sent=True)
        if time.monotonic() > give_up_at:
            raise TransportError("answer too slow", sent=True)
    return bytes(body)


def _may_have_been_sent(error: Exception) -> bool:
    """Return False only where the failure proves that the connection was never made."""
    if isinstance(error, requests.exceptions.SSLError):
        return _bytes_left.get()
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return not isinstance(reason, NewConnectionError | ConnectTimeoutError) and not isinstance(
        error, requests.exceptions.ConnectTimeout
    )


def _reason(error: Exception) -> str:
    """Say what happened by the exception's kind; its text may quote addresses, headers or proxies."""
    cause = error.args[0] if error.args else None
    inner = getattr(cause, "reason", None)
    names = [type(error).__name__, type(inner).__name__ if isinstance(inner, Exception) else ""]
    return ": ".join(dict.fromkeys(name for name in names if name))


class _UntilDeadline(io.RawIOBase):
    """The socket of one answer, readable until the read timeout has passed *in total*."""

    def __init__(self, sock: socket.socket) -> None:
        timeout = sock.gettimeout()
        self._sock = sock
        self._give_up_at = None if timeout is None else time.monotonic() + timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._give_up_at is not None:
            remaining = self._give_up_at - time.monotonic()
            if remaining <= 0:
                raise TimeoutError("the whole answer took too long")
            self._sock.settimeout(remaining)
        return self._sock.recv_into(buffer)


class _Reply(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        # Replaces the file made by http.client, which keeps the socket open by reference count: close it in its place.
        self._socket_file = self.fp
        self.fp = io.BufferedReader(_UntilDeadline(sock))

    def _close_conn(self) -> None:
        self._socket_file.close()
        super()._close_conn()  # type: ignore[misc]


class _Connection(HTTPConnection):
    debuglevel = 0  # shadows http.client's global switch, which would print the Authorization header
    response_class = _Reply

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _bytes_left.set(True)
        super().send(data)


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    """requests' adapter with our connections; its own retries stay at none."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
        return manager
