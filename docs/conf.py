"""Sphinx configuration: Markdown pages (MyST), furo's look, nothing fetched from the network."""

from django_flowlix import __version__

project = "django-flowlix"
author = "The django-flowlix developers"
copyright = "The django-flowlix developers, BSD-3-Clause"
version = release = __version__

extensions = ["myst_parser"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
# The address that the reports of flowlix_check name: the root of the documentation.
html_extra_path = ["reference/flowlix-check.schema.json"]
html_theme = "furo"
html_title = f"django-flowlix {release}"
