"""The sections of the settings, each with names, types and defaults; `config.example.toml` explains every setting."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from app.core.settings.types import FieldKey, PostgresUrl, Rate, RedisUrl, SettingsSection, Url


class WebSettings(SettingsSection):
    max_concurrency: int = Field(default=8, ge=1, le=200)
    swagger: bool = False


class DatabaseSettings(SettingsSection):
    url: PostgresUrl = "postgresql+psycopg:///jixiang"
    listen_url: PostgresUrl | None = None
    pool_size: int = Field(default=10, ge=1, le=200)


class RedisSettings(SettingsSection):
    url: RedisUrl = "redis://127.0.0.1:6379/0"
    timeout_seconds: float = Field(default=0.5, gt=0, le=10)
    lease_seconds: float = Field(default=3, ge=1, le=60)


class KeySettings(SettingsSection):
    directory: Path = Path("keys")


class ClockSettings(SettingsSection):
    file: Path | None = None


class RuleSettings(SettingsSection):
    policy_file: Path | None = None


class ProvinceSettings(SettingsSection):
    file: Path | None = None


class SessionSettings(SettingsSection):
    citizen_hours: int = Field(default=24 * 30, ge=1, le=24 * 180)
    inspector_hours: int = Field(default=12, ge=1, le=24)


class PasswordSettings(SettingsSection):
    time_cost: int = Field(default=2, ge=1, le=10)
    memory_kib: int = Field(default=19_456, ge=8, le=1_048_576)
    given_days: int = Field(default=7, ge=1, le=90)

    @property
    def given_lifetime(self) -> timedelta:
        return timedelta(days=self.given_days)

    @property
    def is_cheap(self) -> bool:
        """Return whether the cost is below OWASP's second profile, which is the default."""
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


class TokenSettings(SettingsSection):
    lifetime_seconds: int = Field(default=60, ge=20, le=600)
    skew_seconds: int = Field(default=10, ge=0, le=60)
    renew_before_seconds: int = Field(default=15, ge=5, le=60)
    temperature_grace_seconds: int = Field(default=600, ge=0, le=3600)
    offline_hours: int = Field(default=24, ge=1, le=48)
    strip_hours: int = Field(default=12, ge=1, le=24)
    strip_minutes: int = Field(default=5, ge=1, le=30)

    @property
    def life(self) -> timedelta:
        return timedelta(seconds=self.lifetime_seconds)

    @property
    def skew(self) -> timedelta:
        return timedelta(seconds=self.skew_seconds)

    @property
    def temperature_grace(self) -> timedelta:
        return timedelta(seconds=self.temperature_grace_seconds)

    @property
    def offline(self) -> timedelta:
        return timedelta(hours=self.offline_hours)

    @model_validator(mode="after")
    def renewal_comes_before_the_end(self) -> "TokenSettings":
        if self.renew_before_seconds >= self.lifetime_seconds:
            raise ValueError("renew_before_seconds must be smaller than lifetime_seconds")
        return self


class PaperSettings(SettingsSection):
    days: int = Field(default=180, ge=7, le=366)
    wrong_tails_a_day: int = Field(default=5, ge=1, le=100)
    many_scans_a_day: int = Field(default=60, ge=2, le=10_000)
    font_file: Path = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")

    @property
    def life(self) -> timedelta:
        return timedelta(days=self.days + 1)  # to the end of the last day


class RateLimitSettings(SettingsSection):
    wechat_login: Rate = "600 per minute"
    login: Rate = "120 per minute"
    login_per_account: Rate = "20 per hour"
    login_per_account_global: Rate = "50 per hour"
    registration: Rate = "10 per hour"
    identity_mismatches: Rate = "10 per day"
    declaration: Rate = "20 per hour"
    appeal: Rate = "10 per hour"
    family_invitations: Rate = "10 per day"
    family_children: Rate = "10 per day"
    venue_inspectors: Rate = "60 per day"
    venue_handovers: Rate = "10 per day"
    visits: Rate = "60 per hour"
    offline_checks: Rate = "60 per hour"
    device_batches: Rate = "600 per hour"
    paper: Rate = "20 per hour"
    strips: Rate = "6 per hour"
    body_bytes: int = Field(default=16_384, ge=1024, le=1_048_576)
    picture_pixels: int = Field(default=16_000_000, ge=1_000_000, le=50_000_000)
    picture_wait_seconds: float = Field(default=2.0, ge=0, le=10)


class DocumentCheckSettings(SettingsSection):
    ceiling: Rate = "30 per minute; 600 per hour; 3000 per day"
    ceiling_not_found: Rate = "10 per minute; 60 per hour; 200 per day"
    kept_days: int = Field(default=30, ge=1, le=90)


class DeviceSettings(SettingsSection):
    clock_skew_seconds: int = Field(default=60, ge=5, le=300)
    silent_minutes: int = Field(default=15, ge=1, le=1440)

    @property
    def clock_skew(self) -> timedelta:
        return timedelta(seconds=self.clock_skew_seconds)

    @property
    def silent(self) -> timedelta:
        return timedelta(minutes=self.silent_minutes)


class ColorChangeTemplate(SettingsSection):
    template_id: str = "demo-color-change"
    color_field: FieldKey = "phrase1"
    reason_field: FieldKey = "thing2"
    time_field: FieldKey = "time3"
    advice_field: FieldKey = "thing4"
    long_term: bool = False


class CallbackKeySettings(SettingsSection):
    token_file: Path | None = None
    aes_key_file: Path | None = None
    window_seconds: int = Field(default=300, ge=30, le=3600)
    allow_plaintext: bool = False

    @property
    def window(self) -> timedelta:
        return timedelta(seconds=self.window_seconds)

    @model_validator(mode="after")
    def a_key_needs_a_token(self) -> "CallbackKeySettings":
        if self.aes_key_file is not None and self.token_file is None:
            raise ValueError("aes_key_file needs token_file beside it")
        return self


class CallbackSettings(CallbackKeySettings):
    retention_days: int = Field(default=7, ge=1, le=90)
    capture: bool = False
    capture_retention_days: int = Field(default=7, ge=1, le=30)


class OfficialTemplate(SettingsSection):
    template_id: str = ""
    what_field: FieldKey = "thing1"
    time_field: FieldKey = "time2"
    advice_field: FieldKey = "thing3"


class OfficialAccountSettings(SettingsSection):
    appid: str = ""
    secret_file: Path | None = None
    template: OfficialTemplate = OfficialTemplate()
    circuit_open_seconds: int = Field(default=60, ge=1, le=3600)
    callbacks: CallbackKeySettings = CallbackKeySettings()

    @property
    def is_on(self) -> bool:
        return bool(self.appid)

    @model_validator(mode="after")
    def an_account_needs_its_parts(self) -> "OfficialAccountSettings":
        needed = {
            "secret_file": self.secret_file,
            "template.template_id": self.template.template_id,
            "callbacks.token_file": self.callbacks.token_file,
        }
        missing = [name for name, value in needed.items() if not value]
        if self.is_on and missing:
            raise ValueError(f"an official account needs {', '.join(missing)}")
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
    official_account: OfficialAccountSettings = OfficialAccountSettings()


class NationalPlatformSettings(SettingsSection):
    requester_id: str = ""
    verification_service_id: str = ""
    guardianship_service_id: str = ""
    verification_path: str = Field(default="/sysapi/verification", pattern="^/")
    guardianship_path: str = Field(default="/sysapi/guardianship", pattern="^/")
    secret_path: str = Field(default="", pattern="^(/.*)?$")

    @property
    def missing(self) -> list[str]:
        """Return the names of what is empty, and without which nothing can be asked."""
        names = ("requester_id", "verification_service_id", "guardianship_service_id")
        return [f"platform.national.{name} is empty" for name in names if not getattr(self, name)]


class PlatformSettings(SettingsSection):
    wire: Literal["own", "national"] = "own"
    national: NationalPlatformSettings = NationalPlatformSettings()
    base_url: Url = ""
    app_key: str = ""
    secret_file: Path | None = None
    timeout_seconds: float = Field(default=2.0, gt=0, le=10)
    circuit_open_seconds: int = Field(default=5, ge=1, le=300)
    retry_seconds: int = Field(default=2, ge=1, le=600)

    @model_validator(mode="after")
    def national_wire_has_its_names(self) -> "PlatformSettings":
        if self.wire == "national" and self.national.missing:
            raise ValueError("; ".join(self.national.missing))
        return self


class SmsTemplates(SettingsSection):
    zh: str = Field(default="", max_length=32)
    en: str = Field(default="", max_length=32)
    ko: str = Field(default="", max_length=32)

    def of(self, language: str) -> str:
        """Return the template in a language, or the Chinese one."""
        return {"en": self.en, "ko": self.ko}.get(language) or self.zh


class SmsSettings(SettingsSection):
    gateway: Literal["none", "tencent-cloud"] = "none"
    api_base: Url = "https://sms.tencentcloudapi.com"
    region: str = "ap-guangzhou"
    secret_id: str = ""
    secret_key_file: Path | None = None
    sdk_app_id: str = ""
    sign_name: str = ""
    templates: SmsTemplates = SmsTemplates()
    news_templates: SmsTemplates = SmsTemplates()
    connect_timeout_seconds: float = Field(default=2.0, gt=0, le=10)
    read_timeout_seconds: float = Field(default=5.0, gt=0, le=30)
    circuit_open_seconds: int = Field(default=30, ge=1, le=600)
    number_day_ceiling: int = Field(default=3, ge=1, le=50)
    district_day_ceiling: int = Field(default=20_000, ge=0)
    day_ceiling: int = Field(default=50_000, ge=0)
    month_ceiling: int = Field(default=500_000, ge=0)
    undeliverable_days: int = Field(default=30, ge=1, le=365)

    @property
    def is_on(self) -> bool:
        return self.gateway != "none"

    @property
    def undeliverable(self) -> timedelta:
        return timedelta(days=self.undeliverable_days)

    @model_validator(mode="after")
    def a_gateway_needs_an_account(self) -> "SmsSettings":
        needed = {
            "secret_id": self.secret_id,
            "secret_key_file": self.secret_key_file,
            "sdk_app_id": self.sdk_app_id,
            "sign_name": self.sign_name,
            "templates.zh": self.templates.zh,
        }
        missing = [name for name, value in needed.items() if not value]
        if self.is_on and missing:
            raise ValueError(f"a gateway needs {', '.join(missing)}")
        return self


class WindowSettings(SettingsSection):
    ceilings_file: Path | None = None
    visit_minutes: int = Field(default=20, ge=1, le=120)

    @property
    def visit(self) -> timedelta:
        return timedelta(minutes=self.visit_minutes)


class TrustSettings(SettingsSection):
    root: str = Field(default="", pattern="^([A-Za-z0-9_-]{43})?$")
    issuer: str = Field(default="", pattern="^([a-z][a-z0-9-]{0,30})?$")
    ways_file: Path | None = None
    host: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?)?$", max_length=255)

    @property
    def is_on(self) -> bool:
        return bool(self.root)

    @model_validator(mode="after")
    def a_root_needs_an_issuer(self) -> "TrustSettings":
        if self.root and not self.issuer:
            raise ValueError("root needs issuer beside it: the id of this installation in the trust list")
        return self


class PartnerSettings(SettingsSection):
    enabled: bool = False
    clock_skew_seconds: int = Field(default=60, ge=5, le=300)

    @property
    def clock_skew(self) -> timedelta:
        return timedelta(seconds=self.clock_skew_seconds)


class LogSettings(SettingsSection):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
