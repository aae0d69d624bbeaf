"""Client of the national government service platform, which verifies declarations and knows guardians.

The platform's health interface is not public. Two wires carry our questions: a contract of our own (`own_wire`),
and the envelope that the platform is known to use for other services (`national_wire`); the sandbox in
`packages/platform-sandbox` answers both. Question and answer are in `messages` and `guardianship`.

A person's data, the answer and the secret must never reach a log or an exception; so errors are raised only after the
handler of their cause has ended.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol, TypeVar

from pydantic import BaseModel

from app.platform.exchange import Exchange, Question
from app.platform.guardianship import GuardianshipAnswer, GuardianshipQuestion
from app.platform.messages import PlatformAnswer, PlatformQuestion, require_fresh

AnswerT = TypeVar("AnswerT", bound=BaseModel)

VERIFICATION: Final = "verification"
GUARDIANSHIP: Final = "guardianship"


class Wire(Protocol):
    """How a question travels, and its answer back."""

    def ask(self, interface: str, question: Question, seconds: float, shape: type[AnswerT]) -> AnswerT:
        """Return the answer in its shape. Raises PlatformUnavailable, PlatformRefused."""


class PlatformClient:
    """Client of the platform; one object serves all threads.

    `seconds` is the time of signature and answer: real time, whatever the clock of the rules says.
    """

    def __init__(self, wire: Wire, exchange: Exchange, *, seconds: Callable[[], float] = time.time) -> None:
        self._wire, self._exchange, self._seconds = wire, exchange, seconds

    def close(self) -> None:
        """Close the pooled connections."""
        self._exchange.close()

    def verify(self, question: PlatformQuestion) -> PlatformAnswer:
        """Return the platform's answer about a declaration.

        Raises PlatformUnavailable when it is worth asking again later (PlatformAnswerUnusable: about this person
        alone), and PlatformRefused when it is not.
        """
        answer = self._wire.ask(VERIFICATION, question, self._seconds(), PlatformAnswer)
        require_fresh(answer, datetime.fromtimestamp(self._seconds(), UTC))
        return answer

    def ask_guardianship(self, question: GuardianshipQuestion) -> GuardianshipAnswer:
        """Return the platform's answer about a guardian and a child. Raises as `verify` does."""
        answer = self._wire.ask(GUARDIANSHIP, question, self._seconds(), GuardianshipAnswer)
        require_fresh(answer, datetime.fromtimestamp(self._seconds(), UTC))
        return answer
