"""How a run is shown: as text, JSON, JUnit's XML or a page. Each module renders a whole report to a string."""

from __future__ import annotations
