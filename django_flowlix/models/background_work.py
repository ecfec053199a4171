"""What the background takes up by lease, and what nobody may delete; and when the background last ran."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NoReturn, Self, TypeVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

M = TypeVar("M", bound=models.Model, covariant=True)


class BackgroundWorkQuerySet(models.QuerySet[M]):
    """Named filters."""

    def due(self, now: datetime) -> Self:
        """Rows that the background has to look at and nobody is looking at, the newest customers first."""
        free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
        return self.filter(free, next_sync_at__lte=now).order_by("-created_at", "-pk")

    def delete(self) -> NoReturn:
        """Refuse: these are book entries. Raises: ProtectedError"""
        raise models.ProtectedError("payments and refunds are book entries and are not deleted", set(self))

    delete.queryset_only = True  # type: ignore[attr-defined]


class BackgroundWork(models.Model):
    """A book entry that workers on many machines may take up: at most one holds it, until `lease_until`.

    `next_sync_at` is when the background has to look at it, NULL when there is nothing to do.
    """

    next_sync_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(
        null=True, help_text=_("A worker is talking to the gateway about this until then.")
    )
    sync_failures = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse: this is a book entry. Raises: ProtectedError"""
        raise models.ProtectedError("payments and refunds are book entries and are not deleted", {self})


class CommandRun(models.Model):
    """The last time a command of the background came to its end: what does not run must not look as if it did."""

    command = models.CharField(max_length=32)
    completed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("run of a command")
        verbose_name_plural = _("runs of commands")
        default_permissions = ()
        constraints = [models.UniqueConstraint(name="flowlix_command_run", fields=["command"])]

    def __str__(self) -> str:
        return f"{self.command}: {self.completed_at:%Y-%m-%d %H:%M}"
