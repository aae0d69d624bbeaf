"""Entries of the policy that have been in force are never edited: old decisions are explained by them.

`policy_entries.txt` holds a digest of each, and by its version of all that decides a color. A new entry brings a new
line and a new version; no line ever changes.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.rules.situations import POLICY_TEXT

PINNED = Path(__file__).with_name("policy_entries.txt")


def _entries() -> Iterator[tuple[str, Any]]:
    policy = tomllib.loads(POLICY_TEXT)
    dated = {name: policy.pop(name) for name in ("entry_days", "foreign_actions", "follow_ups", "venue_codes")}
    yield f"version {policy['version']}", policy  # those decide no color, and change without a new version
    for name, values in dated.items():
        for value in values:
            yield f"{name} {value['from']}", value
    for name, values in policy["parameters"].items():
        for value in values:
            yield f"{name} {value['from']}", value
    for rule in policy["rules"]:
        for text in rule["texts"]:
            yield f"{rule['id']} {text['from']}", {"color": rule.get("color"), **text}


def _digest(entry: Any) -> str:
    plain = json.dumps(entry, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def test_no_entry_of_the_policy_is_edited_or_removed() -> None:
    pinned = dict(line.rsplit(" ", 1) for line in PINNED.read_text(encoding="utf-8").splitlines())
    present = {name: _digest(entry) for name, entry in _entries()}
    for name, digest in pinned.items():
        if name.startswith("version ") and name not in present:
            continue  # an older version of the file
        assert present.get(name) == digest, (
            f"policy.toml: what belongs to {name!r} was edited or removed, and old decisions are explained by it."
            " Put it back as it was, add a new entry with a later `from`, and give the file a new version."
        )
    new = [f"{name} {digest}" for name, digest in present.items() if name not in pinned]
    assert not new, "\n".join([f"New entries: add these lines to {PINNED.name} when they are final:", *new])
