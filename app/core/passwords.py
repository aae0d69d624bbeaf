"""Passwords: argon2 hashes, a verification that takes as long for a name that does not exist, and what is refused.

The cost of a hash, and how long a given password holds, are the same for the whole process: `make_services` sets them
from the settings.
"""

import base64
import ctypes
import re
import secrets
import unicodedata
from datetime import datetime
from typing import Final

import argon2

from app.core.errors import FieldError, Problem
from app.core.settings import PasswordSettings


def _encode(octets: bytes) -> str:
    """Return base64 as it is in the text of a hash: without padding."""
    return base64.b64encode(octets).decode().rstrip("=")


def _hasher_of(cost: PasswordSettings) -> tuple[argon2.PasswordHasher, str]:
    """Return a hasher of this cost, and what is verified against where there is no account: zeros of the same cost."""
    hasher = argon2.PasswordHasher(time_cost=cost.time_cost, memory_cost=cost.memory_kib, parallelism=1)
    salt, digest = (_encode(bytes(size)) for size in (hasher.salt_len, hasher.hash_len))
    return hasher, f"$argon2id$v=19$m={cost.memory_kib},t={cost.time_cost},p=1${salt}${digest}"


_hasher, _dummy_hash = _hasher_of(PasswordSettings())
_given_lifetime = PasswordSettings().given_lifetime

MAX_LENGTH: Final = 128
MIN_LENGTH: Final = 8  # of a citizen's password
MIN_STAFF_LENGTH: Final = 12  # of an officer's or inspector's
_M_MMAP_THRESHOLD: Final = -3  # of <malloc.h>
_GIVEN_BACK_FROM: Final = 1_048_576  # bytes
_MIN_GUESSES: Final = 1e6
_GUESSED: Final = 16  # characters that are rated: the time of zxcvbn grows with the length, up to seconds
_LOCAL_WORDS: Final = ("jixiangma", "jixiang", "jiankangma", "jiankang", "changchun", "jilin", "woaini", "zhongguo")


def configure(settings: PasswordSettings) -> None:
    """Use this cost for every hash, and this lifetime of given passwords, from now on; hashes carry their own cost."""
    global _hasher, _dummy_hash, _given_lifetime
    _give_memory_back()
    (_hasher, _dummy_hash), _given_lifetime = _hasher_of(settings), settings.given_lifetime


def _give_memory_back() -> None:
    """Have the memory of a hash, 19 MiB, given back after it: glibc would keep it for the next large allocation."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # others than glibc have none, and do not keep it
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _GIVEN_BACK_FROM)


def given_until(now: datetime) -> datetime:
    """Return when a password ends that is given to somebody now, unless they use it before."""
    return now + _given_lifetime


def generate_password() -> str:
    """Generate a password for somebody else, 96 bits in sixteen letters."""
    return secrets.token_urlsafe(12)


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


def find_password_errors(password: str, username: str, least: int = MIN_STAFF_LENGTH) -> list[FieldError]:
    """Return what is wrong with a new password, if anything; `least` is the shortest length."""
    if not password:
        return [FieldError("/password", "password-needed")]
    if len(password) < least:
        return [FieldError("/password", "password-short" if least == MIN_STAFF_LENGTH else "own-password-short")]
    if len(password) > MAX_LENGTH:
        return [FieldError("/password", "too-long")]
    return _check_strength(password, username)


def _check_strength(password: str, username: str) -> list[FieldError]:
    """Return the fault of a new password, if any: too few different characters, the user name in it, or guessable."""
    if len(set(password)) < 4 or (username and username.lower() in password.lower()):
        return [FieldError("/password", "password-too-plain")]
    return [FieldError("/password", "password-common")] if _is_guessable(password, username) else []


def _is_guessable(password: str, username: str) -> bool:
    """Return whether the beginning is among a million guesses: common passwords, names, keyboard runs, dates."""
    from zxcvbn import zxcvbn  # here, for its lists take 13 MiB of each process that loads them

    beginning = unicodedata.normalize("NFKC", password).casefold()[:_GUESSED]
    own = [username, *re.split(r"[._-]+", username), *_LOCAL_WORDS]
    return bool(zxcvbn(beginning, user_inputs=[word for word in own if len(word) >= 3])["guesses"] < _MIN_GUESSES)
