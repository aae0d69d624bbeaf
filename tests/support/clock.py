"""The clock of the tests, which moves only when a test moves it."""

from datetime import UTC, datetime, timedelta

START = datetime(2020, 3, 20, 4, 0, tzinfo=UTC)  # noon in Beijing


class StandingClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        return self.moment

    def advance(self, **amount: float) -> None:
        self.moment += timedelta(**amount)

    def advance_to(self, text: str) -> None:
        """Move to a moment in Beijing time, such as 2020-04-03 00:00."""
        moment = datetime.fromisoformat(f"{text}+08:00")
        assert moment >= self.moment, "time only moves forward"
        self.moment = moment

    def restart(self) -> None:
        """Be at the start again, for the next test."""
        self.moment = START
