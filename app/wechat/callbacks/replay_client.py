"""Sending a replay to a server: signed anew for it, at the pace of the plan, and never past this machine unasked.

Owns where a replay may go and what counts as an acknowledgement. No proxy is asked, no redirect is followed.
"""

import re
import secrets
import time
from collections.abc import Callable, Sequence
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
from app.wechat.callbacks.crypto import RANDOM_BYTES, CallbackKeys
from app.wechat.callbacks.envelope import write_callback
from app.wechat.callbacks.errors import CallbackRefused
from app.wechat.callbacks.events import event_key
from app.wechat.callbacks.message import read_message
from app.wechat.callbacks.replay_plan import RETRY_SECONDS, ReplayStep

PATH: Final = "/wechat/callback"
_THIS_MACHINE: Final = IPv4Network("127.0.0.0/8")
_CONTENT_TYPES: Final = {"xml": "text/xml", "json": "application/json"}
_SLUG: Final = re.compile(r"[a-z-]{1,40}")


@dataclass(frozen=True, slots=True)
class SentCallback:
    """One step and what the server said: in words, in milliseconds, and whether WeChat would be content.

    `key` is the one by which the server recognises the callback.
    """

    step: ReplayStep
    key: bytes
    answer: str
    acknowledged: bool
    milliseconds: int


def callback_url(url: str, other_machine: str | None) -> str:
    """The address of the callbacks of a server, put together anew from what was checked of it.

    Raises StartError for another machine, unless its host is named a second time.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise StartError(f"{url} is no address of a server.") from None
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[a-z0-9.:-]+", host) or "@" in parts.netloc:
        raise StartError("Name a server as http://127.0.0.1:8000, without a name and password.")
    if parts.query or parts.fragment or not re.fullmatch(r"[A-Za-z0-9/._~-]*", parts.path):
        raise StartError("The address of the server has a query, or a path that cannot be used.")
    if not _is_this_machine(host) and host != (other_machine or "").lower():
        raise StartError(
            f"{host} is not this machine, and a replay acts on whoever is named in it. "
            f"If that is meant, add --yes-send-to-another-machine {host}"
        )
    where = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{where}{f':{port}' if port else ''}{parts.path.rstrip('/') or PATH}"


def send_steps(
    steps: Sequence[ReplayStep],
    url: str,
    keys: CallbackKeys,
    clock: Clock,
    *,
    speed: float,
    concurrency: int,
    sent_one: Callable[[], object],
) -> list[SentCallback]:
    """Send every step, `concurrency` at a time, and return the answers in the order of the steps.

    `speed` 2 is twice as fast as it was, 0 is at once. `sent_one` is called after each, by any thread.
    """
    with pooled_session(url) as session, ThreadPoolExecutor(concurrency) as pool:
        session.trust_env = False
        waiting: list[Future[SentCallback]] = []
        start = time.monotonic()
        try:
            for step in steps:
                if speed:
                    time.sleep(max(0.0, start + step.after / speed - time.monotonic()))
                waiting.append(pool.submit(_send, session, step, url, keys, clock))
                waiting[-1].add_done_callback(lambda _: sent_one())
            return [one.result() for one in waiting]
        except BaseException:  # a person who gives up does not wait for the rest
            pool.shutdown(cancel_futures=True)
            raise


def _send(session: requests.Session, step: ReplayStep, url: str, keys: CallbackKeys, clock: Clock) -> SentCallback:
    timestamp, nonce = int(clock.now().timestamp()), str(secrets.randbelow(10**10))
    random = secrets.token_bytes(RANDOM_BYTES)
    query, body = write_callback(keys, step.message, step.mode, step.format, timestamp, nonce, random)
    start = time.perf_counter()
    answer, acknowledged = _ask(session, url, query, body, _CONTENT_TYPES[step.format])
    milliseconds = round((time.perf_counter() - start) * 1000)
    return SentCallback(step, event_key(step.message), answer, acknowledged, milliseconds)


def _ask(
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
        return "no answer", False
    if response.status_code != requests.codes.ok:
        return f"{response.status_code} {_slug(response)}".strip(), False
    return _acknowledgement(response.content)


def _acknowledgement(body: bytes) -> tuple[str, bool]:
    """`success` or nothing, as WeChat wants it, or a reply that is a message."""
    if body.strip() in (b"", b"success"):
        return body.strip().decode() or "empty", True
    try:
        read_message(body)
    except CallbackRefused:
        return "200 without success", False
    return "reply", True


def _slug(response: requests.Response) -> str:
    """The reason of a refusal in problem form."""
    try:
        problem: Any = response.json()
        slug = str(problem["type"]).rsplit("/", 1)[-1]
    except (ValueError, KeyError, TypeError):
        return ""
    return slug if _SLUG.fullmatch(slug) else ""


def _is_this_machine(host: str) -> bool:
    """An address of the loopback, or `localhost` where that leads nowhere else."""
    try:
        addresses = [ip_address(host)]
    except ValueError:
        addresses = [ip_address(found[4][0]) for found in getaddrinfo(host, None)] if host == "localhost" else []
    return bool(addresses) and all(one == IPv6Address("::1") or one in _THIS_MACHINE for one in addresses)
