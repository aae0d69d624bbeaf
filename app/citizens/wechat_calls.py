"""Calls of WeChat by which a citizen proves who holds the phone, outside of any transaction."""

from typing import Final

import structlog

from app.core import upstream
from app.core.errors import Problem
from app.core.upstream import Upstream
from app.runtime import Services
from app.wechat.client import WeChatOutcomeUnknown, WeChatRefused, WeChatSession, WeChatUnavailable

log = structlog.get_logger()

_INVALID_CODE: Final = (40029, 40163)
_BLOCKED: Final = 40226


def exchange_code(services: Services, code: str) -> WeChatSession:
    """Call code2session. Raises Problem when WeChat refuses the code, blocks the user or does not answer."""
    try:
        opened = services.wechat.code_to_session(code)
    except WeChatRefused as refusal:
        upstream.record_success(services.redis, Upstream.WECHAT, services.clock.now())
        if refusal.errcode in _INVALID_CODE:
            raise Problem("wechat-code-refused") from None
        if refusal.errcode == _BLOCKED:
            raise Problem("wechat-user-blocked") from None
        log.error("wechat-refused-login", errcode=refusal.errcode)
        raise Problem("wechat-unavailable", retry_after=30) from None
    except (WeChatUnavailable, WeChatOutcomeUnknown) as error:
        upstream.record_failure(services.redis, Upstream.WECHAT, error.reason, services.clock.now())
        raise Problem("wechat-unavailable", retry_after=5) from None
    upstream.record_success(services.redis, Upstream.WECHAT, services.clock.now())
    return opened
