"""Passwords: argon2 hashes, and a check that takes as long for a name that does not exist."""

import argon2

from app.core.errors import FieldError, Problem

_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's second profile
_DUMMY_HASH = _hasher.hash("no account has this password")


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def verify_password(password: str, password_hash: str | None) -> None:
    """Raises Problem `wrong-credentials` unless the password fits; as slowly when there is no account."""
    try:
        _hasher.verify(password_hash or _DUMMY_HASH, password)
    except (argon2.exceptions.VerifyMismatchError, argon2.exceptions.InvalidHashError):
        raise Problem("wrong-credentials") from None
    if password_hash is None:
        raise Problem("wrong-credentials")


def check_strength(password: str, username: str) -> list[FieldError]:
    """What is wrong with a new password: too short, too plain, or the user name itself."""
    too_plain = len(set(password)) < 4 or username.lower() in password.lower()
    return [FieldError("/password", "password-too-plain")] if too_plain else []
