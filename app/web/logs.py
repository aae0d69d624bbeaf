"""Logs: one JSON object a line, with ids, codes and durations; never a name, number, openid, token or secret.

Requests are logged by route, not by address. Libraries are prevented from logging their input.
"""

import logging
import sys
import time
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog
from flask import Flask, Response, g, request

from app.web.log_stream import LogStream

log = structlog.get_logger("access")

# These log addresses with secrets in the query, statements with their parameters, or job arguments.
_QUIET_LIBRARIES = ("urllib3", "requests", "wechatpy", "sqlalchemy", "psycopg", "procrastinate", "PIL", "flask-limiter")


def configure(level: str) -> None:
    """Send every log line of this process to standard output, as JSON; one that cannot be written fails nobody."""
    stream = LogStream(sys.stdout)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(file=cast(TextIO, stream)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_for_libraries(shared))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


def _for_libraries(shared: list[structlog.typing.Processor]) -> logging.Formatter:
    """Return the formatter of lines that libraries log: the same JSON, with errors reduced."""
    last: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    return structlog.stdlib.ProcessorFormatter(processors=last, foreign_pre_chain=[*shared, _without_words])


def error_location(error: BaseException) -> str:
    """Return the file and line that raised an error, such as "encryption.py:31"; empty for an error never raised."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return f"{frame.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{frame.tb_lineno}" if frame else ""


def _without_words(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Reduce a library's error to its type and place: its text may contain personal data."""
    error = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if isinstance(error, tuple) and isinstance(error[1], BaseException):
        event.update(error=type(error[1]).__name__, place=error_location(error[1]))
    return event


def init_app(app: Flask) -> None:
    """Log each request once it is answered."""

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def answered(response: Response) -> Response:
        log.info(
            "request",
            method=request.method,
            route=request.url_rule.rule if request.url_rule else None,
            status=response.status_code,
            ms=round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1),
        )
        return response
