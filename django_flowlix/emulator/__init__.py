"""A local Flowlix gateway: a second, independent implementation of the other side of the wire.

Shares no code with `django_flowlix.api` and imports no Django, so that a misunderstanding in the client cannot repeat
itself here. Needs Flask: `pip install "django-flowlix[emulator]"`. What it does not imitate stands in
docs/reference/emulator.md.
"""
