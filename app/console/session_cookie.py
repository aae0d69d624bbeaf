"""The cookie of an officer's session."""

from flask import Response

from app.api.authorization import session_cookie_name
from app.web import get_services


def set_session_cookie(response: Response, token: str) -> Response:
    """Set the session cookie until the browser closes; no script can read it, no other site can send it."""
    production = get_services().settings.environment == "production"
    response.set_cookie(session_cookie_name(), token, httponly=True, secure=production, samesite="Strict", path="/")
    return response


def delete_session_cookie(response: Response) -> Response:
    """Delete the session cookie."""
    production = get_services().settings.environment == "production"
    response.delete_cookie(session_cookie_name(), httponly=True, secure=production, samesite="Strict", path="/")
    return response
