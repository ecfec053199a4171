"""The go-live checklist's runs: what each found, as it was worded then, to read and to take along."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..checklist import Outcome
from ..checklist.keeping import report_of
from ..checklist.reports import html_report
from ..models import ChecklistResult, ChecklistRun
from .attest import AttestAdmin
from .checklist_lines import lines_of, sections_of
from .display import mode_badge
from .filters import AccountFilter, configured_aliases
from .outcomes import count_badges, kind_of, outcome_badge
from .paging import CappedPaginator, IndexedChangeList

_POLICY = "default-src 'none'; sandbox"
"""The file is to be kept, not shown: here it could do nothing. What it may do elsewhere it says itself."""


class RunChangeList(IndexedChangeList):
    """Counts the results of all runs of the page in one more query."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        counted: defaultdict[int, Counter[str]] = defaultdict(Counter)
        results = ChecklistResult.objects.filter(run__in=self.result_list).order_by()
        for run, outcome, number in results.values_list("run", "outcome").annotate(Count("pk")):
            counted[run][outcome] = number
        for run in self.result_list:
            run.counted = counted[run.pk]


@admin.register(ChecklistRun)
class ChecklistRunAdmin(AttestAdmin):
    change_list_template = "admin/django_flowlix/checklist/change_list.html"
    change_form_template = "admin/django_flowlix/checklist/run.html"
    list_display: tuple[str, ...] = ("started", "mode", "outcomes", "extent", "contract", "ran_by", "version")
    list_filter = (AccountFilter,)
    ordering = ("-started_at",)
    actions = None
    paginator = CappedPaginator

    class Media:
        css = {
            "all": (
                "django_flowlix/admin_list.css",
                "django_flowlix/dashboard.css",
                "django_flowlix/checklist.css",
                "django_flowlix/checklist_names.css",
            )
        }

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.report_view)
        report = path("<int:run_id>/report/", view, name="django_flowlix_checklistrun_report")
        return [report, *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RunChangeList]:
        return RunChangeList

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        first, *others = super().get_list_display(request)
        return (first, "account", *others) if len(configured_aliases()) > 1 else (first, *others)

    def get_sortable_by(self, request: HttpRequest) -> tuple[str, ...]:
        return ()  # the newest first

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: ChecklistRun | None = None,
    ) -> HttpResponse:
        if obj is not None:
            report = report_of(obj)
            context |= {
                "title": _("Go-live checklist run: %(run)s") % {"run": obj},
                "subtitle": None,
                "media": self.media,
                "run": obj,
                "report": report,
                "figures": [
                    (kind_of(outcome), outcome_badge(outcome), count) for outcome, count in report.counts.items()
                ],
                "sections": sections_of(lines_of(report)),
                "standing_url": reverse("admin:django_flowlix_checklist", current_app=self.admin_site.name),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def report_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Send a run as one HTML file for a ticket."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        run = self.get_queryset(request).filter(pk=run_id).first()
        if run is None:
            raise Http404
        name = f"flowlix-check-{run.account}-{run.started_at:%Y-%m-%d-%H%M}.html"
        headers = {
            "Content-Disposition": content_disposition_header(True, name),
            "Content-Security-Policy": _POLICY,
            "X-Content-Type-Options": "nosniff",
        }
        return HttpResponse(html_report.render(report_of(run)), headers=headers)

    @admin.display(description=gettext_lazy("started"))
    def started(self, run: ChecklistRun) -> str:
        # As on every other page of the checklist: in the time of its reports, not in the project's.
        return f"{run.started_at:%Y-%m-%d %H:%M} UTC"

    @admin.display(description=gettext_lazy("mode"))
    def mode(self, run: ChecklistRun) -> SafeString:
        return mode_badge(run)

    @admin.display(description=gettext_lazy("outcomes"))
    def outcomes(self, run: ChecklistRun) -> SafeString:
        counted: Counter[str] = run.counted  # type: ignore[attr-defined]
        counts = {outcome: counted[outcome.value] for outcome in reversed(Outcome)}
        return format_html('<span class="flowlix-counts">{}</span>', count_badges(counts))

    @admin.display(description=gettext_lazy("how far"))
    def extent(self, run: ChecklistRun) -> str:
        stages = ", ".join(run.stages.split())
        return stages if run.is_whole else _("%(stages)s · only some lines") % {"stages": stages}
