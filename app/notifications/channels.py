"""The ways in which a person hears of a change, in the order in which they are tried, and what each of them does.

A channel says of each notice whether it can carry it, sends it, and records what became of it. Which notice it is, that
it is sent once, and what comes after a refusal is for `notices.py` alone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from sqlalchemy.orm import Session

from app.codes.models import Code, DecisionRow, Notice
from app.notifications.models import AccountMessage
from app.wechat.models import WeChatUser


class DeliveryOutcome(NamedTuple):
    """The outcome of a message, and of what was taken for it: a credit, or the price of a text message.

    `segments` is for how many messages a text message was charged.
    """

    delivery: str
    error: str | None = None
    msgid: str | None = None
    credit: Literal["used", "back", "none-left"] = "used"
    segments: int = 1


class DeliveryPostponed(Exception):
    """A notice has to be sent later: a partner is unavailable, or another worker is sending to the same citizen."""


MessageRow = Notice | AccountMessage  # its row is the lease of a message


class Words(NamedTuple):
    """What a message that is about no color says: the section of its texts (`what`, `where`, `advice`), and when."""

    section: str
    at: datetime


class Candidate(NamedTuple):
    """A row that is worth a message now, and the code of the person; the WeChat user who would get it, if any.

    `decision` is that of a change, `words` are those of a message about something else.
    """

    notice: MessageRow
    code: Code
    decision: DecisionRow | None
    user: WeChatUser | None
    words: Words | None = None


class ChannelMessage(Protocol):
    """One message to send: a leased row and what its channel needs to send it."""

    @property
    def notice(self) -> MessageRow: ...


class Channel(Protocol):
    """One way in which a person hears of a change."""

    name: str

    def prepare(self, session: Session, candidates: Sequence[Candidate]) -> list[ChannelMessage | DeliveryOutcome]:
        """Return for each candidate its message, for which what it costs is taken, or why there is none."""
        ...

    def send(self, message: ChannelMessage) -> DeliveryOutcome:
        """Send one message, while no transaction is open."""
        ...

    def record(self, session: Session, ended: Sequence[tuple[ChannelMessage, DeliveryOutcome]]) -> None:
        """Return what was taken for messages that were not sent, and note what the refusals say of their recipients."""
        ...

    def report(self, outcomes: Sequence[DeliveryOutcome]) -> None:
        """Note whether the partner answers."""
        ...
