"""What a network or a server may do to a call, as functions that answer Playwright's Route."""

import json
from typing import Any

from playwright.sync_api import Route


def broken(route: Route) -> None:
    """The connection breaks."""
    route.abort("connectionrefused")


def a_statement(route: Route) -> None:
    """The server's answer about the code of another province."""
    issuer = {"id": "example", "region": "990000", "name": "示例省"}
    issuer |= {"statement": "吉林省以外 · 发码地：示例省 · 绿码 · 有效至 2020-03-20 12:01"}
    said = {
        "state": "GREEN",
        "color": "GREEN",
        "word": "示例省：绿码",
        "action": "pass",
        "stale": False,
        "issuer": issuer,
    }
    said |= {"instruction": "可以通行。这是示例省认定的颜色，本省不作认定。", "as_of": "2020-03-20T12:00:00+08:00"}
    route.fulfill(status=200, content_type="application/json", body=json.dumps(said))


def overloaded(seconds: int) -> Any:
    """A server that has too much to do, and says when to come again."""
    problem = json.dumps({"type": "/problems/unavailable", "title": "服务暂时不可用", "status": 503})
    headers = {"Retry-After": str(seconds)}

    def answer(route: Route) -> None:
        route.fulfill(status=503, headers=headers, content_type="application/problem+json", body=problem)

    return answer


def html(route: Route) -> None:
    """A Wi-Fi that wants a log-in first."""
    route.fulfill(status=200, content_type="text/html", body="<html><h1>Welcome to our hotel</h1></html>")


def huge(route: Route) -> None:
    route.fulfill(status=200, content_type="application/json", body='{"a": "' + "x" * 5_000_000 + '"}')


def silent(route: Route) -> None:
    """Nothing comes, neither answer nor refusal."""


def senseless(route: Route) -> None:
    """A refusal of a kind that nobody knows, with parts of the wrong kind."""
    body = '{"type": "/problems/odd", "title": [], "errors": 7}'
    route.fulfill(status=418, content_type="application/problem+json", body=body)


def refused(status: int, slug: str, title: str) -> Any:
    """A refusal of the whole call."""
    body = json.dumps({"type": f"/problems/{slug}", "title": title, "status": status})

    def answer(route: Route) -> None:
        route.fulfill(status=status, content_type="application/problem+json", body=body)

    return answer


def refused_field(pointer: str, slug: str = "invalid-request", title: str = "有内容填写不正确") -> Any:
    """A refusal of one field."""
    problem = {"type": f"/problems/{slug}", "title": title, "status": 422}
    body = json.dumps({**problem, "errors": [{"pointer": pointer, "detail": "不对"}]})

    def answer(route: Route) -> None:
        route.fulfill(status=422, content_type="application/problem+json", body=body)

    return answer
