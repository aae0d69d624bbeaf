"""Removals, of data or of an access, which a restore undoes: which, about whom, and what undoes them besides.

The numbers of officers, devices and everybody else are given once, whatever was restored in between.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from app.audit import AuditEvent
from app.privacy import erasure

# the id by which each names what it is about; first what is repeated, then what undoes something of it
ABOUT: Final[Mapping[str, str]] = {
    erasure.ERASED: "serial",
    "phone-deleted": "serial",
    "family-ended": "tie",
    "family-declined": "invitation",
    "sms-switched-off": "serial",
    "document-correction-undone": "correction",
    "recovery-objected": "recovery",
    "venue-withdrawn": "application",
    "wechat-unbound": "users",
    "password-changed": "serial",
    "password-ended": "serial",
    "account-recovered": "serial",
    "recovery-decided": "serial",
    "paper-revoked": "card",
    "officer-disabled": "officer",
    "officer-assignment-changed": "officer",
    "officer-password-reset": "officer",
    "officer-password-changed": "officer",
    "officer-password-ended": "officer",
    "officer-totp-reset": "officer",
    "inspector-disabled": "inspector",
    "inspector-moved": "inspector",
    "inspector-password-reset": "inspector",
    "inspector-password-changed": "inspector",
    "inspector-password-ended": "inspector",
    "window-clerk-released": "officer",
    "window-held": "officer",
    "window-closed": "window",
    "device-revoked": "device",
    "partner-revoked": "partner",
    "venue-closed": "venue",
    "venue-accepted": "venue",
    "venue-offer-ended": "venue",
    "venue-declined": "venue",
    "venue-code-made": "station",
    "venue-code-ended": "station",
    "exposure-withdrawn": "notice",
    "inspector-enabled": "inspector",
    "window-clerk-assigned": "officer",
    "window-hold-cleared": "officer",
    "venue-offered": "venue",
    "sms-switched-on": "serial",
}
ERASURES: Final = (erasure.ERASED, "phone-deleted", "family-ended")
LISTED: Final = tuple(sorted(ABOUT))
_PASSWORD: Final = ("password-changed", "password-ended", "account-recovered", "recovery-decided")
_OFFICER_PASSWORD: Final = ("officer-password-reset", "officer-password-changed", "officer-password-ended")
_INSPECTOR_PASSWORD: Final = ("inspector-password-reset", "inspector-password-changed", "inspector-password-ended")
_VENUE_CODE: Final = ("venue-code-made", "venue-code-ended")
# what undoes a removal, or has its effect: the removal is not repeated over it
AFTER: Final[Mapping[str, Sequence[str]]] = {
    "password-changed": _PASSWORD,
    "password-ended": _PASSWORD,
    "account-recovered": ("recovery-decided",),
    "officer-password-reset": _OFFICER_PASSWORD,
    "officer-password-changed": _OFFICER_PASSWORD,
    "officer-password-ended": _OFFICER_PASSWORD,
    "officer-totp-reset": _OFFICER_PASSWORD,
    "inspector-password-reset": _INSPECTOR_PASSWORD,
    "inspector-password-changed": _INSPECTOR_PASSWORD,
    "inspector-password-ended": _INSPECTOR_PASSWORD,
    "inspector-disabled": ("inspector-enabled",),
    "window-clerk-released": ("window-clerk-assigned",),
    "window-held": ("window-hold-cleared",),
    "venue-offer-ended": ("venue-offered",),
    "venue-declined": ("venue-offered",),
    "sms-switched-off": ("sms-switched-on",),
    "venue-code-made": _VENUE_CODE,
    "venue-code-ended": _VENUE_CODE,
}
_IDS: Final = {*ABOUT.values(), "roles", "outcome", "span", "lookups"} - {"serial", "users"}
_BY_WHOM: Final = {"inspector-password-changed": "inspector", "window-held": "officer"}  # who did what it is about


class Removal(NamedTuple):
    """A removal as the audit has it: its moment, the action, whose code it is about, and its other ids, as JSON."""

    at: datetime
    action: str
    serial: int | None
    ids: str = "{}"

    @classmethod
    def of(cls, event: tuple[datetime, str, int | None], actor: str, detail: Mapping[str, Any]) -> "Removal":
        """Keep of an event what says whom it is about."""
        ids = {name: value for name, value in detail.items() if name in _IDS and value is not None}
        users = {*detail.get("users", ()), *([] if detail.get("user") is None else [detail["user"]])}
        ids |= {"users": sorted(users)} if users else {}
        ids |= {"district": detail.get("district")} if "roles" in detail else {}
        about, by = _BY_WHOM.get(event[1]), actor.partition(":")[2]
        if about is not None and by:  # else the event, or the list, names them
            ids[about] = int(by)
        return cls(*event, json.dumps(ids, sort_keys=True))

    @classmethod
    def of_event(cls, event: AuditEvent) -> "Removal":
        return cls.of((event.at, event.action, event.serial), event.actor, event.detail)

    def named(self, name: str) -> Any:
        """Return an id that the removal names; None where it names none."""
        return self.serial if name == "serial" else json.loads(self.ids).get(name)

    @property
    def subject(self) -> str:
        """Return what the removal is about, to be compared with others that are about the same kind."""
        about = ABOUT[self.action]
        return f"{about} {self.named(about)}"

    @property
    def overtaken_by(self) -> Sequence[str]:
        """Return the actions that make repeating this one needless or wrong, when they are done later."""
        return (self.action, *AFTER.get(self.action, ()))

    @property
    def counts(self) -> bool:
        """Return whether this undoes anything: an objection to a recovery that is kept does not."""
        return bool(self.named("outcome") != "kept")


def still_to_do(removals: Sequence[Removal]) -> list[Removal]:
    """Return the removals, in their order, that no later one of them undoes; of several alike the last.

    Of erasures all: whoever is erased twice had other WeChat users each time.
    """
    last = {(one.action, one.subject): place for place, one in enumerate(removals) if one.counts}
    return [
        one
        for place, one in enumerate(removals)
        if one.action in ERASURES or all(last.get((other, one.subject), -1) <= place for other in one.overtaken_by)
    ]
