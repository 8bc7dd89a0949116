"""Structured logs: one JSON line per event on standard output, with the trace it belongs to."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
import structlog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alphintra.kernel.clock import Clock
    from alphintra.kernel.messages import Context

__all__ = ["LineWriter", "bound_context", "configure_logs", "get_logger", "new_trace_id"]


_LINES_S = 0.1
_encode = msgspec.json.Encoder().encode


def configure_logs(process: str, *, level: str = "info") -> None:
    """Send logs of this process as JSON lines to standard output; call once at start."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # No local variables: a frame may hold a password or a token.
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")


def get_logger() -> structlog.stdlib.BoundLogger:
    """Return a logger; event names are constant and dotted, facts are fields."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger


def new_trace_id() -> str:
    """Return a fresh 128-bit trace id as 32 hexadecimal digits (W3C trace context)."""
    return os.urandom(16).hex()


class LineWriter:
    """Writes lines that come by the thousand to the log, several with one call; a loop must be running.

    A process that is killed loses what it wrote in the last tenth of a second. Everything else is logged at once.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: list[dict[str, object]] = []

    def write(self, line: dict[str, object]) -> None:
        """Write a line of facts in the form of the log, with the time it was given."""
        line["timestamp"] = self._clock.now()
        self._waiting.append(line)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_later(_LINES_S, self.flush)

    def flush(self) -> None:
        """Write what waits."""
        fixed = {"process": structlog.contextvars.get_contextvars().get("process", "")}
        text = b"".join(_encode(fixed | line) + b"\n" for line in self._waiting).decode()
        self._waiting.clear()
        sys.stdout.write(text)
        sys.stdout.flush()


@contextmanager
def bound_context(context: Context) -> Iterator[None]:
    """Bind trace and actor to every log line written inside the block."""
    with structlog.contextvars.bound_contextvars(trace_id=context.trace_id, actor=context.actor.id):
        yield
