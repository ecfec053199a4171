"""migrations: what is not applied is noticed, ours and other people's."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.migrations.recorder import MigrationRecorder

from django_flowlix.checklist import Outcome
from tests.checklist.looking import told

pytestmark = pytest.mark.django_db


def unapply(app: str) -> None:
    """Let the database say that no migration of an app has been applied."""
    MigrationRecorder.Migration.objects.filter(app=app).delete()


def test_a_migrated_database_passes(look: Any) -> None:
    found = look("migrations")
    assert found.outcome is Outcome.PASS
    assert "On database default, all migrations are applied." in told(found, Outcome.PASS)


def test_one_of_ours_that_is_not_applied_is_noticed(look: Any) -> None:
    unapply("django_flowlix")
    found = look("migrations")
    assert found.outcome is Outcome.FAIL
    said = told(found, Outcome.FAIL)
    assert "migrations of django_flowlix are not applied: 0001_initial" in said
    assert "manage.py migrate --database default" in said


def test_one_of_another_app_is_a_warning(look: Any) -> None:
    unapply("sessions")
    found = look("migrations")
    assert found.outcome is Outcome.WARN
    assert "1 migrations of sessions are not applied: 0001_initial" in told(found, Outcome.WARN)


def test_a_database_without_our_tables_is_not_asked(look: Any, settings: Any) -> None:
    class Elsewhere:
        def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
            return app_label != "django_flowlix"

    settings.DATABASE_ROUTERS = [Elsewhere()]
    found = look("migrations")
    assert found.outcome is Outcome.SKIP
