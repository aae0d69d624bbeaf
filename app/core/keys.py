"""The key files: one file for each key, readable by their owner alone.

Owns how keys are created, stored, checked and rotated. Never replaces or changes an existing file, and never puts the
content of one into a message. `signing-<kid>.json` says from when its key signs; it signs until the next one begins, so
that a rotation only adds a file.
"""

import base64
import binascii
import hmac
import json
import os
import secrets
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.core.clock import rfc3339
from app.core.errors import ConfigError, StartError

# bytes; AES-GCM and HMAC take 32, AES-SIV takes two keys of 32
KEY_SIZES = {"sealing": 32, "lookup": 32, "session": 64, "pseudonym": 64}
TOMBSTONE = "ended.json"  # in the place of the keys of a service that is ended
_SEED = 32
_LASTING = ("sealing", "lookup", "pseudonym")  # another one in their place would read nothing of what is there
_FINGERPRINT_PURPOSE = b"jixiang-backup-keys-v1"
_THUMBPRINT_START = bytes.fromhex("a301012006215820")  # CBOR of {1: OKP, -1: Ed25519, -2: the 32 bytes that follow}


class SigningKey(NamedTuple):
    """An Ed25519 key that signs the tokens issued from `since` up to `until`; the newest key has no `until`."""

    kid: str
    since: datetime
    until: datetime | None
    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self.private.public_key().public_bytes_raw()


@dataclass(frozen=True, slots=True)
class Keys:
    """Every key of the system. `signing` has the oldest first and is never empty."""

    sealing: bytes = field(repr=False)
    lookup: bytes = field(repr=False)
    session: bytes = field(repr=False)
    pseudonym: bytes = field(repr=False)
    signing: tuple[SigningKey, ...]


def load_keys(directory: Path) -> Keys:
    """Return the keys in a directory. Raises ConfigError for a file that is missing, readable by others or damaged.

    Raises StartError where they were destroyed.
    """
    refuse_ended(directory)
    if not directory.is_dir():
        raise ConfigError(f"The key directory {directory} does not exist; run `jixiang keys create`.")
    if stat.S_IMODE(directory.stat().st_mode) & 0o022:
        raise ConfigError(f"The key directory {directory} can be changed by others; run chmod 700 {directory}")
    return Keys(
        **{name: _read_secret(directory / f"{name}.key", size) for name, size in KEY_SIZES.items()},
        signing=_read_signing_keys(directory),
    )


def is_ended(directory: Path) -> bool:
    """Return whether a tombstone is in the place of the keys."""
    return (directory / TOMBSTONE).exists()


def refuse_ended(directory: Path) -> None:
    """Raise StartError where a tombstone is in the place of the keys, also when somebody has put a copy beside it."""
    if is_ended(directory):
        raise StartError("The service is ended and its keys are destroyed; read the report: `jixiang service status`.")


def load_signing_keys(directory: Path) -> Keys:
    """Return the keys that sign, with nothing in the place of the others. Raises ConfigError."""
    return Keys(b"", b"", b"", b"", _read_signing_keys(directory))


def fingerprint(keys: Keys) -> str:
    """Return 16 hex digits that differ for other keys of encrypted columns, and show nothing of them."""
    return hmac.digest(keys.sealing + keys.lookup, _FINGERPRINT_PURPOSE, "sha256").hex()[:16]


def holds_keys(directory: Path) -> bool:
    """Return whether there is any key file in a directory."""
    return any(directory.glob("*.key")) or bool(_signing_files(directory))


def create_keys(directory: Path, now: datetime, *, fill: bool = False) -> None:
    """Create every missing key and leave the others as they are. A new signing key signs from `now` on.

    A directory that has lost a key is no new one: unless `fill` is given, raises ConfigError with every such file.
    """
    refuse_ended(directory)
    lost = [f"{name}.key" for name in _LASTING if not (directory / f"{name}.key").exists()]
    if lost and holds_keys(directory) and not fill:
        raise ConfigError(
            f"The key directory {directory} has other keys, but lacks {', '.join(lost)}; put the copy back. "
            "If it is lost for good, see `jixiang keys adopt`."
        )
    _make_directory(directory)
    for name, size in KEY_SIZES.items():
        write_new(directory / f"{name}.key", base64.b64encode(secrets.token_bytes(size)) + b"\n")
    if not _signing_files(directory):
        _add_signing_key(directory, now)


def rotate(directory: Path, begins: datetime) -> str:
    """Add a signing key that takes over at a future moment, and return its kid.

    Until then stations get the new key from the published set, and every process is restarted to read it.
    Raises ConfigError when a key already begins at that moment or later.
    """
    if load_keys(directory).signing[-1].since >= begins:
        raise ConfigError(f"A signing key already begins at {rfc3339(begins)} or later; choose a later moment.")
    return _add_signing_key(directory, begins)


def signing_key_at(signing: Sequence[SigningKey], now: datetime) -> SigningKey:
    """Return the key that signs at a moment; the first one also before it begins."""
    for key in reversed(signing):
        if key.since <= now:
            return key
    return signing[0]


def thumbprint(public: bytes) -> str:
    """Return the SHA-256 thumbprint of an Ed25519 public key (RFC 9679) in hex; a kid is its first 8 digits."""
    return sha256(_THUMBPRINT_START + public).hexdigest()


def _add_signing_key(directory: Path, since: datetime) -> str:
    private = Ed25519PrivateKey.generate()
    kid = thumbprint(private.public_key().public_bytes_raw())[:8]
    seed = base64.b64encode(private.private_bytes_raw()).decode()
    content = json.dumps({"from": rfc3339(since), "seed": seed}) + "\n"
    write_new(directory / f"signing-{kid}.json", content.encode())
    return kid


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"The key directory {directory} cannot be made ({error.strerror}); make it, or name another one."
        ) from None


def write_new(file: Path, content: bytes) -> None:
    """Write a file atomically under an unused name; an existing file stays as it is."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        os.link(temporary, file)  # unlike a rename, a link never replaces
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigError(
            f"The key file {file} cannot be written ({error.strerror}); check the mode and the disk of its directory."
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def read_private(file: Path) -> bytes:
    """Return the content of a key file that only its owner can use."""
    try:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise ConfigError(f"The key file {file} can be used by others; run chmod 600 {file}")
        return file.read_bytes()
    except FileNotFoundError:
        raise ConfigError(
            f"The key file {file} is missing; put its copy back, or run `jixiang keys create` on a new system."
        ) from None
    except OSError as error:
        raise ConfigError(f"The key file {file} cannot be read ({error.strerror}); run this as its owner.") from None


def _damaged(file: Path) -> ConfigError:
    return ConfigError(f"The key file {file} is damaged; put its copy back.")


def _read_secret(file: Path, size: int) -> bytes:
    try:
        secret = base64.b64decode(read_private(file).strip(), validate=True)
    except (ValueError, binascii.Error):
        raise _damaged(file) from None
    if len(secret) != size:
        raise _damaged(file)
    return secret


def _signing_files(directory: Path) -> list[Path]:
    return sorted(directory.glob("signing-*.json"))


def _read_signing_keys(directory: Path) -> tuple[SigningKey, ...]:
    keys = sorted(map(_read_signing_key, _signing_files(directory)), key=lambda key: (key.since, key.kid))
    if not keys:
        raise ConfigError(f"There is no signing key in {directory}; run `jixiang keys create`.")
    retired = [key._replace(until=successor.since) for key, successor in pairwise(keys)]
    return (*retired, keys[-1])


def _read_signing_key(file: Path) -> SigningKey:
    """Return one signing key; the file is damaged unless its name matches its content."""
    try:
        content = json.loads(read_private(file))
        since = datetime.fromisoformat(content["from"])
        private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(content["seed"], validate=True))
    except (ValueError, KeyError, TypeError):
        raise _damaged(file) from None
    kid = thumbprint(private.public_key().public_bytes_raw())[:8]
    if since.tzinfo is None or file.name != f"signing-{kid}.json":
        raise _damaged(file)
    return SigningKey(kid, since, None, private)
