"""The shop as a Django app: label `shop`, receivers connected when Django is ready."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ShopConfig(AppConfig):
    """Marginalia, the example shop."""

    name = "example_project.shop"
    label = "shop"
    verbose_name = _("Shop")

    def ready(self) -> None:
        from . import receivers  # noqa: F401  connects them
