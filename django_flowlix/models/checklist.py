"""What `flowlix_check` found, run by run; and what people have attested where a program cannot tell."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .fields import ExactCharField


class Configuration(models.Model):
    """What a result or an attestation is about: with another key, contract or address it says nothing any more."""

    account = ExactCharField(_("account"), max_length=64)
    contract = models.CharField(_("contract"), max_length=16)
    livemode = models.BooleanField(_("live"))
    api_key_fingerprint = models.CharField(_("key"), max_length=16)
    api_url = ExactCharField(_("gateway's address"), max_length=255)
    base_url = ExactCharField(_("shop's address"), max_length=255)

    class Meta:
        abstract = True


class ChecklistRun(Configuration):
    """One run of the command; `stages` are words separated by blanks, `is_whole` says that no line was left out."""

    version = models.CharField(_("version"), max_length=32)
    stages = models.CharField(_("stages"), max_length=64)
    is_whole = models.BooleanField(_("all lines"))
    ran_by = models.CharField(_("run by"), max_length=150, default="")
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), default=timezone.now)

    class Meta:
        verbose_name = _("go-live checklist run")
        verbose_name_plural = _("go-live checklist runs")
        default_permissions = ("view",)
        permissions = [("attest_checklist", "Can attest lines of the go-live checklist")]
        indexes = [models.Index(name="flowlix_check_account", fields=["account", "started_at"])]

    def __str__(self) -> str:
        return f"{self.account} · {self.started_at:%Y-%m-%d %H:%M} UTC"


class ChecklistResult(models.Model):
    """What a run found for one line, as it was worded then.

    `findings` is a list of `{"outcome", "looked_at", "to_do", "stage"}`. `outcome` is what the run came to, with
    `attestation` the name and note that made a line pass which needs a person.
    """

    run = models.ForeignKey(ChecklistRun, on_delete=models.CASCADE, related_name="results")
    position = models.PositiveSmallIntegerField()
    item = ExactCharField(max_length=64)
    title = models.CharField(max_length=255)
    section = ExactCharField(max_length=64)
    section_title = models.CharField(max_length=255)
    docs_url = models.TextField(default="")
    outcome = models.CharField(max_length=8)
    findings = models.JSONField(default=list)
    attestation = models.TextField(default="")

    class Meta:
        verbose_name = _("go-live checklist result")
        verbose_name_plural = _("go-live checklist results")
        default_permissions = ()
        constraints = [models.UniqueConstraint(name="flowlix_check_result", fields=["run", "item"])]

    def __str__(self) -> str:
        return f"{self.item}: {self.outcome}"


class ChecklistSignoff(Configuration):
    """A person's name under a line that a program cannot tell: what exactly was attested, when, with which note."""

    item = ExactCharField(_("line"), max_length=64)
    statement = models.TextField(_("what was attested"))
    note = models.CharField(_("note"), max_length=500)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    signed_by_name = models.CharField(_("attested by"), max_length=150)
    signed_at = models.DateTimeField(_("attested at"), default=timezone.now)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    withdrawn_by_name = models.CharField(_("withdrawn by"), max_length=150, default="")
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True)
    withdrawal_note = models.CharField(_("note of the withdrawal"), max_length=500, default="")

    class Meta:
        verbose_name = _("attestation")
        verbose_name_plural = _("attestations")
        default_permissions = ()
        indexes = [models.Index(name="flowlix_check_signoff", fields=["account", "item"])]

    def __str__(self) -> str:
        return f"{self.item} · {self.signed_by_name}"
