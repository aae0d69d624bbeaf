"""What an officer logs in with: resetting the password or the authenticator of another, changing one's own password.

Whoever has set the one does not set the other: `second_administrator`.
"""

from app.core.errors import FieldError, Problem
from app.core.passwords import find_password_errors, generate_password, given_until, hash_password, verify_password
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
    password = generate_password()
    officer.password_hash, officer.must_change_password = hash_password(password), True
    officer.password_ends_at = given_until(context.now)
    _end_sessions(context, officer)
    context.append_audit("officer-password-reset", officer=officer.id, **mark_alone(alone))
    return password


def change_password(context: OfficerContext, current: str, new: str, keep_session: int) -> None:
    """Change one's own password; one's other sessions end. Raises Problem, `wrong-credentials` for the current one."""
    officer = context.session.get_one(Officer, context.me.id, with_for_update=True, populate_existing=True)
    try:
        verify_password(current, officer.password_hash)
    except Problem as problem:
        raise Problem(problem.slug, fields=(FieldError("/current", "password-wrong"),)) from None
    wrong = find_password_errors(new, officer.username)
    if new == current:
        wrong = [FieldError("/password", "password-same")]
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    officer.password_hash, officer.must_change_password = hash_password(new), False
    officer.password_ends_at = None
    _end_sessions(context, officer, but=keep_session)
    context.append_audit("officer-password-changed", officer=officer.id)


def _end_sessions(context: OfficerContext, officer: Officer, but: int | None = None) -> None:
    sessions.end_all(context.session, officer, actor=context.actor, now=context.now, but=but)
