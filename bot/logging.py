"""Logging: one line an event, on standard error; tokens are struck out wherever they turn up."""

import logging
import re
import sys
from typing import Any

import structlog

_OURS = frozenset({"auth", "retrieval", "finetune", "bot", "migrations"})
_TOKEN = re.compile(r"\bx(?:ox[a-z]|app)-[\w-]+")
_PASSWORD = re.compile(r"(postgres(?:ql)?(?:\+\w+)?://[^:/@\s]+:)[^@\s]+@")
# With some errors PostgreSQL shows the whole row: a question, a passage.
_ROW = re.compile(
    r"\b(DETAIL|CONTEXT):  .*?(?=\n(?:DETAIL|HINT|CONTEXT|\[SQL|\(Background|Traceback|The above|During)|\Z)",
    re.DOTALL,
)


def strike_out(text: str) -> str:
    """The text without Slack tokens, database passwords, and what PostgreSQL shows of a row."""
    return _ROW.sub(r"\1: ***", _PASSWORD.sub(r"\1***@", _TOKEN.sub("x***", text)))


def _strike_out_all(
    _logger: Any, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    return {key: strike_out(value) if isinstance(value, str) else value for key, value in event.items()}


def _without_bodies(record: logging.LogRecord) -> bool:
    """Below INFO, libraries log requests whole: what people wrote and what was answered."""
    return record.levelno >= logging.INFO or record.name.partition(".")[0] in _OURS


class _Redacting(logging.Formatter):
    """For what libraries log."""

    def format(self, record: logging.LogRecord) -> str:
        return strike_out(super().format(record))


def configure_logging(level: str) -> None:
    """Log what is at least `level`; questions and documents are never logged."""
    number = logging.getLevelNamesMapping()[level]
    handler = logging.StreamHandler()
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.addFilter(_without_bodies)
    logging.basicConfig(level=number, handlers=[handler], force=True)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            _strike_out_all,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
