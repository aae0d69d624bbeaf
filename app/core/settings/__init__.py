"""The settings: sections and types, reading them, and the old names that are accepted for one release."""

from app.core.settings.model import Settings, config_error, load_settings, missing_in_production, read_secret
from app.core.settings.sections import (
    CallbackKeySettings,
    CallbackSettings,
    ColorChangeTemplate,
    DocumentCheckSettings,
    PasswordSettings,
    PlatformSettings,
    RateLimitSettings,
    SmsSettings,
    TokenSettings,
    WeChatSettings,
)

__all__ = [
    "CallbackKeySettings",
    "CallbackSettings",
    "ColorChangeTemplate",
    "DocumentCheckSettings",
    "PasswordSettings",
    "PlatformSettings",
    "RateLimitSettings",
    "Settings",
    "SmsSettings",
    "TokenSettings",
    "WeChatSettings",
    "config_error",
    "load_settings",
    "missing_in_production",
    "read_secret",
]
