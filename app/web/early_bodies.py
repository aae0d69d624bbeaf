"""Small bodies are read before a request takes a place: half a request holds a thread, and nobody else waits for it.

The server has a time-out for headers and none for bodies, and no read of one can be given up. A large body is read in
its place, once authorization has admitted the request. When a caller goes away, the server ends the body where it was
cut, without an error; so whoever reads it compares its length.
"""

from io import BytesIO
from typing import Any, Final

MOST_BYTES: Final = 16_384  # every body but pictures, lists and checks that were made offline
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class _Continued:
    """A body of which the beginning was read."""

    def __init__(self, beginning: bytes, rest: Any) -> None:
        self._beginning, self._rest = BytesIO(beginning), rest

    def read(self, size: int = -1) -> bytes:
        """Read as of a file; what was read already comes first."""
        data = self._beginning.read(size)
        if size is None or size < 0:
            return data + bytes(self._rest.read())
        return data or bytes(self._rest.read(size))


def read_early(environ: dict[str, Any]) -> None:
    """Read a small body, or the beginning of one that does not say how long it is."""
    if environ["REQUEST_METHOD"] not in _WITH_BODY:
        return
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdecimal():
        environ.pop("wsgi.input_terminated", None)  # Werkzeug then requires the whole length
        if 0 < int(length) <= MOST_BYTES:
            environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(length)))
    elif "HTTP_TRANSFER_ENCODING" in environ:
        beginning = environ["wsgi.input"].read(MOST_BYTES)
        environ["wsgi.input"] = _Continued(beginning, environ["wsgi.input"])
