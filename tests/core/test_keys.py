"""The key files: created once, never replaced, and refused in one line when something is wrong with them."""

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import cbor2
import pytest

from app.core.errors import ConfigError
from app.core.keys import create_keys, load_keys, rotate

NOW = datetime(2020, 3, 20, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SECRETS = ["sealing.key", "lookup.key", "session.key", "pseudonym.key"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "safe" / "keys"
    create_keys(directory, NOW)
    return directory


def contents(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


def signing_file(directory: Path) -> Path:
    [file] = directory.glob("signing-*.json")
    return file


def refusal(directory: Path) -> str:
    """The one line with which the keys are refused; nothing of what the files hold is in it."""
    with pytest.raises(ConfigError) as caught:
        load_keys(directory)
    line = str(caught.value)
    assert "\n" not in line
    assert caught.value.__cause__ is None
    for content in contents(directory).values() if directory.is_dir() else ():
        assert len(content) < 8 or content.decode(errors="replace").strip() not in line
    return line


def test_created_keys_have_the_sizes_that_their_ciphers_take(directory: Path) -> None:
    keys = load_keys(directory)
    assert [len(key) for key in (keys.sealing, keys.lookup, keys.session, keys.pseudonym)] == [32, 32, 64, 64]
    assert len({keys.sealing, keys.lookup, keys.session[:32], keys.pseudonym[:32]}) == 4
    [signing] = keys.signing
    assert (signing.since, signing.until, len(signing.public)) == (NOW, None, 32)


def test_only_the_owner_may_use_what_was_created(directory: Path) -> None:
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()} == {0o600}


def test_a_loose_umask_loosens_nothing(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        create_keys(tmp_path / "keys", NOW)
    finally:
        os.umask(before)
    test_only_the_owner_may_use_what_was_created(tmp_path / "keys")


def test_nothing_but_the_keys_is_left_behind(directory: Path) -> None:
    assert sorted(contents(directory)) == sorted([*SECRETS, signing_file(directory).name])


def test_creating_again_replaces_nothing(directory: Path) -> None:
    before = contents(directory)
    create_keys(directory, NOW + DAY)
    assert contents(directory) == before


@pytest.mark.parametrize("name", SECRETS)
def test_creating_again_fills_in_no_key_that_data_needs_unless_told(directory: Path, name: str) -> None:
    before = contents(directory)
    (directory / name).unlink()
    if name != "session.key":
        with pytest.raises(ConfigError, match=f"lacks {name}"):
            create_keys(directory, NOW)
        assert contents(directory).keys() == before.keys() - {name}
    create_keys(directory, NOW, fill=name != "session.key")
    after = contents(directory)
    assert after.keys() == before.keys()
    assert {changed for changed in before if after[changed] != before[changed]} == {name}


def test_two_systems_have_no_key_in_common(tmp_path: Path) -> None:
    for name in ("one", "other"):
        create_keys(tmp_path / name, NOW)
    one, other = contents(tmp_path / "one"), contents(tmp_path / "other")
    assert not set(one.values()) & set(other.values())


def test_keys_do_not_show_themselves(directory: Path) -> None:
    keys = load_keys(directory)
    for secret in (keys.sealing, keys.lookup, keys.session, keys.pseudonym):
        assert repr(secret)[2:12] not in repr(keys)


def test_the_kid_begins_the_thumbprint_of_rfc_9679(directory: Path) -> None:
    [key] = load_keys(directory).signing
    cose_key = cbor2.dumps({1: 1, -1: 6, -2: key.public}, canonical=True)
    assert key.kid == sha256(cose_key).hexdigest()[:8]


# --- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SECRETS)
def test_a_missing_file_is_named(directory: Path, name: str) -> None:
    (directory / name).unlink()
    line = refusal(directory)
    assert f"{directory / name} is missing; put its copy back" in line


def test_a_missing_signing_key_is_told(directory: Path) -> None:
    signing_file(directory).unlink()
    assert "no signing key" in refusal(directory)


def test_a_missing_directory_is_told(tmp_path: Path) -> None:
    assert "jixiang keys create" in refusal(tmp_path / "nowhere")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_file_that_others_may_use_is_refused_with_the_remedy(directory: Path, mode: int) -> None:
    for file in (directory / "sealing.key", signing_file(directory)):
        file.chmod(mode)
        assert f"chmod 600 {file}" in refusal(directory)
        file.chmod(0o600)


def test_a_directory_that_others_may_change_is_refused(directory: Path) -> None:
    directory.chmod(0o770)
    assert f"chmod 700 {directory}" in refusal(directory)


DAMAGE = {
    "empty": b"",
    "cut short": b"AAAA",
    "no base64": b"not base64 at all!",
    "too long": b"A" * 200,
    "binary": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("name", SECRETS)
def test_a_damaged_file_is_named(directory: Path, name: str, how: str) -> None:
    (directory / name).write_bytes(DAMAGE[how])
    assert f"{directory / name} is damaged" in refusal(directory)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "AAAA"},
        {"seed": "A" * 43 + "="},  # a key, but of another kid
        {"seed": 5},
        {"from": "soon"},
        {"from": "2020-03-20T12:00:00"},
        {"from": None},
    ],
    ids=str,
)
def test_a_damaged_signing_key_is_named(directory: Path, change: dict[str, object]) -> None:
    file = signing_file(directory)
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    assert f"{file} is damaged" in refusal(directory)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"from": '])
def test_a_signing_key_that_is_no_json_object_is_damaged(directory: Path, content: bytes) -> None:
    signing_file(directory).write_bytes(content)
    assert "damaged" in refusal(directory)


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="cannot be made"):
        create_keys(tmp_path / "file" / "keys", NOW)


# --- change of keys --------------------------------------------------------------------------------------------


def test_a_rotation_adds_a_file_and_touches_no_other(directory: Path) -> None:
    before = contents(directory)
    kid = rotate(directory, NOW + DAY)
    after = contents(directory)
    assert after.keys() - before.keys() == {f"signing-{kid}.json"}
    assert before.items() <= after.items()


def test_a_key_signs_until_the_next_one_begins(directory: Path) -> None:
    kids = [load_keys(directory).signing[0].kid, rotate(directory, NOW + DAY), rotate(directory, NOW + 2 * DAY)]
    signing = load_keys(directory).signing
    assert [key.kid for key in signing] == kids
    assert [(key.since, key.until) for key in signing] == [
        (NOW, NOW + DAY),
        (NOW + DAY, NOW + 2 * DAY),
        (NOW + 2 * DAY, None),
    ]


@pytest.mark.parametrize("begins", [NOW, NOW - DAY])
def test_a_rotation_does_not_reach_into_the_past_of_a_key(directory: Path, begins: datetime) -> None:
    before = contents(directory)
    with pytest.raises(ConfigError, match="later moment"):
        rotate(directory, begins)
    assert contents(directory) == before
