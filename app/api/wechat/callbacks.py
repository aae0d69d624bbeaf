"""The endpoint for WeChat's callbacks: decrypt one, store its receipt, answer `success`.

Its effect is applied by a job. WeChat waits five seconds, so the answer does not wait longer for the database. When
nothing could be stored the answer is 503, and WeChat retries. Times are checked against real time, because WeChat does
not follow a shifted clock.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog
from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag
from flask_openapi3.types import ResponseDict
from procrastinate.exceptions import ConnectorException
from sqlalchemy import text as sql
from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import Problem
from app.core.metrics import PARTNER_VALUES_SKIPPED, WECHAT_CALLBACKS, WECHAT_CALLBACKS_REFUSED
from app.core.settings import CallbackKeySettings
from app.runtime import Services
from app.web import get_services, no_store
from app.web.problems import problem_responses
from app.wechat.callbacks import capture, events, receipts
from app.wechat.callbacks.crypto import CallbackKeys
from app.wechat.callbacks.envelope import MAX_BODY_BYTES, CallbackReader, ParsedCallback, Stamp, encrypt_reply
from app.wechat.callbacks.errors import CallbackRefused
from app.wechat.callbacks.events import MINIPROGRAM, OFFICIAL, Account, read_event
from app.wechat.callbacks.receipts import ReceivedCallback
from app.wechat.callbacks.replay_file import CapturedRequest

log = structlog.get_logger()

views = APIBlueprint(
    "callbacks",
    __name__,
    abp_tags=[Tag(name="WeChat callbacks", description="Callbacks pushed by WeChat")],
)

WRITE_TIMEOUT_SECONDS: Final = 3.0  # for all statements together
GOOD_LUCK: Final = '{"demo_resp":"good luck"}'  # the answer that WeChat's own test expects
_STATEMENT_LIMITS: Final = sql(
    "select set_config('statement_timeout', '2s', true), set_config('lock_timeout', '2s', true)"
)
_PLAIN: Final[ResponseDict] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
    **problem_responses(400, 403, 404, 413),
}

# A database that hangs blocks these threads, never the one that answers WeChat.
_writers = ThreadPoolExecutor(4, thread_name_prefix="callback")


@views.get("/wechat/callback", responses=_PLAIN)
def verify_address() -> Response:
    """Answer WeChat's check of our address: return its echo when the signature is valid."""
    return _echo(MINIPROGRAM)


@views.get("/wechat/official/callback", responses=_PLAIN)
def verify_official_address() -> Response:
    """Answer WeChat's check of the official account's address, as that of the mini-program."""
    return _echo(OFFICIAL)


@views.post("/wechat/callback", responses=_PLAIN)
def receive() -> Response:
    """Receive an event of WeChat, in any of the six forms; answer `success` once it is stored."""
    return _receive(MINIPROGRAM)


@views.post("/wechat/official/callback", responses=_PLAIN)
def receive_official() -> Response:
    """Receive an event of the official account, such as that somebody follows it."""
    return _receive(OFFICIAL)


def _echo(account: Account) -> Response:
    try:
        echo = _reader(account).verify_url(request.args)
    except CallbackRefused as refused:
        raise _problem(refused) from None
    return _answer(echo)


def _receive(account: Account) -> Response:
    reader = _reader(account)
    request.max_content_length = MAX_BODY_BYTES  # WeChat's limit here, whatever ours is for other requests
    try:
        body = request.get_data()
        opened = reader.read(request.args, body)
        event = read_event(opened.message, account)
    except CallbackRefused as refused:
        raise _problem(refused) from None
    if event.name == events.DEBUG:
        WECHAT_CALLBACKS.labels(event.name, "answered").inc()
        return _answer(_good_luck(reader, opened))
    services = get_services()
    now = services.clock.now()
    raw = CapturedRequest(now, request.args.to_dict(), dict(request.headers), body, account)
    received = ReceivedCallback(opened.message, event, now)
    new = _within_timeout(lambda: _write(services, raw, received))
    PARTNER_VALUES_SKIPPED.labels("callback-entry").inc(event.skipped if new else 0)
    # an unknown event is labeled unknown, so that a sender cannot create series
    WECHAT_CALLBACKS.labels(event.name if event.known else "unknown", "new" if new else "repeated").inc()
    return _answer("success")


def _reader(account: Account) -> CallbackReader:
    services, wechat = get_services(), get_services().settings.wechat
    of_mini: tuple[CallbackKeys | None, CallbackKeySettings] = (services.callback_keys, wechat.callbacks)
    of_official = services.official_keys, wechat.official_account.callbacks
    keys, settings = of_official if account == OFFICIAL else of_mini
    if keys is None:
        raise Problem("not-found")
    return CallbackReader(keys, services.real_clock.now(), settings.window, strict=not settings.allow_plaintext)


def _within_timeout(work: Callable[[], bool]) -> bool:
    """Return the result of the work. Raises Problem `unavailable` when it fails or takes too long; WeChat retries."""
    job = _writers.submit(work)
    try:
        return job.result(WRITE_TIMEOUT_SECONDS)
    except (SQLAlchemyError, ConnectorException, TimeoutError) as error:
        job.cancel()
        log.error("callback-not-stored", error=type(error).__name__)
        raise Problem("unavailable", retry_after=5) from None


def _write(services: Services, raw: CapturedRequest, received: ReceivedCallback) -> bool:
    """Store the receipt and its job, and the raw callback if capture is on; return False for a repeated callback."""
    with services.begin() as session:
        session.execute(_STATEMENT_LIMITS)
        if services.settings.wechat.callbacks.capture:
            capture.store_capture(session, services.encryption, raw)
        return receipts.store_receipt(session, services.encryption, received)


def _problem(refused: CallbackRefused) -> Problem:
    """Return the problem for the sender, who learns only the status, and count the reason."""
    WECHAT_CALLBACKS_REFUSED.labels(refused.reason).inc()
    if refused.status == 413:
        return Problem("too-large")
    return Problem("callback-refused" if refused.status == 403 else "bad-request")


def _good_luck(reader: CallbackReader, opened: ParsedCallback) -> str:
    if opened.mode == "plain":
        return GOOD_LUCK
    return encrypt_reply(reader.keys, GOOD_LUCK, opened.format, Stamp.fresh(reader.now))


def _answer(text: str) -> Response:
    response = no_store(Response(text, content_type="text/plain; charset=utf-8"))
    response.headers["X-Content-Type-Options"] = "nosniff"  # an echo must not be rendered as a page
    return response
