"""The checklist as it stands: every line of one account, what has changed, and what to type or to attest next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import quote
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ..checklist import (
    Outcome,
    Stage,
    probes,  # noqa: F401  which stages look at a line is known once its probes have attached themselves
)
from ..checklist.items import Item, registered
from ..checklist.standing import AccountStanding, Standing, account_standings
from ..conf import DEFAULT_ALIAS, Account, accounts
from ..models import ChecklistRun
from .checklist_lines import ShownLine, sections_of, shown_findings, web_address
from .names import NameEntry, history_of
from .outcomes import kind_of, outcome_badge, verdict
from .read_only import ReadOnlyAdmin

_OPTIONS = {
    Stage.STATIC: "",
    Stage.NETWORK: " --network",
    Stage.SCENARIOS: " --scenarios",
    Stage.LIVE_PAYMENT: ' --live-payment "1.00 EUR"',
}


@dataclass(frozen=True, slots=True)
class ShownLook:
    """Which run looked, how far it went when it found this, and where it is shown."""

    run: ChecklistRun
    stages: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingLine(ShownLine):
    """A line as it stands; `now` and `before` are badges, "" unless the last run has changed something."""

    standing: Standing
    now: SafeString
    before: SafeString
    looks: list[ShownLook]
    command: str
    history: list[NameEntry]
    attest_url: str
    withdraw_url: str


class ChecklistStandingAdmin(ReadOnlyAdmin):
    """Adds `checklist/`, for whoever may see the runs."""

    standing_template = "admin/django_flowlix/checklist/standing.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.standing_view)
        return [path("checklist/", view, name="django_flowlix_checklist"), *super().get_urls()]

    def has_attest_permission(self, request: HttpRequest) -> bool:
        may_attest = request.user.has_perm("django_flowlix.attest_checklist")
        return may_attest and self.has_view_permission(request)

    def standing_view(self, request: HttpRequest) -> HttpResponse:
        """Show one account, `?account=eu`; wrong settings are told in their own sentences."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Go-live checklist"),
            "opts": self.opts,
            "media": self.media,
        }
        try:
            configured = accounts()
            (standing,) = account_standings([_chosen(request, configured)], registered())
            context |= self._shown(request, standing) | {"aliases": list(configured)}
        except ImproperlyConfigured as error:
            context["faults"] = str(error).splitlines()
        request.current_app = self.admin_site.name
        return TemplateResponse(request, self.standing_template, context)

    def _shown(self, request: HttpRequest, standing: AccountStanding) -> dict[str, Any]:
        may_attest = self.has_attest_permission(request)
        lines = [self._line(line, standing.account, may_attest=may_attest) for line in standing.lines]
        run = standing.last_run
        return {
            "account": standing.account,
            "standing": standing,
            "verdict": verdict(standing),
            "figures": [*_figures(standing)],
            "last_run": run,
            "last_run_url": self._run_page(run) if run else "",
            "command": command(standing.account),
            "changed": [line for line in lines if line.standing.has_changed],
            "sections": sections_of(lines),
            "may_attest": may_attest,
        }

    def _line(self, line: Standing, account: Account, *, may_attest: bool) -> StandingLine:
        return StandingLine(
            id=line.item.id,
            title=str(line.item.title),
            kind=kind_of(line.outcome),
            badge=outcome_badge(line.outcome),
            docs_url=web_address(line.item.docs_url),
            findings=shown_findings(line.findings, line.outcome),
            section=line.item.section.id,
            section_title=str(line.item.section.title),
            outcome=line.outcome,
            standing=line,
            now=outcome_badge(line.found) if line.has_changed else SafeString(),
            before=outcome_badge(line.before) if line.has_changed else SafeString(),
            looks=self._looks(line),
            command=command(account, line.item) if line.looked_at is None else "",
            history=history_of(line, account),
            attest_url=self._step_page("attest", line, account) if may_attest and _can_be_attested(line) else "",
            withdraw_url=self._step_page("withdraw", line, account) if may_attest and line.signoff else "",
        )

    def _looks(self, line: Standing) -> list[ShownLook]:
        """Return the runs that the line stands on, each with the stages it stands for."""
        stages: dict[ChecklistRun, list[str]] = {}
        for look in line.looks:
            stages.setdefault(look.run, []).append(look.stage)
        return [ShownLook(run, ", ".join(filter(None, of)), self._run_page(run)) for run, of in stages.items()]

    def _run_page(self, run: ChecklistRun) -> str:
        name = "admin:django_flowlix_checklistrun_change"
        return reverse(name, args=[quote(run.pk)], current_app=self.admin_site.name)

    def _step_page(self, step: str, line: Standing, account: Account) -> str:
        name = f"admin:django_flowlix_checklist_{step}"
        address = reverse(name, args=[line.item.id], current_app=self.admin_site.name)
        return f"{address}?{urlencode({'account': account.alias})}"

    def standing_page(self, account: Account, item_id: str = "") -> str:
        """Return where the checklist of an account is shown, at one of its lines."""
        address = reverse("admin:django_flowlix_checklist", current_app=self.admin_site.name)
        anchor = f"#line-{item_id}" if item_id else ""
        return f"{address}?{urlencode({'account': account.alias})}{anchor}"


def command(account: Account, item: Item | None = None) -> str:
    """Return what to type to have the whole checklist, or one of its lines, looked at."""
    of_account = "" if account.alias == DEFAULT_ALIAS else f" --account {shlex.quote(account.alias)}"
    if item is None:
        return f"python manage.py flowlix_check{of_account}"
    stages = {stage for stage, _ in item.probes}
    first = next((stage for stage in Stage if stage in stages), Stage.STATIC)
    return f"python manage.py flowlix_check{of_account} --only {item.id}{_OPTIONS[first]}"


def _chosen(request: HttpRequest, configured: Mapping[str, Account]) -> Account:
    asked = request.GET.get("account", "")
    if asked in configured:
        return configured[asked]
    account = configured.get(DEFAULT_ALIAS) or next(iter(configured.values()))
    if asked:
        words = {"value": asked[:50], "account": account.alias}
        messages.warning(request, _("There is no account “%(value)s”: “%(account)s” is shown.") % words)
    return account


def _figures(standing: AccountStanding) -> Iterator[tuple[str, SafeString, int]]:
    """Yield a class, a badge and how many lines have it, also for what no line has."""
    for outcome, count in standing.counts.items():
        yield kind_of(outcome), outcome_badge(outcome), count
    yield kind_of(None), outcome_badge(None), standing.unseen


def _can_be_attested(line: Standing) -> bool:
    return line.outcome is Outcome.PERSON and bool(line.statement)
