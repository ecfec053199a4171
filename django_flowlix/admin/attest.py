"""How a person puts a name under a line of the checklist, and takes it away again: a page each, with a note."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..checklist import Finding, Outcome
from ..checklist.attesting import MAX_NOTE_LENGTH, attest, configuration_of, withdraw
from ..checklist.items import registered
from ..checklist.standing import Standing, standings
from ..conf import Account
from ..conf import account as configured_account
from ..models import ChecklistRun
from .checklist_lines import shown_findings
from .checklist_standing import ChecklistStandingAdmin
from .names import history_of
from .noted_step import note_field

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class NotNow(ValueError):  # noqa: N818  it is an answer to a person, not a fault
    """There is nothing to do here; the text is a sentence for the person."""


class AttestForm(forms.Form):
    note = note_field(
        label=gettext_lazy("How you know"),
        help_text=gettext_lazy(
            "Such as who looked, when, and the number of the ticket. It stands under the line, in every report and in "
            "the admin's log, with your name."
        ),
        most=MAX_NOTE_LENGTH,
    )


class WithdrawForm(forms.Form):
    note = note_field(
        label=gettext_lazy("Why it no longer holds"),
        help_text=gettext_lazy("It is kept with your name, beside the attestation, and in the admin's log."),
        most=MAX_NOTE_LENGTH,
    )


class NameStep(ABC):
    """What such a step is called, when it can be taken, and how."""

    name: ClassVar[str]
    title: ClassVar[_StrPromise]
    form: ClassVar[type[forms.Form]]

    @abstractmethod
    def check(self, line: Standing) -> None:
        """Raises: NotNow when it cannot be taken"""

    @abstractmethod
    def shown(self, line: Standing, account: Account) -> str:
        """Return a fingerprint of what the person agrees to: a form that was made for something else is not taken."""

    @abstractmethod
    def take(self, line: Standing, account: Account, note: str, actor: Any) -> str:
        """Take it and return the words for the admin's log. Raises: ValueError with a sentence about the note"""

    @abstractmethod
    def told(self, line: Standing) -> str:
        """Say that it was taken."""


class AttestStep(NameStep):
    name = "attest"
    title = gettext_lazy("Attest")
    form = AttestForm

    def check(self, line: Standing) -> None:
        if line.is_attested and line.signoff:
            words = {"name": line.signoff.signed_by_name, "line": line.item.id}
            raise NotNow(_("%(name)s has attested “%(line)s” already. Nothing was done.") % words)
        if not line.statement:
            raise NotNow(_("Nothing of “%(line)s” needs a person now. Nothing was done.") % {"line": line.item.id})

    def shown(self, line: Standing, account: Account) -> str:
        told = json.dumps([line.item.id, line.statement, configuration_of(account)], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()

    def take(self, line: Standing, account: Account, note: str, actor: Any) -> str:
        signoff = attest(account, line.item.id, statement=line.statement, note=note, actor=actor)
        return _("Attested %(line)s: %(note)s") % {"line": line.item.id, "note": signoff.note}

    def told(self, line: Standing) -> str:
        return _("Your name stands under “%(line)s” now.") % {"line": line.item.title}


class WithdrawStep(NameStep):
    name = "withdraw"
    title = gettext_lazy("Withdraw attestation")
    form = WithdrawForm

    def check(self, line: Standing) -> None:
        if line.signoff is None:
            words = _("No attestation stands under “%(line)s” now: it may be withdrawn already. Nothing was done.")
            raise NotNow(words % {"line": line.item.id})

    def shown(self, line: Standing, account: Account) -> str:
        return str(line.signoff.pk) if line.signoff else ""

    def take(self, line: Standing, account: Account, note: str, actor: Any) -> str:
        if line.signoff is None or not withdraw(line.signoff, note=note, actor=actor):
            raise NotNow(_("That was withdrawn in the meantime. Nothing was done."))
        return _("Attestation of %(line)s by %(name)s withdrawn: %(note)s") % {
            "line": line.item.id,
            "name": line.signoff.signed_by_name,
            "note": note,
        }

    def told(self, line: Standing) -> str:
        name = line.signoff.signed_by_name if line.signoff else ""
        return _("The attestation of %(name)s is withdrawn.") % {"name": name}


ATTEST, WITHDRAW = AttestStep(), WithdrawStep()


class AttestAdmin(ChecklistStandingAdmin):
    """Adds `checklist/<line>/attest/` and `…/withdraw/`; `attest_checklist` is a permission of its own."""

    attest_template = "admin/django_flowlix/checklist/attest.html"

    def get_urls(self) -> list[URLPattern]:
        return [self._url_of(ATTEST), self._url_of(WITHDRAW), *super().get_urls()]

    def _url_of(self, step: NameStep) -> URLPattern:
        # What a person has decided stays, whatever happens to the answer.
        view = transaction.non_atomic_requests(self.admin_site.admin_view(self.name_step_view))
        return path(
            f"checklist/<slug:item>/{step.name}/", view, {"step": step}, f"django_flowlix_checklist_{step.name}"
        )

    def name_step_view(self, request: HttpRequest, item: str, step: NameStep) -> HttpResponse:
        """Show what is attested and ask for the note; on POST take the step. `?account=eu` says whose line it is."""
        if not self.has_attest_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        try:
            account = _named_account(request)
            return self._answer(request, account, item, step)
        except NotNow as answer:
            self.message_user(request, str(answer), messages.WARNING)
            back = reverse("admin:django_flowlix_checklist", current_app=self.admin_site.name)
            return HttpResponseRedirect(back)

    def _answer(self, request: HttpRequest, account: Account, item: str, step: NameStep) -> HttpResponse:
        form = step.form(request.POST if request.method == "POST" else None)
        with transaction.atomic():
            # Whoever posts at the same time waits here, and is told that a name stands already.
            run = _locked_run(account) if form.is_bound else None
            line = _line(account, item)
            step.check(line)
            taken = form.is_valid() and self._take(request, step, line, account, form, run)
        if not taken:
            return self._page(request, step, line, account, form)
        self.message_user(request, step.told(line), messages.SUCCESS)
        return HttpResponseRedirect(self.standing_page(account, line.item.id))

    def _take(
        self,
        request: HttpRequest,
        step: NameStep,
        line: Standing,
        account: Account,
        form: forms.Form,
        run: ChecklistRun | None,
    ) -> bool:
        """Take the step and note it in the admin's log; False when nothing was done."""
        if request.POST.get("shown") != step.shown(line, account):
            form.add_error(
                None, _("What this page is about has changed in the meantime: read it again. Nothing was done.")
            )
            return False
        try:
            log_words = step.take(line, account, form.cleaned_data["note"], request.user)
        except NotNow:
            raise
        except ValueError as error:
            form.add_error("note", str(error))
            return False
        if run is not None:
            self.log_change(request, run, log_words)
        return True

    def _page(
        self, request: HttpRequest, step: NameStep, line: Standing, account: Account, form: forms.Form
    ) -> HttpResponse:
        signoff = line.signoff if step is WITHDRAW else None
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": step.title,
            "opts": self.opts,
            "media": self.media + form.media,
            "form": form,
            "step": step,
            "account": account,
            "line": line,
            "findings": shown_findings(map(_without_statement, line.findings), line.outcome),
            "signoff": signoff,
            "statements": (signoff.statement if signoff else line.statement).splitlines(),
            "shown": step.shown(line, account),
            "history": history_of(line, account),
            "back": self.standing_page(account, line.item.id),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, self.attest_template, context)


def _without_statement(finding: Finding) -> Finding:
    """What is to be attested stands above already."""
    return replace(finding, to_do="") if finding.outcome is Outcome.PERSON else finding


def _named_account(request: HttpRequest) -> Account:
    """Return the account of the address; no other takes its place. Raises: NotNow"""
    try:
        return configured_account(request.GET.get("account", "default"))
    except ImproperlyConfigured as error:
        raise NotNow(_("%(fault)s Nothing was done.") % {"fault": str(error).rstrip(".") + "."}) from error


def _line(account: Account, item_id: str) -> Standing:
    """Return a line as it stands. Raises: NotNow when there is none with this id"""
    found = standings(account, [item for item in registered() if item.id == item_id])
    if not found:
        raise NotNow(_("The checklist has no line “%(line)s”. Nothing was done.") % {"line": item_id[:70]})
    return found[0]


def _locked_run(account: Account) -> ChecklistRun | None:
    runs = ChecklistRun.objects.select_for_update().filter(account=account.alias)
    return runs.order_by("-started_at", "-pk").first()
