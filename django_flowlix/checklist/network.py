"""Whether an address answers, and why not, in one line; and until when its certificate is good.

Nothing is taken from the environment, no redirect is followed, and a certificate that does not verify is no answer:
as the client does it.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

TIMEOUT_SECONDS = 8.0


class Unreachable(Exception):  # noqa: N818  a state of affairs, told to a person
    """No answer; the text is the cause in a few words."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What an address said: status, headers in small letters; `certificate_until` is None for plain http."""

    status: int
    headers: Mapping[str, str]
    certificate_until: datetime | None


def ask(method: str, url: str, *, ca_bundle: str = "", proxy: str = "") -> Reply:
    """Do one request without a body or a key. Raises: Unreachable"""
    parts = urlsplit(url)
    try:
        with closing(_connection(url, ca_bundle, proxy)) as connection:
            connection.connect()
            until = _certificate_until(connection.sock)
            with _deadline(connection.sock):
                agent = {"Connection": "close", "User-Agent": "flowlix_check"}
                connection.request(method, parts.path or "/", headers=agent)
                response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, headers, until)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(_cause_of(error)) from None


@contextmanager
def _deadline(sock: socket.socket) -> Iterator[None]:
    """Cut the connection when the answer as a whole takes too long: a byte every few seconds passes each time-out."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # below TLS, whose own would wait for the other side

    watchdog = threading.Timer(TIMEOUT_SECONDS, cut)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError):
        if not late.is_set():
            raise
    finally:
        watchdog.cancel()
    if late.is_set():  # headers that are cut off look like complete ones
        raise TimeoutError


def _connection(url: str, ca_bundle: str, proxy: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT_SECONDS)
    context = ssl.create_default_context(cafile=ca_bundle or DEFAULT_CA_BUNDLE_PATH)
    if not proxy:
        return http.client.HTTPSConnection(host, parts.port, timeout=TIMEOUT_SECONDS, context=context)
    through = urlsplit(proxy)
    connection = http.client.HTTPSConnection(
        through.hostname or "", through.port, timeout=TIMEOUT_SECONDS, context=context
    )
    connection.set_tunnel(host, parts.port or 443)
    return connection


def _certificate_until(sock: socket.socket) -> datetime | None:
    if not isinstance(sock, ssl.SSLSocket):
        return None
    certificate = sock.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)


def _cause_of(error: Exception) -> str:
    """Say in a few words why there was no answer; an exception's own text may hold anything."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is refused ({error.verify_message})"
        case ssl.SSLError():
            reason = getattr(error, "reason", None)  # an error that OpenSSL did not raise has none
            return f"TLS failed ({reason or type(error).__name__})"
        case socket.gaierror():
            return "its name cannot be resolved"
        case ConnectionRefusedError():
            return "the connection was refused"
        case TimeoutError():
            return f"no answer within {TIMEOUT_SECONDS:.0f} s"
        case OSError(strerror=str() as text) if text:
            return text[0].lower() + text[1:]
    return f"no answer that is HTTP ({type(error).__name__})"
