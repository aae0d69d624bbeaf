"""What the sandbox's platform knows: people, used nonces, and whether its service is up. Never logs."""

import hmac
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, Field

from platform_sandbox.contract import Code, Person
from sandbox_kit.memory import Memory
from sandbox_kit.switch import Switch as AnySwitch


class Switch(AnySwitch):
    """How the service behaves: off answers 503, the delay comes before every answer, garbage is broken JSON."""

    garbage: bool = False


class State(BaseModel):
    switch: Switch = Switch()
    people: dict[str, Person] = Field(default={}, repr=False)
    codes: dict[str, Code] = {}  # by issuer
    nonces: dict[str, float] = {}


class World(Memory[State]):
    """The platform itself, with its clock and the secret of its callers."""

    def __init__(
        self,
        app_key: str,
        secret: str,
        state_file: Path | None,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        super().__init__(State, state_file)
        self.app_key, self.secret, self.now, self.sleep = app_key, secret, now, sleep
        self.exchanged: tuple[str, float] | None = None  # the secret that the gateway gave, and when it ends

    def signing_secret(self) -> str:
        """The secret that signs in the envelope with four headers: once one was exchanged, that one alone."""
        return self.secret if self.exchanged is None else self.exchanged[0]

    def reset(self) -> None:
        with self.change():
            super().reset()
            self.exchanged = None

    def first_use(self, nonce: str, until: float) -> bool:
        """True when the nonce is new; it is then remembered until that unix second."""
        with self.change() as state:
            now = self.now().timestamp()
            state.nonces = {known: end for known, end in state.nonces.items() if end >= now}
            if nonce in state.nonces:
                return False
            state.nonces[nonce] = until
            return True

    def person(self, number: str) -> Person:
        """What is known of the holder; of a stranger, nothing speaks against a declaration."""
        with self.look() as state:
            return state.people.get(number, Person())

    def answer_reference(self, reference: str) -> str:
        """The platform's own name for the question: the same for the same reference, always."""
        digest = hmac.new(self.secret.encode(), f"answer:{reference}".encode(), "sha256")
        return f"GP-{digest.hexdigest()[:24]}"

    def handle(self, number: str) -> str:
        """A name for a person on the page that does not reveal the document number."""
        return hmac.new(self.secret.encode(), f"page:{number}".encode(), "sha256").hexdigest()[:24]
