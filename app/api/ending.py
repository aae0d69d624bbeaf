"""The announced end of the service in responses; null while none is announced."""

from pydantic import BaseModel, Field

from app.core.texts import text
from app.installation import ServiceState


class EndingOut(BaseModel):
    """The announced end of the service, in the caller's language."""

    ends_on: str = Field(description="The last day, YYYY-MM-DD")
    title: str
    advice: str
    notice: str | None = Field(description="The words of the operators")


def ending_out(service: ServiceState, language: str) -> EndingOut | None:
    """Return what is announced."""
    if service.ends_on is None:
        return None
    day = service.ends_on.isoformat()
    title = text("announced", "title", language).format(day=day)
    return EndingOut(ends_on=day, title=title, advice=text("announced", "advice", language), notice=service.notice)
