"""Requests over a real connection, as Flask is given them."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from devstack.layout import find_free_ports
from tests.support.echo import SECONDS
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
_SERVE = "from app.web.server.serving import serve; serve('tests.support.echo:Echo', '127.0.0.1', {port}, workers=1)"


@contextmanager
def serving() -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    port = find_free_ports(1)
    process = subprocess.Popen([sys.executable, "-c", _SERVE.format(port=port)], cwd=ROOT, stdout=subprocess.PIPE)

    def listens() -> bool:
        assert process.poll() is None
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return True
        return False

    wait_until(listens)
    yield port, process
    process.terminate()
    assert process.stdout and process.wait(PATIENCE) == 0
    process.stdout.close()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as (port, _):
        yield port


def send(port: int, *lines: str | bytes, body: bytes = b"") -> bytes:
    """Send a request, the last on its connection; return all that is answered."""
    head = b"\r\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(head + b"\r\nHost: a.example\r\nConnection: close\r\n\r\n" + body)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def seen(port: int, *lines: str | bytes, body: bytes = b"") -> Any:
    """Send a request; return what the application has seen of it."""
    return json.loads(send(port, *lines, body=body).rpartition(b"\r\n\r\n")[2])


def test_an_environ_has_what_was_sent_and_nothing_that_only_looks_like_it(port: int) -> None:
    environ = seen(
        port, "GET /%E5%90%89%2f%ff?a=%20b HTTP/1.1", "X-Two: 1", "X-Two: 2", "Cookie: a=1", "Cookie: b=2",
        "X_Forwarded_For: 10.0.0.1", "X-Name: 吉祥",
    )  # fmt: skip
    assert (environ["REQUEST_METHOD"], environ["path"]) == ("GET", "/吉/\ufffd")
    assert environ["PATH_INFO"].encode("latin-1").startswith("/吉/".encode())
    assert (environ["QUERY_STRING"], environ["SCRIPT_NAME"]) == ("a=%20b", "")
    assert (environ["HTTP_X_TWO"], environ["HTTP_COOKIE"]) == ("1,2", "a=1;b=2")
    assert (environ["REMOTE_ADDR"], environ["SERVER_PORT"]) == ("127.0.0.1", str(port))
    assert (environ["HTTP_HOST"], environ["wsgi.url_scheme"]) == ("a.example", "http")
    assert environ["HTTP_X_NAME"] == ""
    assert "HTTP_X_FORWARDED_FOR" not in environ and "CONTENT_LENGTH" not in environ and "PATH" not in environ


@pytest.mark.parametrize("size", [0, 5, 16_384, 16_385, 900_000])
def test_a_body_comes_whole_whatever_its_size(port: int, size: int) -> None:
    body = b"x" * size
    asked = seen(port, "POST /a HTTP/1.1", "Content-Type: text/plain", f"Content-Length: {size}", body=body)
    assert (asked["body"], asked["CONTENT_TYPE"], asked["CONTENT_LENGTH"]) == (size, "text/plain", str(size))
    chunk = f"{size:x}\r\n".encode() + body + b"\r\n" if size else b""
    assert seen(port, "PUT /a HTTP/1.1", "Transfer-Encoding: chunked", body=chunk + b"0\r\n\r\n")["body"] == size


def test_http_is_kept(port: int) -> None:
    first, _, rest = send(port, "POST /a HTTP/1.1", "Expect: 100-continue", "Content-Length: 1", body=b"x").partition(
        b"\r\n\r\n"
    )
    assert first == b"HTTP/1.1 100 Continue" and rest.startswith(b"HTTP/1.1 200 OK")
    head = send(port, "HEAD /a HTTP/1.1")
    assert b"content-length: " in head and head.endswith(b"\r\n\r\n")
    two = send(port, "GET /1 HTTP/1.1", "Host: a", "", "GET /2 HTTP/1.1")
    assert two.count(b"HTTP/1.1 200 OK") == 2 and two.index(b'"/1"') < two.index(b'"/2"')
    assert send(port, "POST /unread HTTP/1.1", "Content-Length: 900000").startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("size", [100, 900_000])
def test_a_request_that_is_cut_off_is_not_carried_out(port: int, size: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(f"POST /cut HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n{{".encode())
        time.sleep(0.2)
    assert "/cut" not in seen(port, "GET /after HTTP/1.1")["done"]


def test_callers_who_send_slowly_take_no_thread_and_are_given_up(port: int) -> None:
    slow = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in range(50)]
    for connection in slow:
        connection.sendall(b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n{")
    time.sleep(0.2)
    started = time.monotonic()
    assert seen(port, "GET /meanwhile HTTP/1.1")["path"] == "/meanwhile"
    assert time.monotonic() - started < SECONDS
    for connection in slow:
        assert connection.recv(12) == b"HTTP/1.1 400"
        connection.close()


def test_a_request_in_progress_is_answered_before_the_server_ends() -> None:
    with serving() as (port, process), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n")
        assert process.stdout and b"begun\n" in process.stdout
        process.terminate()
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
