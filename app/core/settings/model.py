"""All settings, from `config.toml` and the environment, checked at once before anything starts.

Owns names, types and defaults of settings. Secrets are never settings: a setting names the file that holds one.
Each setting is explained in `config.example.toml`; a test holds the two together.
"""

import os
import stat
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from app.core.errors import ConfigError
from app.core.settings import renamed
from app.core.settings.types import FieldKey, PostgresUrl, Rate, RedisUrl, SettingsSection, TokenSettings, Url

# in the environment, and no settings: the file's name, the mark of `jixiang-dev run`, the servers of the tests, and
# what officers prove themselves with at the command line (cli/identity.py)
_OTHER_VARIABLES = {"jixiang_config", "jixiang_run", "jixiang_test_database_url", "jixiang_test_redis_url"}
_OTHER_VARIABLES |= {f"jixiang_{who}_{what}" for who in ("officer", "approver") for what in ("password", "code")}


class WebSettings(SettingsSection):
    max_concurrency: int = Field(default=8, ge=1, le=200)


class DatabaseSettings(SettingsSection):
    url: PostgresUrl = "postgresql+psycopg:///jixiang"
    pool_size: int = Field(default=10, ge=1, le=200)


class RedisSettings(SettingsSection):
    url: RedisUrl = "redis://127.0.0.1:6379/0"
    timeout_seconds: float = Field(default=0.5, gt=0, le=10)


class KeySettings(SettingsSection):
    directory: Path = Path("keys")


class ClockSettings(SettingsSection):
    file: Path | None = None


class RuleSettings(SettingsSection):
    policy_file: Path | None = None


class SessionSettings(SettingsSection):
    citizen_hours: int = Field(default=24 * 30, ge=1, le=24 * 180)
    inspector_hours: int = Field(default=12, ge=1, le=24)


class PasswordSettings(SettingsSection):
    time_cost: int = Field(default=2, ge=1, le=10)
    memory_kib: int = Field(default=19_456, ge=8, le=1_048_576)

    @property
    def is_cheap(self) -> bool:
        """Whether this is less than OWASP's second profile, which is the default."""
        least = type(self)()
        return self.time_cost < least.time_cost or self.memory_kib < least.memory_kib


class OfficerSettings(SettingsSection):
    idle_minutes: int = Field(default=15, ge=1, le=60)
    session_hours: int = Field(default=8, ge=1, le=12)

    @property
    def idle(self) -> timedelta:
        return timedelta(minutes=self.idle_minutes)

    @property
    def lasts(self) -> timedelta:
        return timedelta(hours=self.session_hours)


class RateLimitSettings(SettingsSection):
    wechat_login: Rate = "600 per minute"
    login: Rate = "600 per minute"
    login_per_account: Rate = "20 per hour"
    login_per_account_global: Rate = "200 per hour"
    registration: Rate = "10 per hour"
    declaration: Rate = "20 per hour"
    appeal: Rate = "10 per hour"
    offline_checks: Rate = "60 per hour"
    body_bytes: int = Field(default=16_384, ge=1024, le=1_048_576)


class ColorChangeTemplate(SettingsSection):
    template_id: str = "demo-color-change"
    color_field: FieldKey = "phrase1"
    reason_field: FieldKey = "thing2"
    time_field: FieldKey = "time3"
    advice_field: FieldKey = "thing4"
    long_term: bool = False


class CallbackSettings(SettingsSection):
    token_file: Path | None = None
    aes_key_file: Path | None = None
    window_seconds: int = Field(default=300, ge=30, le=3600)
    allow_plaintext: bool = False
    retention_days: int = Field(default=7, ge=1, le=90)
    capture: bool = False
    capture_retention_days: int = Field(default=7, ge=1, le=30)

    @property
    def window(self) -> timedelta:
        return timedelta(seconds=self.window_seconds)

    @model_validator(mode="after")
    def a_key_needs_a_token(self) -> "CallbackSettings":
        if self.aes_key_file is not None and self.token_file is None:
            raise ValueError("aes_key_file needs token_file beside it")
        return self


class WeChatSettings(SettingsSection):
    appid: str = ""
    secret_file: Path | None = None
    api_base: Url = "https://api.weixin.qq.com"
    connect_timeout_seconds: float = Field(default=2.0, gt=0, le=10)
    read_timeout_seconds: float = Field(default=4.0, gt=0, le=30)
    miniprogram_state: Literal["developer", "trial", "formal"] = "formal"
    notice_page: str = "pages/code/code"
    color_change: ColorChangeTemplate = ColorChangeTemplate()
    callbacks: CallbackSettings = CallbackSettings()


class PlatformSettings(SettingsSection):
    base_url: Url = ""
    app_key: str = ""
    secret_file: Path | None = None
    timeout_seconds: float = Field(default=2.0, gt=0, le=10)
    circuit_open_seconds: int = Field(default=5, ge=1, le=300)
    retry_seconds: int = Field(default=2, ge=1, le=600)


class LogSettings(SettingsSection):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class Settings(BaseSettings):
    """Every setting of the system, typed and frozen."""

    model_config = SettingsConfigDict(env_prefix="JIXIANG_", env_nested_delimiter="__", extra="forbid", frozen=True)

    environment: Literal["local", "test", "production"] = "production"
    proxies: int = Field(default=0, ge=0, le=5)
    web: WebSettings = WebSettings()
    database: DatabaseSettings = DatabaseSettings()
    redis: RedisSettings = RedisSettings()
    keys: KeySettings = KeySettings()
    clock: ClockSettings = ClockSettings()
    rules: RuleSettings = RuleSettings()
    sessions: SessionSettings = SessionSettings()
    passwords: PasswordSettings = PasswordSettings()
    officers: OfficerSettings = OfficerSettings()
    tokens: TokenSettings = TokenSettings()
    limits: RateLimitSettings = RateLimitSettings()
    wechat: WeChatSettings = WeChatSettings()
    platform: PlatformSettings = PlatformSettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="before")
    @classmethod
    def accept_old_names(cls, values: dict[str, Any]) -> dict[str, Any]:
        """For one release; `renamed_settings` warns of each."""
        return renamed.with_new_names(values)

    @model_validator(mode="after")
    def production_cuts_no_corners(self) -> "Settings":
        mistakes = []
        if self.clock.file is not None:
            mistakes.append("clock.file may be set only outside production")
        if self.passwords.is_cheap:
            mistakes.append("passwords.time_cost below 2 and passwords.memory_kib below 19456 only outside production")
        if self.environment == "production" and mistakes:
            raise ValueError("; ".join(mistakes))
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file; nothing else is read."""
        file = os.environ.get("JIXIANG_CONFIG", "config.toml")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)


def load_settings() -> Settings:
    """Settings from `config.toml` (or the file in JIXIANG_CONFIG) and the environment.

    Raises ConfigError with every mistake, one a line, without the values.
    """
    named = os.environ.get("JIXIANG_CONFIG")
    if named and not Path(named).is_file():
        raise ConfigError(f"JIXIANG_CONFIG names {named}, which is not a file.")
    strange = [f"{name} in the environment names no setting" for name in _unknown_names(os.environ)]
    try:
        settings = Settings()
    except ValidationError as error:
        lines = [_describe(mistake) for mistake in error.errors(include_input=False, include_url=False)]
        raise config_error([*lines, *strange]) from None
    except ValueError as error:  # the TOML parser names line and column
        raise ConfigError(f"The configuration file cannot be read: {error}") from None
    if strange:
        raise config_error(strange)
    return settings


def config_error(lines: Sequence[str]) -> ConfigError:
    """The error that tells every mistake, one a line."""
    return ConfigError("The configuration has mistakes:\n  " + "\n  ".join(lines))


def missing_in_production(settings: Settings) -> list[str]:
    """What production cannot do without, one line for each setting that is empty."""
    if settings.environment != "production":
        return []
    needed = {
        "wechat.appid": settings.wechat.appid,
        "wechat.api_base": settings.wechat.api_base,
        "platform.base_url": settings.platform.base_url,
        "platform.app_key": settings.platform.app_key,
    }
    return [f"{name} is empty" for name, value in needed.items() if not value]


def _describe(mistake: ErrorDetails) -> str:
    place = ".".join(str(part) for part in mistake["loc"]) or "settings"
    words = renamed.both_given(place) or mistake["msg"].removeprefix("Value error, ")
    return f"{place}: {words}"


def _unknown_names(environment: Iterable[str]) -> list[str]:
    """Names that look like settings and are none; pydantic tells only those of a section that it knows."""
    ours = {name: name.lower() for name in environment if name.upper().startswith("JIXIANG_")}
    sections = {f"jixiang_{name}" for name in Settings.model_fields} | _OTHER_VARIABLES
    return [
        name for name, lower in ours.items() if lower.split("__")[0] not in sections and not renamed.is_removed(name)
    ]


def read_secret(file: Path | None, setting: str) -> str:
    """The secret in a file that only its owner may read.

    Raises ConfigError, naming the setting, when the file is missing, empty or readable by others.
    """
    if file is None:
        raise ConfigError(f"{setting} is not set: name a file that holds the secret (mode 0600).")
    try:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise ConfigError(f"{setting}: {file} can be read by others; run chmod 600 {file}")
        secret = file.read_text().strip()
    except OSError as error:
        raise ConfigError(f"{setting}: {file} cannot be read ({error.strerror}).") from None
    if not secret:
        raise ConfigError(f"{setting}: {file} is empty.")
    return secret
