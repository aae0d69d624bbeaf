"""What officers record at the console, as a campaign needs it."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from app.core.clock import BEIJING
from attack.officers import Clerk
from attack.sending import Answer, Request
from attack.tally import Tally
from attack.world import AUTHORITY, Failed

_ENTRY = re.compile(r"/console/entries/(\d+)\?done=entry-([a-z-]+)")
_NEEDS_DAYS = "quarantine"


def filled(kind: str, numbers: Sequence[str], **more: str) -> dict[str, Any]:
    """The form of an entry about these people, by their document numbers; `more` replaces what it says."""
    days = {}
    if kind == _NEEDS_DAYS:
        today = datetime.now(BEIJING).date()
        days = {"first_day": today.isoformat(), "last_day": (today + timedelta(days=13)).isoformat()}
    fixed = {"kind": kind, "numbers": "\n".join(numbers), "authority": AUTHORITY, "reference": "示例 2020-001"}
    return {**fixed, "place": "示例酒店" if days else "", "previewed": "yes", **days, **more}


def record(tally: Tally, clerk: Clerk, kind: str, numbers: Sequence[str], **more: str) -> tuple[int, str]:
    """Save an entry; return its number and its state, or (0, the status) when it was refused."""
    answer = send(tally, clerk, clerk.post("/console/entries/new", **filled(kind, numbers, **more)))
    found = _ENTRY.search(answer.location)
    return (int(found[1]), found[2]) if found else (0, str(answer.status))


def decide(tally: Tally, clerk: Clerk, entry: int, act: str, reason: str = "") -> str:
    """Approve, reject, withdraw or clear the hold of an entry; return its state then, or the status of a refusal."""
    more = {"reason": reason} if reason else {}
    answer = send(tally, clerk, clerk.post(f"/console/entries/{entry}/{act}", **more))
    found = _ENTRY.search(answer.location)
    return found[2] if found else str(answer.status)


def send(tally: Tally, clerk: Clerk, request: Request) -> Answer:
    """Send a form that the console may take or refuse; what matters is what comes of it all."""
    answer = clerk.line.send(request)
    tally.judge(answer, request.path, None, f"{request.method} {request.path} by {clerk.username}")
    return answer


def approved(tally: Tally, recorder: Clerk, approver: Clerk, kind: str, number: str) -> int:
    """An entry that two officers stand behind; return its number. Raises Failed."""
    entry, state = record(tally, recorder, kind, [number])
    if state == "waiting":
        state = sign(tally, approver, entry)
    if state != "applied":
        raise Failed(f"an entry of two officers is {state}")
    return entry


def sign(tally: Tally, approver: Clerk, entry: int) -> str:
    """Look at an entry as an approver does, and approve it with what its page asks for."""
    seen = approver.get(f"/console/entries/{entry}").body.decode(errors="replace")
    form = re.search(rf'action="/console/entries/{entry}/approve".*?</form>', seen, re.DOTALL)
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form[0])) if form else {}
    answer = send(tally, approver, approver.post(f"/console/entries/{entry}/approve", **hidden))
    found = _ENTRY.search(answer.location)
    return found[2] if found else str(answer.status)
