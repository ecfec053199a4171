"""Flowlix hosted payments for Django. Imports nothing, so that `django_flowlix.api` stays free of Django."""

__version__ = "0.1.0"
