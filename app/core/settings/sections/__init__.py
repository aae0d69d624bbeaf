"""The sections of the settings, each with names, types and defaults; `config.example.toml` explains every setting."""

from app.core.settings.sections.access import OfficerSettings, PasswordSettings, RateLimitSettings, SessionSettings
from app.core.settings.sections.codes import DeviceSettings, DocumentCheckSettings, PaperSettings, TokenSettings
from app.core.settings.sections.others import PartnerSettings, TrustSettings, WindowSettings
from app.core.settings.sections.platform import NationalPlatformSettings, PlatformSettings
from app.core.settings.sections.sms import SmsSettings, SmsTemplates
from app.core.settings.sections.system import (
    ClockSettings,
    DatabaseSettings,
    KeySettings,
    LogSettings,
    ProvinceSettings,
    RedisSettings,
    RuleSettings,
    WebSettings,
)
from app.core.settings.sections.wechat import (
    CallbackKeySettings,
    CallbackSettings,
    ColorChangeTemplate,
    OfficialAccountSettings,
    OfficialTemplate,
    WeChatSettings,
)

__all__ = [
    "CallbackKeySettings",
    "CallbackSettings",
    "ClockSettings",
    "ColorChangeTemplate",
    "DatabaseSettings",
    "DeviceSettings",
    "DocumentCheckSettings",
    "KeySettings",
    "LogSettings",
    "NationalPlatformSettings",
    "OfficerSettings",
    "OfficialAccountSettings",
    "OfficialTemplate",
    "PaperSettings",
    "PartnerSettings",
    "PasswordSettings",
    "PlatformSettings",
    "ProvinceSettings",
    "RateLimitSettings",
    "RedisSettings",
    "RuleSettings",
    "SessionSettings",
    "SmsSettings",
    "SmsTemplates",
    "TokenSettings",
    "TrustSettings",
    "WeChatSettings",
    "WebSettings",
    "WindowSettings",
]
