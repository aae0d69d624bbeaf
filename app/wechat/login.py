"""WeChat users: found or added at log-in by their openid, and bound to a code.

WeChat's session_key is not stored; only the openid is, encrypted, and a keyed hash of the unionid.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.codes import claims, ledger
from app.core.encryption import FieldEncryption
from app.core.errors import Problem
from app.wechat.client import WeChatSession
from app.wechat.models import WeChatUser
from app.wechat.official import followers


def find_or_add(
    session: Session, encryption: FieldEncryption, wechat: WeChatSession, language: str, now: datetime
) -> WeChatUser:
    """Return the user with this openid, as logged in now; add them at their first log-in."""
    fingerprint = encryption.fingerprint("openid", wechat.openid)
    seen: dict[str, Any] = {"last_login_at": now, "language": language}
    if wechat.unionid is not None:
        seen["unionid_hash"] = followers.hash_of_unionid(encryption, wechat.unionid)
    session.execute(
        insert(WeChatUser)
        .values(
            openid_hash=fingerprint,
            openid_ciphertext=encryption.encrypt("wechat_users.openid", wechat.openid),
            epoch=1,
            created_at=now,
            **seen,
        )
        .on_conflict_do_update(index_elements=["openid_hash"], set_=seen)
    )
    return session.scalars(
        select(WeChatUser).filter_by(openid_hash=fingerprint), execution_options={"populate_existing": True}
    ).one()


def lock_user(session: Session, user_id: int) -> WeChatUser:
    """Return a user, locked until the transaction ends. Raises Problem `session-expired` when they were erased."""
    user = session.get(WeChatUser, user_id, with_for_update=True, populate_existing=True)
    if user is None:
        raise Problem("session-expired")
    return user


def get_openid(session: Session, encryption: FieldEncryption, user_id: int) -> str:
    """Return the openid of a user. Raises Problem `session-expired` when they were erased."""
    user = session.get(WeChatUser, user_id)
    if user is None:
        raise Problem("session-expired")
    return encryption.decrypt("wechat_users.openid", user.openid_ciphertext)


def check_can_register(session: Session, user_id: int, now: datetime) -> int | None:
    """Lock the user, and return the serial of the code that they hold, if any.

    Raises Problem `already-registered` when nobody else can claim it, and the platform has not denied them since.
    """
    serial = lock_user(session, user_id).serial
    if serial is not None:
        code = ledger.get_code(session, serial)
        if code.denied_at is None and not claims.can_be_claimed(code, now):
            raise Problem("already-registered")
    return serial


def unbind_all(session: Session, serial: int, but: int = 0) -> None:
    """Unbind every WeChat user of a code, or all but one, and end their sessions."""
    others = select(WeChatUser).filter_by(serial=serial).where(WeChatUser.id != but)
    for user in session.scalars(others.with_for_update()):
        user.serial, user.epoch = None, _next_epoch(user.epoch)


def unbind(session: Session, user_id: int) -> None:
    """Unbind one WeChat user, and end their sessions."""
    user = session.get_one(WeChatUser, user_id, with_for_update=True, populate_existing=True)
    user.serial, user.epoch = None, _next_epoch(user.epoch)


def lock_users_of(session: Session, serial: int, registered_by: int | None) -> Sequence[WeChatUser]:
    """Return the WeChat users of a code, locked: who is bound to it, and who registered and was unbound since."""
    registered = and_(WeChatUser.id == registered_by, WeChatUser.serial.is_(None))
    users = select(WeChatUser).where(or_(WeChatUser.serial == serial, registered)).order_by(WeChatUser.id)
    return session.scalars(users.with_for_update(), execution_options={"populate_existing": True}).all()


def list_user_ids(session: Session, serial: int) -> Sequence[int]:
    """Return the ids of the WeChat users who are bound to a code."""
    return session.scalars(select(WeChatUser.id).filter_by(serial=serial).order_by(WeChatUser.id)).all()


def bind(session: Session, user_id: int, serial: int, now: datetime) -> None:
    """Bind a WeChat user to a code: their log-ins open it, and they get its notices."""
    user = session.get_one(WeChatUser, user_id, with_for_update=True)
    if user.serial != serial:
        user.serial = serial
        user.epoch = _next_epoch(user.epoch)  # ends the sessions from before the binding
        audit.append(session, Actor("citizen", str(serial)), "wechat-bound", now, serial=serial, user=user_id)
    user.last_login_at = now


def end_sessions(session: Session, user_id: int) -> None:
    """End the sessions that a WeChat user opened before being bound to a code."""
    user = session.get_one(WeChatUser, user_id, with_for_update=True)
    user.epoch = _next_epoch(user.epoch)


def _next_epoch(epoch: int) -> int:
    return epoch % 65_535 + 1


def lock_user_by_openid(session: Session, encryption: FieldEncryption, openid: str) -> WeChatUser | None:
    """Return the user with this openid, locked until the transaction ends; None when they never logged in."""
    of_openid = select(WeChatUser).filter_by(openid_hash=encryption.fingerprint("openid", openid))
    return session.scalar(of_openid.with_for_update(), execution_options={"populate_existing": True})
