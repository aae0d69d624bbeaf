"""The security headers of every answer, whoever makes it: Flask, the fast path, or load shedding.

An answer that is a page has a policy of its own, which stays: the console (`console/pages.py`) and the page of the API
document (`api/openapi.py`). Everything else is data, and no browser may run, load or frame anything of it.
"""

from typing import Final

from flask import Flask, Response

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_OVER_HTTPS: Final = {"Strict-Transport-Security": "max-age=31536000"}


def init_app(app: Flask, environment: str) -> None:
    """Add the headers to every response that Flask makes, errors included."""
    headers = security_headers(environment)

    @app.after_request
    def secure(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response


def security_headers(environment: str) -> dict[str, str]:
    """Return the headers of an answer; a local installation over plain HTTP has no HSTS."""
    return _HEADERS if environment == "local" else {**_HEADERS, **_OVER_HTTPS}
