"""The box at work: what was scanned is kept, asked, shown, and submitted later where nobody answered.

Without network a code is verified by the published keys. Green passes, *unverified* is measured, and everything else
stops; what nobody can verify opens nothing. A code of another province is shown as the statement of its issuer, and
who has one is measured: what the installation does about such codes is not known here. A card on paper is genuine or
not, and compared with no document: it never passes.
"""

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple
from uuid import uuid4

import jixiang_verifier
from station_bridge.cards import Card
from station_bridge.messages import say
from station_bridge.published import Published
from station_bridge.scans import is_cut, read_token
from station_bridge.server import Refused, Server, Unreachable
from station_bridge.store import Store

PART: Final = 60  # checks in one request: within the 64 KiB that are taken
_PAPER_SECONDS: Final = 20.0
_BEIJING: Final = timezone(timedelta(hours=8))  # whatever zone the box is set to
_LONGEST: Final = 1024  # characters: an installation refuses all that is submitted with a longer one
_TWICE_SECONDS: Final = 2.0  # in which a scanner reads the same code again
_OFFLINE: Final = {"GREEN": "pass", "YELLOW": "measure", "UNVERIFIED": "measure"}  # every other state stops
_STOP: Final = "stop"


class Decision(NamedTuple):
    """What the lamp shows and the screen says: an action of `pass`, `measure`, `stop` or `ask`."""

    action: str
    words: str
    state: str | None = None
    online: bool = True


@dataclass
class Sent:
    """How a delivery went: the checks with a result, and whether more wait."""

    submitted: int = 0
    waiting: int = 0


class Bridge:
    """One device, with its installation, its store and what is published."""

    def __init__(self, server: Server, store: Store, published: Published, language: str = "zh") -> None:
        self._server = server
        self._store = store
        self._published = published
        self._language = language
        self._last = ("", 0.0)
        self._paper = ("", 0.0)  # that waits for the document of its holder
        self._asked: set[str] = set()  # numbers that are being asked now, which a delivery leaves alone
        self._lock = threading.Lock()
        self.always_offline = False  # as on a bus, which has no network to ask

    def scan(self, scanned: str) -> Decision | None:
        """Decide on what a scanner has read; None for the same code once more."""
        token = read_token(scanned)
        last, at = self._last
        self._last = (token, time.monotonic())
        if token == last and time.monotonic() - at < _TWICE_SECONDS:
            return None
        if is_cut(token):
            return self._show(_STOP, "again")
        if token.startswith("JX2:"):
            self._paper = (token, time.monotonic())
            return self._take_paper(token, self._server.now()) if self.always_offline else self._show("ask", "paper")
        if not token.startswith("JX") or len(token) > _LONGEST:
            return self._show(_STOP, "no-code")
        return self._check(token, self._server.now())

    def card(self, card: Card) -> Decision:
        """Decide on an identity card, or on the card on paper before it; asked with network alone, and kept nowhere."""
        (paper, at), self._paper = self._paper, ("", 0.0)
        shown = paper if time.monotonic() - at < _PAPER_SECONDS else ""
        proof = {"paper": {"token": shown, "document_tail": card.number[-4:]}} if shown else card.proof()
        try:
            answer = self._server.check(str(uuid4()), proof)
        except Unreachable:  # perhaps counted all the same: so it is not submitted
            return self._read_paper(shown, self._server.now()) if shown else self._show(_STOP, "needs-network")
        except Refused as refused:
            return Decision(_STOP, refused.words)
        return Decision(answer["action"], answer["instruction"], answer["state"])

    def temperature(self, celsius: float) -> Decision | None:
        """Pass a temperature on; return what to do with whom it joined, or with somebody's fever."""
        try:
            answer = self._server.temperature(str(uuid4()), celsius, self._server.now())
        except (Unreachable, Refused):
            return None
        if answer["check"] is not None:
            return Decision(answer["check"]["action"], answer["check"]["instruction"], answer["check"]["state"])
        return Decision("measure", answer["detail"]) if answer["fever"] else None

    def deliver(self, seconds: float | None = None) -> Sent:
        """Submit what waits, oldest first, in parts, until all has a result or the time is over. Raises Unreachable.

        A part that was not answered stays, and is sent again: the installation counts each check once.
        """
        ends, sent = None if seconds is None else time.monotonic() + seconds, Sent()
        while part := self._store.oldest(PART, self._being_asked()):
            if ends is not None and time.monotonic() >= ends:
                break
            results = self._server.submit(part)
            self._store.drop(results)
            sent.submitted += len(results)
            if not results or self._store.is_broken:  # or the same part would come again and again
                break
        sent.waiting = self._store.number()
        return sent

    def _being_asked(self) -> frozenset[str]:
        with self._lock:
            return frozenset(self._asked)

    def _check(self, token: str, at: datetime) -> Decision:
        number = str(uuid4())
        with self._lock:
            self._asked.add(number)
        try:
            self._store.keep(number, token, at)
            return self._ask(number, token) if not self.always_offline else self._verify(number, token, at)
        finally:
            with self._lock:
                self._asked.discard(number)

    def _ask(self, number: str, token: str) -> Decision:
        try:
            answer = self._server.check(number, {"token": token})
        except Unreachable:
            return self._verify(number, token, self._server.now())
        except Refused as refused:
            self._store.drop([number])
            return Decision(_STOP, refused.words)
        if answer["counted"]:
            self._store.drop([number])
        return Decision(answer["action"], answer["instruction"], answer["state"])

    def _verify(self, number: str, token: str, at: datetime) -> Decision:
        """Decide by the token alone; what it does not prove is not submitted either."""
        try:
            code, issuer = self._read(token, at)
        except jixiang_verifier.Refused as refused:
            self._store.drop([number])
            message = {"expired": "expired", "malformed": "no-code"}.get(refused.check, "unverifiable")
            return self._show(_STOP, message)
        action = _OFFLINE.get(code.state, _STOP)
        if issuer:
            action = "measure" if action == "pass" else action
        as_of = code.issued_at.astimezone(_BEIJING).strftime("%H:%M")
        words = say(action, self._language) + say("offline", self._language, at=as_of)
        if issuer:
            words += say("issuer", self._language, issuer=issuer)
        return Decision(action, words, code.state, online=False)

    def _read(self, token: str, at: datetime) -> tuple[jixiang_verifier.Code, str]:
        """Return what a code says, and the name of its issuer where that is another province. Raises Refused."""
        try:
            return self._published.verify(token, at), ""
        except jixiang_verifier.Refused as refused:
            if refused.check != "unknown-key":
                raise
        stated = self._published.read_statement(token, at)
        return stated.code, stated.issuer.names["zh" if self._language.startswith("zh") else "en"]

    def _take_paper(self, token: str, at: datetime) -> Decision:
        """Keep a check of a card on paper, where it is genuine, until it is submitted and counted."""
        decision = self._read_paper(token, at)
        if decision.action != _STOP:
            self._store.keep(str(uuid4()), token, at)
        return decision

    def _read_paper(self, token: str, at: datetime) -> Decision:
        """Say of a card on paper that it is genuine, and that a person has to look at the document."""
        try:
            card = self._published.read_card(token, at)
        except jixiang_verifier.Refused as refused:
            return self._show(
                _STOP, {"expired": "card-over", "malformed": "no-code"}.get(refused.check, "unverifiable")
            )
        lost, as_of = self._published.revoked, say("no-lost-cards", self._language)
        action, message = "measure", "card"
        if lost is not None:
            as_of = say("lost-cards", self._language, at=lost.made_at.astimezone(_BEIJING).strftime("%Y-%m-%d %H:%M"))
            action, message = ("ask", "card-perhaps-lost") if lost.may_list(card.number) else (action, message)
        return Decision(action, say(message, self._language) + as_of, online=False)

    def _show(self, action: str, message: str) -> Decision:
        return Decision(action, say(message, self._language))
