"""The official account of the settings: its client and its keys; None where there is none."""

from app.core.redis_client import AnyRedis
from app.core.settings import WeChatSettings, read_secret
from app.wechat.callbacks.crypto import CallbackKeys
from app.wechat.callbacks.keys import read_keys
from app.wechat.client import Timeouts, WeChatAccount
from app.wechat.official.client import OfficialAccountApi

_SECTION = "wechat.official_account"


def connect(settings: WeChatSettings, redis: AnyRedis) -> OfficialAccountApi | None:
    """Return the client of the official account."""
    account = read_account(settings)
    timeouts = Timeouts(settings.connect_timeout_seconds, settings.read_timeout_seconds)
    return None if account is None else OfficialAccountApi(account, redis, timeouts=timeouts)


def read_account(settings: WeChatSettings) -> WeChatAccount | None:
    """Return the account with its secret. Raises ConfigError."""
    official = settings.official_account
    if not official.is_on:
        return None
    return WeChatAccount(
        official.appid, read_secret(official.secret_file, f"{_SECTION}.secret_file"), settings.api_base
    )


def read_official_keys(settings: WeChatSettings) -> CallbackKeys | None:
    """Return the keys of the official account's callbacks. Raises ConfigError."""
    official = settings.official_account
    return read_keys(official.callbacks, f"{_SECTION}.callbacks", official.appid) if official.is_on else None
