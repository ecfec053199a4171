#!/usr/bin/env python
"""Django's command line for the example shop; runs from any directory."""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    # Python puts this file's directory first; `example_project` is found from the directory above.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
