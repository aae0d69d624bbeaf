"""What an officer logs in with: resetting the password or the authenticator of another, changing one's own password.

Whoever has set the one does not set the other: `second_administrator`.
"""

from app.core.errors import FieldError, Problem
from app.core.identity.staff_accounts import choose_password, give_password
from app.staff import officers, sessions, totp
from app.staff.context import OfficerContext
from app.staff.models import Officer
from app.staff.second_administrator import mark_alone, require_other_person


def reset_totp(context: OfficerContext, officer_id: int) -> str:
    """Return a new secret for an officer's authenticator; the old one and all sessions end.

    Raises Problem, `second-administrator` where the same person has set a password that is not changed yet.
    """
    officer = officers.lock_other_officer(context, officer_id)
    alone = officer.must_change_password and require_other_person(context, officer, "officer-password-reset")
    secret = totp.generate_secret()
    officer.totp_ciphertext, officer.totp_step = context.encryption.encrypt("officers.totp", secret), None
    _end_sessions(context, officer)
    context.append_audit("officer-totp-reset", officer=officer.id, **mark_alone(alone))
    return secret


def reset_password(context: OfficerContext, officer_id: int) -> str:
    """Return a password with which an officer can only set another; the old one and all sessions end.

    The first one of an account is how another person confirms it. Raises Problem, `second-administrator` where the same
    person has set the secret of the authenticator.
    """
    officer = officers.lock_other_officer(context, officer_id)
    alone = require_other_person(context, officer, "officer-totp-reset", "officer-added")
    password = give_password(officer, context.now)
    _end_sessions(context, officer)
    context.append_audit("officer-password-reset", officer=officer.id, **mark_alone(alone))
    return password


def change_password(context: OfficerContext, current: str, new: str, keep_session: int) -> None:
    """Change one's own password; one's other sessions end. Raises Problem, `wrong-credentials` for the current one."""
    officer = context.session.get_one(Officer, context.me.id)
    try:
        choose_password(context.session, officer, current, new, "/password")
    except Problem as problem:
        if problem.slug != "wrong-credentials":
            raise
        raise Problem(problem.slug, fields=(FieldError("/current", "password-wrong"),)) from None
    _end_sessions(context, officer, but=keep_session)
    context.append_audit("officer-password-changed", officer=officer.id)


def _end_sessions(context: OfficerContext, officer: Officer, but: int | None = None) -> None:
    sessions.end_all(context.session, officer, actor=context.actor, now=context.now, but=but)
