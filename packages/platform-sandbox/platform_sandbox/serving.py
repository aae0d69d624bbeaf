"""The request handler of the sandbox's server: it writes no log, and hands on headers with an underscore in the name.

Werkzeug drops those, as many servers do, for an underscore and a dash become one name in WSGI.
"""

from typing import Any, Final

from werkzeug.serving import WSGIRequestHandler

RAW_HEADERS: Final = "platform_sandbox.headers"


class RequestHandler(WSGIRequestHandler):
    def make_environ(self) -> dict[str, Any]:
        """Return the environment with all headers as they came, in pairs of name and value."""
        return {**super().make_environ(), RAW_HEADERS: list(self.headers.items())}

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Write nothing: every question is about a person."""
