"""What protects whoever operates a sandbox in a browser: from other sites, and from what people typed."""

import secrets
from urllib.parse import urlsplit

from flask import Response, abort, g, request

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def refuse_other_sites() -> None:
    """Refuse what a page of another site sends: a sandbox has no access control, and its address is easily guessed."""
    origin = request.headers.get("Origin")
    if request.method not in ("GET", "HEAD") and origin and urlsplit(origin).netloc != request.host:
        abort(403)


def allow_script() -> str:
    """Let the page that is being answered run its one script, which may ask this server alone; the nonce of its tag."""
    g.nonce = secrets.token_urlsafe(12)
    return str(g.nonce)


def load_nothing_from_elsewhere(response: Response) -> Response:
    """Let the page load nothing, run nothing but an allowed script, be in no frame and in no cache."""
    script = f"; connect-src 'self'; script-src 'nonce-{g.nonce}'" if "nonce" in g else ""
    response.headers["Content-Security-Policy"] = _POLICY + script
    response.headers["Cache-Control"] = "no-store"
    return response
