"""What the code of another province says, by the trust list: the statement of its issuer, and nothing that we know."""

from datetime import datetime, timedelta
from typing import NamedTuple

from app.codes.states import State
from app.codes.tokens import NO_GRACE, STRIP_PREFIX, TokenRefused, kid_of, verify, verify_strip
from app.core.clock import rfc3339
from app.core.errors import Problem
from app.trust.content import Issuer, IssuerKey, TrustContent
from app.trust.lists import OwnKeys


class IssuerStatement(NamedTuple):
    """The state that an issuer gave somebody in a code, as of `issued_at`; `number` as in `ReadToken`."""

    issuer: Issuer
    state: State
    issued_at: datetime
    ends_at: datetime
    number: int


class ReadingTime(NamedTuple):
    """At which moment a code is read, by which difference of clocks, and how long ago it may have ended."""

    at: datetime
    skew: timedelta
    grace: timedelta = NO_GRACE


def read_statement(content: TrustContent | None, own: OwnKeys, token: str, time: ReadingTime) -> IssuerStatement:
    """Return what the issuer of a code states. Raises Problem `token-…` or `foreign-…`.

    A revoked key states nothing, whenever a code says it was issued: who has stolen the key chooses that second.
    """
    try:
        kid = kid_of(token)
        found = content.find(kid) if content is not None and kid not in own.kids else None
        if content is None or found is None or found[0].id == own.issuer:
            raise Problem("token-unknown-key")
        if content.expires_at <= time.at:
            raise Problem("foreign-list-expired")
        issuer, key = found
        if issuer.status != "active":
            raise Problem("foreign-issuer-suspended")
        if key.revoked:
            raise Problem("foreign-key-revoked")
        return _verified(issuer, key, token, time)
    except TokenRefused as refusal:
        raise Problem(f"token-{refusal.outcome}") from None


def _verified(issuer: Issuer, key: IssuerKey, token: str, time: ReadingTime) -> IssuerStatement:
    """Return what a code says by a key that may have signed it. Raises TokenRefused."""
    until = None if key.until is None else rfc3339(key.until)
    key_set = {"keys": [{"kid": key.kid, "x": key.x, "until": until}]}
    if token.startswith(STRIP_PREFIX):
        strip = verify_strip(token, key_set, time.at, time.skew, time.grace)
        statement = IssuerStatement(issuer, strip.state, strip.issued_at, strip.window.ends_at, strip.number)
    else:
        read = verify(token, key_set, time.at, time.skew, time.grace)
        statement = IssuerStatement(issuer, read.state, read.issued_at, read.ends_at, read.number)
    if statement.issued_at < key.since:
        raise TokenRefused("unknown-key")
    return statement
