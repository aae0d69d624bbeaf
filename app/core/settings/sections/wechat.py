"""Settings of WeChat: the mini-program, its callbacks, and the official account."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from app.core.settings.types import FieldKey, SettingsSection, Url


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
