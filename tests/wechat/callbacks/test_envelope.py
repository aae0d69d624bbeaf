"""Reading callbacks: six forms of one message; everything that WeChat did not send is refused."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.wechat.callbacks.crypto import sign
from app.wechat.callbacks.envelope import MAX_BODY_BYTES, CallbackReader, Mode, write_callback
from app.wechat.callbacks.errors import CallbackRefused
from app.wechat.callbacks.events import event_key, read_event
from app.wechat.callbacks.message import Format, normal_message, write_message
from tests.wechat.callbacks.examples import (
    FORMS,
    KEYS,
    MESSAGES,
    NO_KEY,
    NONCE,
    NOW,
    PERSON,
    SECONDS,
    STAMP,
    WINDOW,
    opened,
    refusal,
    write,
)

calmly = settings(deadline=None)  # a busy machine is no failure
QUERY_NAMES = ["signature", "timestamp", "nonce", "msg_signature", "encrypt_type"]
DEBUG = MESSAGES["debug"]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(
    lambda text: str(normal_message({"text": text})["text"])
)
names = st.from_regex(r"[A-Z][A-Za-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name != "List")
values = st.recursive(
    texts,
    lambda inner: (
        st.lists(inner.filter(lambda value: not isinstance(value, list)), min_size=2, max_size=3)
        | st.dictionaries(names, inner, min_size=1, max_size=3)
    ),
    max_leaves=6,
)
messages = st.builds(
    lambda fields, entries, event: {
        **fields,
        "ToUserName": "gh_0",
        "FromUserName": PERSON,
        "MsgType": "event",
        "Event": event,
        **({} if entries is None else {"List": entries}),
    },
    st.dictionaries(names.filter(lambda name: name != "Encrypt"), values, max_size=4),
    st.none() | st.lists(st.dictionaries(names, texts, min_size=1, max_size=3), max_size=3),
    st.sampled_from([str(message["Event"]) for message in MESSAGES.values()]),
)


# The six forms


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_the_same_in_all_six_forms(name: str) -> None:
    results = [opened(*write(MESSAGES[name], mode, form)) for mode, form in FORMS]
    assert [(result.mode, result.format) for result in results] == FORMS
    assert all(result.message == results[0].message for result in results)
    assert len({read_event(result.message) for result in results}) == 1
    assert len({event_key(result.message) for result in results}) == 1


@calmly
@given(messages, st.sampled_from(FORMS))
def test_what_is_written_is_opened_as_it_was(message: dict[str, Any], form: tuple[Mode, Format]) -> None:
    result = opened(*write(message, *form))
    assert (result.mode, result.format) == form
    assert result.message == message


@pytest.mark.parametrize(("mode", "form"), FORMS)
def test_the_plaintext_is_what_the_message_was_read_from(mode: Mode, form: Format) -> None:
    result = opened(*write(DEBUG, mode, form))
    assert result.plaintext == write_message(DEBUG, form)


def test_compatible_mode_reads_the_encrypted_part_and_not_the_plain_one() -> None:
    query, body = write(DEBUG, "compatible", "json")
    forged = {**json.loads(body), "debug_str": "forged", "FromUserName": "oForged"}
    result = opened(query, json.dumps(forged).encode())
    assert (result.mode, result.message) == ("compatible", normal_message(DEBUG))


def test_an_opened_callback_shows_nobody() -> None:
    shown = repr(opened(*write(DEBUG, "safe", "xml")))
    assert PERSON not in shown
    assert "hello" not in shown


# Mode


def test_with_a_key_a_plain_callback_is_refused_unless_that_is_wanted() -> None:
    query, body = write(DEBUG, "plain", "xml")
    assert refusal(KEYS, query, body) == "mode"
    assert CallbackReader(KEYS, NOW, WINDOW, strict=False).read(query, body).mode == "plain"
    assert CallbackReader(NO_KEY, NOW, WINDOW).read(query, body).mode == "plain"


@pytest.mark.parametrize("mode", ["compatible", "safe"])
def test_without_a_key_an_encrypted_callback_is_refused(mode: Mode) -> None:
    assert refusal(NO_KEY, *write(DEBUG, mode, "json")) == "mode"


def test_a_query_that_announces_a_cipher_over_a_plain_body_is_refused() -> None:
    query, body = write(DEBUG, "plain", "json")
    assert refusal(NO_KEY, {**query, "encrypt_type": "aes"}, body) == "malformed"


# Signature and time


@pytest.mark.parametrize(("mode", "form"), FORMS)
@pytest.mark.parametrize("name", ["timestamp", "nonce", "signature", "msg_signature"])
def test_every_signed_part_of_the_query_counts(mode: Mode, form: Format, name: str) -> None:
    query, body = write(DEBUG, mode, form)
    if name not in query or (name == "signature" and mode != "plain"):
        return
    for changed in (query[name] + "0", query[name][:-1], "", "\ud800", "é" * 40):
        assert refusal(KEYS, {**query, name: changed}, body, strict=False) == "signature"
    del query[name]
    assert refusal(KEYS, query, body, strict=False) == "signature"


def test_another_token_signs_nothing_for_us() -> None:
    query, body = write_callback(replace(KEYS, token="another"), DEBUG, "safe", "xml", STAMP)
    assert refusal(KEYS, query, body) == "signature"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_callback_outside_the_window_is_stale_and_on_its_edge_is_not(
    form: tuple[Mode, Format],
    seconds: int,
) -> None:
    query, body = write_callback(KEYS, DEBUG, *form, replace(STAMP, timestamp=SECONDS + seconds))
    assert refusal(KEYS, query, body, strict=False) == "stale"
    one = timedelta(seconds=1 if seconds > 0 else -1)
    assert CallbackReader(KEYS, NOW + one, WINDOW, strict=False).read(query, body).mode == form[0]


@pytest.mark.parametrize("timestamp", ["", "soon", "-1", "1 584 676 800", "１５８４６７６８００", "9" * 5000])
def test_a_signed_time_that_is_no_time_is_malformed(timestamp: str) -> None:
    query = {"timestamp": timestamp, "nonce": NONCE, "signature": sign(KEYS, timestamp, NONCE)}
    assert refusal(NO_KEY, query, write_message(DEBUG, "json")) == "malformed"


# Damage


def test_too_large_a_body_is_not_even_read() -> None:
    query, body = write(DEBUG, "plain", "json")
    assert opened(query, body + b" " * (MAX_BODY_BYTES - len(body))).mode == "plain"
    assert refusal(NO_KEY, query, body + b" " * (MAX_BODY_BYTES - len(body) + 1)) == "too-large"


@calmly
@given(st.sampled_from(list(MESSAGES)), st.sampled_from(FORMS), st.data())
def test_a_damaged_callback_is_refused_or_an_event_and_nothing_else(
    name: str, form: tuple[Mode, Format], data: st.DataObject
) -> None:
    query, body = write(MESSAGES[name], *form)
    at = data.draw(st.integers(0, len(body) - 1))
    flipped = bytes([body[at] ^ data.draw(st.integers(1, 255))])
    bodies = [
        body[:at] + flipped + body[at + 1 :],
        body[:at],
        body[at:],
        body + data.draw(st.binary(max_size=9)),
    ]
    one, other = data.draw(st.permutations(list(query)))[:2]
    for callback in [(query, damaged) for damaged in bodies] + [({**query, one: query[other]}, body)]:
        with suppress(CallbackRefused):
            read_event(opened(*callback).message)


@calmly
@given(st.dictionaries(st.sampled_from(QUERY_NAMES), st.text()), st.binary())
def test_no_stranger_gets_in(query: dict[str, str], body: bytes) -> None:
    for keys in (KEYS, NO_KEY):
        with pytest.raises(CallbackRefused):
            CallbackReader(keys, NOW, WINDOW).read(query, body)


# The check of our URL


def url_check(**changed: str) -> dict[str, str]:
    query = {"timestamp": str(SECONDS), "nonce": NONCE, "signature": sign(KEYS, str(SECONDS), NONCE)}
    return {**query, "echostr": "2584236719", **changed}


def test_the_url_check_is_answered_with_and_without_a_key() -> None:
    assert {CallbackReader(keys, NOW, WINDOW).verify_url(url_check()) for keys in (KEYS, NO_KEY)} == {"2584236719"}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"signature": "0" * 40}, "signature"),
        ({"signature": ""}, "signature"),
        ({"nonce": "1"}, "signature"),
        ({"echostr": ""}, "malformed"),
        ({"echostr": "<script>alert(1)</script>"}, "malformed"),
        ({"echostr": "1" * 513}, "malformed"),
    ],
)
def test_a_url_check_that_is_not_wechats_is_refused(changed: dict[str, str], expected: str) -> None:
    with pytest.raises(CallbackRefused, match=f"^{expected}$"):
        CallbackReader(KEYS, NOW, WINDOW).verify_url(url_check(**changed))


def test_an_old_url_check_is_stale() -> None:
    with pytest.raises(CallbackRefused, match=r"^stale$"):
        CallbackReader(KEYS, NOW + timedelta(seconds=301), WINDOW).verify_url(url_check())


# What we write


@pytest.mark.parametrize("message", [{}, {"Encrypt": "x"}, {"a b": "x"}, {"a": 1.5}, {"a": object()}])
def test_what_cannot_be_a_message_is_not_written(message: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        write(message, "safe", "xml")
