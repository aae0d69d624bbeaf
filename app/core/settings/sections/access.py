"""Settings of who comes in and how often: sessions, passwords, officers, limits."""

from datetime import timedelta

from pydantic import Field

from app.core.settings.types import Rate, SettingsSection


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
    venue_codes: Rate = "60 per hour"
    offline_checks: Rate = "60 per hour"
    device_batches: Rate = "600 per hour"
    paper: Rate = "20 per hour"
    strips: Rate = "6 per hour"
    body_bytes: int = Field(default=16_384, ge=1024, le=1_048_576)
    picture_pixels: int = Field(default=16_000_000, ge=1_000_000, le=50_000_000)
    picture_wait_seconds: float = Field(default=2.0, ge=0, le=10)
