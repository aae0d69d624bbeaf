"""What the demonstration prints: chapters, steps, what was asked and what came back, and colors in color."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import requests
from rich.console import Console
from rich.text import Text

_STYLES = {
    "GREEN": "bold white on green4",
    "YELLOW": "bold black on gold1",
    "ORANGE": "bold black on dark_orange",
    "RED": "bold white on red3",
    "UNVERIFIED": "bold black on grey70",
    "NOT_DECLARED": "bold black on grey70",
}
_WORDS = {
    "GREEN": "绿码 GREEN",
    "YELLOW": "黄码 YELLOW",
    "ORANGE": "橙码 ORANGE",
    "RED": "红码 RED",
    "UNVERIFIED": "未核验 UNVERIFIED",
    "NOT_DECLARED": "未申报 NOT DECLARED",
}


class NotTrue(Exception):
    """A step did not come true; the text says what was expected and what was there instead."""


class Transcript:
    """Numbers the steps and prints them; a step that fails ends the story, and is named at the end."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._chapter, self._step, self._steps = 0, 0, 0
        self._failed: str | None = None

    @property
    def ended_well(self) -> bool:
        return self._failed is None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Print how the story ended; only a step that did not come true is swallowed."""
        if error is None:
            self._console.print(f"\n[bold green]All {self._steps} steps came true. 全部 {self._steps} 步均如预期。[/]")
        elif isinstance(error, NotTrue):
            self._console.print(Text(f"\nStep {self._failed} did not come true: {error}", style="bold red"))
        return isinstance(error, NotTrue)

    def chapter(self, title: str) -> None:
        self._chapter, self._step = self._chapter + 1, 0
        self._console.print(Text(f"\n{self._chapter}  {title}", style="bold"))

    @contextmanager
    def step(self, words: str) -> Iterator[None]:
        """One step. When it does not come true, or an answer lacks what belongs there, that ends the story."""
        self._step += 1
        number = f"{self._chapter}.{self._step}"
        self._console.print(Text(f"  {number} {words}", style="cyan"))
        try:
            yield
        except (NotTrue, LookupError, requests.RequestException) as error:
            self._failed = f"{number} ({words})"
            raise error if isinstance(error, NotTrue) else NotTrue(f"no such answer: {error}") from None
        self._steps += 1

    def asked(self, words: str) -> None:
        self._console.print(Text(f"      → {words}", style="dim"))

    def came(self, words: str, state: str | None = None) -> None:
        """What came back, with the state's color as a colored label."""
        line = Text(f"      ← {words} ")
        if state is not None:
            # of a request, which is no color, as it is
            line.append(f" {_WORDS.get(state, state)} ", style=_STYLES.get(state, ""))
        self._console.print(line)

    def note(self, words: str) -> None:
        self._console.print(Text(f"        {words}", style="italic"))

    def printed(self, words: str) -> None:
        """What a command has printed, as it is."""
        for line in words.splitlines():
            self._console.print(Text(f"        {line}"))


def expect(there: Any, wanted: Any, what: str) -> None:
    """Raises NotTrue unless the two are equal."""
    if there != wanted:
        raise NotTrue(f"{what} should be {wanted!r}, and is {there!r}")


def refused(act: Callable[[], object]) -> None:
    """Expect that a command refuses. Raises NotTrue."""
    try:
        act()
    except NotTrue:
        return
    raise NotTrue("it should be refused")


def brief(body: Mapping[str, Any]) -> str:
    """A request body in one line, with nothing private in it."""
    hidden = {"password", "token", "code", "number", "name", "phone", "username"}
    return " ".join(f"{key}={'…' if key in hidden else _plain(value)}" for key, value in body.items())


def _plain(value: Any) -> str:
    return "{…}" if isinstance(value, Mapping) else str(value)
