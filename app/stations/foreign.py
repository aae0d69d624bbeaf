"""Checks of codes of other provinces: the issuer's statement is shown, and the policy says what a station does.

Nothing of it is merged into ours: no code, evidence or history is touched, and these checks are counted apart. A
temperature measured here is the station's own finding about somebody who is there, and is not recorded either.
"""

from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from app.codes.states import State
from app.core.clock import BEIJING
from app.core.texts import text
from app.runtime import Services
from app.stations import counts
from app.stations.asking import ask_state
from app.stations.counts import FOREIGN, TEMPERATURE, StationEvent, TokenMark
from app.trust import lists
from app.trust.lists import OwnKeys
from app.trust.statements import IssuerStatement, ReadingTime, read_statement

_MEASURED: Final = {"pass": "measured-normal", "stop": "measured-fever"}


class ForeignCheck(NamedTuple):
    """A statement, the action (pass, measure or stop) by our policy, and the slug of its instruction."""

    statement: IssuerStatement
    action: str
    slug: str

    def issuer_name(self, language: str) -> str:
        return self.statement.issuer.names.in_language(language)

    def word(self, language: str) -> str:
        """Return the state in words that say whose it is."""
        state = text("states", self.statement.state.name, language)
        return text("foreign-checks", "word", language).format(issuer=self.issuer_name(language), state=state)

    def sentence(self, language: str) -> str:
        """Return the statement in one line: that it is from elsewhere, by whom, what, and until when."""
        ends_at = self.statement.ends_at.astimezone(BEIJING)
        state = text("states", self.statement.state.name, language)
        line = text("foreign-checks", "sentence", language)
        return line.format(issuer=self.issuer_name(language), state=state, ends=f"{ends_at:%Y-%m-%d %H:%M}")

    def instruction(self, language: str) -> str:
        return text("foreign-checks", self.slug, language).format(issuer=self.issuer_name(language))


def check(services: Services, token: str, *, station_id: int) -> ForeignCheck:
    """Check a code that we did not issue, and count it once at the station. Raises Problem `token-…`, `foreign-…`."""
    now = services.clock.now()
    check = read_check(services, token, now)
    event = event_of(station_id, now, check.statement.state, check.action)
    counts.increment(services.redis, event, mark_of(services, check.statement))
    return check


def read_check(services: Services, token: str, now: datetime) -> ForeignCheck:
    """Return the check of a code that we did not issue, which is not counted yet. Raises Problem as `check`."""
    stated = read(services, token, ReadingTime(now, services.settings.tokens.skew))
    statement = ask_state(services, stated, token)
    action = services.policy.foreign_action(statement.state.name, now)
    return ForeignCheck(statement, action, action)


def measure(services: Services, token: str, celsius: Decimal, *, station_id: int) -> ForeignCheck:
    """Return what to do after a temperature was measured; it is counted, and recorded about nobody. Raises Problem."""
    now, tokens = services.clock.now(), services.settings.tokens
    stated = read(services, token, ReadingTime(now, tokens.skew, tokens.temperature_grace))
    statement = ask_state(services, stated, token)
    counts.increment(services.redis, event_of(station_id, now, statement.state, TEMPERATURE))
    action = services.policy.foreign_action(statement.state.name, now)
    return judge_measured(services, ForeignCheck(statement, action, action), celsius)


def judge_measured(services: Services, check: ForeignCheck, celsius: Decimal) -> ForeignCheck:
    """Return what to do with somebody who was measured: who is stopped stays so."""
    if check.action == "stop":
        return check
    action = "stop" if celsius >= services.policy.at(services.clock.now()).fever_celsius else "pass"
    return check._replace(action=action, slug=_MEASURED[action])


def read(services: Services, token: str, time: ReadingTime) -> IssuerStatement:
    """Return what the issuer of a code states, by the trust list in use now. Raises Problem."""
    settings = services.settings.trust
    content = None
    if settings.is_on:
        with services.sessions() as session:
            content = lists.find_list(session, settings)
    return read_statement(content, OwnKeys(settings.issuer, services.tokens.kids), token, time)


def event_of(station_id: int, at: datetime, state: State, action: str) -> StationEvent:
    """Return the event of a check of a code of another province, which is counted apart from ours."""
    return StationEvent(station_id, at, state, FOREIGN + action)


def mark_of(services: Services, statement: IssuerStatement) -> TokenMark:
    """Return the mark of a code, so that each is counted once at a station."""
    seconds = counts.mark_seconds(services.settings.tokens)
    return TokenMark(statement.number, int(statement.issued_at.timestamp()), seconds)
