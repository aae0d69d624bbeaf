"""PasswordSettings: argon2 hashes, and a check that takes as long for a name that does not exist.

The cost of a hash is one for the whole process: `make_services` sets it from the settings.
"""

import argon2

from app.core.errors import FieldError, Problem
from app.core.settings import PasswordSettings


def _hasher_of(cost: PasswordSettings) -> tuple[argon2.PasswordHasher, str]:
    """A hasher of this cost, and the hash that is checked where there is no account."""
    hasher = argon2.PasswordHasher(time_cost=cost.time_cost, memory_cost=cost.memory_kib, parallelism=1)
    return hasher, hasher.hash("no account has this password")


_hasher, _nobody = _hasher_of(PasswordSettings())


def set_cost(cost: PasswordSettings) -> None:
    """Make every hash from now on at this cost; the hashes that exist carry their own."""
    global _hasher, _nobody
    _hasher, _nobody = _hasher_of(cost)


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def verify_password(password: str, password_hash: str | None) -> None:
    """Raises Problem `wrong-credentials` unless the password fits; as slowly when there is no account."""
    try:
        _hasher.verify(password_hash or _nobody, password)
    except (argon2.exceptions.VerifyMismatchError, argon2.exceptions.InvalidHashError):
        raise Problem("wrong-credentials") from None
    if password_hash is None:
        raise Problem("wrong-credentials")


def check_strength(password: str, username: str) -> list[FieldError]:
    """What is wrong with a new password: too short, too plain, or the user name itself."""
    too_plain = len(set(password)) < 4 or username.lower() in password.lower()
    return [FieldError("/password", "password-too-plain")] if too_plain else []
