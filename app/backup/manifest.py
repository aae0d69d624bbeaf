"""The manifest of a backup, FILE.json: what is in the dump, and which keys it needs, without a secret.

It is signed with the keys: whoever can write to the storage of the backups, and has none of them, can make no other.
"""

import hmac
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import file_digest
from pathlib import Path

from app.core.errors import StartError
from app.core.keys import Keys, fingerprint
from app.migrations.schema import known_revisions

FORMAT = 2
_UNSIGNED = 1  # the format of before
_SIGNATURE_PURPOSE = b"jixiang-backup-manifest-v1"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of a dump.

    `made_at` is the moment of its snapshot by the database's clock, `newest_event` that of its last audit event by
    ours. `keys` is a fingerprint of the keys without which encrypted columns and documents are lost, `signing_keys` the
    kids that verify the checkpoints of the audit. `signature` is a keyed hash of all the rest, of the digest too.
    """

    format: int
    version: str
    made_at: str
    newest_event: str | None
    schema: str
    server: int
    keys: str
    signing_keys: list[str]
    size: int
    sha256: str
    signature: str = ""


def manifest_file(dump: Path) -> Path:
    return dump.with_name(f"{dump.name}.json")


def digest(file: Path) -> str:
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()


def to_text(manifest: Manifest) -> str:
    return json.dumps(asdict(manifest), indent=2) + "\n"


def signed(manifest: Manifest, keys: Keys) -> Manifest:
    """Return the manifest with its signature, which takes the keys to make."""
    content = json.dumps(asdict(replace(manifest, signature="")), sort_keys=True).encode()
    key = hmac.digest(keys.sealing + keys.lookup, _SIGNATURE_PURPOSE, "sha256")
    return replace(manifest, signature=hmac.digest(key, content, "sha256").hex())


def read_manifest(dump: Path, keys: Keys, *, unsigned: bool = False) -> Manifest:
    """Return the manifest of a dump that can be put back here, with these keys. Raises StartError for another one.

    `unsigned` takes the manifest of an older version, which anybody may have written.
    """
    file = manifest_file(dump)
    try:
        manifest = Manifest(**json.loads(file.read_text(encoding="utf-8")))
        datetime.fromisoformat(manifest.made_at)
        size = dump.stat().st_size
    except OSError as error:
        if error.filename == str(file):
            raise StartError(
                f"{file} cannot be read ({error.strerror}): put the manifest of the backup, made with it, beside it."
            ) from None
        raise StartError(f"{error.filename} cannot be read ({error.strerror}); check its name and mode.") from None
    except (ValueError, TypeError):
        raise StartError(
            f"{file} is no manifest of a backup; put the one that was made with it in its place."
        ) from None
    _require_fitting(manifest, keys)
    _require_signature(manifest, keys, unsigned)
    if size != manifest.size or digest(dump) != manifest.sha256:
        raise StartError(
            f"{dump} is not what {file} describes: it is damaged, or of another backup; take another copy of both."
        )
    return manifest


def _require_fitting(manifest: Manifest, keys: Keys) -> None:
    missing = [kid for kid in manifest.signing_keys if kid not in {key.kid for key in keys.signing}]
    if manifest.format not in (_UNSIGNED, FORMAT) or manifest.schema not in known_revisions():
        raise StartError("The backup was made by a newer version; install that one first.")
    if manifest.keys != fingerprint(keys):
        raise StartError("The backup was made with other keys; put the copy of its key directory back first.")
    if missing:
        raise StartError(f"Signing keys of the backup are missing, put their files back first: {', '.join(missing)}")


def _require_signature(manifest: Manifest, keys: Keys, unsigned: bool) -> None:
    if manifest.format == FORMAT:
        if not hmac.compare_digest(str(manifest.signature).encode(), signed(manifest, keys).signature.encode()):
            raise StartError("The manifest was changed by somebody without the keys; take another backup.")
    elif not unsigned:
        raise StartError(
            "The manifest is not signed: a former version made it, or a forger. If you know that it is your own, and "
            "that nobody else could write to it, give --unsigned."
        )
