"""Settings of what a process runs on: web, database, Redis, keys, clock, files of the province, log."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from app.core.settings.types import PostgresUrl, RedisUrl, SettingsSection


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


class LogSettings(SettingsSection):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
