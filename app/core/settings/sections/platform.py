"""Settings of the national platform."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from app.core.settings.types import SettingsSection, Url


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
