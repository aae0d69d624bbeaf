"""A restore brings back what was taken from officers, devices and others since the backup, and takes it again."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from app.backup.repetition.removals import Removal, still_to_do
from app.citizens.documents import DocumentType
from app.codes.models import Code
from app.families import invitations
from app.families.people import Person
from app.notifications.sms import switch
from app.staff import credentials, inspectors, officers
from app.staff.context import OPERATOR, OfficerContext, begin_as, begin_officer
from app.staff.models import Officer
from app.stations.models import Inspector, Venue
from app.venues import applications, entrances, handovers
from app.venues.form import VenueForm
from app.venues.management import ManagedVenue, close_venue
from app.windows import administration, clerks
from app.windows.administration import NewWindow
from app.windows.ceilings import Ceilings
from app.windows.models import WindowLookup
from tests.support.clock import START
from tests.support.desk import make_officer
from tests.support.devices import Device
from tests.support.installations import Installation, Town
from tests.support.partners import Asker
from tests.support.people import PASSWORD, Station

_LOOK = {
    "officers": "username, disabled_at is not null, roles, window_id",
    "inspectors": "username, disabled_at is not null, password_ends_at is not null, station_id",
    "windows": "name, closed_at is not null",
    "devices": "id, revoked_at is not null",
    "partners": "id, revoked_at is not null",
    "venues": "name, closed_at is not null, manager",
    "venue_handovers": "venue_id, 'offered'",
    "venue_applications": "id, state",
    "window_holds": "officer_id, window_id, span, lookups",
    "family_invitations": "id, declined_at is not null",
    "paper_cards": "id, revoked_at is not null",
    "accounts": "serial, username is not null, sms_on",
    "wechat_users": "id, serial",
}


class Everybody:
    """One of each, from whom something will be taken, in an installation."""

    def __init__(self, town: Town) -> None:
        self.town, self.services = town, town.services
        self.citizen, self.heir = (one.become_green() for one in town.phones("示例", 2))
        self.stranger = town.phones("别人", 1)[0]
        self.stranger.log_in_with_wechat()
        answer = self.stranger.post("/api/v1/accounts/login", {"username": self.citizen.username, "password": PASSWORD})
        assert answer.status_code == 200 and self.citizen.post("/api/v1/paper-cards", None).status_code == 201
        for name in ("ins-closed", "ins-password", "ins-open", "ins-moved"):
            Station.open(town.client, self.services, name)
        self.device, self.partner = Device.add(town.client, self.services), Asker.add(town.client, self.services)
        names = "off-closed", "off-moved", "off-password", "off-clerk"
        self.officers = [make_officer(self.services, name, "auditor", "clerk").id for name in names]
        with self.acting() as context:
            windows = [NewWindow(name, "示例大街 1 号", "长春市") for name in ("示例窗口", "另一窗口")]
            self.windows = [administration.add_window(context, one).id for one in windows]
            administration.assign_clerk(context, self.windows[0], "off-clerk")
            names = "示例商场", "示例影院", "示例医院", "示例书店"
            self.venues = [self._open_venue(context, name) for name in names]
            for venue, name in zip(self.venues, ("示例乙", "", "示例丙", "示例乙"), strict=True):
                if name:
                    self._offer(context, venue, name, self.heir.document)
            self._ask(context)

    def acting(self) -> Any:
        return begin_as(self.services, OPERATOR)

    def look(self) -> dict[str, list[tuple[Any, ...]]]:
        with self.services.engine.connect() as connection:
            query = "select {} from {} order by 1"
            rows = {name: connection.execute(text(query.format(seen, name))) for name, seen in _LOOK.items()}
            return {name: [tuple(row) for row in found] for name, found in rows.items()}

    def take(self) -> None:
        """Take something from each of them, and give one thing back."""
        closed, moved, password, clerk = self.officers
        with begin_officer(self.services, self._officer(clerk)) as context:
            assert clerks.is_held(clerks.require_clerk(context), Ceilings(in_an_hour=1, in_a_day=9))
        with self.acting() as context:
            of = {one.username: one.id for one in context.session.scalars(select(Inspector))}
            for name in ("ins-closed", "ins-open"):
                inspectors.disable_inspector(context, of[name])
            inspectors.enable_inspector(context, of["ins-open"])
            inspectors.reset_password(context, of["ins-password"])
            inspectors.move_inspector(context, of["ins-moved"], "示例商场 东门")
            officers.disable_officer(context, closed)
            officers.set_assignment(context, moved, ["recorder"], "长春市")
            credentials.reset_totp(context, password)
            administration.release_clerk(context, self.windows[0], clerk)
            administration.close_window(context, self.windows[1])
            handovers.accept(context.session, context.encryption, 2, self.venues[0], context.now)
            close_venue(self._managed(context, self.venues[1]))
            handovers.take_back(self._managed(context, self.venues[2]))
            handovers.decline(context.session, context.encryption, 2, self.venues[3], context.now)
            applications.withdraw(context.session, 1, 1, context.now)
            [invited] = invitations.list_invitations(context.session, context.encryption, 1, context.now)
            invitations.decline(context.session, context.encryption, 1, invited.id, context.now)
            switch.choose(context.session, 1, False, context.now)
        self.device.revoke()
        self.partner.revoke()
        assert self.citizen.post("/api/v1/paper-cards/current/loss", None).status_code == 204
        ended = self.citizen.post("/api/v1/accounts/me/bindings/end", {"number": 2})
        self.citizen.session = ended.json["session"]  # type: ignore[index]
        new = {"current": PASSWORD, "password": "another-Word-2020"}
        assert self.citizen.put("/api/v1/accounts/me/password", new).status_code == 200

    def _ask(self, context: OfficerContext) -> None:
        """A clerk looks one person up, one citizen invites the other, who applies for a venue."""
        session, now = context.session, context.now
        session.add(WindowLookup(officer_id=self.officers[3], window_id=self.windows[0], at=now))
        citizen = Person(self.citizen.name, DocumentType.ID_CARD, self.citizen.document)
        invitations.send(session, context.encryption, 2, citizen, now)
        asked = VenueForm("示例剧场", "mall", "长春市", "示例大街 2 号", "91220101MA00000000", [""] * 7, ["东门"])
        applications.apply(session, 1, asked, now)

    def _officer(self, id_: int) -> Officer:
        with self.services.sessions() as session:
            return session.get_one(Officer, id_)

    def _open_venue(self, context: OfficerContext, name: str) -> int:
        code = context.session.get_one(Code, 1)
        venue = Venue(
            name=name, kind="mall", district="长春市", address="示例大街 1 号", credit_code="91220101MA00000000",
            hours=[""] * 7, manager=1, manager_claimed_at=code.claimed_at, created_at=context.now,
        )  # fmt: skip
        context.session.add(venue)
        context.session.flush()
        entrances.make_station(context.session, venue, "东门", context.now)
        return venue.id

    def _managed(self, context: OfficerContext, venue: int) -> ManagedVenue:
        return ManagedVenue(context.session, context.session.get_one(Venue, venue), 1, context.now)

    def _offer(self, context: OfficerContext, venue: int, name: str, number: str) -> None:
        person = Person(name, DocumentType.ID_CARD, number)
        handovers.offer(self._managed(context, venue), context.encryption, person)


@pytest.mark.slow
def test_what_was_taken_since_the_backup_is_taken_again(installation: Installation, town: Town, tmp_path: Path) -> None:
    everybody, kept = Everybody(town), tmp_path / "erasures"
    before, dump = everybody.look(), installation.backup()
    town.services.clock.advance(minutes=1)  # type: ignore[attr-defined]
    everybody.take()
    taken = everybody.look()
    assert [name for name in _LOOK if before[name] == taken[name]] == [], "something of each"
    installation.run("erasures", "save", str(kept))

    done = installation.restore(dump)

    assert "0 of 0 erasures were repeated" in done.output, done.output
    assert "21 of 21 revocations were repeated" in done.output, done.output
    found = everybody.look()
    assert found.pop("accounts") == [(1, False, False), (2, True, True)], "a password of before opens nothing"
    assert found == {name: rows for name, rows in taken.items() if name != "accounts"}
    with town.services.engine.connect() as connection:
        ended = connection.scalars(text("select username from officers where password_ends_at is not null"))
        assert ended.all() == ["off-password"], "with the authenticator of before"

    assert installation.restore(dump).exit_code == 0, "of the same backup again, without a list"
    assert everybody.look() == taken | {"accounts": [(1, False, False), (2, True, True)]}
    town.services.clock.advance(minutes=1)  # type: ignore[attr-defined]
    with everybody.acting() as context:
        inspectors.enable_inspector(context, 1)
    again = installation.run("erasures", "repeat", str(kept))
    assert "0 of 21 revocations were repeated" in again.output, "nothing twice, and not over what was done since"


def test_what_was_undone_is_not_repeated_and_of_several_alike_the_last_is() -> None:
    def removal(action: str, minute: int, **detail: Any) -> Removal:
        return Removal.of((START + timedelta(minutes=minute), action, None), "operator", detail)

    closed, opened = (removal(f"inspector-{act}d", 1, inspector=1) for act in ("disable", "enable"))
    moved = [removal("officer-assignment-changed", n, officer=1, roles=roles) for n, roles in enumerate(("ab", "b"))]
    other = removal("inspector-disabled", 2, inspector=2)
    erased = [removal("erased", 1, users=[n]) for n in (1, 2)]
    assert still_to_do([closed, opened, *moved, other, *erased]) == [opened, moved[1], other, *erased]
    assert still_to_do([opened, closed]) == [opened, closed]
    kept = removal("account-recovered", 1), removal("recovery-decided", 2, outcome="kept")
    undone = removal("account-recovered", 1), removal("recovery-decided", 2, outcome="undone")
    assert still_to_do(kept)[0] == kept[0] and still_to_do(undone) == [undone[1]]
