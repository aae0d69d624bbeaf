"""Who follows the official account, as it is stored: found by the keyed hash of the unionid, which two openids share.

A unionid itself is not stored. Who unfollows is deleted; so is who has no user of the mini-program after a day.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, cast

from sqlalchemy import CursorResult, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.db import among
from app.core.encryption import FieldEncryption
from app.wechat.models import OfficialFollower, WeChatUser
from app.wechat.official.client import Follower

_COLUMN: Final = "official_followers.openid"
_STRANGERS_KEPT: Final = timedelta(days=1)  # who follows first and opens the mini-program next is found at once


def hash_of_unionid(encryption: FieldEncryption, unionid: str) -> bytes:
    """Return the keyed hash of a unionid, the same for both accounts."""
    return encryption.fingerprint("unionid", unionid)


def hash_of(encryption: FieldEncryption, openid: str) -> bytes:
    """Return the keyed hash of a follower's openid."""
    return encryption.fingerprint("official-openid", openid)


def find(session: Session, unionids: Collection[bytes]) -> Mapping[bytes, OfficialFollower]:
    """Return the followers with these hashes of unionids, by them."""
    found = select(OfficialFollower).where(among(OfficialFollower.unionid_hash, unionids))
    return {follower.unionid_hash: follower for follower in session.scalars(found)}


def is_follower(session: Session, user_id: int) -> bool:
    """Return whether a user of the mini-program is known to follow the official account."""
    same = select(WeChatUser.id).join(OfficialFollower, OfficialFollower.unionid_hash == WeChatUser.unionid_hash)
    return session.scalar(same.where(WeChatUser.id == user_id)) is not None


def get_openid(encryption: FieldEncryption, follower: OfficialFollower) -> str:
    """Return the openid to which a message goes."""
    return encryption.decrypt(_COLUMN, follower.openid_ciphertext)


def save(session: Session, encryption: FieldEncryption, follower: Follower, now: datetime) -> bool:
    """Store who follows; return False for who has no unionid, and cannot be found by it."""
    if follower.unionid is None:
        return False
    unionid_hash, openid_hash = hash_of_unionid(encryption, follower.unionid), hash_of(encryption, follower.openid)
    ours = OfficialFollower.unionid_hash == unionid_hash, OfficialFollower.openid_hash != openid_hash
    session.execute(delete(OfficialFollower).where(*ours))  # of an account that was replaced by another
    seen = {"unionid_hash": unionid_hash, "followed_at": follower.since, "seen_at": now}
    row = insert(OfficialFollower).values(
        openid_hash=openid_hash, openid_ciphertext=encryption.encrypt(_COLUMN, follower.openid), **seen
    )
    session.execute(row.on_conflict_do_update(index_elements=["openid_hash"], set_=seen))
    return True


def remove(session: Session, openid_hashes: Collection[bytes], before: datetime | None = None) -> int:
    """Delete who follows no more, but not who has followed again since `before`; return their number."""
    gone = delete(OfficialFollower).where(among(OfficialFollower.openid_hash, openid_hashes))
    if before is not None:
        gone = gone.where(OfficialFollower.followed_at <= before)
    return _count(session, gone)


def remove_of_user(session: Session, user: WeChatUser) -> None:
    """Delete the follower who is the same person as a user of the mini-program."""
    if user.unionid_hash is not None:
        session.execute(delete(OfficialFollower).where(OfficialFollower.unionid_hash == user.unionid_hash))


def mark_seen(session: Session, encryption: FieldEncryption, openids: Iterable[str], now: datetime) -> list[str]:
    """Note that these people follow; return those who are not stored."""
    hashes = {hash_of(encryption, openid): openid for openid in openids}
    seen = update(OfficialFollower).where(among(OfficialFollower.openid_hash, hashes)).values(seen_at=now)
    known = session.scalars(
        seen.returning(OfficialFollower.openid_hash), execution_options={"synchronize_session": False}
    )
    for openid_hash in known.all():
        del hashes[openid_hash]
    return list(hashes.values())


def keep_users(session: Session, encryption: FieldEncryption, given: Iterable[Follower]) -> list[Follower]:
    """Return those of the followers who are users of the mini-program."""
    hashes = {hash_of_unionid(encryption, one.unionid): one for one in given if one.unionid is not None}
    users = session.scalars(select(WeChatUser.unionid_hash).where(among(WeChatUser.unionid_hash, hashes)))
    return [hashes[unionid_hash] for unionid_hash in set(users) if unionid_hash is not None]


def forget_unseen(session: Session, since: datetime) -> int:
    """Delete who was not among the followers in a listing that began at `since`; return their number."""
    return _count(session, delete(OfficialFollower).where(OfficialFollower.seen_at < since))


def forget_strangers(session: Session, now: datetime) -> int:
    """Delete who follows for a day and is no user of the mini-program; return their number."""
    is_user = exists().where(WeChatUser.unionid_hash == OfficialFollower.unionid_hash)
    old = OfficialFollower.followed_at < now - _STRANGERS_KEPT
    return _count(session, delete(OfficialFollower).where(old, ~is_user))


def _count(session: Session, statement: object) -> int:
    result = session.execute(statement, execution_options={"synchronize_session": False})  # type: ignore[call-overload]
    return int(cast("CursorResult[object]", result).rowcount)
