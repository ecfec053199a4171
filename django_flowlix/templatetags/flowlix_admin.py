"""What our block on the admin's page of this app shows: the work queues, how much waits in each, and where it is."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from ..services.monitoring.queues import MOST_COUNTED, PAYMENT_QUEUES, REFUND_QUEUES, Queue, waiting

register = template.Library()


@register.inclusion_tag("admin/django_flowlix/work_queues.html", takes_context=True)
def flowlix_work_queues(context: template.Context) -> dict[str, Any]:
    """Show the queues of what the person may view, in one query."""
    request = context["request"]
    queues = [
        queue
        for queue in (*PAYMENT_QUEUES, *REFUND_QUEUES)
        if request.user.has_perm(f"django_flowlix.view_{queue.model._meta.model_name}")
    ]
    lines = [
        {
            "of": queue.model._meta.verbose_name_plural,
            "label": queue.label,
            "count": _shown(waits.number),
            "waits": bool(waits.number),
            "url": _address(queue, getattr(request, "current_app", None)),
        }
        for queue, waits in waiting(queues).items()
    ]
    return {"queues": lines}


def _shown(number: int) -> str:
    if number > MOST_COUNTED:
        return _("%(count)s+") % {"count": number_format(MOST_COUNTED, force_grouping=True)}
    return number_format(number)


def _address(queue: Queue, current_app: str | None) -> str:
    name = f"admin:django_flowlix_{queue.model._meta.model_name}_changelist"
    try:
        return f"{reverse(name, current_app=current_app)}?queue={queue.name}"
    except NoReverseMatch:  # a shop may leave a list out of its admin
        return ""
