"""What an inspector is told of a code: the one shape of that answer, whoever gives it, a view or the gate."""

from datetime import datetime

from pydantic import BaseModel, Field

from app.codes.states import State
from app.core.clock import rfc3339
from app.core.texts import text
from app.stations.checks import Check


class CheckOut(BaseModel):
    """What a station learns of a code; nothing of it is kept there."""

    state: str
    color: str | None
    word: str
    action: str = Field(description="pass, measure or stop")
    instruction: str
    as_of: str
    stale: bool


def check_response(check: Check, language: str, now: datetime) -> CheckOut:
    """The answer for a code that was checked at `now`."""
    state = State(check.current_code.record.state)
    return CheckOut(
        state=state.name,
        color=state.color,
        word=text("states", state.name, language),
        action=check.action,
        instruction=check.instruction[language],
        as_of=rfc3339(now),
        stale=check.current_code.stale,
    )
