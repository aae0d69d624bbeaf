"""Settings of service windows, other provinces, and partners."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from app.core.settings.types import LOOPBACK, SettingsSection, Url


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
    list_url: Url = ""
    fetch_minutes: int = Field(default=60, ge=5, le=1440)
    host: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?)?$", max_length=255)

    @property
    def is_on(self) -> bool:
        return bool(self.root)

    @model_validator(mode="after")
    def a_root_needs_an_issuer(self) -> "TrustSettings":
        if self.root and not self.issuer:
            raise ValueError("root needs issuer beside it: the id of this installation in the trust list")
        return self

    @model_validator(mode="after")
    def a_list_is_fetched_with_tls(self) -> "TrustSettings":
        address = urlsplit(self.list_url)
        if address.scheme == "http" and address.hostname not in LOOPBACK:
            raise ValueError("list_url must begin with https://, except on this machine")
        if self.list_url and not self.root:
            raise ValueError("list_url needs root beside it: the key that signs the list")
        return self


class PartnerSettings(SettingsSection):
    enabled: bool = False
    clock_skew_seconds: int = Field(default=60, ge=5, le=300)

    @property
    def clock_skew(self) -> timedelta:
        return timedelta(seconds=self.clock_skew_seconds)
