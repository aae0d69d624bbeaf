"""HTTP client of a replay: signs each callback anew for its target, and keeps the pace of the plan.

Owns which servers a replay may go to (another machine only when it is named twice), and which answers are
acknowledgements. Uses no proxy and follows no redirect.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, ip_address
from socket import getaddrinfo
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from app.core.clock import Clock
from app.core.errors import StartError
from app.core.http_client import pooled_session
from app.wechat.callbacks.crypto import CallbackKeys
from app.wechat.callbacks.envelope import Stamp, write_callback
from app.wechat.callbacks.errors import CallbackRefused
from app.wechat.callbacks.events import MINIPROGRAM, OFFICIAL, Account, event_key
from app.wechat.callbacks.message import read_message
from app.wechat.callbacks.replay_plan import RETRY_SECONDS, ReplayStep

NO_ANSWER: Final = "no answer"
PATHS: Final[Mapping[Account, str]] = {MINIPROGRAM: "/wechat/callback", OFFICIAL: "/wechat/official/callback"}
_THIS_MACHINE: Final = IPv4Network("127.0.0.0/8")
_CONTENT_TYPES: Final = {"xml": "text/xml", "json": "application/json"}
_SLUG: Final = re.compile(r"[a-z-]{1,40}")


@dataclass(frozen=True, slots=True)
class ReplayTarget:
    """The server that is replayed to; its callbacks are signed with `keys`, at the time of `clock`."""

    url: str
    keys: CallbackKeys
    clock: Clock


@dataclass(frozen=True, slots=True)
class ReplayPace:
    """Speed 2 is twice as fast as recorded, 0 is without pauses; `concurrency` is the number of requests at a time."""

    speed: float
    concurrency: int


@dataclass(frozen=True, slots=True)
class SentCallback:
    """One step with the server's answer, in words, and whether WeChat would accept it.

    `key` is the one by which the server recognizes the callback.
    """

    step: ReplayStep
    key: bytes
    answer: str
    acknowledged: bool
    milliseconds: int


def callback_url(url: str, other_machine: str | None, account: Account = MINIPROGRAM) -> str:
    """Return the address of a server's callback endpoint for an account, composed of checked parts only.

    Raises StartError for another machine, unless its host is named a second time.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise StartError(f"{url} is not the address of a server; write it as http://127.0.0.1:8000.") from None
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[a-z0-9.:-]+", host) or "@" in parts.netloc:
        raise StartError("Name a server as http://127.0.0.1:8000, without a name and password.")
    if parts.query or parts.fragment or not re.fullmatch(r"[A-Za-z0-9/._~-]*", parts.path):
        raise StartError(
            "The address of the server has a query, or a path that cannot be used; write it as http://127.0.0.1:8000."
        )
    if not _is_this_machine(host) and host != (other_machine or "").lower():
        raise StartError(
            f"{host} is not this machine, and a replay changes the records of everybody named in it. "
            f"If you mean it, add --yes-send-to-another-machine {host}"
        )
    where = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{where}{f':{port}' if port else ''}{parts.path.rstrip('/') or PATHS[account]}"


def send_steps(
    steps: Sequence[ReplayStep], target: ReplayTarget, pace: ReplayPace, on_sent: Callable[[], object]
) -> list[SentCallback]:
    """Send every step, and return the answers in the order of the steps.

    `on_sent` is called after each, by any thread.
    """
    with pooled_session(target.url) as session, ThreadPoolExecutor(pace.concurrency) as pool:
        session.trust_env = False
        waiting: list[Future[SentCallback]] = []
        start = time.monotonic()
        try:
            for step in steps:
                if pace.speed:
                    time.sleep(max(0.0, start + step.after / pace.speed - time.monotonic()))
                waiting.append(pool.submit(_send, session, step, target))
                waiting[-1].add_done_callback(lambda _: on_sent())
            return [one.result() for one in waiting]
        except BaseException:  # after Ctrl-C do not wait for the rest
            pool.shutdown(cancel_futures=True)
            raise


def _send(session: requests.Session, step: ReplayStep, target: ReplayTarget) -> SentCallback:
    stamp = Stamp.fresh(target.clock.now())
    query, body = write_callback(target.keys, step.message, step.mode, step.format, stamp)
    start = time.perf_counter()
    answer, acknowledged = _post(session, target.url, query, body, _CONTENT_TYPES[step.format])
    milliseconds = round((time.perf_counter() - start) * 1000)
    return SentCallback(step, event_key(step.message), answer, acknowledged, milliseconds)


def _post(
    session: requests.Session, url: str, query: dict[str, str], body: bytes, content_type: str
) -> tuple[str, bool]:
    try:
        response = session.post(
            url,
            params=query,
            data=body,
            headers={"Content-Type": content_type},
            timeout=RETRY_SECONDS,
            allow_redirects=False,
        )
    except requests.Timeout:
        return f"no answer in {RETRY_SECONDS} s", False
    except requests.RequestException:
        return NO_ANSWER, False
    if response.status_code != requests.codes.ok:
        return f"{response.status_code} {_slug(response)}".strip(), False
    return _acknowledgement(response.content)


def _acknowledgement(body: bytes) -> tuple[str, bool]:
    """Return the answer and whether it acknowledges: `success` or nothing, as WeChat wants it, or a message."""
    if body.strip() in (b"", b"success"):
        return body.strip().decode() or "empty", True
    try:
        read_message(body)
    except CallbackRefused:
        return "200 without success", False
    return "reply", True


def _slug(response: requests.Response) -> str:
    """Return the slug of a problem document."""
    try:
        problem: Any = response.json()
        slug = str(problem["type"]).rsplit("/", 1)[-1]
    except (ValueError, KeyError, TypeError):
        return ""
    return slug if _SLUG.fullmatch(slug) else ""


def _is_this_machine(host: str) -> bool:
    """Return whether it is a loopback address, or `localhost` that resolves to nothing else."""
    try:
        addresses = [ip_address(host)]
    except ValueError:
        addresses = [ip_address(found[4][0]) for found in getaddrinfo(host, None)] if host == "localhost" else []
    return bool(addresses) and all(one == IPv6Address("::1") or one in _THIS_MACHINE for one in addresses)
