"""Keys and cipher: what can be decrypted; all else is refused like a wrong signature."""

import json
from base64 import b64decode, b64encode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from app.core.errors import ConfigError
from app.wechat.callbacks.crypto import CallbackKeys, encrypt, sign
from app.wechat.callbacks.envelope import CallbackReader, encrypt_reply, write_callback
from app.wechat.callbacks.message import Format, normal_message, read_message, write_message
from tests.wechat.callbacks.examples import (
    KEYS,
    MESSAGES,
    NO_KEY,
    NONCE,
    NOW,
    RANDOM,
    SECONDS,
    STAMP,
    WINDOW,
    opened,
    refusal,
    write,
)

DEBUG = MESSAGES["debug"]


def signed(ciphertext: str) -> tuple[dict[str, str], bytes]:
    """A callback that is properly signed, whatever it says is encrypted."""
    query = {"timestamp": str(SECONDS), "nonce": NONCE}
    query["msg_signature"] = sign(KEYS, str(SECONDS), NONCE, ciphertext)
    return query, json.dumps({"ToUserName": "gh_0", "Encrypt": ciphertext}).encode()


# The cipher


def test_what_is_for_another_appid_is_not_for_us() -> None:
    stranger = replace(KEYS, appid="wx9999999999999999")
    query, body = write_callback(stranger, DEBUG, "safe", "json", STAMP)
    assert refusal(KEYS, query, body) == "not-for-us"


@pytest.mark.parametrize("appid", ["", "wx0123456789abcde", "wx0123456789abcdef0", "wx0123456789abcdeF"])
def test_the_appid_is_compared_as_a_whole(appid: str) -> None:
    ciphertext = raw(RANDOM + (2).to_bytes(4, "big") + b"{}" + appid.encode())
    assert refusal(KEYS, *signed(ciphertext)) == "not-for-us"


def raw(data: bytes, padding: bytes | None = None) -> str:
    """Ciphertext of any bytes, padded properly or with the given bytes, without our own functions."""
    key = b64decode(f"{KEYS.aes_key}=")
    rest = 32 - len(data) % 32
    data += bytes([rest]) * rest if padding is None else padding
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return b64encode(encryptor.update(data) + encryptor.finalize()).decode()


ENOUGH = RANDOM + (2).to_bytes(4, "big") + b"{}" + KEYS.appid.encode()  # 40 bytes
UNDECRYPTABLE = {
    "nothing": "",
    "no base64": "*" * 64,
    "base64 of other letters": "é" * 64,
    "not whole blocks": "QUJD" * 7,
    "one block of AES": raw(bytes(16), b""),
    "three blocks of AES": raw(bytes(48), b""),
    "whole blocks of AES only": raw(ENOUGH, bytes([8]) * 8),
    "other letters between": raw(ENOUGH)[:40] + "*" + raw(ENOUGH)[40:],
    "a line end": raw(ENOUGH) + "\n",
    "padding of zero": raw(ENOUGH, bytes(24)),
    "padding of 33": raw(bytes(31) + bytes([33]) * 33, b""),
    "padding of different bytes": raw(ENOUGH, bytes([1]) * 23 + bytes([24])),
    "padding and nothing else": raw(b"", bytes([32]) * 32),
    "too short for a length": raw(bytes(18)),
    "a length past the end": raw(RANDOM + (100).to_bytes(4, "big") + b"{}" + KEYS.appid.encode()),
    "the longest length": raw(RANDOM + b"\xff" * 4 + b"{}" + KEYS.appid.encode()),
    "another key": encrypt(replace(KEYS, aes_key="x" * 43), b"{}", RANDOM),
}


@pytest.mark.parametrize("name", UNDECRYPTABLE)
def test_what_cannot_be_decrypted_looks_like_a_wrong_signature(name: str) -> None:
    assert refusal(KEYS, *signed(UNDECRYPTABLE[name])) == "signature"


def test_every_length_of_plaintext_is_padded_and_opened() -> None:
    for length in range(70):
        message = normal_message({**DEBUG, "debug_str": "x" * length})
        assert opened(*write(message, "safe", "json")).message == message


@pytest.mark.parametrize("plaintext", [b"", b"hello", b"\xff", b"[]", b"{}", b"<xml/>", b'"x"'])
def test_a_plaintext_that_is_no_message_is_malformed(plaintext: bytes) -> None:
    assert refusal(KEYS, *signed(encrypt(KEYS, plaintext, RANDOM))) == "malformed"


@pytest.mark.parametrize("encrypted", [["a", "b"], {"a": "b"}])
def test_an_encrypt_that_is_no_text_is_malformed(encrypted: object) -> None:
    assert refusal(KEYS, {}, json.dumps({"Encrypt": encrypted}).encode()) == "malformed"


# Our reply


@pytest.mark.parametrize("form", ["xml", "json"])
def test_our_reply_is_opened_by_who_has_the_keys(form: Format) -> None:
    answer = write_message(DEBUG, form)
    reply = encrypt_reply(KEYS, answer.decode(), form, STAMP).encode()
    fields = read_message(reply)[1]
    query = {
        "timestamp": str(fields["TimeStamp"]),
        "nonce": str(fields["Nonce"]),
        "msg_signature": str(fields["MsgSignature"]),
    }
    assert CallbackReader(KEYS, NOW, WINDOW).read(query, reply).plaintext == answer


def test_nothing_is_encrypted_without_a_key_or_with_too_little_randomness() -> None:
    with pytest.raises(ValueError, match="an EncodingAESKey is needed"):
        encrypt_reply(NO_KEY, "{}", "json", STAMP)
    with pytest.raises(ValueError, match="16 random bytes"):
        encrypt_reply(KEYS, "{}", "json", replace(STAMP, random=RANDOM[:15]))


# The keys


@pytest.mark.parametrize(
    ("token", "appid", "aes_key", "expected"),
    [
        ("", "wx0", None, "token"),
        ("ab", "wx0", None, "token"),
        ("a" * 33, "wx0", None, "token"),
        ("not-a-token", "wx0", None, "token"),
        ("token", "", None, "appid"),
        ("token", "wx0", "", "43 characters, not 0"),
        ("token", "wx0", "A" * 42, "43 characters, not 42"),
        ("token", "wx0", "A" * 44, "43 characters, not 44"),
        ("token", "wx0", "A" * 42 + "=", "letters and digits"),
        ("token", "wx0", "A" * 42 + "é", "letters and digits"),
    ],
)
def test_keys_that_the_console_does_not_show_are_refused_in_one_line(
    token: str, appid: str, aes_key: str | None, expected: str
) -> None:
    with pytest.raises(ConfigError, match=expected) as caught:
        CallbackKeys(token, appid, aes_key)
    assert "\n" not in str(caught.value)
    assert not aes_key or aes_key not in str(caught.value)


def test_keys_show_nothing_of_themselves() -> None:
    assert repr(KEYS) == f"CallbackKeys(appid={KEYS.appid!r})"
