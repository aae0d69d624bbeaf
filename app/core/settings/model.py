"""All settings, read from `config.toml` and the environment and checked at once before anything starts.

Secrets are never settings: a setting names the file that contains one. `config.example.toml` explains each setting; a
test compares the two.
"""

import os
import stat
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
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
from app.core.settings.sections import (
    ClockSettings,
    ColorChangeTemplate,
    DatabaseSettings,
    DeviceSettings,
    DocumentCheckSettings,
    KeySettings,
    LogSettings,
    OfficerSettings,
    PaperSettings,
    PartnerSettings,
    PasswordSettings,
    PlatformSettings,
    ProvinceSettings,
    RateLimitSettings,
    RedisSettings,
    RuleSettings,
    SessionSettings,
    SmsSettings,
    TokenSettings,
    TrustSettings,
    WebSettings,
    WeChatSettings,
    WindowSettings,
)

_FILE = "config.toml"

# variables of the environment that are no settings: the name of the file, the mark of `jixiang-dev run`, the servers of
# the tests, and what proves officers and sets a password at the command line (cli/identity.py)
_OTHER_VARIABLES = {"jixiang_config", "jixiang_run", "jixiang_test_database_url", "jixiang_test_redis_url"}
_OTHER_VARIABLES |= {"jixiang_new_password"}
_SIGNERS = ("officer", "approver", "auditor", "second")
_OTHER_VARIABLES |= {f"jixiang_{who}_{what}" for who in _SIGNERS for what in ("password", "code")}


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
    province: ProvinceSettings = ProvinceSettings()
    sessions: SessionSettings = SessionSettings()
    passwords: PasswordSettings = PasswordSettings()
    officers: OfficerSettings = OfficerSettings()
    tokens: TokenSettings = TokenSettings()
    paper: PaperSettings = PaperSettings()
    limits: RateLimitSettings = RateLimitSettings()
    document_checks: DocumentCheckSettings = DocumentCheckSettings()
    devices: DeviceSettings = DeviceSettings()
    wechat: WeChatSettings = WeChatSettings()
    platform: PlatformSettings = PlatformSettings()
    sms: SmsSettings = SmsSettings()
    windows: WindowSettings = WindowSettings()
    trust: TrustSettings = TrustSettings()
    partners: PartnerSettings = PartnerSettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="before")
    @classmethod
    def accept_old_names(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Accept old names for one release; `renamed.log_given` warns of each."""
        return renamed.with_new_names(values)

    @model_validator(mode="after")
    def production_cuts_no_corners(self) -> "Settings":
        mistakes = []
        if self.clock.file is not None:
            mistakes.append("clock.file may be set only outside production")
        if self.passwords.is_cheap:
            mistakes.append("passwords.time_cost below 2 and passwords.memory_kib below 19456 only outside production")
        if self.web.swagger:
            mistakes.append("web.swagger may be set only outside production")
        partners = {
            "wechat.api_base": self.wechat.api_base,
            "platform.base_url": self.platform.base_url,
            "sms.api_base": self.sms.api_base,
        }
        mistakes += [
            f"{name} must begin with https:// in production" for name, url in partners.items() if _is_plain(url)
        ]
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
        """Let the environment override the file, and read nothing else."""
        file = os.environ.get("JIXIANG_CONFIG", _FILE)
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)


def load_settings() -> Settings:
    """Return the settings in `config.toml` (or the file that JIXIANG_CONFIG names) and the environment.

    Raises ConfigError with every mistake, one a line, without the values.
    """
    file = os.environ.get("JIXIANG_CONFIG")
    if file and not Path(file).is_file():
        raise ConfigError(f"JIXIANG_CONFIG names {file}, which is not a file; correct it.")
    mistakes = [f"{name} in the environment names no setting" for name in _unknown_names(os.environ)]
    mistakes += _find_loose_mode(Path(file or _FILE))
    try:
        settings = Settings()
    except ValidationError as error:
        lines = [_describe(mistake) for mistake in error.errors(include_input=False, include_url=False)]
        raise config_error([*lines, *mistakes]) from None
    except ValueError as error:  # the TOML parser names line and column
        raise ConfigError(f"The configuration file cannot be read; correct it: {error}") from None
    if mistakes:
        raise config_error(mistakes)
    return settings


def config_error(lines: Sequence[str]) -> ConfigError:
    """Return the error that lists every mistake, one a line."""
    return ConfigError("The configuration has mistakes:\n  " + "\n  ".join(lines))


def missing_in_production(settings: Settings) -> list[str]:
    """Return one line for each setting that production requires and that is empty, or the demo's."""
    if settings.environment != "production":
        return []
    required = {
        "wechat.appid": settings.wechat.appid,
        "wechat.api_base": settings.wechat.api_base,
        "platform.base_url": settings.platform.base_url,
        "platform.app_key": settings.platform.app_key,
    }
    missing = [f"{name} is empty" for name, value in required.items() if not value]
    if settings.wechat.color_change.template_id == ColorChangeTemplate().template_id:
        missing.append("wechat.color_change.template_id is the demo's: name the template that WeChat has approved")
    return missing


def _find_loose_mode(file: Path) -> list[str]:
    """Return the mistake of a file that anybody on the machine can change; a group may share one."""
    if file.is_file() and stat.S_IMODE(file.stat().st_mode) & stat.S_IWOTH:
        return [f"{file} can be changed by others; run chmod o-w {file}"]
    return []


def _is_plain(url: str) -> bool:
    """Return whether an address is without TLS, as that of every sandbox is."""
    return url.startswith("http://")


def _describe(mistake: ErrorDetails) -> str:
    place = ".".join(str(part) for part in mistake["loc"]) or "settings"
    if mistake["type"] == "extra_forbidden":
        words = _name_similar(mistake["loc"])
    else:
        words = mistake["msg"].removeprefix("Value error, ")
    return f"{place}: {renamed.both_given(place) or words}"


def _name_similar(place: tuple[int | str, ...]) -> str:
    """Return the mistake of a name that is no setting, with the setting of its section that it looks like."""
    section: Any = Settings
    for name in place[:-1]:
        section = section.model_fields[name].annotation
    similar = get_close_matches(str(place[-1]), section.model_fields, 1)
    return "; ".join(["there is no such setting", *(f"did you mean {name}?" for name in similar)])


def _unknown_names(environment: Iterable[str]) -> list[str]:
    """Return names with our prefix that are no settings; pydantic reports only those of a section that it knows."""
    prefixed = {name: name.lower() for name in environment if name.upper().startswith("JIXIANG_")}
    sections = {f"jixiang_{name}" for name in Settings.model_fields} | _OTHER_VARIABLES
    unknown = (name for name, lower in prefixed.items() if lower.split("__")[0] not in sections)
    return [name for name in unknown if not renamed.is_removed(name)]


def read_secret(file: Path | None, setting: str) -> str:
    """Return the secret in a file that only its owner may read.

    Raises ConfigError, naming the setting, when the file is missing, empty or readable by others.
    """
    if file is None:
        raise ConfigError(f"{setting} is not set: name a file that holds the secret (mode 0600).")
    try:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise ConfigError(f"{setting}: {file} can be read by others; run chmod 600 {file}")
        secret = file.read_text().strip()
    except OSError as error:
        raise ConfigError(f"{setting}: {file} cannot be read ({error.strerror}); check its name and mode.") from None
    if not secret:
        raise ConfigError(f"{setting}: {file} is empty; write the secret into it.")
    return secret
