"""The partners that send messages: the gateway for text messages and the official account, away, slow or broken.

No change waits for a message, so each is harmless; what a partner that is away had to send is sent once it is back.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from faults.calling import sandbox
from faults.rounds import Case
from faults.system import System

_SEND = "/cgi-bin/message/template/send"
_STUCK_SECONDS = 200.0  # a circuit is open for a minute, and a job waits for up to another one


@contextmanager
def sms_away(system: System, number: int) -> Iterator[None]:
    """Nobody answers at the gateway."""
    system.gateway.stop()
    yield
    system.gateway.start()


def _sms(**how: Any) -> Callable[[System, int], AbstractContextManager[None]]:
    @contextmanager
    def broken(system: System, number: int) -> Iterator[None]:
        """The gateway takes messages, and what it answers is late or no answer."""
        sandbox("PUT", f"{system.place.sms}/sandbox/switch", how)
        yield
        sandbox("PUT", f"{system.place.sms}/sandbox/switch", {})

    return broken


@contextmanager
def official_away(system: System, number: int) -> Iterator[None]:
    """WeChat is busy for the official account alone, or loses its answers in every third round."""
    how: dict[str, Any] = {"drop": "after"} if number % 3 == 2 else {"errcode": -1}
    sandbox("PUT", f"{system.place.wechat}/sandbox/failures", {"path": _SEND, **how})
    yield
    sandbox("DELETE", f"{system.place.wechat}/sandbox/failures")


def _case(name: str, cause: Callable[[System, int], AbstractContextManager[None]], seconds: float) -> Case:
    return Case(
        name,
        cause,
        act_seconds=seconds,
        is_harmless=True,
        stuck_seconds=_STUCK_SECONDS,
        setting=System.sending_everywhere,
    )


CASES = (
    _case("sms-away", sms_away, 3),
    _case("sms-slow", _sms(delay=6.0), 8),  # longer than `sms.read_timeout_seconds`
    _case("sms-html", _sms(body="html"), 3),
    _case("official-away", official_away, 3),
)
