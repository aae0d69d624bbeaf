"""Ways to send one request: other bodies, headers and spellings of the path, none of which may open anything."""

import json
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from attack.sending import Headers, Request

_FOREIGN: Final = "evil.example"
_JSON: Final = ("Content-Type", "application/json")
_FORM: Final = ("Content-Type", "application/x-www-form-urlencoded")


class Variant(NamedTuple):
    """One way; `keeps_right` says that who may send the request plainly may send it so as well."""

    name: str
    change: Callable[[Request], Request]
    keeps_right: bool = False


def _with(*headers: tuple[str, str]) -> Callable[[Request], Request]:
    return lambda request: request._replace(headers=(*request.headers, *headers))


def _instead(name: str, value: str) -> Callable[[Request], Request]:
    def change(request: Request) -> Request:
        kept = tuple(header for header in request.headers if header[0].lower() != name.lower())
        return request._replace(headers=(*kept, (name, value)))

    return change


def _path(change: Callable[[str], str]) -> Callable[[Request], Request]:
    def changed(request: Request) -> Request:
        path, mark, query = request.path.partition("?")
        return request._replace(path=change(path) + mark + query)

    return changed


def _body(body: bytes, *headers: tuple[str, str]) -> Callable[[Request], Request]:
    def change(request: Request) -> Request:
        kept: Headers = tuple(header for header in request.headers if header[0].lower() != "content-type")
        return request._replace(headers=(*kept, *headers), body=body)

    return change


def _query(words: str) -> Callable[[Request], Request]:
    return lambda request: request._replace(path=f"{request.path}{'&' if '?' in request.path else '?'}{words}")


def _headers() -> Iterator[Variant]:
    overrides = {"X-HTTP-Method-Override": "GET", "X-Original-URL": "/healthz", "X-Rewrite-URL": "/healthz"}
    forwarded = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": _FOREIGN, "Forwarded": "for=127.0.0.1"}
    claims = {"X-Remote-User": "attack-auditor", "Remote-User": "admin", "X-Role": "auditor", "X-Real-IP": "10.0.0.1"}
    for name, value in {**overrides, **forwarded, **claims}.items():
        yield Variant(name, _with((name, value)), keeps_right=True)
    yield Variant("Host", _instead("Host", _FOREIGN))
    yield Variant("two sessions", _with(("Authorization", "Bearer AAAA")))
    yield Variant("two cookies", _with(("Cookie", "officer=AAAA; session=1")))
    yield Variant("languages", _with(("Accept-Language", "zz;q=9,*;q=-1,../../etc")), keeps_right=True)
    yield Variant("a long header", _with(("X-Long", "a" * 6000)), keeps_right=True)
    yield Variant("a range", _with(("Range", "bytes=0-99999999999")), keeps_right=True)
    yield Variant("a condition", _with(("If-None-Match", "*")), keeps_right=True)
    yield Variant("latin", _with(("X-Latin", "\xff\xfe")), keeps_right=True)


def _paths() -> Iterator[Variant]:
    yield Variant("a slash at the end", _path(lambda path: path.rstrip("/") + "/"))
    yield Variant("no slash at the end", _path(lambda path: path.rstrip("/")))
    yield Variant("two slashes", _path(lambda path: "/" + path))
    yield Variant("a dot", _path(lambda path: path.replace("/", "/./", 1)))
    yield Variant("up and down", _path(lambda path: "/healthz/.." + path))
    yield Variant("through static", _path(lambda path: "/console/static/.." + path.removeprefix("/console")))
    yield Variant("escaped", _path(lambda path: path[0] + "%" + path[1:2].encode().hex() + path[2:]))
    yield Variant("an escaped slash", _path(lambda path: path[0] + path[1:].replace("/", "%2f")))
    yield Variant("upper case", _path(str.upper))
    yield Variant("a parameter", _path(lambda path: path + ";jsessionid=1"))
    yield Variant("a zero byte", _path(lambda path: path + "%00"))
    yield Variant("an ending", _path(lambda path: path + ".json"))
    yield Variant("not utf-8", _path(lambda path: path + "%ff%fe"))
    yield Variant("again", _query("again=yes&lang=en&done=saved"), keeps_right=True)
    yield Variant("a session in the query", _query("session=1&token=1&access_token=1&officer=1"), keeps_right=True)
    yield Variant("a method in the query", _query("_method=DELETE"), keeps_right=True)
    yield Variant("strange numbers", _query("page=-1&before=99999999999999999999&span=1e9&day=0000-00-00"))
    yield Variant("half a pair", _query("before=%ed%a0%80&officer=%00&act=%27%22%3E"))


_DEEP: Final = b"[" * 8_000 + b"]" * 8_000
_CONTENTS: Final[dict[str, tuple[bytes, tuple[str, str]]]] = {
    "no object": (b"[]", _JSON),
    "null": (b"null", _JSON),
    "half an object": (b'{"username": ', _JSON),
    "deep": (b'{"username": ' + _DEEP + b"}", _JSON),
    "deep alone": (_DEEP, _JSON),
    "not utf-8": (b'{"username": "\xff\xfe"}', _JSON),
    "half a pair": (rb'{"username": "\ud800", "password": "\ud800"}', _JSON),
    "a zero": (rb'{"username": "a\u0000b", "password": "12345678", "code": "\u0000", "token": "\u0000"}', _JSON),
    "no number": (b'{"celsius": NaN, "token": "x", "checks": [Infinity]}', _JSON),
    "large numbers": (b'{"celsius": 1e999, "token": ' + b"9" * 5000 + b"}", _JSON),
    "twice": (b'{"code": "a", "code": "b", "role": "auditor", "serial": 1, "subject": 1}', _JSON),
    "other types": (json.dumps({name: {"a": [1]} for name in ("username", "password", "code")}).encode(), _JSON),
    "as xml": (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', ("Content-Type", "text/xml")),
    "as text": (b'{"username": "a"}', ("Content-Type", "text/plain")),
    "as utf-16": ('{"code": "a"}'.encode("utf-16"), ("Content-Type", "application/json; charset=utf-16")),
    "unknown encoding": (b"{}", ("Content-Type", "application/json; charset=nonsense")),
    "a form": (b"form=&username=a&password=b&code=000000&roles=auditor", _FORM),
    "many fields": (b"&".join(b"a%d=1" % number for number in range(1500)), _FORM),
    "parts": (b"--x\r\n\r\n\r\n--x--", ("Content-Type", "multipart/form-data; boundary=x")),
    "parts without end": (b"--x\r\nContent-Disposition: form-data", ("Content-Type", "multipart/form-data")),
}


def _bodies() -> Iterator[Variant]:
    for name, (body, header) in _CONTENTS.items():
        yield Variant(f"body {name}", _body(body, header))
    yield Variant("body compressed", _body(b"\x1f\x8b", _JSON, ("Content-Encoding", "gzip")))
    yield Variant("body by pieces", _body(b"2\r\n{}\r\n0\r\n\r\n", _JSON, ("Transfer-Encoding", "chunked")))


PLAIN: Final = Variant("plainly", lambda request: request, keeps_right=True)
HEADERS: Final = tuple(_headers())
PATHS: Final = tuple(_paths())
BODIES: Final = tuple(_bodies())
