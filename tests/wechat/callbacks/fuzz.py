"""Random and mutated callbacks against the reader: `python -m tests.wechat.callbacks.fuzz --count 9 --seed 1`.

Each starts as a valid callback in one of the six forms, and is then damaged: in its bytes, in its query, or
before it was signed and encrypted, so that the damage gets past the signature. Nothing but CallbackRefused
may come out.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from random import Random

from app.wechat.callbacks.crypto import encrypt, sign
from app.wechat.callbacks.errors import CallbackRefused
from app.wechat.callbacks.events import event_key, read_event
from app.wechat.callbacks.message import write_message
from tests.wechat.callbacks.examples import FORMS, KEYS, MESSAGES, NONCE, RANDOM, SECONDS, opened, write

Callback = tuple[dict[str, str], bytes]

PIECES = [
    b"<!DOCTYPE xml [<!ENTITY a 'a'>]>", b"&a;", b"&#0;", b"&#xD800;", b"<![CDATA[", b"]]>", b"<xml>",
    b"</xml>", b"<List>", b"<Encrypt>x</Encrypt>", b"<a/>", b"<?xml version='1.0' encoding='utf-16'?>",
    b"<!--", b"\xef\xbb\xbf", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b'"Event":',
    b'"Encrypt":1,', b'"List":', b"NaN,", b"1e999,", b"-0", b"9" * 5000, b"[" * 3000,
    b'{"a":' * 3000, b"<a>" * 3000, b"null", b"true", b'" List"', b"\r\n", b" " * 66_000,
]  # fmt: skip
MARKS = [b'"', b"<", b",", b"event", b"e"]
ODD_VALUES: list[object] = [
    None, True, -1, 0, 10**30, 1e300, "", " ", "\x00", "９", "-", "a" * 3000, "\ud800", "<xml>", "8,6", [],
    {}, [[]], [{}], [[1], [2]], ["a", {"a": "b"}], {"List": []}, {"List": [1]}, {"TemplateId": 5},
    [{"TemplateId": ["t", "t"]}],
]  # fmt: skip
STRANGER = replace(KEYS, appid="wx9999999999999999")


def bodies(random: Random, count: int) -> Iterator[Callback]:
    """Yield that many damaged callbacks."""
    messages = list(MESSAGES.values())
    for _ in range(count):
        mode, form = random.choice(FORMS)
        message = random.choice(messages)
        damage = random.choice([_damaged_body, _damaged_body, _damaged_query, _nothing_but_noise])
        if random.random() < 0.5:
            yield damage(random, write(message, mode, form))
        elif random.random() < 0.5:
            yield _encrypted(random, _damaged(random, write_message(message, form)))
        else:
            yield _encrypted(random, json.dumps(_odd(random, message)).encode())


def _odd(random: Random, message: Mapping[str, object]) -> dict[str, object]:
    """Return the message with values that WeChat would not send, at the top or in `List`."""
    odd = dict(message)
    for _ in range(random.randint(1, 2)):
        odd[random.choice(list(odd))] = random.choice(ODD_VALUES)
    entries = odd.get("List")
    if isinstance(entries, dict) and "TemplateId" in entries:
        odd["List"] = _odd(random, entries)
    return odd


def _encrypted(random: Random, plaintext: bytes) -> Callback:
    """Return a callback with these bytes inside, signed and encrypted; sometimes old, or for another appid."""
    encrypted = encrypt(random.choice([KEYS] * 9 + [STRANGER]), plaintext, RANDOM)
    query = {"timestamp": str(SECONDS - random.choice([0] * 9 + [400])), "nonce": NONCE}
    query["msg_signature"] = sign(KEYS, *query.values(), encrypted)
    return query, write_message({"ToUserName": "", "Encrypt": encrypted}, "json")


def _damaged_body(random: Random, callback: Callback) -> Callback:
    return callback[0], _damaged(random, callback[1])


def _damaged_query(random: Random, callback: Callback) -> Callback:
    query, names = dict(callback[0]), list(callback[0])
    one, other = random.choice(names), random.choice(names)
    changed = [query[other], "", query[one][:-1], query[one] + "0", "\ud800é", "9" * 400, "-1", "１７"]
    query[one] = random.choice(changed)
    if random.random() < 0.2:
        del query[other]
    return query, callback[1]


def _nothing_but_noise(random: Random, callback: Callback) -> Callback:
    noise = random.randbytes(random.randrange(200))
    return callback[0], random.choice([b"", b"<xml>", b"{", b'{"Encrypt":"']) + noise


def _damaged(random: Random, body: bytes) -> bytes:
    for _ in range(random.randint(1, 4)):
        body = random.choice(_DAMAGES)(random, body, random.randint(0, len(body)))
    return body


_DAMAGES: list[Callable[[Random, bytes, int], bytes]] = [
    lambda random, body, at: body[:at] + random.randbytes(1) + body[at + 1 :],
    lambda random, body, at: body[:at],
    lambda random, body, at: body[at:],
    lambda random, body, at: body[:at] + body[at + random.randrange(20) :],
    lambda random, body, at: body + random.randbytes(random.randrange(40)),
    lambda random, body, at: body[:at] + random.choice(PIECES) + body[at:],
    lambda random, body, at: body[:at] + body[random.randint(0, at) :],
    lambda random, body, at: body.replace(random.choice(MARKS), random.choice(PIECES), 1),
]


def outcome(callback: Callback) -> str:
    """Return what one callback is read as: an event or a refusal. Every other exception is an error of ours."""
    try:
        message = opened(*callback).message
        assert len(event_key(message)) == 32
        event = read_event(message)
        return "known event" if event.known else "unknown event"
    except CallbackRefused as refused:
        return f"refused: {refused.reason}"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=100_000)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    start = time.perf_counter()
    outcomes = Counter(map(outcome, bodies(Random(given.seed), given.count)))
    seconds = time.perf_counter() - start
    lines = [f"{outcomes.total()} callbacks, seed {given.seed}, {seconds:.1f} s, only events and refusals:\n"]
    lines += [f"{number:>9}  {name}\n" for name, number in outcomes.most_common()]
    sys.stdout.writelines(lines)


if __name__ == "__main__":
    main()
