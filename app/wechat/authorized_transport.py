"""The calls to WeChat that carry the access token.

Owns how a token is asked for, and the one retry after a stale one. It must never force a new token, which would end
that of everybody else.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import redis as redis_py
import structlog
from redis.exceptions import RedisError
from wechatpy.session.redisstorage import RedisStorage

from app.wechat.access_token import AccessTokenStore, FetchedToken
from app.wechat.transport import ApiCall, Transport, WeChatRefused, WeChatUnavailable, required_text

log = structlog.get_logger()

AnswerT = TypeVar("AnswerT")

_STALE_TOKEN: Final = frozenset({40001, 40014, 42001})


class AuthorizedTransport:
    """Asks WeChat with the access token that all processes share; times are in seconds."""

    def __init__(
        self,
        calls: Transport,
        redis: redis_py.Redis,
        appid: str,
        secret: str,
        api_base: str,
        *,
        lock_seconds: float,
        wait_seconds: float,
    ) -> None:
        self._calls, self._appid, self._secret = calls, appid, secret
        # The host is in the name: the sandbox's token and WeChat's own stay apart, should they meet in one Redis.
        storage = RedisStorage(redis, prefix=f"wechat:{urlsplit(api_base).netloc}:{appid}")
        self._token = AccessTokenStore(
            redis, storage, self._fetch, lock_seconds=lock_seconds, wait_seconds=wait_seconds
        )

    def ask(self, call: ApiCall) -> dict[str, Any]:
        """WeChat's answer. Raises what `Calls.ask` raises, and Unavailable without a token."""
        return self._with_token(self._calls.ask, call)

    def ask_image(self, call: ApiCall) -> bytes:
        """The image that WeChat answers with. Raises what `Calls.ask_image` raises, and Unavailable without a token."""
        return self._with_token(self._calls.ask_image, call)

    def _with_token(self, ask: Callable[[ApiCall], AnswerT], call: ApiCall) -> AnswerT:
        """Ask with the access token; once more, and only once, when WeChat calls the token stale."""
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
        """A token of the stable kind: asking again brings the same one, and ends nobody else's."""
        body = {
            "grant_type": "client_credential",
            "appid": self._appid,
            "secret": self._secret,
            "force_refresh": False,
        }
        try:
            answer = self._calls.ask(ApiCall("POST", "/cgi-bin/stable_token", body=body))
            return FetchedToken(required_text(answer, "access_token"), _seconds(answer))
        except WeChatRefused as refusal:
            log.error("wechat-refused-access-token", errcode=refusal.errcode)
        # Not the refusal itself: it says nothing about what the token was wanted for.
        raise WeChatUnavailable("credentials")


def _seconds(answer: dict[str, Any]) -> int:
    """How long a token holds."""
    value = answer.get("expires_in")
    if type(value) is not int or value <= 0:
        raise WeChatUnavailable("unreadable")
    return value
