"""What the checklist reads of the project's own files: which ones there are, and what stands in them."""

from __future__ import annotations
