"""Settings of text messages."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from app.core.settings.types import SettingsSection, Url


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
