"""The token out of what scanners send: whatever they end, double, type in small letters or through an input method."""

import random
import string

import pytest

from station_bridge.keyboard import Key, type_keys
from station_bridge.scans import Lines, is_cut, read_token

ALPHABET = string.digits + string.ascii_uppercase + " $%*+-./:"  # of base45
INPUT_METHOD = str.maketrans({":": "：", "$": "￥", "/": "、", ".": "。"})
FORMS = {"JX1": 213, "JX2": 192, "JX3": 216}


def token(form: str, seed: int) -> str:
    chosen = random.Random(seed)
    body = "".join(chosen.choices(ALPHABET, k=FORMS[form] - 5))
    return f"{form}:{body}{chosen.choice(string.digits)}"  # a blank at the end would be one that was added


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n", "\t", "\x03", ""])
def test_a_code_is_read_whatever_ends_it(end: str) -> None:
    lines, got = Lines(), []
    one, two = token("JX1", 1), token("JX3", 2)
    for piece in (f"\x02{one}"[:50], f"\x02{one}"[50:] + end):
        got += lines.feed(piece)
    if not end:
        got.append(lines.pause())
    got += lines.feed(f"\ufeff{two}{end}")
    got += [rest] if (rest := lines.pause()) else []
    assert got == [one, two]
    assert [read_token(text) for text in got] == [one, two]


def test_what_never_ends_is_no_code_and_takes_no_memory() -> None:
    lines = Lines()
    for _ in range(10_000):
        lines.feed("A")
    assert len(lines.pause()) <= 2048


@pytest.mark.parametrize("form", FORMS)
def test_what_a_scanner_or_an_input_method_did_is_undone(form: str) -> None:
    undo = {
        "small letters": str.lower,
        "swapped letters": str.swapcase,
        "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
        "a Chinese input method": lambda text: text.translate(
            str.maketrans({":": "：", "$": "￥", "/": "、", ".": "。"})
        ),
        "each character twice": lambda text: "".join(c * 2 for c in text),
        "each blank twice": lambda text: text.replace(" ", "  "),
        "no-break blanks": lambda text: text.replace(" ", "\u00a0"),
        "blanks around": lambda text: f"  {text} \r\n",
    }
    for seed in range(50):
        whole = token(form, seed)
        for name, change in undo.items():
            assert read_token(change(whole)) == whole, name


def test_a_good_token_with_two_blanks_stays_as_it_is() -> None:
    whole = token("JX1", 3)
    whole = whole[:50] + "  " + whole[52:]
    assert read_token(whole) == whole


def test_a_code_that_lost_characters_is_asked_for_again() -> None:
    assert is_cut(read_token(token("JX1", 4)[:-7]))
    assert not is_cut(read_token(token("JX1", 4)))
    assert not is_cut(read_token("https://example.com"))


def test_keys_of_a_wedge_are_the_characters_it_means() -> None:
    """Shift held for a letter and a sign, a key that repeats, the keypad, and Enter."""
    press = [("KEY_LEFTSHIFT", 1), ("KEY_J", 1), ("KEY_J", 2), ("KEY_J", 0), ("KEY_X", 1), ("KEY_LEFTSHIFT", 0)]
    press += [("KEY_1", 1), ("KEY_RIGHTSHIFT", 1), ("KEY_SEMICOLON", 1), ("KEY_4", 1), ("KEY_RIGHTSHIFT", 0)]
    press += [("KEY_KP7", 1), ("KEY_CAPSLOCK", 1), ("KEY_SPACE", 1), ("KEY_KPASTERISK", 1), ("KEY_ENTER", 1)]
    assert "".join(type_keys(Key(*one) for one in press)) == "JX1:$7 *\n"
