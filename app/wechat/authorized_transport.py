"""Calls to WeChat that need the access token.

Owns how a token is requested, and the one retry after a stale one. It must never force a new token, which would
invalidate that of every other process.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import structlog
from redis.exceptions import RedisError
from wechatpy.session.redisstorage import RedisStorage

from app.core.redis_client import AnyRedis
from app.wechat.access_token import AccessTokenStore, FetchedToken
from app.wechat.transport import (
    ApiCall,
    Timeouts,
    Transport,
    WeChatAccount,
    WeChatRefused,
    WeChatUnavailable,
    required_text,
)

log = structlog.get_logger()

AnswerT = TypeVar("AnswerT")

_STALE_TOKEN: Final = frozenset({40001, 40014, 42001})


class AuthorizedTransport:
    """Asks WeChat with the access token that all processes share."""

    def __init__(self, transport: Transport, account: WeChatAccount, redis: AnyRedis, timeouts: Timeouts) -> None:
        self._transport, self._account = transport, account
        # The host is part of the name: the sandbox's token and WeChat's own stay apart when they share one Redis.
        storage = RedisStorage(redis, prefix=f"wechat:{urlsplit(account.api_base).netloc}:{account.appid}")
        two_tries = 2 * (timeouts.connect + timeouts.read) + 1
        self._token = AccessTokenStore(redis, storage, self._fetch, lock_seconds=two_tries, wait_seconds=timeouts.lock)

    def ask(self, call: ApiCall) -> dict[str, Any]:
        """Return WeChat's answer. Raises the errors of `Transport.ask`, and WeChatUnavailable without a token."""
        return self._with_token(self._transport.ask, call)

    def ask_image(self, call: ApiCall) -> bytes:
        """Return the image that WeChat answers with. Raises the same errors as `ask`."""
        return self._with_token(self._transport.ask_image, call)

    def _with_token(self, ask: Callable[[ApiCall], AnswerT], call: ApiCall) -> AnswerT:
        """Ask with the access token, and once more, with a new one, when WeChat calls it stale."""
        stale = None
        for _ in range(2):
            token = self._get(stale)
            carried = replace(call, params=(*call.params, ("access_token", token)), private=(*call.private, token))
            try:
                return ask(carried)
            except WeChatRefused as refusal:
                if refusal.errcode not in _STALE_TOKEN:
                    raise
                stale = token
        raise WeChatUnavailable("token")

    def _get(self, stale_token: str | None) -> str:
        with suppress(RedisError):
            return self._token.get(stale_token)
        raise WeChatUnavailable("token-store")

    def _fetch(self) -> FetchedToken:
        """Return a token of the stable kind: repeating the request returns the same one, and invalidates no other."""
        body = {
            "grant_type": "client_credential",
            "appid": self._account.appid,
            "secret": self._account.secret,
            "force_refresh": False,
        }
        try:
            answer = self._transport.ask(ApiCall("POST", "/cgi-bin/stable_token", body=body))
            return FetchedToken(required_text(answer, "access_token"), _seconds(answer))
        except WeChatRefused as refusal:
            log.error("wechat-refused-access-token", errcode=refusal.errcode)
        # Not the refusal itself: callers would take it for an answer to their own call.
        raise WeChatUnavailable("credentials")


def _seconds(answer: dict[str, Any]) -> int:
    """Return for how many seconds a token is valid."""
    value = answer.get("expires_in")
    if type(value) is not int or value <= 0:
        raise WeChatUnavailable("unreadable")
    return value
