"""What the requests of `routes` are after: real entries, cases, appeals, officers and sessions of one district."""

import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from attack.callers import Caller
from attack.entering import approved, record
from attack.officers import HERE, Clerk
from attack.sending import Headers, Line, Request, api, bearer
from attack.tally import Tally
from attack.world import AUTHORITY, Failed, World

_SESSION_OF: Final = """
    select max(s.id) from officer_sessions s join officers o on o.id = s.officer_id where o.username = %s
"""
_FOLLOWED_WITHIN: Final = 120  # seconds
NONE_SUCH: Final = "987654321"  # where who may act must change nothing
_FIXED: Final = {"<name>": "colors", "<path:filename>": "console.css"}
_PDF: Final = "JVBERi0xLjQKJSVFT0YK"  # %PDF-1.4 %%EOF


class Targets(NamedTuple):
    """The number of each thing by the beginning of its path, and the document number of a person of ours."""

    numbers: Mapping[str, str]
    document: str

    def request(self, method: str, path: str, caller: Caller, *, harmless: bool) -> Request:
        """The request as its sender would have it; a harmless one is about nothing, and says nothing."""
        address = self._fill(path, harmless)
        if method in ("GET", "HEAD", "OPTIONS"):
            return Request(method, address, caller.headers)
        if path.startswith("/console"):
            return self._form(method, address, caller, harmless)
        return api(method, address, {} if harmless else BODIES.get(path, {}), caller.headers)

    def is_missing(self, path: str) -> bool:
        """Whether the path names a thing by its number."""
        return "<int:" in path

    def _fill(self, path: str, harmless: bool) -> str:
        for name, value in _FIXED.items():
            path = path.replace(name, value)
        before, mark, after = path.partition("<int:")
        if not mark:
            return path
        number = NONE_SUCH if harmless else self.numbers.get(before, NONE_SUCH)
        return before + number + after.partition(">")[2]

    def _form(self, method: str, address: str, caller: Caller, harmless: bool) -> Request:
        said = {} if harmless else {**_SAID, "numbers": self.document, "number": self.document}
        headers: Headers = (
            *caller.headers,
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Sec-Fetch-Site", "same-origin"),
        )
        return Request(method, address, headers, urlencode({**said, "form": caller.form}).encode())


# of these there is none yet as `routes` begins: what clerks make is tried by `windows`
NOT_THERE: Final = frozenset({
    "/console/audit/cards/", "/console/audit/recoveries/", "/console/audit/window-holds/", "/console/corrections/",
    "/console/statements/", "/console/window/visits/",
})  # fmt: skip
# who may not is refused before a body is read, and who may must not end or change what they need later
WITHOUT_BODY: Final = frozenset({
    "/api/v1/wechat/login", "/api/v1/stations/login", "/api/v1/stations/logout", "/api/v1/accounts",
    "/api/v1/accounts/login", "/api/v1/accounts/logout", "/api/v1/accounts/me/credentials", "/api/v1/accounts/me/name",
    "/api/v1/accounts/me/password", "/api/v1/accounts/me/erasure", "/api/v1/accounts/me/export",
    "/api/v1/accounts/me/export.pdf", "/api/v1/accounts/me/document/objection",
    "/api/v1/accounts/me/recovery/objection", "/api/v1/paper-cards", "/api/v1/paper-cards/current/loss",
    "/api/v1/partners/health-declaration", "/api/v1/partners/trip-declaration", "/api/v1/partners/code-call",
    "/api/v1/partners/code-making",
})  # fmt: skip
_NONE: Final = int(NONE_SUCH)
_NO_TIE: Final = "00000000-0000-4000-8000-000000000000"
BODIES: Final[Mapping[str, Any]] = {
    "/api/v1/declarations": {"symptoms": [], "contact": False, "consent": True},
    "/api/v1/accounts/me/bindings/end": {"number": 1},
    "/api/v1/accounts/me/text-messages": {"on": True},
    "/api/v1/accounts/me/document": {
        "document": {"type": "passport", "number": "X0000001"},
        "reason": "renewed",
        "district": "长春市",
        "password": "not-the-Password-1",
    },
    "/api/v1/appeals": {"text": "示例"},
    "/api/v1/family/members/end": {"id": _NO_TIE},
    "/api/v1/family/members/declarations": {"id": _NO_TIE, "symptoms": [], "contact": False, "consent": True},
    "/api/v1/family/holders/end": {"id": _NO_TIE},
    "/api/v1/family/invitations": {"name": "示例", "document": {"type": "passport", "number": "X0000001"}},
    "/api/v1/family/invitations/accept": {"id": _NO_TIE, "may_declare": True},
    "/api/v1/family/invitations/decline": {"id": _NO_TIE},
    "/api/v1/family/children": {
        "name": "示例",
        "document": {"type": "passport", "number": "X0000001"},
        "consent": True,
    },
    "/api/v1/venues/applications": {
        "name": "示例商场",
        "kind": "mall",
        "district": "长春市",
        "address": "示例大街 1 号",
        "credit_code": "91220101MA00000000",
        "hours": ["08:00-22:00"] * 7,
        "entrances": ["东门"],
    },
    "/api/v1/venues/applications/withdraw": {"id": _NONE},
    "/api/v1/venues/entrances": {"venue": _NONE, "name": "北门"},
    "/api/v1/venues/hours": {"venue": _NONE, "hours": [""] * 7},
    "/api/v1/venues/close": {"venue": _NONE},
    "/api/v1/venues/inspectors": {"venue": _NONE, "entrance": 1, "username": "gate-one"},
    "/api/v1/venues/inspectors/move": {"venue": _NONE, "inspector": 1, "entrance": 1},
    "/api/v1/venues/inspectors/disable": {"venue": _NONE, "inspector": 1},
    "/api/v1/venues/inspectors/enable": {"venue": _NONE, "inspector": 1},
    "/api/v1/venues/inspectors/password": {"venue": _NONE, "inspector": 1},
    "/api/v1/venues/inspectors/sessions/end": {"venue": _NONE, "inspector": 1, "session": 1},
    "/api/v1/venues/codes": {"venue": _NONE, "entrance": 1},
    "/api/v1/visits/receipts": {"code": "A"},
    "/api/v1/venues/handovers": {
        "venue": _NONE,
        "name": "示例",
        "document": {"type": "passport", "number": "X0000001"},
    },
    "/api/v1/venues/handovers/end": {"venue": _NONE},
    "/api/v1/venues/handovers/accept": {"venue": _NONE},
    "/api/v1/venues/handovers/decline": {"venue": _NONE},
    "/api/v1/subscriptions": {"demo-color-change": "accept"},
    "/api/v1/checks": {"token": "A"},
    "/api/v1/checks/temperature": {"token": "A", "celsius": 36.5},
    "/api/v1/checks/document": {"type": "id-card", "number": "A", "name": "示例甲"},
    "/api/v1/checks/document/temperature": {"type": "id-card", "number": "A", "name": "示例甲", "celsius": 36.5},
    "/api/v1/checks/offline": {"checks": []},
    "/api/v1/devices/checks": {"number": _NO_TIE, "token": "A"},
    "/api/v1/devices/temperatures": {"number": _NO_TIE, "celsius": 36.5, "at": "2020-03-20T12:00:00+08:00"},
    "/api/v1/devices/batches": {"checks": []},
    "/api/v1/devices/adapters/code-gun": {
        "cardNoType": 2,
        "idCardNo": "A",
        "temperature": "0",
        "deviceIndexCode": "1",
    },
    "/api/v1/devices/adapters/signed-gate": {"appId": "1", "timestamp": "1", "sign": "A", "code_content": "A"},
    "/api/v1/partners/verification": {"reference": "attack", "token": "A"},
    "/api/v1/partners/query": {"reference": "attack", "token": "A"},
    "/api/v1/partners/correction": {"reference": "attack", "token": "A", "text": "示例", "consent": True},
    "/api/v1/checks/paper": {"token": "A", "document_tail": "0000"},
    "/api/v1/checks/paper/temperature": {"token": "A", "document_tail": "0000", "celsius": 36.5},
}
_SAID: Final = {
    "kind": "confirmed",
    "authority": AUTHORITY,
    "reference": "示例 2020-002",
    "previewed": "yes",
    "act": "hand-over",
    "receiver": "示例医院",
    "reason": "wrong-facts",
    "document_type": "id-card",
    "roles": "auditor",
    "district": "",
    "username": "attack-made",
    "name": "示例",
}


def _follow_up(world: World) -> Any:
    """Return the number of a follow-up of the case, which the worker opens within a minute. Raises Failed."""
    for _ in range(_FOLLOWED_WITHIN):
        if (number := world.one("select max(id) from follow_ups")) is not None:
            return number
        time.sleep(1)
    raise Failed("the worker has opened no follow-up")


def _make_venue(world: World, session: str) -> tuple[Any, Any]:
    """Have somebody apply for two venues, of which one is approved; return the other and the venue. Raises Failed."""
    path, line = "/api/v1/venues/applications", Line(world.hosts[0])
    for name in ("示例市场", "示例书店"):
        applied = line.send(api("POST", path, {**BODIES[path], "name": name, "address": name}, bearer(session)))
    administrator, page = world.clerk("attack-administrator"), f"/console/venues/applications/{applied.json.get('id')}"
    administrator.line.send(Request("GET", page, administrator.headers))
    approved_there = administrator.line.send(administrator.post(f"{page}/approve"))
    if applied.status != 201 or approved_there.status != 303:
        raise Failed(f"an application for a venue is answered {applied.status}, and approved {approved_there.status}")
    waiting = world.one("select max(id) from venue_applications where state = 'waiting'")
    return waiting, world.one("select max(id) from venues")


def _propose(world: World, recorder: Clerk) -> Any:
    """Have a recorder propose a notice about the venue, and return its number. Raises Failed."""
    name = world.one("select name from venues order by id desc limit 1")
    yesterday = world.one("select to_char((now() - interval '1 day') at time zone 'Asia/Shanghai', 'YYYY-MM-DD')")
    said = {"venue": name, "day": yesterday, "begins": "9", "ends": "11", "reason": "case"}
    answer = recorder.line.send(recorder.post("/console/exposures", **said))
    if answer.status != 303:
        raise Failed(f"a notice of exposure is answered {answer.status}")
    return world.one("select max(id) from exposure_notices")


def make_targets(world: World, tally: Tally) -> Targets:
    """Have two officers record a case who appeals, and another entry that waits. Raises Failed."""
    recorder, approver = world.clerk("attack-recorder-0"), world.clerk("attack-approver-0")
    ill, other = world.citizen(), world.citizen()
    application, venue = _make_venue(world, other.session)
    approved(tally, recorder, approver, "confirmed", ill.document)
    waiting, state = record(tally, recorder, "suspected", [other.document])
    body = {"text": "示例", "attachments": [_PDF]}
    filed = Line(world.hosts[0]).send(api("POST", "/api/v1/appeals", body, bearer(ill.session)))
    if state != "waiting" or filed.status != 201:
        raise Failed(f"an entry is {state}, and an appeal is answered {filed.status}")
    officer = world.one("select id from officers where username = 'attack-target'")
    session = world.one(_SESSION_OF, "attack-approver-0")
    numbers = {
        "/console/entries/": waiting,
        "/console/appeals/": world.one("select max(id) from appeals"),
        "/console/appeals/attachments/": world.one("select max(id) from attachments"),
        "/console/officers/": officer,
        "/console/inspectors/": world.one("select id from inspectors where username = 'demo-inspector'"),
        "/console/devices/": world.one("select min(id) from devices"),
        "/console/account/sessions/": session,
        "/console/follow-ups/": _follow_up(world),
        "/console/exposures/": _propose(world, recorder),
        "/console/venues/applications/": application,
        "/console/venues/": venue,
        "/console/windows/": world.one("select min(id) from windows where district = %s", HERE),
    }
    tally.secrets = tuple(text.encode() for text in (ill.document, ill.openid, ill.session, approver.cookie))
    return Targets({path: str(number) for path, number in numbers.items()}, other.document)
