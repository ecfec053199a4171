"""A logging configuration for the length of a block: the handlers of a test are the only ones there are."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from unittest import mock

from django_flowlix.checklist import log_tree
from django_flowlix.log_redaction import RedactionFilter


@contextmanager
def handlers_are(
    *root: logging.Handler,
    names: Mapping[str, Sequence[logging.Handler]] | None = None,
    configured: Collection[str] = (),
) -> Iterator[None]:
    """Let the root logger have these handlers, and other loggers those of `names`, which then do not propagate.

    LOGGING names the loggers of `configured`. It is not set, because newer versions of Django would obey at once.
    """
    names = names or {}
    loggers = [logging.root, *(logging.getLogger(name) for name in (*logging.root.manager.loggerDict, *names))]
    before = {logger: (logger.handlers, logger.propagate, logger.disabled, logger.filters) for logger in loggers}
    for logger in loggers:
        logger.handlers, logger.propagate, logger.disabled, logger.filters = [], True, False, []
    logging.root.handlers = list(root)
    for name, handlers in names.items():
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = list(handlers), False
    try:
        with mock.patch.object(log_tree, "configured_loggers", return_value=dict.fromkeys(configured)):
            yield
    finally:
        for logger, (own, propagate, disabled, filters) in before.items():
            logger.handlers, logger.propagate, logger.disabled, logger.filters = own, propagate, disabled, filters


def masked(handler: logging.Handler, name: str | None = None) -> logging.Handler:
    """Put the redaction filter on a handler."""
    handler.addFilter(RedactionFilter())
    handler.name = name
    return handler
