"""Tokens: their content, that they name nobody, and every way to refuse one."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import base45
import cbor2
import cwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.codes.states import State
from app.codes.tokens import STATES_WITH_TOKEN, CodeTokens, TokenRefused, trim, verify
from app.codes.tokens.base45 import Base45
from app.core.keys import Keys, create_keys, load_keys, rotate

NOW = datetime(2020, 3, 20, 4, 0, tzinfo=UTC)
LIFE, SKEW = timedelta(seconds=60), timedelta(seconds=10)
SECOND = timedelta(seconds=1)
LARGEST = 2**63 - 1
UNTRUE = {"malformed", "unknown-key", "forged"}
DOCUMENT = Path(__file__).parents[2] / "docs/reference/token.md"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tokens") / "keys"
    create_keys(directory, NOW - timedelta(days=5))
    return directory


@pytest.fixture(scope="module")
def keys(directory: Path) -> Keys:
    return load_keys(directory)


@pytest.fixture(scope="module")
def tokens(keys: Keys) -> CodeTokens:
    return CodeTokens(keys, LIFE, SKEW)


def message(token: str) -> bytes:
    return bytes(base45.b45decode(token.removeprefix("JX1:")))


def spelled(data: bytes) -> str:
    return f"JX1:{base45.b45encode(data).decode()}"


DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
MESSAGES = st.sampled_from([3, 139]).flatmap(lambda size: st.binary(min_size=size, max_size=size))


@given(data=MESSAGES)
def test_a_message_is_spelled_as_the_general_library_spells_it(data: bytes) -> None:
    text = base45.b45encode(data).decode()
    assert Base45(len(data)).encode(data) == text
    assert Base45(len(data)).decode(text) == data


@given(data=MESSAGES, place=st.integers(0, 208), digits=st.text(st.sampled_from(DIGITS + ":::é吉a\ud800"), min_size=1))
def test_a_text_is_refused_where_the_general_library_refuses_it(data: bytes, place: int, digits: str) -> None:
    text, ours = base45.b45encode(data).decode(), Base45(len(data))
    text = text[:place] + digits[:3] + text[place + len(digits[:3]) :]
    if set(text) <= set(DIGITS) and len(text) == ours.text_length and _is_in_range(text):
        assert ours.decode(text) == base45.b45decode(text)
    else:
        with pytest.raises(ValueError, match=r"base45|length"):
            ours.decode(text)


def _is_in_range(text: str) -> bool:
    try:
        base45.b45decode(text)
    except ValueError:
        return False
    return True


def outcome(read: Callable[[], Any]) -> str:
    try:
        read()
    except TokenRefused as refused:
        return refused.outcome
    return "read"


# --- what it says ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES_WITH_TOKEN)
@pytest.mark.parametrize("serial", [1, 24_070_000, LARGEST])
def test_a_token_tells_us_serial_state_and_times(tokens: CodeTokens, serial: int, state: State) -> None:
    read = tokens.read(tokens.mint(serial, state, NOW), NOW)
    assert read[:4] == (serial, state, NOW, NOW + LIFE)


def test_a_token_tells_others_state_and_times_but_not_whose_it_is(tokens: CodeTokens) -> None:
    read = verify(tokens.mint(7, State.ORANGE, NOW), tokens.key_set(NOW), NOW, SKEW)
    assert read[:4] == (None, State.ORANGE, NOW, NOW + LIFE)


@pytest.mark.parametrize("state", [State.EMPTY, State.NOT_DECLARED])
def test_a_code_without_a_declaration_has_no_token(tokens: CodeTokens, state: State) -> None:
    with pytest.raises(ValueError, match=state.name):
        tokens.mint(7, state, NOW)


def test_an_independent_library_verifies_a_token_with_the_published_keys(tokens: CodeTokens) -> None:
    now = datetime.now(UTC).replace(microsecond=0)  # the library keeps its own time
    token = tokens.mint(LARGEST, State.YELLOW, now)
    claims = cwt.decode(message(token), [cwt.COSEKey.from_jwk(key) for key in tokens.key_set(now)["keys"]])
    assert isinstance(claims, dict)
    assert claims[-65537] == State.YELLOW
    assert (claims[6], claims[4]) == (now.timestamp(), (now + LIFE).timestamp())


def test_an_independent_library_refuses_a_token_that_was_changed(tokens: CodeTokens) -> None:
    data = bytearray(message(tokens.mint(7, State.RED, NOW)))
    assert data[72] == State.RED
    data[72] = State.GREEN
    [key] = [cwt.COSEKey.from_jwk(key) for key in tokens.key_set(NOW)["keys"]]
    with pytest.raises(cwt.VerifyError):
        cwt.COSE.new().decode(bytes(data), key)


def test_the_message_is_the_shortest_cbor_of_what_it_says(tokens: CodeTokens) -> None:
    data = message(tokens.mint(LARGEST, State.GREEN, NOW))
    tag = cbor2.loads(data)
    protected, unprotected, payload, _ = tag.value
    assert cbor2.dumps(tag, canonical=True) == data
    assert cbor2.dumps(cbor2.loads(protected), canonical=True) == protected
    assert set(cbor2.loads(payload)) == {4, 6, 7, -65537}
    assert unprotected == {}


@pytest.mark.parametrize("serial", [1, LARGEST])
def test_every_token_fits_49_modules(tokens: CodeTokens, serial: int) -> None:
    token = tokens.mint(serial, State.RED, NOW)
    assert re.fullmatch(r"[0-9A-Z $%*+\-./:]{213}", token)  # version 8-M holds 221 of these
    assert token == token.strip()


# --- whom it does not name -------------------------------------------------------------------------------------


def test_two_tokens_of_one_person_in_one_second_share_only_what_everybodys_share(tokens: CodeTokens) -> None:
    one, other, stranger = (message(tokens.mint(serial, State.GREEN, NOW)) for serial in (7, 7, 8))
    same = {at for at in range(139) if one[at] == other[at] == stranger[at]}
    assert set(range(35)) | set(range(67, 75)) <= same  # header, times and state are everybody's
    for at in range(35, 64):  # no four bytes of the pseudonym appear again
        assert one[at : at + 4] not in other[35:67]


def test_a_thousand_tokens_of_one_person_have_a_thousand_pseudonyms(tokens: CodeTokens) -> None:
    assert len({message(tokens.mint(7, State.GREEN, NOW))[35:67] for _ in range(1000)}) == 1000


def test_the_serial_does_not_stand_in_the_token(tokens: CodeTokens) -> None:
    serial = 0x0123456789ABCDEF
    data = message(tokens.mint(serial, State.GREEN, NOW))
    assert serial.to_bytes(8, "big") not in data
    assert serial.to_bytes(8, "little") not in data


# --- time ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (NOW - SKEW - SECOND, "not-yet-valid"),
        (NOW - SKEW, "read"),
        (NOW, "read"),
        (NOW + LIFE, "read"),
        (NOW + LIFE + SKEW, "read"),
        (NOW + LIFE + SKEW + timedelta(microseconds=1), "expired"),
    ],
)
def test_a_token_is_read_from_skew_before_its_issue_until_skew_after_its_end(
    tokens: CodeTokens, moment: datetime, expected: str
) -> None:
    token = tokens.mint(7, State.GREEN, NOW)
    assert outcome(lambda: tokens.read(token, moment)) == expected
    assert outcome(lambda: tokens.recognise(token, moment)) == expected
    assert outcome(lambda: verify(token, tokens.key_set(NOW), moment, SKEW)) == expected


def test_grace_reads_a_token_that_ended_while_the_temperature_was_taken(tokens: CodeTokens) -> None:
    token, grace = tokens.mint(7, State.GREEN, NOW), timedelta(seconds=600)
    last = NOW + LIFE + SKEW + grace
    assert tokens.read(token, last, grace).serial == 7
    assert outcome(lambda: tokens.read(token, last + SECOND, grace)) == "expired"


def test_grace_does_not_read_a_token_from_the_future(tokens: CodeTokens) -> None:
    token = tokens.mint(7, State.GREEN, NOW + timedelta(minutes=2))
    assert outcome(lambda: tokens.read(token, NOW, timedelta(hours=1))) == "not-yet-valid"


# --- forgery ---------------------------------------------------------------------------------------------------


def test_a_token_with_any_one_byte_changed_is_refused(tokens: CodeTokens) -> None:
    data = message(tokens.mint(7, State.ORANGE, NOW))
    for at in range(len(data)):
        for changed in {data[at] ^ 1, data[at] ^ 0x80, State.GREEN} - {data[at]}:
            token = spelled(data[:at] + bytes((changed,)) + data[at + 1 :])
            assert outcome(partial(tokens.read, token, NOW)) in UNTRUE, at
            assert outcome(partial(verify, token, tokens.key_set(NOW), NOW, SKEW)) in UNTRUE, at
            if at < 75:  # all but the signature
                assert outcome(partial(tokens.recognise, token, NOW)) in UNTRUE, at


def test_a_red_code_that_was_turned_green_is_forged(tokens: CodeTokens) -> None:
    data = message(tokens.mint(7, State.RED, NOW))
    token = spelled(data[:72] + bytes((State.GREEN,)) + data[73:])
    assert outcome(lambda: tokens.read(token, NOW)) == "forged"
    assert outcome(lambda: tokens.recognise(token, NOW)) == "forged"
    assert outcome(lambda: verify(token, tokens.key_set(NOW), NOW, SKEW)) == "forged"


def test_a_changed_signature_is_forged_even_where_the_pseudonym_is_ours(tokens: CodeTokens) -> None:
    data = message(tokens.mint(7, State.GREEN, NOW))
    token = spelled(data[:-1] + bytes((data[-1] ^ 1,)))
    assert outcome(lambda: tokens.read(token, NOW)) == "forged"


def test_the_pseudonym_of_another_token_does_not_fit(tokens: CodeTokens) -> None:
    one = message(tokens.mint(7, State.GREEN, NOW))
    other = message(tokens.mint(8, State.GREEN, NOW + SECOND))
    assert outcome(lambda: tokens.recognise(spelled(one[:35] + other[35:67] + one[67:]), NOW)) == "forged"


def test_the_token_of_another_system_is_of_an_unknown_key(tokens: CodeTokens, tmp_path: Path) -> None:
    create_keys(tmp_path / "keys", NOW)
    token = CodeTokens(load_keys(tmp_path / "keys"), LIFE, SKEW).mint(7, State.GREEN, NOW)
    assert outcome(lambda: tokens.read(token, NOW)) == "unknown-key"
    assert outcome(lambda: verify(token, tokens.key_set(NOW), NOW, SKEW)) == "unknown-key"


SPOILT: dict[str, Callable[[str], str]] = {
    "nothing": lambda token: "",
    "no prefix": lambda token: token[4:],
    "the prefix of a later form": lambda token: token.replace("JX1:", "JX2:"),
    "the prefix of another system": lambda token: token.replace("JX1:", "HC1:"),
    "small letters": lambda token: token.lower(),
    "a space behind": lambda token: token + " ",
    "a space before": lambda token: " " + token,
    "twice": lambda token: token + token[4:],
    "one character less": lambda token: token[:-1],
    "a character outside the alphabet": lambda token: token[:-1] + "!",
    "a zero that is none": lambda token: token[:30] + token[30:].replace("0", "\0"),
    "more than a byte holds": lambda token: token[:-2] + "::",
    "more than two bytes hold": lambda token: token[:4] + ":::" + token[7:],
    "Chinese": lambda token: token[:10] + "吉" + token[11:],
    "half a character": lambda token: token[:10] + "\ud800" + token[11:],
    "no tag": lambda token: spelled(message(token)[1:]),
    "a byte behind": lambda token: spelled(message(token) + b"\0"),
    "a further header": lambda token: spelled(message(token).replace(b"\xa0\x58", b"\xa1\x05\x40\x58")),
    "a longer spelling": lambda token: spelled(message(token).replace(b"\x58\x40", b"\x59\x00\x40")),
    "deep nesting": lambda token: spelled(b"\x84" * 139),
    "no state of a code": lambda token: spelled(message(token)[:72] + b"\1" + message(token)[73:]),
}


@pytest.mark.parametrize("how", SPOILT)
def test_whatever_is_not_spelled_as_a_token_is_malformed(tokens: CodeTokens, how: str) -> None:
    text = SPOILT[how](tokens.mint(7, State.GREEN, NOW))
    assert outcome(lambda: tokens.read(text, NOW)) == "malformed"
    assert outcome(lambda: verify(text, tokens.key_set(NOW), NOW, SKEW)) == "malformed"


def test_a_token_has_one_spelling(tokens: CodeTokens) -> None:
    """Three digits of base45 can say more than 16 bits: the surplus must not be dropped."""
    digits, token, respelled = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", tokens.mint(7, State.GREEN, NOW), 0
    for at in range(4, len(token) - 2, 3):
        value = sum(digits.index(digit) * 45**power for power, digit in enumerate(token[at : at + 3])) + 65_536
        if value < 45**3:
            again = "".join(digits[value // 45**power % 45] for power in range(3))
            text = token[:at] + again + token[at + 3 :]
            assert outcome(partial(tokens.read, text, NOW)) == "malformed", at
            respelled += 1
    assert respelled


_BASE45 = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", min_size=209, max_size=209)


@given(text=st.text() | _BASE45.map("JX1:".__add__) | st.binary(min_size=139, max_size=139).map(spelled))
def test_any_text_is_refused_and_never_breaks_anything(tokens: CodeTokens, text: str) -> None:
    assert outcome(lambda: tokens.read(text, NOW)) == "malformed"


_ADDED = st.text(" \t\r\n\ufeff")


@given(before=_ADDED, after=_ADDED, minted=st.booleans(), other=st.text().filter(lambda text: trim(text) == text))
def test_what_a_scanner_adds_is_cut_from_the_ends_and_nothing_else_is(
    tokens: CodeTokens, before: str, after: str, minted: bool, other: str
) -> None:
    text = tokens.mint(LARGEST, State.GREEN, NOW) if minted else other
    assert trim(before + text + after) == text


@given(at=st.integers(0, 138), put=st.binary(min_size=1, max_size=8))
def test_bytes_written_over_a_token_are_refused(tokens: CodeTokens, at: int, put: bytes) -> None:
    data = message(tokens.mint(7, State.GREEN, NOW))
    spoiled = (data[:at] + put + data[at + len(put) :])[:139]
    expected = {"read"} if spoiled == data else UNTRUE
    assert outcome(lambda: tokens.read(spelled(spoiled), NOW)) in expected


# --- change of keys --------------------------------------------------------------------------------------------


@pytest.fixture
def rotated(tmp_path: Path) -> tuple[CodeTokens, CodeTokens]:
    """The tokens before the second key was made, and after; it takes over at NOW."""
    create_keys(tmp_path / "keys", NOW - timedelta(days=30))
    before = CodeTokens(load_keys(tmp_path / "keys"), LIFE, SKEW)
    rotate(tmp_path / "keys", NOW)
    return before, CodeTokens(load_keys(tmp_path / "keys"), LIFE, SKEW)


def kids(tokens: CodeTokens, now: datetime) -> list[str]:
    return [key["kid"] for key in tokens.key_set(now)["keys"]]


def kid_of(token: str) -> str:
    return message(token)[8:16].decode()


def test_the_new_key_is_published_before_it_signs(rotated: tuple[CodeTokens, CodeTokens]) -> None:
    tokens, early = rotated[1], NOW - timedelta(days=1)
    old, new = kids(tokens, early)
    assert kid_of(tokens.mint(7, State.GREEN, early)) == old
    assert kid_of(tokens.mint(7, State.GREEN, NOW - SECOND)) == old
    assert kid_of(tokens.mint(7, State.GREEN, NOW)) == new


def test_the_last_token_of_a_retired_key_is_read_until_it_ends(rotated: tuple[CodeTokens, CodeTokens]) -> None:
    tokens = rotated[1]
    token = tokens.mint(7, State.GREEN, NOW - SECOND)
    last = NOW - SECOND + LIFE + SKEW
    assert tokens.read(token, last).serial == 7
    assert verify(token, tokens.key_set(last), last, SKEW).state == State.GREEN


def test_a_retired_key_leaves_the_published_set_after_its_last_token(rotated: tuple[CodeTokens, CodeTokens]) -> None:
    tokens = rotated[1]
    assert len(kids(tokens, NOW + LIFE + SKEW)) == 2
    assert kids(tokens, NOW + LIFE + 3 * SKEW) == [kid_of(tokens.mint(7, State.GREEN, NOW))]


def test_a_temperature_is_registered_for_the_token_of_a_key_that_left_the_set(
    rotated: tuple[CodeTokens, CodeTokens],
) -> None:
    token, later = rotated[1].mint(7, State.GREEN, NOW - SECOND), NOW + timedelta(minutes=9)
    assert rotated[1].read(token, later, timedelta(minutes=10)).serial == 7


def test_what_a_retired_key_signs_later_is_of_an_unknown_key(rotated: tuple[CodeTokens, CodeTokens]) -> None:
    before, after = rotated
    token = before.mint(7, State.GREEN, NOW)
    assert outcome(lambda: after.read(token, NOW)) == "unknown-key"
    assert outcome(lambda: verify(token, after.key_set(NOW), NOW, SKEW)) == "unknown-key"


# --- the documentation -----------------------------------------------------------------------------------------


def test_the_example_in_the_documentation_is_as_it_says() -> None:
    blocks = re.findall(r"```\w+\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    key_set, token, data = json.loads(blocks[0]), blocks[1].rstrip("\n"), bytes.fromhex(blocks[2])
    assert message(token) == data
    assert verify(token, key_set, NOW, SKEW)[:4] == (None, State.GREEN, NOW, NOW + LIFE)
    for moment, expected in [(-11, "not-yet-valid"), (-10, "read"), (70, "read"), (71, "expired")]:
        now = NOW + moment * SECOND
        assert outcome(partial(verify, token, key_set, now, SKEW)) == expected
