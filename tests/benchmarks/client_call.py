"""CPU time of one client call beside the same with a bare requests.Session.

Run it with `python tests/benchmarks/client_call.py`.
The budget is 1.25 times. Both talk to the same emulator in another process; rounds alternate, the median counts, so
that only the ratio within one run is looked at.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import requests

from django_flowlix.api import Customer, FlowlixClient, HostedPaymentRequest, Money

KEY = "_".join(["fl", "test", "sk", "forTheBenchmarkOnly"])
ROUNDS, CALLS = 9, 200


def cpu_seconds(call: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(CALLS):
        call()
    return time.process_time() - began


def measure(url: str) -> None:
    client = FlowlixClient(KEY, api_url=url)
    customer = Customer(
        email="a@example.com",
        first_name="A",
        last_name="B",
        country="DE",
        phone="+4930901820",
        address="C 1",
        city="Berlin",
        zip="10117",
    )
    request = HostedPaymentRequest(
        amount=Money(4999, "EUR"), redirect_url="https://shop.example/return", customer=customer
    )
    payment_id = client.create_hosted_payment(body=client.prepare(request), idempotency_key="benchmark").id
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {KEY}"

    def bare() -> object:
        return session.get(f"{url}/v1/payments/{payment_id}", timeout=(3, 8)).json()

    def ours() -> object:
        return client.retrieve_payment(payment_id=payment_id)

    pairs = [(cpu_seconds(bare), cpu_seconds(ours)) for _ in range(ROUNDS)]
    ratios = [mine / theirs for theirs, mine in pairs]
    bare_us = 1e6 * statistics.median(theirs for theirs, _ in pairs) / CALLS
    print(f"bare {bare_us:.0f} us, ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def main() -> None:
    command = [sys.executable, "-m", "django_flowlix.emulator", "--port", "0", "--rate-limit", "10000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as emulator:
        try:
            assert emulator.stdout is not None
            measure(emulator.stdout.readline().split()[-1])
        finally:
            emulator.terminate()


if __name__ == "__main__":
    main()
