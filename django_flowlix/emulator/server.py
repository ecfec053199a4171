"""The emulator as a running server: started in a thread, driven from Python.

with EmulatorServer() as emulator:
    emulator.fault("create_hosted", "drop_after")
    ...  # let the code under test talk to emulator.url
    assert len(emulator.log("create_hosted")) == 2
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

try:
    import flask as _flask  # noqa: F401
except ModuleNotFoundError as missing:
    MESSAGE = 'The emulator needs Flask: pip install "django-flowlix[emulator]"'
    raise ModuleNotFoundError(MESSAGE, name="flask") from missing

from .app import create_app
from .clock import Clock
from .contracts import contract_named
from .controls import Controls
from .faults import Fault
from .loopback import is_loopback
from .payments import Payment
from .refunds import Refund
from .request_log import LogEntry
from .state import State
from .wire import KeepAliveServer


class EmulatorServer:
    """A gateway on a loopback port; port 0 takes a free one.

    Raises: ValueError for an unknown contract or a host that is not loopback; OSError if the port is taken.
    """

    def __init__(
        self,
        contract: str = "eu",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        accepted_keys: Iterable[str] = (),
        requests_per_minute: int | None = None,
        read_seconds: Callable[[], float] | None = None,
    ) -> None:
        require_loopback(host)
        if not 0 <= port <= 65_535:
            raise ValueError(f"port {port} does not exist: choose 1 to 65535, or 0 for a free one")
        clock = Clock(read_seconds) if read_seconds else Clock()
        self._address = (host, port)
        self.state = State(
            contract_named(contract),
            accepted_keys=accepted_keys,
            requests_per_minute=requests_per_minute,
            clock=clock,
        )
        self._controls = Controls(self.state)
        self._server: KeepAliveServer | None = None
        self._thread: threading.Thread | None = None
        self.url = ""

    def start(self) -> Self:
        host, port = self._address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, port), family=family) as listener:
            self._server = KeepAliveServer(listener, create_app(self.state))
        shown_host = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown_host}:{self._server.port}"
        # serve_forever looks for a shutdown once per interval, so the interval is what stopping costs.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving, hang up on every client and free the port."""
        if self._server is None or self._thread is None:
            return
        self.state.delays.interrupt()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def fault(self, operation: str, kind: str, **options: Any) -> Fault:
        """Queue a fault; the kinds and their options stand in docs/reference/emulator.md."""
        return self._controls.add_fault(operation, kind, options)

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> float:
        """Move the emulator's clock forward and return its time in Unix seconds."""
        return self._controls.advance(seconds + 60 * minutes + 3600 * hours)

    def pay(self, payment_id: str, card: str | None = None) -> Payment:
        """Finish a payment as if the customer had paid on the page; a declining test card declines.

        Without a card, one that succeeds is taken. A payment that waits for 3-D Secure passes it, with the card it has.
        """
        return self._controls.finish(payment_id, "success", card=card)

    def decline(self, payment_id: str, decline_code: str = "generic_decline") -> Payment:
        return self._controls.finish(payment_id, "decline", decline_code=decline_code)

    def cancel(self, payment_id: str) -> Payment:
        """Finish a payment as if the customer had pressed Cancel."""
        return self._controls.finish(payment_id, "cancel")

    def expire(self, payment_id: str) -> Payment:
        """Finish a payment as if nobody had completed it in time. Raises: ValueError in contract eu, which cannot."""
        return self._controls.finish(payment_id, "expire")

    def refund(self, payment_id: str, amount_minor: int | None = None) -> Payment:
        """Refund a payment as if somebody had done it in the merchant's dashboard; by default all that is left."""
        return self._controls.refund(payment_id, amount_minor)

    def finish_refund(self, refund_id: str, outcome: str = "succeed") -> None:
        """End a pending refund now: `succeed` or `fail`."""
        self._controls.finish_refund(refund_id, outcome)

    def refunds(self, payment_id: str) -> list[Refund]:
        """Return the refunds of a payment, oldest first; in contract eu at most one, of the whole amount."""
        return self._controls.refunds(payment_id)

    def set_refund_delay(self, seconds: float | None) -> None:
        """Choose how long refunds made from now on stay pending, by the emulator's clock; None: until told."""
        self._controls.set_refund_delay(seconds)

    def set_payment_delay(self, seconds: float | None) -> None:
        """Choose the same for direct payments of contract dev."""
        self._controls.set_payment_delay(seconds)

    def revoke_key(self, key: str) -> None:
        self._controls.revoke_key(key)

    def restore_key(self, key: str) -> None:
        self._controls.restore_key(key)

    def set_rate_limit(self, requests_per_minute: int) -> None:
        self._controls.set_rate_limit(requests_per_minute)

    def show_page_url_as(self, field: str) -> None:
        """Choose the field that carries the page's address: `both`, `hpp_url` or `redirect_url`."""
        self.state.show_page_url_as(field)

    def payments(self) -> list[Payment]:
        """Return every payment of both modes, oldest first."""
        with self.state.lock:
            return list(self.state.payments)

    def log(self, operation: str | None = None) -> list[LogEntry]:
        """Return the requests received, oldest first."""
        return self.state.log.entries(operation)

    def wait_until_held(self, requests: int = 1, timeout_seconds: float = 10) -> None:
        """Block until so many requests are held by a delay, and so are surely in the middle of things.

        Raises: TimeoutError if they are not in time.
        """
        self.state.delays.wait_until_held(requests, timeout_seconds)

    def release(self) -> None:
        """End every delay now; the held requests go on."""
        self.state.delays.release()

    def reset(self) -> None:
        """Forget everything; held requests drop their connections."""
        self.state.reset()


def require_loopback(host: str) -> None:
    if not is_loopback(host):
        raise ValueError(
            f"host {host!r} is refused: the emulator accepts any key and its control API has no password, "
            "so it serves this machine only. Use 127.0.0.1"
        )
