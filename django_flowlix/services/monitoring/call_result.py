"""What became of one HTTP try, in the classes that operators ask about."""

from __future__ import annotations

from django.db.models import Case, CharField, PositiveSmallIntegerField, Q, TextChoices, Value, When
from django.utils.translation import gettext_lazy as _

from ...models.api_call import ApiCallOutcome
from .latency import DURATION_BOUNDS_MS


class CallResult(TextChoices):
    OK = "ok", _("answered")
    DECLINED = "declined", _("card declined")
    REFUSED = "refused", _("request refused (4xx)")
    CREDENTIALS_REFUSED = "credentials_refused", _("key refused (401, 403)")
    RATE_LIMITED = "rate_limited", _("rate limited (429)")
    SERVER_ERROR = "server_error", _("server error (5xx)")
    NO_ANSWER = "no_answer", _("no usable answer")
    NOT_SENT = "not_sent", _("not sent")


# The first that fits counts.
_CASES = (
    (Q(outcome=ApiCallOutcome.NOT_SENT), CallResult.NOT_SENT),
    (Q(http_status__isnull=True), CallResult.NO_ANSWER),
    (Q(http_status__gte=500), CallResult.SERVER_ERROR),
    (Q(http_status=429), CallResult.RATE_LIMITED),
    (Q(http_status__in=(401, 403)), CallResult.CREDENTIALS_REFUSED),
    (Q(http_status=402) | Q(error_type="card_error"), CallResult.DECLINED),
    (Q(http_status__gte=400), CallResult.REFUSED),
    (Q(outcome=ApiCallOutcome.OK), CallResult.OK),
)

RESULT = Case(
    *(When(condition, then=Value(result.value)) for condition, result in _CASES),
    default=Value(CallResult.NO_ANSWER.value),  # a redirect, HTML, broken JSON
    output_field=CharField(max_length=24),
)
"""The result of an ApiCall as an SQL expression."""

DURATION_CLASS = Case(
    *(When(duration_ms__lte=bound, then=Value(index)) for index, bound in enumerate(DURATION_BOUNDS_MS)),
    default=Value(len(DURATION_BOUNDS_MS)),
    output_field=PositiveSmallIntegerField(),
)
"""The duration class of an ApiCall as an SQL expression; `latency.class_of` in Python."""
