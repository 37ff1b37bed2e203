"""Logs: for people on a terminal, JSON lines elsewhere; always on stderr, never with a mention's text."""

from __future__ import annotations

import logging
import os
import sys

import structlog


def configure(level: str = "INFO", *, json: bool | None = None) -> None:
    """Set up structlog and the standard library's logging on stderr.

    ``json=None`` writes JSON lines where stderr is no terminal. Colours respect ``NO_COLOR``.
    """
    as_json = (not sys.stderr.isatty()) if json is None else json
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors="NO_COLOR" not in os.environ)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(_without_trace)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("faust", "mode", "aiokafka", "kafka", "asyncio"):
        logging.getLogger(noisy).setLevel("WARNING")


def _without_trace(record: logging.LogRecord) -> bool:
    """Drop the traces that aiokafka logs with an error that it also raises: whoever gets it says what it means."""
    if record.name.startswith("aiokafka"):
        record.exc_info = None
    return True
