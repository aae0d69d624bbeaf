"""Confirmation of who asks: a session alone neither deletes an account nor hands out everything about a person.

The password of the account confirms it, or a new log-in with WeChat, by a WeChat user who is bound to it. What somebody
says of themselves is confirmed by the platform.
"""

from typing import NamedTuple

from pydantic import Field
from sqlalchemy.orm import Session as Database

from app.citizens import accounts, credentials, platform_calls, wechat_calls
from app.citizens.models import Account
from app.citizens.registration import Registration
from app.core.errors import Problem, bad_field
from app.web import RequestBody, current_session, get_services, limits
from app.web.own_record import check_session
from app.wechat import login
from app.wechat.models import WeChatUser


class ConfirmationBody(RequestBody):
    password: str | None = Field(default=None, min_length=1, max_length=128, repr=False)
    wechat_code: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        repr=False,
        description="Instead of the password: a new code of wx.login, by the WeChat user bound to the account",
    )


class Confirmation(NamedTuple):
    """What confirms the caller: their account with its checked password, or the openid of a new log-in."""

    account: Account | None
    openid: str | None


def ask_for_confirmation(body: ConfirmationBody) -> Confirmation:
    """Check the password, or ask WeChat, with no transaction open. Raises Problem."""
    if body.password is None and body.wechat_code is None:
        raise bad_field("/password", "required")
    if body.password is not None and body.wechat_code is not None:
        raise bad_field("/wechat_code", "confirmed-twice")
    if body.wechat_code is not None:
        return Confirmation(None, wechat_calls.exchange_code(get_services(), body.wechat_code).openid)
    with get_services().sessions() as database:
        serial = current_session().serial
        return Confirmation(credentials.check_own_password(database, serial, body.password or "", "/password"), None)


def ask_for_identity(form: Registration) -> bool:
    """Ask the platform whether name, document and phone of a valid form belong together, with no transaction open.

    Return False while it cannot say. Raises Problem `identity-mismatch`, which counts against the caller.
    """
    services = get_services()
    try:
        return platform_calls.check_identity(services, form, services.clock.now())
    except Problem:
        limits.note_mismatch()
        raise


def lock_confirmed(database: Database, confirmation: Confirmation) -> WeChatUser | None:
    """Lock the caller's code, and the WeChat user who confirms or has the session, whom it returns.

    Raises Problem `session-expired`, or `wechat-user-of-another` when who confirms is not bound to the account.
    """
    user = _lock_user(database, confirmation.openid)
    check_session(database)
    if confirmation.account is not None:
        accounts.relock(database, confirmation.account)  # checking a password takes long, without a lock
    return user


def _lock_user(database: Database, openid: str | None) -> WeChatUser | None:
    serial, subject = current_session().serial, current_session().subject
    if openid is None:
        user = database.get(WeChatUser, subject, with_for_update=True) if subject else None
        return user if user is not None and user.serial == serial else None
    user = login.lock_user_by_openid(database, get_services().encryption, openid)
    if user is None or user.serial != serial:
        raise Problem("wechat-user-of-another")
    return user
