"""Messages: a number that many accounts flood, their price, forged reports and replies, events of the official account.

The gateway is asked and calls nobody, so there is no address for a forged report; what a phone replies ends messages to
its own number alone. Of the official account the attacker has once heard a genuine event, and tries it again later.
"""

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from app.core.clock import SystemClock
from app.wechat.callbacks.crypto import CallbackKeys
from app.wechat.callbacks.envelope import Stamp, write_callback
from attack.sending import Line, Request, api, bearer
from attack.tally import Tally
from attack.world import World, take
from devstack.layout import OFFICIAL
from faults.calling import sandbox, wait_until
from faults.people import Citizen

ADDRESS: Final = "/wechat/official/callback"
DAY_CEILING: Final = 40  # of the installation while this campaign runs
_CEILING: Final = "JIXIANG_SMS__DAY_CEILING"
_NUMBER_CEILING: Final = 3
_FLOOD: Final = 12  # accounts with one number
_MASS: Final = 60  # accounts with a number each: more than the day's ceiling
_SETTLED_SECONDS: Final = 90
_PULLED_SECONDS: Final = 100  # replies are pulled each minute
_NO_ADDRESSES: Final = ("/sms/callback", "/sms/report", "/sms/reply", "/api/v1/sms", "/api/v1/text-messages/reports")


def run(world: World, tally: Tally) -> None:
    """Try each; the one that uses the day's ceiling up comes last. Raises Failed."""
    os.environ[_CEILING] = str(DAY_CEILING)
    try:
        with world.system.sending_everywhere():
            for part in (_forge_events, _flood, _stop_another, _forge_reports, _spend):
                if not tally.is_full:
                    part(world, tally)
    finally:
        del os.environ[_CEILING]


# --- text messages


def _flood(world: World, tally: Tally) -> None:
    """Many accounts with one number get no more messages to it than one account gets."""
    number = f"139{time.time_ns() % 10**8:08d}"
    flooders = [_with_number(world, number) for _ in range(_FLOOD)]
    for one in flooders:
        _change(world, tally, one)
    _settle(world, tally)
    heard = _texts(world, number)
    tally.figures["messages to a flooded number"] = heard
    tally.hold(heard <= _NUMBER_CEILING, f"{heard} text messages to one number by {_FLOOD} accounts")
    tally.hold(heard > 0, "nothing was sent to the flooded number: its ceiling is not tried")
    tally.hold(all(world.is_worse(one) for one in flooders), "a ceiling of messages kept a change back")


def _stop_another(world: World, tally: Tally) -> None:
    """Nobody ends the messages of somebody else: not by a reply from their own phone, nor by the other's switch."""
    victim, attacker, line = _with_number(world), _with_number(world), world.line()
    sandbox("POST", f"{world.system.place.sms}/sandbox/numbers/%2B86{attacker.phone}/reply", {"text": "T"})
    sandbox("POST", f"{world.system.place.sms}/sandbox/numbers/%2B86{attacker.phone}/reply", {"text": victim.phone})
    for body in ({"on": False}, {"on": False, "serial": 1}, {"on": False, "phone": victim.phone}):
        request = api("PUT", "/api/v1/accounts/me/text-messages", body, bearer(attacker.session))
        take(tally, line, request, None, "somebody else's text messages, switched off")
    stopped = "select count(*) from sms_numbers where stopped_at is not null"
    tally.hold(wait_until(lambda: world.one(stopped) == 1, _PULLED_SECONDS), "a reply is not heard: nothing is tried")
    _change(world, tally, victim)
    _settle(world, tally)
    tally.hold(_texts(world, victim.phone) == 1, "somebody else has ended a person's text messages")


def _forge_reports(world: World, tally: Tally) -> None:
    """A forged report or reply has no address to go to, and the ends of messages stay what they were."""
    before = _ends(world)
    line = world.line()
    bodies = (b'[{"SerialNo":"1","ReportStatus":"FAIL","Description":"MK:0001"}]', b'[{"ReplyContent":"T"}]')
    for path in _NO_ADDRESSES:
        for body in bodies:
            headers = (("Content-Type", "application/json"),)
            take(tally, line, Request("POST", path, headers, body), False, "a forged report of the gateway")
    tally.hold(_ends(world) == before, "a forged report has changed what became of messages")


def _spend(world: World, tally: Tally) -> None:
    """A mass of changes costs no more than the ceiling of the day, and every one of them is there."""
    many = [_with_number(world) for _ in range(_MASS)]
    for one in many:
        _change(world, tally, one)
    _settle(world, tally)
    spent = int(world.one("select coalesce(max(messages), 0) from sms_spending where district = ''") or 0)
    arrived = len(sandbox("GET", f"{world.system.place.sms}/sandbox/messages")["messages"])
    tally.figures["text messages of a day"] = arrived
    tally.hold(
        spent <= DAY_CEILING and arrived <= DAY_CEILING, f"{arrived} messages where the ceiling is {DAY_CEILING}"
    )
    tally.hold(arrived >= DAY_CEILING, f"only {arrived} messages: the ceiling is not tried")
    tally.hold(all(world.is_worse(one) for one in many), "a ceiling of messages kept a change back")


def _with_number(world: World, number: str = "") -> Citizen:
    """Somebody green with this number, or one of their own, and without a subscription. Raises Failed."""
    return world.citizen(phone=number)


def _change(world: World, tally: Tally, citizen: Citizen, celsius: float = 38.0) -> None:
    """A temperature at the station: a change of color, of which its person is to hear."""
    citizen.show(world.hosts[0])
    body = {"token": citizen.token, "celsius": celsius}
    take(tally, world.line(), api("POST", "/api/v1/checks/temperature", body, world.station()), True, "a fever")


def _settle(world: World, tally: Tally) -> None:
    """Wait until no message is on its way."""
    waiting = "select count(*) from notices where delivery in ('waiting', 'sending')"
    done = wait_until(lambda: world.one(waiting) == 0, _SETTLED_SECONDS)
    tally.hold(done, f"messages still wait after {_SETTLED_SECONDS} s")


def _texts(world: World, number: str) -> int:
    found = sandbox("GET", f"{world.system.place.sms}/sandbox/messages?phone=%2B86{number}")
    return len(found["messages"])


def _ends(world: World) -> list[tuple[Any, ...]]:
    return world.system.ask("select id, delivery, error from notices order by id")


# --- the official account


class _Heard:
    """A genuine event as it came, which an attacker has heard, and the keys that they do not have."""

    def __init__(self, world: World) -> None:
        directory = world.system.place.directory
        token, aes_key = _read(directory / "official-token"), _read(directory / "official-aes_key")
        self.keys = CallbackKeys(token, OFFICIAL, aes_key)
        self.mini = CallbackKeys(_read(directory / "wechat-token"), OFFICIAL, _read(directory / "wechat-aes-key"))

    def write(self, keys: CallbackKeys, openid: str, event: str, late: int = 0, **more: str) -> Request:
        """An event with the keys of whoever writes it."""
        stamp = Stamp.fresh(SystemClock().now() - timedelta(seconds=late))
        head = {"ToUserName": "gh_0123456789ab", "FromUserName": openid, "CreateTime": stamp.timestamp}
        message = {**head, "MsgType": "event", "Event": event, **more}
        query, body = write_callback(keys, message, "safe", "json", stamp)
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return Request("POST", f"{ADDRESS}?{asked}", (("Content-Type", "application/json"),), body)


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip()


def _forge_events(world: World, tally: Tally) -> None:
    """Nobody becomes a follower, or one no more, but by what they do in WeChat."""
    heard, line = _Heard(world), world.line()
    victim, attacker = _with_number(world), _with_number(world)
    own = str(sandbox("POST", f"{victim.wechat}/sandbox/users/{victim.handle}/follow")["openid"])
    tally.hold(wait_until(lambda: _follows(world) == 1, 30), "a follower is not found: nothing is tried")
    _forge(tally, line, heard, own)
    _claim_another(world, tally, line, heard, (victim, attacker))
    _replay(world, tally, line, heard, (victim, own))


def _forge(tally: Tally, line: Line, heard: _Heard, openid: str) -> None:
    """Events with the keys of the other account, with none, and with a genuine one changed."""
    genuine = heard.write(heard.keys, openid, "debug")
    forged = {
        "with the keys of the mini-program": heard.write(heard.mini, openid, "unsubscribe"),
        "to the other account": heard.write(heard.keys, openid, "unsubscribe")._replace(path="/wechat/callback"),
        "an hour old": heard.write(heard.keys, openid, "unsubscribe", late=3600),
        "with one letter changed": genuine._replace(body=_changed(genuine.body)),
        "without a signature": genuine._replace(path=ADDRESS),
        "plain": genuine._replace(body=b'{"MsgType":"event","Event":"unsubscribe","FromUserName":"o"}'),
    }
    for how, request in forged.items():
        take(tally, line, request, False, f"an event of the official account, {how}")


def _changed(body: bytes) -> bytes:
    """The same with another letter in the middle, where the ciphertext is."""
    middle = len(body) // 2
    return body[:middle] + (b"A" if body[middle : middle + 1] != b"A" else b"B") + body[middle + 1 :]


def _claim_another(world: World, tally: Tally, line: Line, heard: _Heard, people: tuple[Citizen, Citizen]) -> None:
    """An event that names somebody else's unionid: WeChat is asked who it is, and says so."""
    victim, attacker = people
    sandbox("PATCH", f"{attacker.wechat}/sandbox/users/{attacker.handle}/official", {"has_unionid": False})
    hidden = str(sandbox("POST", f"{attacker.wechat}/sandbox/users/{attacker.handle}/follow")["openid"])
    for name in ("UnionID", "unionid", "UnionId"):
        claim = heard.write(heard.keys, hidden, "subscribe", **{name: victim.openid, "EventKey": name})
        take(tally, line, claim, None, "a follow event with somebody else's unionid")
    _change(world, tally, victim)
    _settle(world, tally)
    shown = [one.official_messages() for one in (victim, attacker)]
    tally.hold(shown == [1, 0], f"messages to the person and to whoever claims to be them: {shown}")


def _replay(world: World, tally: Tally, line: Line, heard: _Heard, whom: tuple[Citizen, str]) -> None:
    """A genuine follow event again, after its person has unfollowed; an old unfollow, after they follow anew."""
    victim, own = whom
    again = heard.write(heard.keys, own, "subscribe", EventKey="again")
    sandbox("POST", f"{victim.wechat}/sandbox/users/{victim.handle}/unfollow")
    tally.hold(wait_until(lambda: _follows(world) == 0, 30), "who unfollowed is still a follower")
    for _ in range(3):
        take(tally, line, again, None, "a follow event once more")
    wait_until(lambda: _open_callbacks(world) == 0, 30)
    _change(world, tally, victim, 36.5)
    _settle(world, tally)
    tally.hold(victim.official_messages() == 1, "a replayed event makes somebody a follower again")
    tally.hold(_texts(world, victim.phone) == 1, "who unfollowed hears nothing by text message either")


def _follows(world: World) -> int:
    return int(world.one("select count(*) from official_followers") or 0)


def _open_callbacks(world: World) -> int:
    return int(world.one("select count(*) from wechat_callbacks where handled_at is null") or 0)
