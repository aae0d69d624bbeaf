"""Settings of what shows a code and who asks about one: tokens, paper cards, documents, devices."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field, model_validator

from app.core.settings.types import Rate, SettingsSection


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
