"""The pages on which a person attests a line of the checklist, and withdraws that again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from ..checklist import Finding, Outcome
from ..checklist.items import registered
from ..checklist.standing import Standing, standings
from ..conf import DEFAULT_ALIAS, Account
from ..conf import account as configured_account
from ..models import ChecklistRun
from .checklist_lines import shown_findings
from .checklist_standing import ChecklistStandingAdmin
from .name_steps import ATTEST, WITHDRAW, NameStep, NotNow
from .names import history_of


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
        back = reverse("admin:django_flowlix_checklist", current_app=self.admin_site.name)
        try:
            account = _named_account(request)
            back = self.standing_page(account)
            return self._answer(request, account, item, step)
        except NotNow as answer:
            self.message_user(request, str(answer), messages.WARNING)
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
        return configured_account(request.GET.get("account", DEFAULT_ALIAS))
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
