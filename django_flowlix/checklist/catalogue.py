"""The gateway's go-live checklist, line by line in its order, and what an installation needs besides.

Who looks for each line stands in `probes/`.

Source: docs.flowlix.eu/guides/go-live
"""

from __future__ import annotations

from .items import Item, Section, register

API_INTEGRATION = Section("api-integration", "API integration")
LIVE_KEY_FROM_ENVIRONMENT = register(
    Item("live-key-from-environment", API_INTEGRATION, "The key is read from the environment, never hard-coded")
)
IDEMPOTENCY_KEYS = register(
    Item("idempotency-keys", API_INTEGRATION, "Every POST carries a deterministic Idempotency-Key tied to the order")
)
PAYMENT_ID_STORED = register(Item("payment-id-stored", API_INTEGRATION, "The payment id is stored with the order"))
MINOR_UNITS = register(Item("minor-units", API_INTEGRATION, "Amounts are in minor units, right for every currency"))

ERROR_HANDLING = Section("error-handling", "Error handling")
ERROR_TYPES = register(Item("error-types", ERROR_HANDLING, "All error types of the gateway are handled"))
DECLINE_TEXTS = register(Item("decline-texts", ERROR_HANDLING, "Decline codes are mapped to texts for customers"))
RETRY_5XX = register(Item("retry-5xx", ERROR_HANDLING, "A 5xx is retried after 1 s, 2 s and 4 s under the same key"))
NO_RETRY_4XX = register(Item("no-retry-4xx", ERROR_HANDLING, "A 4xx is not retried"))
RETRY_AFTER = register(Item("retry-after", ERROR_HANDLING, "A 429 is retried when Retry-After says, never earlier"))

SECURITY = Section("security", "Security")
SECRET_KEY_SERVER_SIDE = register(
    Item("secret-key-server-side", SECURITY, "The secret key is on the server only: in no file, in no log")
)
HTTPS = register(Item("https", SECURITY, "HTTPS everywhere: the API, the shop, its cookies and its proxy"))
WEBHOOKS_VERIFIED = register(Item("webhooks-verified", SECURITY, "Webhooks are verified where the contract has them"))
CARD_NUMBERS_NOT_LOGGED = register(
    Item("card-numbers-not-logged", SECURITY, "Card numbers and keys never reach the logs")
)
PCI_SCOPE = register(Item("pci-scope", SECURITY, "Cards are entered on the hosted page only"))

TESTING = Section("testing", "Testing")
OUTCOMES_EXERCISED = register(Item("outcomes-exercised", TESTING, "Success, declines and a refund have been exercised"))
IDEMPOTENCY_EXERCISED = register(
    Item("idempotency-exercised", TESTING, "Idempotency has been exercised: the same request twice, the same answer")
)
ERRORS_EXERCISED = register(Item("errors-exercised", TESTING, "Error handling has been exercised"))
HOSTED_CYCLE_EXERCISED = register(
    Item(
        "hosted-cycle-exercised",
        TESTING,
        "The hosted page has been gone through: session, redirect, return, verification by the server",
    )
)

MONITORING = Section("monitoring", "Monitoring")
REQUEST_IDS_STORED = register(Item("request-ids-stored", MONITORING, "The request id of every answer is stored"))
DECLINE_RATE_WATCHED = register(Item("decline-rate-watched", MONITORING, "The decline rate is watched"))
ALERTS_DELIVERABLE = register(
    Item("alerts-deliverable", MONITORING, "Alerts for 5xx, declines and rate-limit hits are set up and reach somebody")
)

GO_LIVE = Section("go-live", "When ready")
LIVE_KEY_SET = register(Item("live-key-set", GO_LIVE, "The live key is obtained and set"))
REAL_PAYMENT = register(
    Item("real-payment", GO_LIVE, "A small real payment was made, verified end to end and refunded")
)
FIRST_TRANSACTIONS_WATCHED = register(Item("first-transactions-watched", GO_LIVE, "The first transactions are watched"))

INSTALLATION = Section("installation", "Installation")
SYSTEM_CHECKS = register(Item("system-checks", INSTALLATION, "Django's system checks have nothing to say"))
MIGRATIONS = register(Item("migrations", INSTALLATION, "All migrations are applied"))
GATEWAY_REACHABLE = register(Item("gateway-reachable", INSTALLATION, "The gateway can be reached over TLS that lasts"))
KEY_ACCEPTED = register(Item("key-accepted", INSTALLATION, "The gateway accepts the key, in the mode that is meant"))
ANSWER_HEADERS = register(
    Item("answer-headers", INSTALLATION, "Answers bring their request id and the state of the rate limit")
)
CLOCK = register(Item("clock", INSTALLATION, "The clock agrees with the gateway's"))
RETURN_ADDRESS = register(Item("return-address", INSTALLATION, "Customers can come back: the return address answers"))
SHARED_CACHE = register(Item("shared-cache", INSTALLATION, "The cache is shared between processes where it must be"))
SYNC_RUNNING = register(Item("sync-running", INSTALLATION, "flowlix_sync runs, and keeps up"))
