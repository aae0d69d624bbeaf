"""A sandbox in a test: beside it on a free port, at a time that stands still."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox_kit.serving import QuietHandler


class Clock:
    """A time that moves when a test moves it."""

    def __init__(self) -> None:
        self.moment = datetime(2020, 3, 11, 7, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **by: float) -> None:
        self.moment += timedelta(**by)


@contextmanager
def served(app: Flask, handler: type[WSGIRequestHandler] = QuietHandler) -> Iterator[str]:
    """Serve on a free port of this machine while the block lasts; the address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
