"""Every answer after the end of the service: the report, its page, and for all else that the service is ended.

It needs no key, no database and no Redis, so the event loop answers it at once, in a process that still runs and in
one that starts on a tombstone. No answer has a color.
"""

import asyncio
import json
import time
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import Environment, FileSystemLoader
from prometheus_client import CONTENT_TYPE_LATEST

from app.core import metrics
from app.core.errors import Problem
from app.core.texts import problem_status, text
from app.ending.report import PAGE_PATH, REPORT_PATH
from app.installation import REPORTED
from app.web import best_language
from app.web.operations import observe
from app.web.problems import problem_body
from app.web.security_headers import security_headers
from app.web.server.rsgi import Headers, HttpProtocol, Request, Scope

_TEMPLATES: Final = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
_STYLE: Final = (Path(__file__).parent / "ended.css").read_text(encoding="utf-8")
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
_CSP: Final = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"
_HTML: Final = "text/html; charset=utf-8"
BURIED: Final = 5  # the step before keys are destroyed: the tombstone is there first
_NO_STORE: Final = ("Cache-Control", "no-store")


class Ended(NamedTuple):
    """When the service was ended, and the published report, once there is one."""

    ended_at: str
    report: str | None


class EndedAnswer(NamedTuple):
    """An answer: its status, kind and body."""

    status: int
    kind: str
    body: bytes


_CALLBACKS: Final = ("/wechat/callback", "/wechat/official/callback")


def answer(ended: Ended, method: str, path: str, headers: Mapping[str, str]) -> EndedAnswer:
    """Return the answer to a request after the end."""
    language = best_language(headers.get("accept-language", ""))
    if path in _CALLBACKS and method == "POST":
        return EndedAnswer(200, "text/plain", b"success")  # or WeChat shows users that something is out of order
    if path.startswith("/console"):  # also a form that was on its way
        return EndedAnswer(problem_status("service-ended"), _HTML, _page(ended, language))
    if method not in ("GET", "HEAD"):
        return _refusal(language)
    if path in ("/healthz", "/readyz", "/metrics"):
        return _operations(path)
    if path in (REPORT_PATH, "/.well-known/jixiang-audit"):
        return _document(ended, path, language)
    if path == PAGE_PATH:
        return EndedAnswer(200, _HTML, _page(ended, language))
    if path == "/":
        return EndedAnswer(problem_status("service-ended"), _HTML, _page(ended, language))
    return _refusal(language)


def _refusal(language: str) -> EndedAnswer:
    problem = Problem("service-ended")
    return EndedAnswer(problem_status(problem.slug), "application/problem+json", problem_body(problem, language))


def _operations(path: str) -> EndedAnswer:
    """Say that the process is well: who would take it away, would take the report away."""
    if path == "/metrics":
        return EndedAnswer(200, CONTENT_TYPE_LATEST, metrics.exposition())
    ready = {"ready": True, "degraded": False, "parts": {"service": "ended"}}
    return EndedAnswer(200, "application/json", json.dumps({"alive": True} if path == "/healthz" else ready).encode())


def _document(ended: Ended, path: str, language: str) -> EndedAnswer:
    if ended.report is None:  # what is destroyed is being destroyed
        return EndedAnswer(503, "application/problem+json", problem_body(Problem("unavailable"), language))
    body = ended.report
    if path != REPORT_PATH:
        body = json.dumps({"heads": json.loads(ended.report)["heads"]})
    return EndedAnswer(200, "application/json", body.encode())


def _page(ended: Ended, language: str) -> bytes:
    content: dict[str, Any] | None = None
    if ended.report is not None:
        content = json.loads(json.loads(ended.report)["signed"])
    rendered = _TEMPLATES.get_template("ended.html").render(
        t=lambda slug: text("ended", slug, language),
        language=language, style=_STYLE, ended_at=ended.ended_at, report=content, address=REPORT_PATH,
        kid=json.loads(ended.report)["kid"] if ended.report else None,
    )  # fmt: skip
    return rendered.encode()


class EndedSide:
    """Answers requests as an application of the web server, and in place of another one that was ended."""

    def __init__(self, environment: str) -> None:
        self._headers = [*security_headers(environment).items()]

    def respond(self, ended: Ended, request: Request) -> None:
        """Answer a request."""
        scope = request.scope
        given = answer(ended, scope.method, scope.path, dict(scope.headers.items()))
        headers: Headers = [("Content-Type", given.kind), _NO_STORE, *self._headers]
        if given.kind == _HTML:
            headers = [one for one in headers if one[0] != "Content-Security-Policy"]
            headers.append(("Content-Security-Policy", _CSP))
        observe(scope.method, None, given.status, request.arrived)
        request.protocol.response_bytes(given.status, headers, b"" if scope.method == "HEAD" else given.body)


class EndedApplication:
    """An RSGI application for a process that starts after the end, without keys."""

    def __init__(self, ended: Ended, environment: str) -> None:
        self._ended, self._side = ended, EndedSide(environment)
        metrics.SERVICE_END_STEP.set(BURIED if ended.report is None else REPORTED)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin: there is nothing to connect to."""

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """End."""

    async def __rsgi__(self, scope: Scope, protocol: HttpProtocol) -> None:
        """Answer a request."""
        self._side.respond(self._ended, Request(scope, protocol, time.perf_counter()))
