"""Venue codes: how long a print is good, and how many scans of one are plausible. They decide no color."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class VenueCodeRules:
    """How long a print is good, an earlier one beside it, a visit on the phone, and a published notice.

    In an hour `scans_an_hour` are plausible, and for each receipt that the venue scans `scans_for_a_receipt` more.
    The defaults are for a policy file that says nothing of them.
    """

    print_days: int = 30
    overlap_hours: int = 72
    visits_kept_days: int = 14
    scans_an_hour: int = 200
    scans_for_a_receipt: int = 2
    notice_days: int = 14

    @property
    def exposure_days(self) -> int:
        """Return of how many days a notice may be: phones keep no earlier visit, or it would be over at once."""
        return min(self.visits_kept_days, self.notice_days)

    @property
    def overlap(self) -> timedelta:
        return timedelta(hours=self.overlap_hours)

    def is_plausible(self, scans: int, receipts: int) -> bool:
        """Return whether a code is scanned so often in an hour in which the venue scans so many receipts."""
        return scans <= self.scans_an_hour + self.scans_for_a_receipt * receipts
