"""Following up: after which rules a person is handed over, to whom, and how soon. It decides no color."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

Recipient = Literal["hospital", "community"]

RECIPIENTS: Final[tuple[Recipient, ...]] = ("hospital", "community")
_RED: Final = ("RED-CONFIRMED", "RED-SUSPECTED")
_QUARANTINED: Final = ("ORANGE-QUARANTINE", "ORANGE-CONTACT", "ORANGE-DECLARED-CONTACT", "ORANGE-RECOVERED")


@dataclass(frozen=True, slots=True)
class FollowUpRules:
    """The rules after which a person is handed over to a hospital and to a community, and the hours for each step.

    An alert of a check is kept for `alerts_kept_days`. The defaults are for a policy file that says nothing of them.
    """

    hospital: Sequence[str] = _RED
    community: Sequence[str] = (*_RED, *_QUARANTINED)
    hand_over_hours: int = 2
    receive_hours: int = 2
    finish_hours: int = 24
    transfer_hours: int = 24
    alerts_kept_days: int = 7

    def rules_of(self, recipient: str) -> Sequence[str]:
        """Return the rules after which a person is handed over to a recipient."""
        return self.hospital if recipient == "hospital" else self.community

    def follows(self, rule: str | None) -> bool:
        """Return whether somebody of whom a rule decides is followed up."""
        return rule in self.hospital or rule in self.community

    def due_at(self, state: str, now: datetime) -> datetime | None:
        """Return until when a follow-up that comes into a state now has to leave it; None where nothing is due."""
        hours = {
            "open": self.hand_over_hours,
            "handed-over": self.receive_hours,
            "received": self.finish_hours,
            "transferring": self.transfer_hours,
        }.get(state)
        return None if hours is None else now + timedelta(hours=hours)
