"""A newer trust list comes by itself, from a real server; whatever else is there changes nothing."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from click.testing import CliRunner
from prometheus_client import REGISTRY
from pydantic import ValidationError

from app.audit import CLOCK
from app.cli import base, main
from app.core.errors import Problem
from app.core.settings.sections import TrustSettings
from app.runtime import Services
from app.staff import trust_lists
from app.trust import lists
from app.trust.signed_list import MOST_BYTES
from tests.support.clock import START
from tests.support.trust import (
    EXAMPLE,
    OTHER,
    ROOT,
    Province,
    TwoAdministrators,
    make_list,
    private_key,
    public_text,
    trusting,
)

THIRD = Province("third", "970000")
FIRST = make_list(EXAMPLE.issuer(), OTHER.issuer(), at=START - timedelta(hours=1))
NEWER = make_list(EXAMPLE.issuer(revoked=True), OTHER.issuer(), at=START)


@dataclass
class Publisher:
    """A server on this machine that answers with anything."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    address: str = ""

    def publish(self, text: str | bytes, status: int = 200, **headers: str) -> None:
        self.body = text.encode() if isinstance(text, str) else text
        self.status, self.headers = status, {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    made = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append({"path": self.path, **self.headers})
            self.send_response(made.status)
            for name, value in {"Content-Length": str(len(made.body)), **made.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(made.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made.address = f"http://127.0.0.1:{server.server_port}/list"
        yield made
        server.shutdown()


@pytest.fixture
def fetching(services: Services, publisher: Publisher) -> Services:
    """A system in which two administrators have taken the first list, and which fetches the next."""
    made = trusting(services, list_url=publisher.address)
    TwoAdministrators(made).take(FIRST)
    return made


def in_use(services: Services) -> str:
    with services.sessions() as session:
        signed = lists.find_signed(session)
    assert signed is not None
    return signed.content


def test_a_newer_list_is_taken_and_the_same_one_changes_nothing(fetching: Services, publisher: Publisher) -> None:
    publisher.publish(FIRST)
    assert trust_lists.fetch_list(fetching, CLOCK) is None
    publisher.publish(NEWER + "\n")
    change = trust_lists.fetch_list(fetching, CLOCK)
    assert change is not None and list(change.ended) == [EXAMPLE.kid]
    assert in_use(fetching) == NEWER
    publisher.publish(b"", 304)
    assert trust_lists.fetch_list(fetching, CLOCK) is None
    assert publisher.asked[-1]["If-None-Match"] == f'"{change.version}"'


def test_whatever_else_is_there_leaves_the_list_in_use(
    fetching: Services, publisher: Publisher, subtests: pytest.Subtests
) -> None:
    another_root, gone = private_key("another root"), "trust-fetch-failed"
    wrong: dict[str, tuple[str, tuple[Any, ...], dict[str, str]]] = {
        "a page": ("trust-list-malformed", ("<html>log in</html>",), {"Content_Type": "text/html"}),
        "a redirect": (gone, (NEWER, 302), {"Location": publisher.address}),
        "a redirect to nowhere": (gone, (b"", 302), {"Location": "http://[nowhere"}),
        "an error": (gone, (NEWER, 500), {}),
        "cut off": (gone, (NEWER,), {"Content_Length": str(len(NEWER) + 9)}),
        "half, and said to be whole": ("trust-list-malformed", (NEWER[:-9],), {}),
        "too long": (gone, (NEWER + " " * MOST_BYTES,), {}),
        "no text": (gone, (b"\xff\xfe",), {}),
        "nothing": ("trust-list-malformed", ("",), {}),
        "older": ("trust-list-older", (make_list(OTHER.issuer(), at=START - timedelta(days=1)),), {}),
        "of another root": ("trust-list-unknown-key", (make_list(OTHER.issuer(), root=another_root),), {}),
        "without most keys": ("trust-list-ends-many", (make_list(THIRD.issuer()),), {}),
    }
    for name, (problem, answer, headers) in wrong.items():
        with subtests.test(name):
            publisher.publish(*answer, **headers)
            with pytest.raises(Problem, match=f"^{problem}$"):
                trust_lists.fetch_list(fetching, CLOCK)
    assert in_use(fetching) == FIRST
    assert len(publisher.asked) == len(wrong), "a redirect is not followed"


def test_the_worker_fetches_when_it_is_time_and_counts_what_came(fetching: Services, publisher: Publisher) -> None:
    def number(outcome: str) -> float:
        return REGISTRY.get_sample_value("jixiang_trust_fetches_total", {"outcome": outcome}) or 0.0

    before = [number(one) for one in ("taken", "trust-list-malformed")]
    publisher.publish("<html>")
    for _ in range(2):
        trust_lists.keep_fetched(fetching)
    assert len(publisher.asked) == 1, "not before it is time"
    assert 0 < fetching.redis.ttl("jx:trust:fetched") <= 300, "sooner again after a failure"
    fetching.redis.delete("jx:trust:fetched")
    publisher.publish(NEWER)
    trust_lists.keep_fetched(fetching)
    assert 300 < fetching.redis.ttl("jx:trust:fetched") <= 3600
    assert [number(one) for one in ("taken", "trust-list-malformed")] == [known + 1 for known in before]
    assert in_use(fetching) == NEWER
    expires = REGISTRY.get_sample_value("jixiang_trust_list_expires_timestamp_seconds")
    trust_lists.keep_fetched(fetching)
    assert expires == (START - timedelta(hours=1) + timedelta(days=14)).timestamp()
    assert REGISTRY.get_sample_value("jixiang_trust_list_expires_timestamp_seconds") != expires


def test_the_first_list_takes_two_administrators_and_a_command_fetches_at_once(
    services: Services, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.publish(NEWER)
    made = trusting(services, list_url=publisher.address)
    trust_lists.keep_fetched(made)
    for unfit, problem in ((made, "trust-no-list"), (trusting(services), "trust-no-address")):
        with pytest.raises(Problem, match=problem):
            trust_lists.fetch_list(unfit, CLOCK)
    assert publisher.asked == []
    TwoAdministrators(made).take(FIRST)
    monkeypatch.setattr(base, "services", lambda: made)
    shown = [CliRunner().invoke(main, ["trust", "fetch"], env={"LC_ALL": "C.UTF-8"}).output for _ in range(2)]
    assert f"keys that came: -; that ended: {EXAMPLE.kid}" in shown[0] and "is the one in use" in shown[1]


@pytest.mark.parametrize(
    ("address", "fits"),
    [("https://code.example/list", True), ("http://127.0.0.1:8000/x", True), ("http://code.example/list", False)],
)
def test_a_list_is_fetched_with_tls_except_on_this_machine(address: str, fits: bool) -> None:
    given = {"root": public_text(ROOT), "issuer": "jilin", "list_url": address}
    if fits:
        assert TrustSettings.model_validate(given).list_url == address
    else:
        with pytest.raises(ValidationError, match="must begin with https://"):
            TrustSettings.model_validate(given)
    with pytest.raises(ValidationError, match="needs root"):
        TrustSettings.model_validate({"list_url": "https://code.example/list"})
