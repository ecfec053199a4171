"""The app's addresses: `path("flowlix/", include("django_flowlix.urls"))`.

Tokens are letters, digits, `-` and `_`; anything else never reaches the database (PostgreSQL fails on a NUL).
"""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "django_flowlix"

urlpatterns = [
    path("return/<slug:token>/", views.ReturnView.as_view(), name="return"),
    path("status/<slug:token>/", views.StatusView.as_view(), name="status"),
    path("pending/<slug:token>/", views.PendingView.as_view(), name="pending"),
    path("continue/<slug:token>/", views.ContinueView.as_view(), name="continue"),
    path("result/<slug:token>/", views.ResultView.as_view(), name="result"),
]
