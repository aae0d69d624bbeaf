"""The manifest of a backup, FILE.json: what is in the dump, and which keys it needs, without a secret."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import file_digest
from pathlib import Path

from app.core.errors import StartError
from app.core.keys import Keys, fingerprint
from app.migrations.runner import known_revisions

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of a dump.

    `made_at` is the moment of its snapshot by the database's clock, `newest_event` that of its last audit event by
    ours. `keys` is a fingerprint of the keys without which encrypted columns and documents are lost, `signing_keys` the
    kids that verify the checkpoints of the audit.
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


def manifest_file(dump: Path) -> Path:
    return dump.with_name(f"{dump.name}.json")


def digest(file: Path) -> str:
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()


def to_text(manifest: Manifest) -> str:
    return json.dumps(asdict(manifest), indent=2) + "\n"


def read_manifest(dump: Path, keys: Keys) -> Manifest:
    """Return the manifest of a dump that can be put back here, with these keys. Raises StartError for another one."""
    file = manifest_file(dump)
    try:
        manifest = Manifest(**json.loads(file.read_text(encoding="utf-8")))
        datetime.fromisoformat(manifest.made_at)
        size = dump.stat().st_size
    except OSError as error:
        if error.filename == str(file):
            raise StartError(
                f"{file} cannot be read ({error.strerror}): it is the manifest of the backup, made and kept beside it."
            ) from None
        raise StartError(f"{error.filename} cannot be read ({error.strerror}).") from None
    except (ValueError, TypeError):
        raise StartError(f"{file} is no manifest of a backup.") from None
    _require_fitting(manifest, keys)
    if size != manifest.size or digest(dump) != manifest.sha256:
        raise StartError(f"{dump} is not what {file} describes: it is damaged, or of another backup.")
    return manifest


def _require_fitting(manifest: Manifest, keys: Keys) -> None:
    missing = [kid for kid in manifest.signing_keys if kid not in {key.kid for key in keys.signing}]
    if manifest.format != FORMAT or manifest.schema not in known_revisions():
        raise StartError("The backup was made by a newer version; install that one first.")
    if manifest.keys != fingerprint(keys):
        raise StartError("The backup was made with other keys; put the copy of its key directory back first.")
    if missing:
        raise StartError(f"Signing keys of the backup are missing, put their files back first: {', '.join(missing)}")
