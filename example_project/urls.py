"""Where the shop, the admin and django-flowlix's own pages live."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("example_project.shop.urls")),
    path("flowlix/", include("django_flowlix.urls")),
    path("admin/", admin.site.urls),
]
