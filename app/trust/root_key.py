"""The root key, which signs trust lists: a file of its own, on a machine that issues no codes.

Everybody else has the public half alone, in `trust.root` and on the phones of stations.
"""

import base64
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.core.errors import ConfigError
from app.core.keys import read_private, write_new


def create_root(file: Path) -> str:
    """Write a new root key to a new file, which only its owner can read, and return the public half in base64url.

    Raises ConfigError.
    """
    if file.exists():
        raise ConfigError(f"{file} exists already; name a new file.")
    private = Ed25519PrivateKey.generate()
    seed = base64.b64encode(private.private_bytes_raw()).decode()
    write_new(file, (json.dumps({"use": "trust-root", "seed": seed}) + "\n").encode())
    return public_text(private)


def read_root(file: Path) -> Ed25519PrivateKey:
    """Return the root key in a file. Raises ConfigError for one that is none, or that others can read."""
    if not file.exists():
        raise ConfigError(f"There is no root key at {file}; name the file that `jixiang trust create-root` wrote.")
    try:
        content = json.loads(read_private(file))
        if content["use"] != "trust-root":
            raise ValueError(content["use"])
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(content["seed"], validate=True))
    except (ValueError, KeyError, TypeError):
        raise ConfigError(f"{file} has no root key; name the file that `jixiang trust create-root` wrote.") from None


def public_text(private: Ed25519PrivateKey) -> str:
    """Return the public half in base64url, 43 characters."""
    return base64.urlsafe_b64encode(private.public_key().public_bytes_raw()).rstrip(b"=").decode()


def public_bytes(text: str) -> bytes:
    """Return the 32 bytes of a public half as `public_text` writes it. Raises ValueError for anything else."""
    raw = base64.urlsafe_b64decode(text + "=")  # leaves out what is not its alphabet, such as the dots of a file's name
    if len(raw) != 32:
        raise ValueError("no public key")
    return raw
