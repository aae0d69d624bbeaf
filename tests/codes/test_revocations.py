"""The revocation list: what is lost is listed at once, hardly anything else is, and a broken list stops nobody."""

import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from app.cli import main
from app.codes.paper import revocations
from app.codes.tokens import CodeTokens, ListUnusable, Paper, PaperTokens, RevocationList, read_list
from app.codes.tokens.revocation import pack_list, require_sound
from app.core.clock import rfc3339
from app.core.keys import load_keys, rotate
from app.runtime import Services
from tests.support.clock import StandingClock
from tests.support.jobs import run_worker
from tests.support.people import Phone
from tools.make_vectors import NOW, invented_keys

KEYS = invented_keys()
KEY_SET = CodeTokens(KEYS, timedelta(seconds=60), timedelta(seconds=10)).key_set(NOW)
VERSION = int(NOW.timestamp())
REVOKED = "/.well-known/jixiang-revoked"


def numbers(kind: str, how_many: int) -> list[int]:
    """Signed, as the database has them."""
    return [int.from_bytes(sha256(f"{kind} {n}".encode()).digest()[:8], signed=True) for n in range(how_many)]


def make(listed: Iterable[int]) -> bytes:
    listed = list(listed)
    return pack_list(listed, len(listed), KEYS.signing[0], VERSION)


@pytest.mark.parametrize("how_many", [0, 1, 20_000])
def test_it_hits_every_card_that_is_lost_and_less_than_one_of_a_thousand_others(how_many: int) -> None:
    listed = numbers("lost", how_many)
    content = make(listed)
    read = read_list(content, KEY_SET)
    assert all(map(read.may_list, listed))
    assert sum(map(read.may_list, numbers("found", 100_000))) < 100
    assert len(content) <= 2 * max(how_many, 100), "a million take less than two megabytes"


def test_any_other_byte_of_it_is_refused() -> None:
    content = make(numbers("lost", 20))
    for at in range(len(content)):
        with pytest.raises(ListUnusable):
            read_list(content[:at] + bytes((content[at] ^ 1,)) + content[at + 1 :], KEY_SET)
    for cut in (b"", content[:60], content[:-1], content + b"\0"):
        with pytest.raises(ListUnusable, match="malformed"):
            read_list(cut, KEY_SET)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda bits: b"\xff" * len(bits),
        lambda bits: bytes(len(bits)),
        lambda bits: bits[::-1],
        lambda bits: bytes(byte | 0x55 for byte in bits),
        lambda bits: bits[: len(bits) // 2],
    ],
    ids=["all ones", "empty", "reversed", "saturated", "of another size"],
)
@pytest.mark.parametrize("how_many", [0, 1000])
def test_a_filter_that_went_wrong_turns_nobody_away(spoil: Callable[[bytes], bytes], how_many: int) -> None:
    """Though it is signed: whoever made it made the mistake."""
    good = read_list(make(numbers("lost", how_many)), KEY_SET)
    with pytest.raises(ListUnusable, match="broken"):
        require_sound(RevocationList(good.version, good.cards, good.hashes, spoil(good.filter)))


# --- as it is published


def lose_card(person: Phone, services: Services) -> int:
    """The number of a card that was issued and reported lost."""
    assert person.post("/api/v1/paper-cards", None).status_code == 201
    with services.engine.connect() as connection:
        live = "select number from paper_cards where revoked_at is null"
        number: int = connection.exec_driver_sql(live).scalar_one()
    assert person.post("/api/v1/paper-cards/current/loss", None).status_code == 204
    return number


def fetch(client: FlaskClient, etag: str | None = None) -> Any:
    return client.get(REVOKED, headers={"If-None-Match": etag} if etag else {})


def test_a_lost_card_is_on_the_list_within_a_minute_and_the_version_grows(
    green_citizen: Phone, client: FlaskClient, services: Services, clock: StandingClock
) -> None:
    person = green_citizen
    first = fetch(client)
    assert first.status_code == 200 and first.mimetype == "application/cose"
    number = lose_card(person, services)
    assert fetch(client, first.headers["ETag"]).status_code == 304
    run_worker(services, "refresh-revocations")  # in the same second
    second = fetch(client, first.headers["ETag"])
    assert second.status_code == 200 and fetch(client, second.headers["ETag"]).data == b""
    key_set = client.get("/.well-known/jixiang-keys").json
    assert key_set is not None
    old, new = read_list(first.data, key_set), read_list(second.data, key_set)
    assert (old.may_list(number), new.may_list(number)) == (False, True)
    assert old.cards == 0 and new.cards == 1 and new.version > old.version
    run_worker(services, "refresh-revocations")
    assert fetch(client).headers["ETag"] == second.headers["ETag"], "nothing has changed"
    clock.advance(hours=1)
    run_worker(services, "refresh-revocations")
    assert read_list(fetch(client).data, key_set).made_at == clock.now()
    clock.advance(days=181)
    run_worker(services, "refresh-revocations")
    assert read_list(fetch(client).data, key_set).cards == 0, "a card that is over needs no list"


def test_the_command_reports_a_card_as_of_the_list_and_asks_at_a_hit(
    services: Services, tmp_path: Path, clock: StandingClock
) -> None:
    now = clock.now()
    paper = Paper(7, now, now + timedelta(days=180))
    token, number = services.paper_tokens.mint(paper), services.paper_tokens.number_of(paper)
    keys, revoked = tmp_path / "keys.json", tmp_path / "revoked"
    keys.write_text(json.dumps(services.tokens.key_set(now)))

    def verify(content: bytes, *more: str) -> Any:
        revoked.write_bytes(content)
        options = ["--keys", str(keys), "--revoked", str(revoked), "--at", rfc3339(now)]
        return CliRunner().invoke(main, ["verify", *options, *more, token])

    version = int(now.timestamp())
    empty, hit = (services.paper_tokens.sign_list(listed, len(listed), version) for listed in ([], [number]))
    for content, exit_code, listed, words in (
        (empty, 0, "no", f"not reported lost, as of {rfc3339(now)}"),
        (hit, 3, "ask", "may have been reported lost"),
        (hit[:-1], 0, "unknown", "cannot be used (malformed)"),
    ):
        done = verify(content)
        assert (done.exit_code, words in done.output) == (exit_code, True), done.output
        assert json.loads(verify(content, "--json").output)["listed"] == listed


def test_another_signing_key_signs_it_anew(services: Services, clock: StandingClock) -> None:
    directory = services.settings.keys.directory
    with services.begin() as session:
        revocations.refresh(session, services.paper_tokens, clock.now())
    kid = rotate(directory, clock.now() + timedelta(minutes=1))
    clock.advance(minutes=2)
    tokens = PaperTokens(load_keys(directory), timedelta(seconds=10))
    with services.begin() as session:
        revocations.refresh(session, tokens, clock.now())
        assert revocations.get_content(session)[8:16] == kid.encode()
    next(directory.glob(f"signing-{kid}.json")).unlink()
