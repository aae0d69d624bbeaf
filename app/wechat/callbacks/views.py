"""The door through which WeChat pushes what happened: open it, write it down, say `success`.

What an event does is done by a job. WeChat waits five seconds: whatever the database does, the answer comes before.
When nothing could be written it is 503, and WeChat asks again. Times are checked against real time, for WeChat's
clock knows nothing of ours.
"""

import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import structlog
from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag
from flask_openapi3.types import ResponseDict
from procrastinate.exceptions import ConnectorException
from sqlalchemy import text as sql
from sqlalchemy.exc import SQLAlchemyError

from app.errors import Problem
from app.services import Services
from app.web import private, services
from app.web.operations import CALLBACKS, REFUSED_CALLBACKS
from app.web.problems import refused
from app.wechat.callbacks import capture, events, receipts
from app.wechat.callbacks.envelope import LARGEST, Opened, check_url, open_callback, seal_reply
from app.wechat.callbacks.events import Event, read_event
from app.wechat.callbacks.handling import DEEDS
from app.wechat.callbacks.keys import CallbackKeys
from app.wechat.callbacks.refusal import CallbackRefused

log = structlog.get_logger()

views = APIBlueprint(
    "callbacks",
    __name__,
    abp_tags=[Tag(name="WeChat callbacks", description="What WeChat pushes")],
)

PATIENCE: Final = 3.0  # seconds for everything that the database has to do
GOOD_LUCK: Final = '{"demo_resp":"good luck"}'  # what WeChat's own test wants to hear
_NO_LONGER: Final = sql("select set_config('statement_timeout', '2s', true), set_config('lock_timeout', '2s', true)")
_PLAIN: Final[ResponseDict] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
    **refused(400, 403, 404, 413),
}

# A database that hangs holds these threads, never the one that answers WeChat.
_writers = ThreadPoolExecutor(4, thread_name_prefix="callback")


class Arrival(NamedTuple):
    """A request as it came."""

    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@views.get("/wechat/callback", responses=_PLAIN)
def check() -> Response:
    """WeChat's check of our address: its echo comes back when the signature is right."""
    keys, now = _keys(), services().real_clock.now()
    try:
        echo = check_url(keys, request.args, now, services().settings.wechat.callbacks.window)
    except CallbackRefused as refused:
        raise _problem(refused) from None
    return _answer(echo)


@views.post("/wechat/callback", responses=_PLAIN)
def take() -> Response:
    """An event of WeChat, in any of the six forms; `success` once it is written down."""
    keys = _keys()
    request.max_content_length = LARGEST  # WeChat's limit here, whatever ours is for other requests
    try:
        body = request.get_data()
        opened = _open(keys, body)
        event = read_event(opened.message)
    except CallbackRefused as refused:
        raise _problem(refused) from None
    if event.name == events.DEBUG:
        CALLBACKS.labels(event.name, "answered").inc()
        return _answer(_good_luck(keys, opened))
    bag, query, headers = services(), request.args.to_dict(), dict(request.headers)
    new = _in_time(lambda: _write(bag, Arrival(query, headers, body), opened, event))
    CALLBACKS.labels(event.name if event.known else "unknown", "new" if new else "again").inc()
    return _answer("success")


def _keys() -> CallbackKeys:
    keys = services().callback_keys
    if keys is None:
        raise Problem("not-found")
    return keys


def _open(keys: CallbackKeys, body: bytes) -> Opened:
    settings, now = services().settings.wechat.callbacks, services().real_clock.now()
    return open_callback(keys, request.args, body, now, settings.window, strict=not settings.also_plain)


def _in_time(work: Callable[[], bool]) -> bool:
    """What the work returns. Raises Problem `unavailable` when it fails or takes too long, and WeChat asks again."""
    job = _writers.submit(work)
    try:
        return job.result(PATIENCE)
    except (SQLAlchemyError, ConnectorException, TimeoutError) as error:
        job.cancel()
        log.error("callback-not-written", error=type(error).__name__)
        raise Problem("unavailable", retry_after=5) from None


def _write(bag: Services, arrival: Arrival, opened: Opened, event: Event) -> bool:
    """Keep the receipt and its job, and the raw callback where that is wanted; False for one that had come before."""
    now = bag.clock.now()
    with bag.begin() as session:
        session.execute(_NO_LONGER)
        if bag.settings.wechat.callbacks.capture:
            capture.keep(session, bag.vault, arrival.query, arrival.headers, arrival.body, now)
        return receipts.keep(session, bag.vault, opened.message, event, now, work=event.name in DEEDS)


def _problem(refused: CallbackRefused) -> Problem:
    """The sender learns the status, our counters the reason."""
    REFUSED_CALLBACKS.labels(refused.reason).inc()
    if refused.status == 413:
        return Problem("too-large")
    return Problem("callback-refused" if refused.status == 403 else "bad-request")


def _good_luck(keys: CallbackKeys, opened: Opened) -> str:
    if opened.mode == "plain":
        return GOOD_LUCK
    timestamp = int(services().real_clock.now().timestamp())
    nonce = str(secrets.randbelow(10**10))
    return seal_reply(keys, GOOD_LUCK, opened.format, timestamp, nonce, os.urandom(16))


def _answer(text: str) -> Response:
    response = private(Response(text, content_type="text/plain; charset=utf-8"))
    response.headers["X-Content-Type-Options"] = "nosniff"  # an echo is no page
    return response
