"""A worker of the shop that is killed at a named point; `python -m tests.crash.worker` reads jobs from stdin.

Each line is a job in JSON: `database` (name), `flowlix` (the setting), `point`, `action`, `clock_ahead_seconds`. Each
is done by a fork, so that Django is loaded once. The line printed for it is 0 if the fork came to the end of its work
alive, else the number of the signal that ended it, with a minus.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn


def die(*args: Any, **kwargs: Any) -> NoReturn:
    """End as by `kill -9`: no handler, no `finally`, no rollback of ours."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def before(owner: Any, name: str) -> None:
    setattr(owner, name, die)


def after(owner: Any, name: str) -> None:
    real = getattr(owner, name)

    def run_and_die(*args: Any, **kwargs: Any) -> NoReturn:
        real(*args, **kwargs)
        die()

    setattr(owner, name, run_and_die)


def points() -> dict[str, Callable[[], None]]:
    """Return what arms each point; the names are those of the catalogue of failure scenarios."""
    from django_flowlix.api import transport
    from django_flowlix.services import (
        booking,
        clock,
        leases,
        notifications,
        payments,
        refund_sending,
        refund_transitions,
        refunds,
        transitions,
    )
    from tests.crash import fulfilment

    return {
        "before_intent_commit": lambda: after(payments, "_insert"),
        "after_intent_commit": lambda: after(payments, "_reserve"),
        "before_send": lambda: before(transport.Transport, "send"),
        "after_send_before_read": lambda: before(transport, "_read"),
        "inside_backoff_wait": lambda: before(clock, "sleep"),
        "after_read_before_commit": lambda: before(booking, "book"),
        "inside_result_commit": lambda: after(transitions, "_record"),
        "after_result_commit": lambda: after(transitions, "apply"),
        "after_lease": lambda: after(leases, "take_lease"),
        "before_receiver": lambda: before(notifications, "deliver"),
        "inside_receiver": lambda: after(fulfilment, "leave_fulfilled"),
        "between_receivers": lambda: before(fulfilment, "leave_thanked"),
        "after_receiver": lambda: after(notifications, "deliver"),
        "refund_before_reserve_commit": lambda: after(refunds, "_insert"),
        "refund_after_reserve_commit": lambda: after(refunds, "_reserved"),
        "refund_inside_result_commit": lambda: after(refund_transitions, "_record"),
        "refund_inside_receiver": lambda: after(fulfilment, "leave_restocked"),
        "refund_between_receivers": lambda: before(fulfilment, "leave_apologised"),
        "refund_before_failing": lambda: before(refund_sending, "_fail"),
        "refund_after_failing": lambda: after(refund_sending, "_fail"),
        "refund_before_leaving_open": lambda: before(refund_sending, "_leave_open"),
    }


def actions() -> dict[str, Callable[[], object]]:
    from django_flowlix.models import Payment
    from django_flowlix.services import start_payment, sync_payment
    from django_flowlix.services.reconciliation import Run
    from tests.conftest import a_request
    from tests.crash.refunding import refund_by_form

    return {
        "click": lambda: start_payment(a_request()),
        "return": lambda: sync_payment(Payment.objects.get()),
        "sync": lambda: Run().execute(),
        "refund": refund_by_form,
    }


def do(job: dict[str, Any]) -> None:
    from django.conf import settings
    from django.db import connection
    from django.utils import timezone

    from django_flowlix.services import clock

    settings.FLOWLIX = job["flowlix"]
    connection.settings_dict["NAME"] = job["database"]
    ahead = timedelta(seconds=job["clock_ahead_seconds"])
    clock.now = lambda: timezone.now() + ahead
    clock.sleep = lambda seconds: None
    points()[job["point"]]()
    actions()[job["action"]]()


def main() -> None:
    import django

    django.setup()
    from tests.crash import fulfilment

    fulfilment.connect()
    points(), actions()  # imported once, here, and not by every fork
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                do(json.loads(line))
            except BaseException:  # noqa: BLE001  the parent says what did not happen, this says why
                traceback.print_exc()
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
