"""What is logged while a probe runs, by whichever way: kept, so that it can be searched for secrets."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

KEPT_AT_MOST = 20_000


class Logged(logging.Handler):
    """Every line, with the exceptions that belong to it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.keep(self.format(record))

    def process(self, _logger: Any, _method: str, event: structlog.typing.EventDict) -> Any:
        """For structlog: keeps a copy, and lets the event go on as it is."""
        self.keep(repr(structlog.processors.format_exc_info(_logger, _method, dict(event))))
        return event

    def keep(self, line: str) -> None:
        if len(self.lines) < KEPT_AT_MOST:
            self.lines.append(line)


@contextmanager
def listening() -> Iterator[Logged]:
    """Listen while this is open. structlog's loggers share one list of processors, which is changed in place."""
    logged = Logged()
    processors = structlog.get_config()["processors"]
    processors.insert(0, logged.process)
    logging.getLogger().addHandler(logged)
    try:
        yield logged
    finally:
        logging.getLogger().removeHandler(logged)
        processors.remove(logged.process)
