"""What the sandbox's platform knows: people, used nonces, and whether its service is up.

Owns this state, the one lock in front of it and its file, which only its owner may read. Never
logs.
"""

import hmac
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, Field

from platform_sandbox.contract import Code, Person, Strict


class Switch(Strict):
    """How the service behaves: off answers 503; delay in seconds comes before every answer."""

    on: bool = True
    delay: float = Field(default=0, ge=0, le=120)
    status: int | None = Field(default=None, ge=400, le=599)
    garbage: bool = False


class State(BaseModel):
    switch: Switch = Switch()
    people: dict[str, Person] = Field(default={}, repr=False)
    codes: dict[str, Code] = {}  # by issuer
    nonces: dict[str, float] = {}


class World:
    """The state behind one lock; every change is in the file before the lock is released."""

    def __init__(
        self,
        app_key: str,
        secret: str,
        state_file: Path | None,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self.app_key, self.secret, self.now, self.sleep = app_key, secret, now, sleep
        self.calls: Counter[str] = Counter()
        self.exchanged: tuple[str, float] | None = None  # the secret that the gateway gave, and when it ends
        self._file = state_file
        self._lock = threading.RLock()
        self._state = self._load()

    def _load(self) -> State:
        if self._file is None or not self._file.exists():
            return State()
        return State.model_validate_json(self._file.read_bytes())

    def _save(self) -> None:
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_name(self._file.name + ".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(self._state.model_dump_json())
        temporary.replace(self._file)

    @contextmanager
    def look(self) -> Iterator[State]:
        """The state to read, while nobody changes it."""
        with self._lock:
            yield self._state

    @contextmanager
    def change(self) -> Iterator[State]:
        """The state to change; it is saved when the block ends well."""
        with self._lock:
            yield self._state
            self._save()

    def signing_secret(self) -> str:
        """The secret that signs in the envelope with four headers: once one was exchanged, that one alone."""
        return self.secret if self.exchanged is None else self.exchanged[0]

    def count(self, path: str) -> None:
        with self._lock:
            self.calls[path] += 1

    def reset(self) -> None:
        """Forget everybody and everything, as on the first day."""
        with self.change():
            self._state = State()
            self.calls.clear()
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
