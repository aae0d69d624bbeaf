"""What the settings describe, made one by one: Redis, tokens, and the clients of the partners."""

from app.codes.tokens import CodeTokens
from app.core import redis_client
from app.core.keys import Keys
from app.core.redis_client import AnyRedis
from app.core.settings import Settings, read_secret
from app.platform import connection
from app.platform.client import PlatformClient
from app.sms.client import SmsAccount, SmsApi, SmsTimeouts
from app.sms.signing import SmsCredentials
from app.wechat.callbacks.crypto import CallbackKeys
from app.wechat.callbacks.keys import read_keys
from app.wechat.client import Timeouts, WeChatAccount, WeChatApi


def make_code_tokens(keys: Keys, settings: Settings) -> CodeTokens:
    return CodeTokens(keys, settings.tokens.life, settings.tokens.skew, settings.paper.life)


def connect_redis(settings: Settings) -> AnyRedis:
    """Return a client with a short timeout: the database answers in place of Redis."""
    return redis_client.connect(settings.redis.url, settings.redis.timeout_seconds)


def make_wechat_client(settings: Settings, redis: AnyRedis) -> WeChatApi:
    wechat = settings.wechat
    secret = read_secret(wechat.secret_file, "wechat.secret_file")
    timeouts = Timeouts(wechat.connect_timeout_seconds, wechat.read_timeout_seconds)
    return WeChatApi(WeChatAccount(wechat.appid, secret, wechat.api_base), redis, timeouts=timeouts)


def make_platform_client(settings: Settings) -> PlatformClient:
    platform = settings.platform
    secret = read_secret(platform.secret_file, "platform.secret_file")
    return connection.connect(platform, secret)


def make_sms_client(settings: Settings) -> SmsApi | None:
    """Return the client of the gateway for text messages; None when the settings name none."""
    credentials, sms = make_sms_credentials(settings), settings.sms
    if credentials is None:
        return None
    account = SmsAccount(sms.sdk_app_id, sms.sign_name, sms.region, sms.api_base)
    return SmsApi(account, credentials, SmsTimeouts(sms.connect_timeout_seconds, sms.read_timeout_seconds))


def make_sms_credentials(settings: Settings) -> SmsCredentials | None:
    sms = settings.sms
    if not sms.is_on:
        return None
    return SmsCredentials(sms.secret_id, read_secret(sms.secret_key_file, "sms.secret_key_file"))


def make_callback_keys(settings: Settings) -> CallbackKeys | None:
    """Return the keys that verify and decrypt WeChat's callbacks; None when the settings name no token."""
    return read_keys(settings.wechat.callbacks, "wechat.callbacks", settings.wechat.appid)
