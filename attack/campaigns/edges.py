"""The edges: headers that every answer carries, pages that run nothing foreign, callbacks that WeChat did not send."""

from collections.abc import Iterator
from typing import Final

from attack.callers import Caller, gather
from attack.sending import Line, Request
from attack.tally import Tally
from attack.world import World, take

_PATHS: Final = (
    "/api/v1/home", "/api/v1/code", "/api/v1/code.svg", "/api/v1/code.png", "/api/v1/accounts/me", "/api/v1/nothing",
    "/api/v1/checks", "/api/v1/stations/today", "/openapi/openapi.json", "/openapi/", "/openapi/swagger", "/healthz",
    "/.well-known/jixiang-keys", "/wechat/callback", "/console/", "/console/login", "/console/static/console.css",
)  # fmt: skip


def run(world: World, tally: Tally) -> None:
    """Look at the headers of every kind of answer, then play WeChat. Raises Failed."""
    callers = [caller for caller in gather(world) if caller.roles or caller.name == "nobody"]
    line = world.line()
    for caller in callers:
        for path in _PATHS:
            if tally.is_full:
                return
            _look_at_headers(tally, line, caller, path)
    for words, request in _callbacks():
        take(tally, line, request, may=False, words=f"a callback that WeChat did not send, {words}")


def _look_at_headers(tally: Tally, line: Line, caller: Caller, path: str) -> None:
    answer = take(tally, line, Request("GET", path, caller.headers), None, f"{caller.name}, {path}")
    policy = answer.headers.get("content-security-policy", "")
    sniffs = answer.headers.get("x-content-type-options", "").lower() != "nosniff"
    tally.hold(not sniffs, f"a browser may guess the type of {path}")
    tally.hold(bool(policy), f"no content security policy at {path}")
    if "html" in answer.headers.get("content-type", ""):
        tally.hold(not _lets_scripts_in(policy), f"the content security policy of {path} lets any script in")
    if caller.roles and answer.is_good and path.startswith(("/api/v1/code", "/api/v1/accounts", "/console/")):
        stored = "no-store" not in answer.headers.get("cache-control", "") and "static" not in path
        tally.hold(not stored, f"{path} may be stored on the way")


def _lets_scripts_in(policy: str) -> bool:
    """Whether a content security policy lets a script run written in the page, or coming from anywhere."""
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";") if rule.strip()}
    sources = rules.get("script-src", rules.get("default-src", ["*"]))
    is_marked = any(source.startswith(("'nonce-", "'sha256-")) for source in sources)
    return "*" in sources or "https:" in sources or ("'unsafe-inline'" in sources and not is_marked)


def _callbacks() -> Iterator[tuple[str, Request]]:
    """Without a signature, with one that is wrong, and with what could be taken for a file or an address."""
    event = b"<xml><ToUserName>gh</ToUserName><FromUserName>o</FromUserName><MsgType>event</MsgType></xml>"
    entity = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><xml><Encrypt>&e;</Encrypt></xml>'
    many = b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><xml><Encrypt>&b;</Encrypt></xml>"
    bodies = {"plain": event, "an entity": entity, "entities": many, "json": b'{"Event": "x"}', "nothing": b""}
    queries = (
        "", "?signature=", "?signature=00&timestamp=1&nonce=1", "?msg_signature=00&timestamp=9999999999&nonce=1",
        "?signature[]=1&timestamp=-1&nonce=%00", "?echostr=%3Cscript%3E&signature=0&timestamp=0&nonce=0",
    )  # fmt: skip
    for query in queries:
        yield f"asked {query}", Request("GET", f"/wechat/callback{query}")
        for words, body in bodies.items():
            for kind in ("text/xml", "application/json"):
                headers = (("Content-Type", kind),)
                yield f"{words}{query}", Request("POST", f"/wechat/callback{query}", headers, body)
