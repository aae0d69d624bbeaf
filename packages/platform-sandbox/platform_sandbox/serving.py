"""The request handler of the sandbox's server: it hands on headers with an underscore in the name.

Werkzeug drops those, as many servers do, for an underscore and a dash become one name in WSGI.
"""

from typing import Any, Final

from sandbox_kit.serving import QuietHandler

RAW_HEADERS: Final = "platform_sandbox.headers"


class RequestHandler(QuietHandler):
    def make_environ(self) -> dict[str, Any]:
        """Return the environment with all headers as they came, in pairs of name and value."""
        return {**super().make_environ(), RAW_HEADERS: list(self.headers.items())}
