"""Officers' accounts: who may be made and changed by whom, what a log-in takes, and how a session ends."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.audit import AuditEvent
from app.core.errors import Problem
from app.runtime import Services
from app.staff import credentials, officers, sessions, totp
from app.staff.models import Officer, OfficerSession, Role
from app.staff.officers import NewOfficer
from app.staff.sessions import Credentials
from app.worker import due
from tests.support.acting import acting
from tests.support.clock import StandingClock
from tests.support.desk import SECRET, make_officer
from tests.support.people import PASSWORD
from tests.support.statements import count_statements

OTHERS = [role.value for role in Role if role is not Role.ADMINISTRATOR]
IDLE = timedelta(minutes=15)


def begin(services: Services, username: str = "officer-1", password: str = PASSWORD, **options: Any) -> str | None:
    """A token, or None."""
    code = options.get("code", totp.code_at(SECRET, services.clock.now()))
    return sessions.start_session(replace(services, real_clock=services.clock), Credentials(username, password, code))


def is_in(services: Services, token: str | None) -> bool:
    with services.begin() as session:
        return sessions.find_active_session(session, token or "", services.clock.now(), IDLE) is not None


def refused(services: Services, act: Callable[..., object]) -> tuple[str, list[str]]:
    """The slug of a refusal, and the fields that it names."""
    with pytest.raises(Problem) as caught, services.begin() as session:
        act(session)
    return caught.value.slug, [f"{field.pointer} {field.slug}" for field in caught.value.fields]


def entries(services: Services) -> list[tuple[str, str]]:
    with services.sessions() as session:
        rows = session.execute(select(AuditEvent.actor, AuditEvent.action).order_by(AuditEvent.id))
        return [(row.actor, row.action) for row in rows]


def add(services: Services, **changes: Any) -> Callable[..., object]:
    given = {"username": "officer-2", "name": "示例乙", "password": PASSWORD, "roles": ["auditor"], "district": None}
    return lambda session: officers.add_officer(acting(services, session), NewOfficer(**{**given, **changes}))


# --- accounts


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"username": "Ab"}, "/username username-form"),
        ({"username": "1abc"}, "/username username-form"),
        ({"username": "示例人员"}, "/username username-form"),
        ({"name": "  "}, "/name required"),
        ({"name": "示" * 61}, "/name too-long"),
        ({"name": "示\u202e例"}, "/name invalid"),
        ({"password": "Short-2020x"}, "/password password-short"),
        ({"password": "aaaaaaaaaaaaa"}, "/password password-too-plain"),
        ({"password": "my-officer-2-word"}, "/password password-too-plain"),
        ({"password": "x-Y" * 50}, "/password too-long"),
        ({"roles": []}, "/roles role-needed"),
        ({"roles": ["auditor", "root"]}, "/roles not-a-choice"),
        *(({"roles": ["administrator", role]}, "/roles administrator-alone") for role in OTHERS),
        ({"district": "示例市"}, "/district not-a-choice"),
    ],
)
def test_an_account_is_refused_with_what_is_wrong(services: Services, changes: dict[str, Any], wrong: str) -> None:
    assert refused(services, add(services, **changes)) == ("invalid-request", [wrong])


def test_a_user_name_is_taken_once_whatever_its_letters(services: Services) -> None:
    make_officer(services, "officer-2")
    assert refused(services, add(services, username=" OFFICER-2 "))[0] == "username-taken"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"username": "0fficer"}, "username-form"),
        ({"username": "recorder-l"}, "/username looks-like-another"),
        ({"username": "rec0rder.1"}, "/username looks-like-another"),
        ({"username": "recorder1"}, "/username looks-like-another"),
        ({"name": "示例 recorder-1"}, "/name looks-like-another"),
        ({"name": "示例Recorder·1"}, "/name looks-like-another"),
        ({"name": "Аnna"}, "/name invalid"),  # the first letter is Cyrillic
    ],
)
def test_a_name_that_would_be_taken_for_another_officers_is_refused(
    services: Services, changes: dict[str, str], field: str
) -> None:
    make_officer(services, "recorder-1")
    assert field in " ".join(refused(services, add(services, **changes))[1])


def test_another_spelling_of_a_user_name_is_the_same_officer_and_two_people_may_have_one_name(
    services: Services,
) -> None:
    make_officer(services, "recorder-1")
    assert refused(services, add(services, username="ｒｅｃｏｒｄｅｒ-１"))[0] == "username-taken"
    with services.begin() as session:
        for n in (5, 6):
            add(services, username=f"officer-{n}", name="示例乙")(session)
    assert begin(services, "Ｒecorder-1")


def test_password_and_secret_are_not_in_the_row(services: Services) -> None:
    officer = make_officer(services, "officer-1")
    assert officer.password_hash.startswith("$argon2id$")
    assert SECRET.encode() not in officer.totp_ciphertext
    assert services.encryption.decrypt("officers.totp", officer.totp_ciphertext) == SECRET


def test_two_officers_have_two_secrets(services: Services) -> None:
    with services.begin() as session:
        made = [add(services, username=f"officer-{n}")(session) for n in (3, 4)]
    secrets = [secret for _, secret in made]  # type: ignore[misc]
    assert len(set(secrets)) == 2
    assert all(len(secret) == 32 for secret in secrets)


def test_an_administrator_of_a_district_has_that_district_alone(services: Services) -> None:
    here = make_officer(services, "here-admin", "administrator", district="长春市")
    near = make_officer(services, "near-1", district="长春市")
    others = [make_officer(services, "away-1", district="吉林市"), make_officer(services, "all-1")]
    with services.begin() as session:
        assert {one.username for one in officers.list_officers(acting(services, session, here))} == {
            "here-admin",
            "near-1",
        }
        officers.set_assignment(acting(services, session, here), near.id, ["auditor"], "长春市")
    for other in others:
        for act in (
            lambda session, other=other.id: officers.find_officer(acting(services, session, here), other),
            lambda session, other=other.id: officers.set_assignment(
                acting(services, session, here), other, ["auditor"], "长春市"
            ),
            lambda session, other=other.id: officers.disable_officer(acting(services, session, here), other),
            lambda session, other=other.id: officers.end_sessions(acting(services, session, here), other),
            lambda session, other=other.id: credentials.reset_totp(acting(services, session, here), other),
            lambda session, other=other.id: credentials.reset_password(acting(services, session, here), other),
        ):
            assert refused(services, act) == ("officer-not-found", [])
    for district in (None, "吉林市"):
        assert refused(
            services,
            lambda session, d=district: officers.set_assignment(
                acting(services, session, here), near.id, ["auditor"], d
            ),
        ) == ("invalid-request", ["/district not-a-choice"])
        assert refused(
            services,
            lambda session, d=district: officers.add_officer(
                acting(services, session, here), NewOfficer("sneaky-1", "示例", ["administrator"], d)
            ),
        ) == ("invalid-request", ["/district not-a-choice"])


def test_nobody_administers_their_own_account(services: Services) -> None:
    me = make_officer(services, "admin-1", "administrator")
    for act in (
        lambda session: officers.set_assignment(acting(services, session, me), me.id, list(Role), None),
        lambda session: officers.disable_officer(acting(services, session, me), me.id),
        lambda session: credentials.reset_totp(acting(services, session, me), me.id),
        lambda session: credentials.reset_password(acting(services, session, me), me.id),
    ):
        assert refused(services, act) == ("own-account", [])


@pytest.mark.parametrize(("role", "district"), [("auditor", None), ("recorder", "吉林市")])
def test_who_gets_other_roles_or_another_district_logs_in_anew(
    services: Services, role: str, district: str | None
) -> None:
    officer = make_officer(services, "officer-1", "recorder")
    token = begin(services)
    with services.begin() as session:
        officers.set_assignment(acting(services, session), officer.id, [role], district)
    assert not is_in(services, token)
    with services.sessions() as session:
        assert session.scalars(select(Officer.roles)).all() == [[role]]


@pytest.mark.parametrize("role", OTHERS)
def test_nobody_is_made_an_administrator_beside_another_role(services: Services, role: str) -> None:
    admin, other = make_officer(services, "admin-1", "administrator"), make_officer(services, "officer-2", role)
    for by in (admin, None):
        assert refused(
            services,
            lambda session, by=by: officers.set_assignment(
                acting(services, session, by), other.id, [role, "administrator"], None
            ),
        ) == ("invalid-request", ["/roles administrator-alone"])


@pytest.mark.parametrize("first", ["password", "totp"])
def test_one_administrator_does_not_give_both_proofs_of_an_officer(services: Services, first: str) -> None:
    me, colleague, other, third = (
        make_officer(services, username, role)
        for username, role in (
            ("admin-1", "administrator"), ("admin-2", "administrator"), ("app-1", "approver"), ("app-2", "approver")
        )
    )  # fmt: skip
    assert begin(services, "app-1") is not None

    def reset(what: str, by: Officer | None, whose: Officer = other) -> Callable[..., object]:
        if what == "password":
            return lambda session: credentials.reset_password(acting(services, session, by), whose.id)
        return lambda session: credentials.reset_totp(acting(services, session, by), whose.id)

    second = {"password": "totp", "totp": "password"}[first]
    for whose in (third, other):
        with services.begin() as session:
            reset(first, me, whose)(session)
    assert refused(services, reset(second, me)) == ("second-administrator", [])
    with services.begin() as session:
        reset(first, me)(session)  # the same once more gives nothing more
    for helper in (colleague, None):
        with services.sessions() as session:
            reset(second, helper)(session)
            session.rollback()
    with services.begin() as session:
        reset(first, colleague)(session)
    with services.begin() as session:
        reset(second, me)(session)  # what I gave counts no more


def test_whoever_made_the_secret_never_sets_the_password_and_a_changed_password_hinders_nobody(
    services: Services, clock: StandingClock
) -> None:
    me, other = make_officer(services, "admin-1", "administrator"), make_officer(services, "app-1", "approver")
    now, new = clock.now(), "another-Word-2020"
    with services.begin() as session:
        given = credentials.reset_password(acting(services, session, me), other.id)
        credentials.change_password(acting(services, session, other), given, new, 0)
        secret = credentials.reset_totp(acting(services, session, me), other.id)
    assert begin(services, "app-1", new, code=totp.code_at(secret, now)) is not None
    reset = refused(services, lambda session: credentials.reset_password(acting(services, session, me), other.id))
    assert reset[0] == "second-administrator", "they still know the secret, though it was used"


def test_nobody_logs_in_to_a_new_account_before_another_person_has_set_its_password(
    services: Services, clock: StandingClock
) -> None:
    me, colleague = (make_officer(services, f"admin-{n}", "administrator") for n in (1, 2))
    new = NewOfficer("rec-1", "示例甲", ["recorder"], "长春市")
    chosen = replace(new, password="another-Word-2020")  # whoever adds officers cannot choose their password
    for by in (me, None):
        added = refused(services, lambda session, by=by: officers.add_officer(acting(services, session, by), chosen))
        assert added == ("second-administrator", [])
    with services.begin() as session:
        officer, secret = officers.add_officer(acting(services, session, me), new)
    assert officer.lacks_password(clock.now())
    assert refused(services, lambda session: credentials.reset_password(acting(services, session, me), officer.id)) == (
        "second-administrator",
        [],
    )
    with services.begin() as session:
        secret = credentials.reset_totp(acting(services, session, me), officer.id)  # lost, and shown once more
        given = credentials.reset_password(acting(services, session, colleague), officer.id)
    assert refused(services, lambda session: credentials.reset_totp(acting(services, session, colleague), officer.id))
    assert begin(services, "rec-1", given, code=totp.code_at(secret, clock.now())) is not None


def test_an_operator_is_one_person_too_once_two_administrators_can_log_in(services: Services) -> None:
    def one_person_sets_both(n: int, district: str | None = None, roles: str = "administrator") -> bool:
        new = NewOfficer(f"person-{n}", f"示例{n}", [roles], district, PASSWORD)
        with suppress(Problem), services.begin() as session:
            officer, _ = officers.add_officer(acting(services, session), new)
            credentials.reset_totp(acting(services, session), officer.id)
            credentials.reset_password(acting(services, session), officer.id)
            return True
        return False

    assert [one_person_sets_both(n) for n in (2, 3, 4)] == [True, True, False]
    make_officer(services, "far-1", "administrator", district="吉林市")
    with services.begin() as session:
        closed = officers.find_by_username(session, "person-3").id
        officers.disable_officer(acting(services, session), closed)
    assert one_person_sets_both(5, "吉林市", "recorder") is False, "the province and the district have one each"
    assert one_person_sets_both(6, "长春市", "recorder") is True, "one administrator is no second person for another"
    with services.sessions() as session:
        alone = session.scalars(
            select(AuditEvent.detail["officer"].as_integer()).where(AuditEvent.detail["alone"].as_boolean())
        ).all()
        assert len(set(alone)) == 3, "each is marked in the audit"


@pytest.mark.parametrize(("days", "opens"), [(6.99, True), (7, False)])
def test_a_given_password_ends_when_it_is_not_used_in_time(
    services: Services, clock: StandingClock, days: float, opens: bool
) -> None:
    me = make_officer(services, "admin-1", "administrator")
    with services.begin() as session:
        new, secret = add(services, username="new-1")(session)  # type: ignore[misc]
        given = credentials.reset_password(acting(services, session, me), new.id)
    clock.advance(days=days)
    token = begin(services, "new-1", given, code=totp.code_at(secret, clock.now()))
    assert (token is not None) is opens


def test_logging_in_does_not_extend_a_password_that_must_be_changed(services: Services, clock: StandingClock) -> None:
    me, other = make_officer(services, "admin-1", "administrator"), make_officer(services, "rec-1")
    with services.begin() as session:
        given = credentials.reset_password(acting(services, session, me), other.id)
    assert begin(services, "rec-1", given) is not None
    clock.advance(days=7)
    assert begin(services, "rec-1", given) is None
    with services.begin() as session:
        given = credentials.reset_password(acting(services, session, me), other.id)
        credentials.change_password(acting(services, session, other), given, "another-Word-2020", 0)
    clock.advance(days=100)
    assert begin(services, "rec-1", "another-Word-2020") is not None


def test_a_password_from_an_operator_holds_once_it_was_used(services: Services, clock: StandingClock) -> None:
    used, idle = (make_officer(services, name).id for name in ("used-1", "idle-1"))
    with services.begin() as session:
        for id_ in (used, idle):
            session.get_one(Officer, id_).password_ends_at = clock.now() + timedelta(days=7)
    assert begin(services, "used-1") is not None
    clock.advance(days=7)
    assert (begin(services, "used-1") is not None, begin(services, "idle-1")) == (True, None)


def test_wrong_log_ins_of_an_hour_are_two_events_however_many(services: Services, clock: StandingClock) -> None:
    make_officer(services, "officer-2")
    for n in range(40):
        assert begin(services, "officer-2", "wrong") is None
        assert begin(services, "nobody-1") is None
        if n == 1:
            due.sum_failed_logins(services)
            assert failed(services) == [("officer", 2), ("officer:1", 2)], "seen within a minute"
    for _ in range(2):
        due.sum_failed_logins(services)
        assert failed(services) == [("officer", 2), ("officer:1", 2)]
    clock.advance(hours=1)
    for _ in range(2):
        due.sum_failed_logins(services)
        assert failed(services) == [("officer", 2), ("officer", 38), ("officer:1", 2), ("officer:1", 38)]


def failed(services: Services) -> list[tuple[str, int | None]]:
    with services.sessions() as session:
        rows = session.execute(
            select(AuditEvent.actor, AuditEvent.detail["number"].as_integer())
            .where(AuditEvent.action == "officer-login-failed")
            .order_by(AuditEvent.actor, AuditEvent.id)
        )
        return [(actor.replace(f":{_id_of(services)}", ":1"), number) for actor, number in rows]


def _id_of(services: Services) -> int:
    with services.sessions() as session:
        return officers.find_by_username(session, "officer-2").id


def test_who_does_what_to_an_account_is_in_the_audit_and_nobodys_name_is(services: Services) -> None:
    me, other = make_officer(services, "admin-1", "administrator"), make_officer(services, "officer-2")
    token, now = begin(services, "officer-2"), services.clock.now()
    assert begin(services, "officer-2", "wrong") is None
    assert begin(services, "nobody-1") is None
    with services.begin() as session:
        there = sessions.find_active_session(session, str(token), now, IDLE)
        assert there is not None
        sessions.end_session(session, there[0], there[1].id, now)
        officers.set_assignment(acting(services, session, me), other.id, ["auditor"], "长春市")
        credentials.reset_totp(acting(services, session), other.id)
        credentials.reset_password(acting(services, session, me), other.id)
        officers.disable_officer(acting(services, session, me), other.id)
    due.sum_failed_logins(services)
    assert entries(services)[2:] == [
        ("officer:2", "officer-logged-in"),
        ("officer:2", "officer-session-ended"),
        ("officer:1", "officer-sessions-ended"),
        ("officer:1", "officer-assignment-changed"),
        ("operator", "officer-sessions-ended"),
        ("operator", "officer-totp-reset"),
        ("officer:1", "officer-sessions-ended"),
        ("officer:1", "officer-password-reset"),
        ("officer:1", "officer-sessions-ended"),
        ("officer:1", "officer-disabled"),
        ("officer", "officer-login-failed"),
        ("officer:2", "officer-login-failed"),
    ]
    with services.sessions() as session:
        everything = str(session.scalars(select(AuditEvent.detail)).all())
    assert "officer-2" not in everything
    assert "示例" not in everything


# --- logging in


def test_all_three_must_be_right(services: Services) -> None:
    make_officer(services, "officer-1")
    assert begin(services, password="wrong") is None
    assert begin(services, code="000000") is None
    assert begin(services, code="") is None
    assert begin(services, code="１２３４５６") is None
    assert begin(services, "officer-9") is None
    assert begin(services, " Officer-1 ") is not None


def test_a_code_counts_once(services: Services, clock: StandingClock) -> None:
    make_officer(services, "officer-1")
    code = totp.code_at(SECRET, clock.now())
    assert begin(services, code=code) is not None
    assert begin(services, code=code) is None
    clock.advance(seconds=30)
    assert begin(services, code=code) is None, "a moment later it is still within the tolerance, and still used"
    assert begin(services) is not None


def test_a_code_used_up_by_a_wrong_password_is_not(services: Services) -> None:
    make_officer(services, "officer-1")
    assert begin(services, password="wrong") is None
    assert begin(services) is not None, "or anybody could use up the codes of others"


@pytest.mark.parametrize(("seconds", "counts"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_clocks_may_differ_by_half_a_minute(
    services: Services, clock: StandingClock, seconds: int, counts: bool
) -> None:
    make_officer(services, "officer-1")
    code = totp.code_at(SECRET, clock.now() + timedelta(seconds=seconds))
    assert (begin(services, code=code[:3] + " " + code[3:]) is not None) is counts


def test_of_two_who_use_a_code_at_once_one_gets_in(services: Services) -> None:
    make_officer(services, "officer-1")
    with ThreadPoolExecutor(4) as pool:
        tokens = list(pool.map(lambda _: begin(services), range(4)))
    assert sum(token is not None for token in tokens) == 1


def test_a_closed_account_is_as_a_wrong_password(services: Services, clock: StandingClock) -> None:
    officer = make_officer(services, "officer-1")
    token = begin(services)
    with services.begin() as session:
        officers.disable_officer(acting(services, session), officer.id)
    clock.advance(seconds=60)
    assert not is_in(services, token)
    assert begin(services) is None


def test_a_wrong_name_takes_as_long_as_a_wrong_password(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in what costs time: hashes, codes and statements."""
    make_officer(services, "officer-1")
    done: list[str] = []
    fits, step_of = sessions._password_matches, totp.match_step
    monkeypatch.setattr(sessions, "_password_matches", lambda *given: (done.append("hash"), fits(*given))[1])
    monkeypatch.setattr(totp, "match_step", lambda *given: (done.append("code"), step_of(*given))[1])
    costs = []
    for username, password, code in (
        ("nobody-1", PASSWORD, "000000"),
        ("officer-1", "wrong", "000000"),
        ("officer-1", PASSWORD, "000000"),
    ):
        done.clear()
        with count_statements(services.engine) as statements:
            assert begin(services, username, password, code=code) is None
        costs.append((*done, len(statements)))
    assert costs == [("hash", "code", costs[0][-1])] * 3


# --- sessions


def test_a_session_ends_when_nobody_is_there_and_goes_on_while_somebody_is(
    services: Services, clock: StandingClock
) -> None:
    make_officer(services, "officer-1")
    token = begin(services)
    for _ in range(5):
        clock.advance(minutes=14)
        assert is_in(services, token)
    clock.advance(minutes=15)
    assert not is_in(services, token)


def test_a_session_ends_after_eight_hours_in_any_case(services: Services, clock: StandingClock) -> None:
    make_officer(services, "officer-1")
    token = begin(services)
    for _ in range(47):
        clock.advance(minutes=10)
        assert is_in(services, token)
    clock.advance(minutes=10)
    assert not is_in(services, token)


def test_the_database_cannot_give_a_session_away(services: Services) -> None:
    make_officer(services, "officer-1")
    token = begin(services)
    with services.sessions() as session:
        kept = session.scalars(select(OfficerSession.token_hash)).one()
    assert token is not None and len(token) == 43
    assert token.encode() not in kept
    for guess in (kept.hex(), kept.decode("latin-1"), "", "x" * 43):
        assert not is_in(services, guess)


def test_all_sessions_end_at_once(services: Services, clock: StandingClock) -> None:
    officer, other = make_officer(services, "officer-1"), make_officer(services, "officer-2")
    tokens = [begin(services)]
    clock.advance(seconds=60)
    tokens.append(begin(services))
    bystander = begin(services, "officer-2")
    with services.begin() as session:
        assert officers.end_sessions(acting(services, session, other), officer.id) == 2
    assert [is_in(services, token) for token in tokens] == [False, False]
    assert is_in(services, bystander)


def test_a_new_authenticator_ends_the_old_one_and_every_session(services: Services, clock: StandingClock) -> None:
    officer = make_officer(services, "officer-1")
    token = begin(services)
    with services.begin() as session:
        secret = credentials.reset_totp(acting(services, session), officer.id)
    assert not is_in(services, token)
    clock.advance(seconds=60)
    assert begin(services) is None
    assert begin(services, code=totp.code_at(secret, clock.now())) is not None


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(services: Services, clock: StandingClock) -> None:
    officer = make_officer(services, "officer-1")
    elsewhere = begin(services)
    clock.advance(seconds=60)
    here = begin(services)
    with services.begin() as session:
        there = sessions.find_active_session(session, str(here), clock.now(), IDLE)
        assert there is not None
        credentials.change_password(acting(services, session, officer), PASSWORD, "another-Word-2020", there[1].id)
    assert is_in(services, here)
    assert not is_in(services, elsewhere)
    clock.advance(seconds=60)
    assert begin(services) is None
    assert begin(services, password="another-Word-2020") is not None


def test_a_password_that_is_given_ends_the_old_one_and_every_session_until_its_holder_has_chosen_one(
    services: Services, clock: StandingClock
) -> None:
    officer, admin = make_officer(services, "officer-1"), make_officer(services, "admin-1", "administrator")
    token = begin(services)
    with services.begin() as session:
        first = credentials.reset_password(acting(services, session, admin), officer.id)
        second = credentials.reset_password(acting(services, session, admin), officer.id)
    assert first != second
    assert not is_in(services, token)
    clock.advance(seconds=60)
    assert [begin(services), begin(services, password=first)] == [None, None]
    here = begin(services, password=second)
    with services.begin() as session:
        there = sessions.find_active_session(session, str(here), clock.now(), IDLE)
        assert there is not None and there[0].must_change_password
        keep = there[1].id
    for new, wrong in ((second, "password-same"), ("short", "password-short")):
        assert refused(
            services,
            lambda session, new=new: credentials.change_password(acting(services, session, officer), second, new, keep),
        ) == ("invalid-request", [f"/password {wrong}"])
    with services.begin() as session:
        credentials.change_password(acting(services, session, officer), second, "another-Word-2020", keep)
    with services.sessions() as session:
        assert not session.get_one(Officer, officer.id).must_change_password
        assert second not in str(session.scalars(select(AuditEvent.detail)).all())


def test_nobody_ends_the_session_of_another(services: Services, clock: StandingClock) -> None:
    me = make_officer(services, "officer-1")
    make_officer(services, "officer-2")
    token = begin(services, "officer-2")
    with services.sessions() as session:
        theirs = session.scalars(select(OfficerSession.id)).one()
    assert refused(services, lambda session: sessions.end_session(session, me, theirs, clock.now())) == (
        "not-found",
        [],
    )
    assert refused(services, lambda session: sessions.end_session(session, me, 999, clock.now())) == ("not-found", [])
    assert is_in(services, token)
