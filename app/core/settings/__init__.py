"""Settings: their model and types, reading them, and the old names that are accepted for one release."""

from app.core.settings.model import (
    CallbackSettings,
    ColorChangeTemplate,
    PasswordSettings,
    RateLimitSettings,
    Settings,
    WeChatSettings,
    config_error,
    load_settings,
    missing_in_production,
    read_secret,
)

__all__ = [
    "CallbackSettings",
    "ColorChangeTemplate",
    "PasswordSettings",
    "RateLimitSettings",
    "Settings",
    "WeChatSettings",
    "config_error",
    "load_settings",
    "missing_in_production",
    "read_secret",
]
