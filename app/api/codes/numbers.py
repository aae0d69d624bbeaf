"""The numbers of settings and policy that the words of the mini-program quote; they come with the home page."""

from pydantic import BaseModel, Field

from app.web import get_services


class NumbersOut(BaseModel):
    """What the province decides and the pages name."""

    alerts_kept_days: int = Field(description="For how long the hour of a check of a red or orange code is kept")
    overlap_hours: int = Field(description="For how long the print of a venue code is good beside the next one")
    paper_days: int = Field(description="For how long a card on paper is good")
    password_days: int = Field(description="In how many days a password that was given has to be changed")
    strip_hours: int = Field(description="For how many hours a phone may take codes ahead")
    token_seconds: int = Field(description="How long a token or receipt lasts")
    visits_kept_days: int = Field(description="For how long a phone keeps a visit")


def numbers_out() -> NumbersOut:
    """Return the numbers that count now."""
    services = get_services()
    settings, policy, now = services.settings, services.policy, services.clock.now()
    venue_codes = policy.venue_codes_at(now)
    return NumbersOut(
        alerts_kept_days=policy.follow_ups_at(now).alerts_kept_days,
        overlap_hours=venue_codes.overlap_hours,
        paper_days=settings.paper.days,
        password_days=settings.passwords.given_days,
        strip_hours=settings.tokens.strip_hours,
        token_seconds=settings.tokens.lifetime_seconds,
        visits_kept_days=venue_codes.visits_kept_days,
    )
