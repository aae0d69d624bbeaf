"""Passwords: argon2 hashes, and a verification that takes as long for a name that does not exist.

The cost of a hash is the same for the whole process: `make_services` sets it from the settings.
"""

import argon2

from app.core.errors import FieldError, Problem
from app.core.settings import PasswordSettings


def _hasher_of(cost: PasswordSettings) -> tuple[argon2.PasswordHasher, str]:
    """Return a hasher of this cost, and the hash to verify against where there is no account."""
    hasher = argon2.PasswordHasher(time_cost=cost.time_cost, memory_cost=cost.memory_kib, parallelism=1)
    return hasher, hasher.hash("no account has this password")


_hasher, _dummy_hash = _hasher_of(PasswordSettings())


def set_cost(cost: PasswordSettings) -> None:
    """Use this cost for every hash from now on; existing hashes carry their own."""
    global _hasher, _dummy_hash
    _hasher, _dummy_hash = _hasher_of(cost)


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def verify_password(password: str, password_hash: str | None) -> None:
    """Raise Problem `wrong-credentials` unless the password is right; take as long when there is no account."""
    try:
        _hasher.verify(password_hash or _dummy_hash, password)
    except (argon2.exceptions.VerifyMismatchError, argon2.exceptions.InvalidHashError):
        raise Problem("wrong-credentials") from None
    if password_hash is None:
        raise Problem("wrong-credentials")


def check_strength(password: str, username: str) -> list[FieldError]:
    """Return the fault of a new password, if any: too few different characters, or the user name in it."""
    too_weak = len(set(password)) < 4 or username.lower() in password.lower()
    return [FieldError("/password", "password-too-plain")] if too_weak else []
