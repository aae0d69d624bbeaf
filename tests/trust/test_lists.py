"""Trust lists: who takes one into use, which ones are refused, and what is published."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app import create_app
from app.audit import AuditEvent
from app.core.errors import Problem
from app.core.settings.sections import TrustSettings
from app.runtime import Services
from app.trust import lists
from app.trust.root_key import public_text
from tests.support.clock import START, StandingClock
from tests.support.desk import make_officer
from tests.support.trust import (
    EXAMPLE,
    OTHER,
    Province,
    TwoAdministrators,
    content_of,
    make_list,
    private_key,
    resigned,
    trusting,
)

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
Officers = TwoAdministrators


@pytest.fixture
def two(services: Services) -> Officers:
    return TwoAdministrators(trusting(services))


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Problem) as problem:
        act()
    return problem.value.slug


def version_in_use(services: Services) -> int | None:
    with services.sessions() as session:
        return lists.find_version(session)


def test_a_list_that_two_administrators_take_is_published_and_in_the_audit(two: Officers) -> None:
    client = create_app(two.services).test_client()
    assert client.get("/.well-known/jixiang-trust").status_code == 404
    signed = make_list(EXAMPLE.issuer(), OTHER.issuer())
    change = two.take(signed)
    assert (change.added, change.ended) == (sorted([EXAMPLE.kid, OTHER.kid]), [])

    answer = client.get("/.well-known/jixiang-trust")
    assert answer.json == json.loads(signed)
    again = client.get("/.well-known/jixiang-trust", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    with two.services.sessions() as session:
        [event] = session.scalars(select(AuditEvent).where(AuditEvent.action == "trust-list-imported"))
    first, second = (officer.id for officer in two.both)
    assert (event.actor, event.detail["version"]) == (f"officer:{first}+{second}", change.version)


def test_nobody_takes_a_list_alone_or_without_the_whole_province(two: Officers, services: Services) -> None:
    signed, [one, _] = make_list(EXAMPLE.issuer()), two.both
    for other, slug in (
        (one, "trust-two-persons"),
        (make_officer(services, "of-a-district", "administrator", district="长春市"), "not-your-role"),
        (make_officer(services, "auditor-1", "auditor"), "not-your-role"),
    ):
        two.both = [one, other]
        assert refusal(lambda: two.take(signed)) == slug
    assert version_in_use(services) is None


def test_an_older_list_is_never_taken_whoever_asks(two: Officers, services: Services) -> None:
    """A revoked key was once valid again the next day, by an older list."""
    older, newer = make_list(EXAMPLE.issuer(), at=START - MINUTE), make_list(EXAMPLE.issuer(), OTHER.issuer())
    version = two.take(newer).version
    assert refusal(lambda: two.take(older)) == "trust-list-older"
    assert refusal(lambda: two.take(newer)) == "trust-list-older"
    row = "insert into trust_lists (version, imported_at, imported_by, content) values (:v, now(), 'x', 'x')"
    for statement in (row, "update trust_lists set content = 'x'", "delete from trust_lists"):
        with pytest.raises(IntegrityError), services.engine.begin() as connection:
            connection.execute(text(statement), {"v": version - 1} if ":v" in statement else {})
    assert version_in_use(services) == version


REVOKED, SUSPENDED = EXAMPLE.issuer(revoked=True), EXAMPLE.issuer("suspended")
KEY = EXAMPLE.issuer()["keys"][0]


def changed(**changes: Any) -> dict[str, Any]:
    return {**content_of(make_list(EXAMPLE.issuer())), **changes}


@pytest.mark.parametrize(
    ("made", "slug"),
    [
        ("", "malformed"),
        ("[]", "malformed"),
        ('{"payload": "", "protected": "", "signature": 1}', "malformed"),
        (make_list(EXAMPLE.issuer()).replace('"payload": "', '"payload": "='), "malformed"),
        (resigned(changed(), alg="none"), "malformed"),
        (resigned(changed(), typ="JWT"), "malformed"),
        (resigned(changed(), crit=["exp"]), "malformed"),
        (make_list(EXAMPLE.issuer(), root=private_key("another root")), "unknown-key"),
        (resigned(changed(), root=private_key("another root"), kid=json.loads("null")), "unknown-key"),
        (make_list(EXAMPLE.issuer()).replace('"payload": "ey', '"payload": "eyA'), "forged"),
        (resigned(changed(version="1")), "broken"),
        (resigned(changed(more=1)), "broken"),
        (resigned(changed(expires_at="2020-04-30T12:00:00+08:00")), "broken"),
        (resigned(changed(expires_at="2020-03-20T12:00:00")), "broken"),
        (resigned(changed(issuers=[REVOKED])), "broken"),
        (resigned(changed(issuers=[SUSPENDED])), "broken"),
        (resigned(changed(issuers=[EXAMPLE.issuer(until="2020-03-01T00:00:00+08:00")])), "broken"),
        (resigned(changed(issuers=[EXAMPLE.issuer(kid="00000000")])), "broken"),
        (resigned(changed(issuers=[EXAMPLE.issuer(), EXAMPLE.issuer()])), "broken"),
        (resigned(changed(issuers=[EXAMPLE.issuer(), {**OTHER.issuer(), "keys": [KEY]}])), "broken"),
        (resigned(changed(issuers=[{**Province("root").issuer(), "keys": []}])), "broken"),
        (make_list(EXAMPLE.issuer(), at=START + DAY), "from-future"),
    ],
)
def test_a_list_that_cannot_be_believed_changes_nothing(
    two: Officers, services: Services, made: str, slug: str
) -> None:
    version = two.take(make_list(OTHER.issuer(), at=START - MINUTE)).version
    assert refusal(lambda: two.take(made)) == f"trust-list-{slug}"
    assert version_in_use(services) == version


def test_an_expired_list_is_not_taken(two: Officers, services: Services) -> None:
    assert refusal(lambda: two.take(make_list(EXAMPLE.issuer(), at=START - 14 * DAY))) == "trust-list-expired"
    assert two.take(make_list(EXAMPLE.issuer(), at=START - 13 * DAY)).added


def test_the_root_key_is_no_key_of_an_issuer(two: Officers) -> None:
    """Who signs codes could else write the list that says whom to believe."""
    with pytest.raises(ValueError, match="root key"):
        make_list(Province("root").issuer())
    assert refusal(lambda: two.take(resigned(changed(issuers=[Province("root").issuer()])))) == "trust-list-broken"


def test_a_key_of_ours_belongs_to_no_other_issuer(two: Officers, services: Services) -> None:
    [own] = services.tokens.key_set(START)["keys"]
    ours = {name: own[name] for name in ("kid", "x", "from", "until")}
    assert refusal(lambda: two.take(make_list({**EXAMPLE.issuer(), "keys": [ours]}))) == "trust-list-has-our-key"
    jilin = Province("jilin", "220000", "吉林省").issuer()
    assert two.take(make_list({**jilin, "keys": [ours]}, EXAMPLE.issuer())).added


def test_a_list_that_ends_more_than_half_of_the_keys_looks_like_a_mistake(two: Officers) -> None:
    """Valid passes were once all revoked, by an error in how the list was made."""
    provinces = [Province(name, f"9{number}0000") for number, name in enumerate("abcd")]
    two.take(make_list(*(one.issuer() for one in provinces), at=START - MINUTE))

    def ending(number: int) -> str:
        return make_list(*(one.issuer(revoked=n < number) for n, one in enumerate(provinces)))

    assert refusal(lambda: two.take(ending(3))) == "trust-list-ends-many"
    assert len(two.take(ending(2)).ended) == 2, "half of them are not more than half"
    nobody = make_list(at=START + MINUTE)
    assert refusal(lambda: two.take(nobody)) == "trust-list-ends-many"
    assert two.take(nobody, many=True).ended, "to recognise nobody is said by naming no issuer"


def test_without_a_root_nothing_is_taken_or_published(services: Services, two: Officers) -> None:
    two.take(make_list(EXAMPLE.issuer()))
    off = TwoAdministrators.__new__(TwoAdministrators)
    off.services, off.both = services, two.both
    assert refusal(lambda: off.take(make_list(EXAMPLE.issuer(), at=START + MINUTE))) == "trust-off"
    assert create_app(services).test_client().get("/.well-known/jixiang-trust").status_code == 404


def test_after_a_change_of_the_root_the_former_list_recognises_nobody(two: Officers) -> None:
    two.take(make_list(EXAMPLE.issuer()))
    other = TrustSettings(root=public_text(private_key("another root")), issuer="jilin")
    with two.services.sessions() as session:
        assert lists.find_list(session, two.services.settings.trust) is not None
        assert lists.find_list(session, other) is None


def test_our_keys_are_a_did_document_where_our_host_is_set(services: Services, clock: StandingClock) -> None:
    client = create_app(trusting(services, host="127.0.0.1:8000")).test_client()
    document = client.get("/.well-known/did.json").json
    assert document is not None
    assert document["id"] == "did:web:127.0.0.1%3A8000"
    [key], [method] = client.get("/.well-known/jixiang-keys").json["keys"], document["verificationMethod"]  # type: ignore[index]
    assert document["assertionMethod"] == [method["id"]] == [f"{document['id']}#{key['kid']}"]
    assert method["publicKeyJwk"] == {name: key[name] for name in ("kty", "crv", "alg", "use", "kid", "x")}
    without = create_app(services).test_client()
    assert without.get("/.well-known/did.json").status_code == 404
