"""The app's addresses: `path("flowlix/", include("django_flowlix.urls"))`."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "django_flowlix"

urlpatterns = [
    path("return/<str:token>/", views.ReturnView.as_view(), name="return"),
    path("status/<str:token>/", views.StatusView.as_view(), name="status"),
    path("pending/<str:token>/", views.PendingView.as_view(), name="pending"),
    path("continue/<str:token>/", views.ContinueView.as_view(), name="continue"),
    path("result/<str:token>/", views.ResultView.as_view(), name="result"),
]
