"""What `--scenarios` and `--live-payment` do at the gateway: real calls, real payments, the findings they lead to."""

from __future__ import annotations
