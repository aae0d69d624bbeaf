"""Make the services from the settings, once all of those have been checked."""

import gc

from app.audit.certificates import CertificateSigner
from app.audit.checkpoints import CheckpointSigner
from app.codes import qr
from app.codes.cache.color_cache import ColorCache
from app.codes.cache.lease import CacheLease, LeaseGround
from app.codes.row_digests.digests import ROW_DIGESTS, RowDigests
from app.codes.tokens import PaperTokens, StripTokens, VenueTokens
from app.core import passwords, province, texts
from app.core.clock import Clock, SystemClock, make_clock
from app.core.db import make_engine, make_session_factory
from app.core.encryption import FieldEncryption
from app.core.errors import ConfigError
from app.core.identity.known_devices import KnownDevices
from app.core.keys import fingerprint, load_keys, refuse_ended
from app.core.province.file import read_province
from app.core.session_tokens import SessionTokens
from app.core.settings import Settings, config_error, missing_in_production, read_secret
from app.installation import KnownGeneration
from app.platform.recognition import check_ways, connect_ways
from app.rules import PolicyError, load_policy
from app.runtime.clients import (
    connect_redis,
    make_callback_keys,
    make_code_tokens,
    make_platform_client,
    make_sms_client,
    make_sms_credentials,
    make_wechat_client,
)
from app.runtime.services import Services
from app.wechat import menu
from app.wechat.official import connection as official_connection

# With Python's defaults (700, 10, 10) a third of the time of a batch change goes into the garbage collection of its
# rows and facts, which are many, live long, and contain no cycles.
_GC_THRESHOLDS = (50_000, 20, 50)


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
        clock=clock or make_clock(settings.clock.file),
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
