"""The only file that touches `requests`: one HTTP exchange, safely.

Bearer key on our own host only, TLS verified (there is no way to turn that off), nothing taken from the environment
(`~/.netrc` would replace our Authorization header, `REQUESTS_CA_BUNDLE` would override verification), no redirects, no
cookies, no retries of urllib3's own, one keep-alive session per thread, answers over 1 MB refused, and the read timeout
bounds the *whole* exchange, so that a byte a second cannot hold a worker.

Errors are raised outside the `except` that saw them: the frames of requests and urllib3 hold the Authorization header
in local variables, and an error report prints every frame of a chained exception.
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from django_flowlix import __version__

from .secret import Secret

MAX_ANSWER_BYTES = 1024 * 1024
_CHUNK_BYTES = 16 * 1024


@dataclass(slots=True)
class _Progress:
    """How far the current request is: what the connections below know and `Transport` has to learn."""

    give_up_at: float
    bytes_left: bool = False


_progress: ContextVar[_Progress] = ContextVar("flowlix_progress")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers (case-insensitive), the whole body. Its repr shows the status only."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


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
    """HTTP to one API address with one key; safe to share between threads and across forks.

    `ca_bundle` is the path of a PEM file, `proxy` the http(s) address of a proxy for https requests; plain http, which
    only goes to this machine, never passes one.
    """

    def __init__(self, api_url: str, secret_key: Secret, *, ca_bundle: str = "", proxy: str = "") -> None:
        if proxy and urlsplit(proxy).scheme not in ("http", "https"):
            raise ValueError("the proxy must be an http or https address")
        self._api_url = api_url.rstrip("/")
        self._auth = _BearerAuth(secret_key)
        self._verify: str | bool = ca_bundle or True
        self._proxy = Secret(proxy)
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
        """Do one exchange; `timeout_seconds` is (connect, whole exchange). Raises: TransportError"""
        progress = _Progress(give_up_at=time.monotonic() + timeout_seconds[1])
        _progress.set(progress)
        outer = sys.exception()
        failure: TransportError
        try:
            with self._session().request(
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
                proxies={"https": self._proxy.reveal()} if self._proxy else {},
            ) as response:
                return Answer(response.status_code, response.headers, _read(response))
        except AnswerTooLargeError as error:
            failure = error.with_traceback(None)
        except Exception as error:  # noqa: BLE001  whatever it was, its frames hold the key
            failure = TransportError(_reason(error, outer), sent=progress.bytes_left)
        raise failure

    def _session(self) -> requests.Session:
        # A forked worker must not share its parent's sockets.
        if getattr(self._local, "pid", None) != os.getpid():
            self._local.session, self._local.pid = _Session(), os.getpid()
        session: requests.Session = self._local.session
        return session


class _BearerAuth(requests.auth.AuthBase):
    def __init__(self, secret_key: Secret) -> None:
        self._secret_key = secret_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._secret_key.reveal()}"
        return request


class _Session(requests.Session):
    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # Compressed answers could hide a bomb, and answers are small: ask for plain ones.
        self.headers.update({"Accept-Encoding": "identity", "User-Agent": f"django-flowlix/{__version__}"})
        self.mount("https://", _Adapter())
        self.mount("http://", _Adapter())

    def get_redirect_target(self, resp: requests.Response) -> None:
        """See no redirect at all: even when told not to follow one, requests reads its body without limit."""


def _read(response: requests.Response) -> bytes:
    """Return the body, given up as soon as it is too large."""
    body = bytearray()
    for chunk in response.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise AnswerTooLargeError(f"answer over {MAX_ANSWER_BYTES} bytes", sent=True)
    return bytes(body)


def _reason(error: BaseException, outer: BaseException | None) -> str:
    """Say what happened by the exception's kind and its cause's; their texts may quote addresses or headers.

    `outer` was being handled when the exchange began and has nothing to do with it.
    """
    root = error
    while root.__context__ is not None and root.__context__ is not outer:
        root = root.__context__
    return ": ".join(dict.fromkeys(type(each).__name__ for each in (error, root)))


class _UntilDeadline(io.RawIOBase):
    """The incoming side of a socket, readable until the exchange as a whole has taken too long."""

    def __init__(self, sock: socket.socket, incoming: io.RawIOBase) -> None:
        self._sock = sock
        self._incoming = incoming
        self._give_up_at = _progress.get().give_up_at

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = self._give_up_at - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the whole exchange took too long")
        self._sock.settimeout(remaining)
        return self._incoming.readinto(buffer)

    def close(self) -> None:
        self._incoming.close()
        super().close()


class _Reply(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_UntilDeadline(sock, self.fp.detach()))


class _Connection(HTTPConnection):
    debuglevel = 0  # shadows http.client's global switch, which would print the Authorization header
    response_class = _Reply

    def connect(self) -> None:
        progress = _progress.get()
        try:
            super().connect()
        finally:
            progress.bytes_left = False  # what a proxy was asked for on the way is not the request
        if time.monotonic() >= progress.give_up_at:
            raise TimeoutError("connecting took too long")

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _progress.get().bytes_left = True
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
