"""The process-wide dependencies, created once from the settings.

Nothing else in the project opens a connection, reads a key or asks for the time.
"""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from redis import RedisError
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from app.audit.certificates import CertificateSigner
from app.audit.checkpoints import CheckpointSigner
from app.codes import qr
from app.codes.cache.color_cache import CacheReplaced, ColorCache
from app.codes.cache.lease import CacheLease, LeaseGround
from app.codes.cache.loading import load_records
from app.codes.cache.writing import CacheWriter
from app.codes.current_code import CurrentCode, read_current
from app.codes.row_digests.digests import ROW_DIGESTS, RowDigests
from app.codes.tokens import CodeTokens, PaperTokens, StripTokens, VenueTokens
from app.core import passwords, province, redis_client, texts
from app.core.clock import Clock, ShiftedClock, SystemClock
from app.core.db import make_engine, make_session_factory
from app.core.encryption import FieldEncryption
from app.core.errors import ConfigError, Problem
from app.core.identity.known_devices import KnownDevices
from app.core.keys import Keys, fingerprint, load_keys, refuse_ended
from app.core.province.file import read_province
from app.core.redis_client import AnyRedis
from app.core.session_tokens import SessionTokens
from app.core.settings import Settings, config_error, missing_in_production, read_secret
from app.installation import KnownGeneration
from app.platform import connection
from app.platform.client import PlatformClient
from app.platform.recognition import StateClient, check_ways, connect_ways
from app.rules import Policy, PolicyError, load_policy
from app.sms.client import SmsAccount, SmsApi, SmsTimeouts
from app.sms.signing import SmsCredentials
from app.wechat import menu
from app.wechat.callbacks.crypto import CallbackKeys
from app.wechat.callbacks.keys import read_keys
from app.wechat.client import Timeouts, WeChatAccount, WeChatApi
from app.wechat.official import connection as official_connection
from app.wechat.official.client import OfficialAccountApi

# With Python's defaults (700, 10, 10) a third of the time of a batch change goes into the garbage collection of its
# rows and facts, which are many, live long, and contain no cycles.
_GC_THRESHOLDS = (50_000, 20, 50)

log = structlog.get_logger()


@dataclass(frozen=True)
class Services:
    """Everything with a connection, a key or a clock.

    `real_clock` is for signatures of others, who do not know of a shifted clock. `callback_keys` is None when WeChat's
    callbacks are not configured, `sms` when there is no gateway for text messages, `official` and `official_keys` when
    there is no official account. `recognition` has who is asked about the codes of an issuer.
    """

    settings: Settings
    clock: Clock
    real_clock: Clock
    policy: Policy
    engine: Engine
    sessions: sessionmaker[Session]
    redis: AnyRedis
    cache: ColorCache
    lease: CacheLease
    generation: KnownGeneration
    encryption: FieldEncryption
    tokens: CodeTokens
    paper_tokens: PaperTokens
    strip_tokens: StripTokens
    venue_tokens: VenueTokens
    session_tokens: SessionTokens
    devices: KnownDevices
    checkpoint_signer: CheckpointSigner
    certificate_signer: CertificateSigner
    row_digests: RowDigests
    wechat: WeChatApi
    callback_keys: CallbackKeys | None
    platform: PlatformClient
    recognition: Mapping[str, StateClient]
    sms: SmsApi | None
    official: OfficialAccountApi | None = None
    official_keys: CallbackKeys | None = None

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """Open a transaction. The codes that it changed are in the cache, or not read from there, when this returns."""
        writer = CacheWriter(self.cache, self.sessions, self.policy, self.settings.redis.lease_seconds)
        with self.sessions.begin() as session:
            yield session
            pending = writer.prepare(session)
        writer.finish(pending)

    def refresh_cache(self, serials: list[int]) -> bool:
        """Write codes from the database to the cache; return False when one of the two does not answer.

        Raises Problem when there is no such code.
        """
        try:
            generations = self.cache.generations(serials)
            with self.sessions() as session:
                records = load_records(session, self.policy, serials)
            if len(records) < len(serials):
                raise Problem("code-not-found")
            self.cache.put(records, generations)
        except (RedisError, OperationalError, PoolTimeout, CacheReplaced) as error:
            log.warning("cache-not-refreshed", error=type(error).__name__)
            return False
        return True

    def close(self) -> None:
        """Close every open connection."""
        self.lease.stop()
        self.engine.dispose()
        self.redis.close()
        self.wechat.close()
        self.platform.close()
        for partner in (self.sms, self.official, *self.recognition.values()):
            if partner is not None:
                partner.close()

    def current_code(self, serial: int) -> CurrentCode:
        """Return the current state of a code."""
        return read_current(self.cache, self.sessions, self.policy, serial, self.clock.now())


def make_services(settings: Settings, clock: Clock | None = None) -> Services:
    """Create the services that the settings describe. Raises ConfigError with every mistake."""
    check_settings(settings)
    gc.set_threshold(*_GC_THRESHOLDS)
    passwords.configure(settings.passwords)
    province.choose(settings.province.file)
    keys = load_keys(settings.keys.directory)
    redis = connect_redis(settings)
    engine = make_engine(settings.database.url, settings.database.pool_size)
    generation, digests = KnownGeneration(engine, fingerprint(keys)), RowDigests(keys)
    sessions = make_session_factory(engine, **{ROW_DIGESTS: digests})
    cache = ColorCache(redis, generation.last)
    policy = load_policy(settings.rules.policy_file)
    return Services(
        settings=settings,
        clock=clock or make_clock(settings),
        real_clock=SystemClock(),
        policy=policy,
        engine=engine,
        sessions=sessions,
        redis=redis,
        cache=cache,
        lease=CacheLease(LeaseGround(cache, sessions, policy, generation), settings.redis.lease_seconds),
        generation=generation,
        encryption=FieldEncryption(keys),
        tokens=make_code_tokens(keys, settings),
        paper_tokens=PaperTokens(keys, settings.tokens.skew),
        strip_tokens=StripTokens(keys, settings.tokens.skew),
        venue_tokens=VenueTokens(keys, settings.tokens.life, settings.tokens.skew),
        session_tokens=SessionTokens(keys, generation),
        devices=KnownDevices(keys),
        checkpoint_signer=CheckpointSigner(keys),
        certificate_signer=CertificateSigner(keys),
        row_digests=digests,
        wechat=make_wechat_client(settings, redis),
        callback_keys=make_callback_keys(settings),
        platform=make_platform_client(settings),
        recognition=connect_ways(settings.trust.ways_file),
        sms=make_sms_client(settings),
        official=official_connection.connect(settings.wechat, redis),
        official_keys=official_connection.read_official_keys(settings.wechat),
    )


def check_settings(settings: Settings) -> None:
    """Check the settings and every file that they name. Raises ConfigError with every mistake, one a line.

    Raises StartError where the service is ended.
    """
    refuse_ended(settings.keys.directory)
    mistakes = missing_in_production(settings)
    for read in (
        lambda: load_keys(settings.keys.directory),
        lambda: load_policy(settings.rules.policy_file),
        lambda: check_province(settings),
        lambda: read_secret(settings.wechat.secret_file, "wechat.secret_file"),
        lambda: make_callback_keys(settings),
        lambda: read_secret(settings.platform.secret_file, "platform.secret_file"),
        lambda: check_ways(settings.trust.ways_file, is_production=settings.environment == "production"),
        lambda: make_sms_credentials(settings),
        lambda: official_connection.read_account(settings.wechat),
        lambda: official_connection.read_official_keys(settings.wechat),
    ):
        try:
            read()
        except (ConfigError, PolicyError) as error:
            mistakes += str(error).splitlines()
    if mistakes:
        raise config_error(mistakes)


def check_province(settings: Settings) -> None:
    """Read the province and what its file names. Raises ConfigError with the mistakes of the first part with any."""
    here = read_province(settings.province.file)
    texts.check_own_texts(here)
    menu.columns_of(here)
    here.pictures("codes", qr.ART)


def make_code_tokens(keys: Keys, settings: Settings) -> CodeTokens:
    return CodeTokens(keys, settings.tokens.life, settings.tokens.skew, settings.paper.life)


def make_clock(settings: Settings) -> Clock:
    return ShiftedClock(settings.clock.file) if settings.clock.file else SystemClock()


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
