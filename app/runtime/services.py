"""Everything with a connection, a key or a clock, and the transaction that also keeps the cache true."""

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
from app.codes.cache.color_cache import CacheReplaced, ColorCache
from app.codes.cache.lease import CacheLease
from app.codes.cache.loading import load_records
from app.codes.cache.writing import CacheWriter
from app.codes.current_code import CurrentCode, read_current
from app.codes.row_digests.digests import RowDigests
from app.codes.tokens import CodeTokens, PaperTokens, StripTokens, VenueTokens
from app.core.clock import Clock
from app.core.encryption import FieldEncryption
from app.core.errors import Problem
from app.core.identity.known_devices import KnownDevices
from app.core.redis_client import AnyRedis
from app.core.session_tokens import SessionTokens
from app.core.settings import Settings
from app.installation import KnownGeneration
from app.platform.client import PlatformClient
from app.platform.recognition import StateClient
from app.rules import Policy
from app.sms.client import SmsApi
from app.wechat.callbacks.crypto import CallbackKeys
from app.wechat.client import WeChatApi
from app.wechat.official.client import OfficialAccountApi

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
