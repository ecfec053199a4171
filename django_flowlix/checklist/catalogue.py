"""The gateway's go-live checklist, line by line in its order, and what an installation needs besides.

Who looks for each line stands in `probes/`.

Source: docs.flowlix.eu/guides/go-live
"""

from __future__ import annotations

from .items import Item, Section, register

DOCS_URL = "https://django-flowlix.readthedocs.io/en/stable/reference/checklist.html"


def _line(item_id: str, section: Section, title: str) -> Item:
    return register(Item(item_id, section, title, docs_url=f"{DOCS_URL}#{item_id}"))


API_INTEGRATION = Section("api-integration", "API integration")
LIVE_KEY_FROM_ENVIRONMENT = _line(
    "live-key-from-environment", API_INTEGRATION, "The key is read from the environment, never hard-coded"
)
IDEMPOTENCY_KEYS = _line(
    "idempotency-keys", API_INTEGRATION, "Every POST carries a deterministic Idempotency-Key tied to the order"
)
PAYMENT_ID_STORED = _line("payment-id-stored", API_INTEGRATION, "The payment id is stored with the order")
MINOR_UNITS = _line("minor-units", API_INTEGRATION, "Amounts are in minor units, right for every currency")

ERROR_HANDLING = Section("error-handling", "Error handling")
ERROR_TYPES = _line("error-types", ERROR_HANDLING, "All error types of the gateway are handled")
DECLINE_TEXTS = _line("decline-texts", ERROR_HANDLING, "Decline codes are mapped to texts for customers")
RETRY_5XX = _line("retry-5xx", ERROR_HANDLING, "A 5xx is retried after 1 s, 2 s and 4 s under the same key")
NO_RETRY_4XX = _line("no-retry-4xx", ERROR_HANDLING, "A 4xx is not retried")
RETRY_AFTER = _line("retry-after", ERROR_HANDLING, "A 429 is retried when Retry-After says, never earlier")

SECURITY = Section("security", "Security")
SECRET_KEY_SERVER_SIDE = _line(
    "secret-key-server-side", SECURITY, "The secret key is on the server only: in no file, in no log"
)
HTTPS = _line("https", SECURITY, "HTTPS everywhere: the API, the shop, its cookies and its proxy")
WEBHOOKS_VERIFIED = _line("webhooks-verified", SECURITY, "Webhooks are verified where the contract has them")
CARD_NUMBERS_NOT_LOGGED = _line("card-numbers-not-logged", SECURITY, "Card numbers and keys never reach the logs")
PCI_SCOPE = _line("pci-scope", SECURITY, "Cards are entered on the hosted page only")

TESTING = Section("testing", "Testing")
OUTCOMES_EXERCISED = _line("outcomes-exercised", TESTING, "Success, declines and a refund have been exercised")
IDEMPOTENCY_EXERCISED = _line(
    "idempotency-exercised", TESTING, "Idempotency has been exercised: the same request twice, the same answer"
)
ERRORS_EXERCISED = _line("errors-exercised", TESTING, "Error handling has been exercised")
HOSTED_CYCLE_EXERCISED = _line(
    "hosted-cycle-exercised",
    TESTING,
    "The hosted page has been gone through: session, redirect, return, verification by the server",
)

MONITORING = Section("monitoring", "Monitoring")
REQUEST_IDS_STORED = _line("request-ids-stored", MONITORING, "The request id of every answer is stored")
DECLINE_RATE_WATCHED = _line("decline-rate-watched", MONITORING, "The decline rate is watched")
ALERTS_DELIVERABLE = _line(
    "alerts-deliverable", MONITORING, "Alerts for 5xx, declines and rate-limit hits are set up and reach somebody"
)

GO_LIVE = Section("go-live", "When ready")
LIVE_KEY_SET = _line("live-key-set", GO_LIVE, "The live key is obtained and set")
REAL_PAYMENT = _line("real-payment", GO_LIVE, "A small real payment was made, verified end to end and refunded")
FIRST_TRANSACTIONS_WATCHED = _line("first-transactions-watched", GO_LIVE, "The first transactions are watched")

INSTALLATION = Section("installation", "Installation")
SYSTEM_CHECKS = _line("system-checks", INSTALLATION, "Django's system checks have nothing to say")
MIGRATIONS = _line("migrations", INSTALLATION, "All migrations are applied")
GATEWAY_REACHABLE = _line("gateway-reachable", INSTALLATION, "The gateway can be reached over TLS that lasts")
KEY_ACCEPTED = _line("key-accepted", INSTALLATION, "The gateway accepts the key, in the mode that is meant")
ANSWER_HEADERS = _line("answer-headers", INSTALLATION, "Answers bring their request id and the state of the rate limit")
CLOCK = _line("clock", INSTALLATION, "The clock agrees with the gateway's")
RETURN_ADDRESS = _line("return-address", INSTALLATION, "Customers can come back: the return address answers")
SHARED_CACHE = _line("shared-cache", INSTALLATION, "The cache is shared between processes where it must be")
SYNC_RUNNING = _line("sync-running", INSTALLATION, "flowlix_sync runs, and keeps up")
