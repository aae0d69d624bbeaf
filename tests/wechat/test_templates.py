"""The limits of a subscribe message's fields: both sides of each, and the results of `fit_field`."""

import traceback

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.wechat.templates import TemplateFieldError, check_fields, fit_field
from wechat_sandbox.api.limits import fault

TAKEN = {
    "thing1": ["a", "长" * 20, "a" * 20, "37.3 ℃，请复测", "🙂" * 20, "-", "…", "é", "e\u0301"],
    "phrase2": ["黄", "请尽快复测", "㐀", "𠀀"],
    "character_string3": ["x", "a" * 32, "!~", "GP-1/2020#7", "12.5%"],
    "number4": ["0", "9" * 32, "1" * 31 + ".5", "37.3", "0.00"],
    "letter5": ["a", "Zz" * 16],
    "symbol6": ["*", "*" * 5, "!?+=%", "℃"],
    "time7": [
        *("0:00", "00:00", "9:05", "15:01", "23:59", "2019年10月1日 15:01", "2019年10月1日15:01"),
        *("15:01~16:01", "15:01 ~ 16:01", "2019年12月31日 23:59~2020年1月1日 0:00"),
    ],
    "date8": [
        *("2019年10月1日", "2019-10-1", "2019/10/01", "2019.10.1", "2019年10月1日 15:01", "2019-10-01 9:05"),
        *("2020年2月29日", "2019年10月1日~2019年10月7日", "2019-10-1 ~ 2019-10-7"),
    ],
    "name9": ["李", "示例" * 5, "a" * 20, "阿依·古丽", "Ann B. Lee", "李Ann"],
    "amount10": ["0", "¥1", "$1234567890", "¥12345678.90", "5元", "¥9.9元"],
    "phone_number11": ["1", "+86-0431-88888888", "1" * 17, "(0431)88888888"],
    "car_number12": ["A", "吉A8Z888挂", "吉A88888", "12345678", "吉AD12345"],
    "enum13": ["any", "绿码"],
}
REFUSED = {
    "thing1": ["长" * 21, "a" * 21, "🙂" * 21],
    "phrase2": ["请尽快去复测", "黄码1", "黄 码", "ok", "黄码！", "〇", "ひ", "-"],
    "character_string3": ["a" * 33, "a b", "黄码", "é", "１"],
    "number4": ["9" * 33, "1" * 32 + ".5", "1.", ".5", "-1", "+1", "1,000", "1e3", "１２", "٣", "1.2.3", "一"],
    "letter5": ["a" * 33, "a1", "a b", "é", "黄", "Ａ"],
    "symbol6": ["*" * 6, "a", "1", "* *", "码", "*a"],
    "time7": [
        *("24:00", "23:60", "9:5", "15:01:30", "15", "15：01", "3 pm", "2019-10-01 15:01", "15:01-16:01"),
        *("15:01~", "~15:01", "15:01~16:01~17:01", "2019年10月1日", "2019年2月29日 9:00", "15:01  ~16:01"),
        *("2019年10月1日  15:01", "9:00~2019年13月1日 9:00"),
    ],
    "date8": [
        *("2019年2月29日", "2019-13-01", "2019-00-10", "2019-10-00", "2019-10-32", "0000-01-01", "19-10-01"),
        *("2019-10/01", "2019年10月", "10-01", "2019-10-01T15:01", "2019-10-01 24:00", "2019-10-01~"),
        *("2019-10-1~2019-10-32", "20191001", "２０１９-10-01"),
    ],
    "name9": ["示例" * 5 + "甲", "a" * 21, "李" + "a" * 10, "R2D2", "李1", "O'Neil", "Ann-Lee", "🙂"],
    "amount10": ["$12345678901", "¥12345678.901", "¥", "元", "¥¥1", "1¥", "¥-1", "1,000", "¥ 1", "1.元", "1元元"],
    "phone_number11": ["1" * 18, "a", "139 0000", "１３９", "139#1"],
    "car_number12": ["吉A8Z8888挂", "123456789", "吉吉A", "吉A-8888", "吉A 888", "吉A挂挂", "é"],
}
EMPTY = ["", " ", "\t", "\n", "\u3000", " \u2003 "]
UNSEEN = {
    "null": "\x00",
    "line feed": "\n",
    "carriage return": "\r",
    "tab": "\t",
    "delete": "\x7f",
    "next line": "\x85",
    "line end": "\u2028",
    "paragraph end": "\u2029",
    "right-to-left override": "\u202e",
    "left-to-right override": "\u202d",
    "isolate": "\u2066",
    "zero-width space": "\u200b",
    "byte order mark": "\ufeff",
    "soft hyphen": "\xad",
    "tag": "\U000e0041",
    "half of a pair": "\ud83d",
}


def rows(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(key, value) for key, values in table.items() for value in values]


def reason(key: str, value: str) -> str:
    """Return the reason for which the value is refused."""
    with pytest.raises(TemplateFieldError) as caught:
        check_fields({key: value})
    assert caught.value.key == key
    return caught.value.reason


# check_fields


@pytest.mark.parametrize(("key", "value"), rows(TAKEN))
def test_a_value_within_its_limits_passes_here_and_at_the_sandbox(key: str, value: str) -> None:
    check_fields({key: value})
    assert fault(key, value) is None


@pytest.mark.parametrize(("key", "value"), rows(REFUSED))
def test_a_value_beyond_its_limits_is_refused_with_the_limit(key: str, value: str) -> None:
    assert reason(key, value) not in ("empty", "a control character or a line end")


def test_every_type_of_field_has_its_rows() -> None:
    everything_goes = {"enum13"}
    assert set(TAKEN) - everything_goes == set(REFUSED)


@pytest.mark.parametrize("key", TAKEN)
def test_an_empty_value_is_refused_in_every_field(key: str) -> None:
    assert {value: reason(key, value) for value in EMPTY} == dict.fromkeys(EMPTY, "empty")


@pytest.mark.parametrize("key", TAKEN)
def test_what_nobody_can_see_is_refused_in_every_field(key: str) -> None:
    for name, letter in UNSEEN.items():
        for value in (f"{letter}A", f"A{letter}", f"A{letter}B"):
            assert reason(key, value) == "a control character or a line end", name


@pytest.mark.parametrize(
    "key", ["", "title1", "thing_1", "1thing", "Thing1", "thing1x", "thing 1", "a_b_c1", "thing１"]
)
def test_a_key_without_a_known_type_is_refused(key: str) -> None:
    assert reason(key, "a") == "not a type of field that WeChat knows"


def test_the_first_wrong_field_is_named_and_right_ones_before_it_are_not() -> None:
    with pytest.raises(TemplateFieldError, match=r"^phrase2: 1 to 5 Chinese"):
        check_fields({"thing1": "好", "phrase2": "no", "number3": "none"})


def test_no_fields_are_no_mistake() -> None:
    check_fields({})


@pytest.mark.parametrize("key", [*REFUSED, "unknown1"])
def test_an_error_never_contains_the_value(key: str) -> None:
    for value in ("机密Zq9" * 20, "机密Zq9\n", "机密\u202eZq9"):
        with pytest.raises(TemplateFieldError) as caught:
            check_fields({key: value})
        error = caught.value
        shown = f"{error} {error!r} {error.args} {vars(error)} {error.__context__!r} {error.__cause__!r}"
        shown += traceback.format_exception_only(error)[0]
        assert "机密" not in shown
        assert "Zq9" not in shown


# fit


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("现场体温异常", "现场体温异常"),
        ("长" * 20, "长" * 20),
        ("长" * 21, "长" * 19 + "…"),
        ("🙂" * 21, "🙂" * 19 + "…"),
        ("a" * 18 + " bcd", "a" * 18 + "…"),  # no space before the dots
        ("", "-"),
        (" \t\n\u3000", "-"),
        ("\u202e\u200b", "-"),
        ("  one\r\n two\u2028three ", "one two three"),
        ("a\x00b", "ab"),
        ("a \u200b b", "a b"),  # not two spaces
        ("\u202e321\u202c", "321"),
        ("\ud83d码", "码"),
        ("👩\u200d⚕️", "👩⚕️"),
        ("\u200b".join("长" * 20), "长" * 20),  # what is taken out does not count
    ],
)
def test_a_thing_is_shown_on_one_line_and_cut_visibly(text: str, shown: str) -> None:
    assert fit_field("thing2", text) == shown


@pytest.mark.parametrize("key", [key for key in TAKEN if key != "thing1"])
def test_nothing_but_a_thing_is_cut(key: str) -> None:
    assert fit_field(key, "9" * 50) == "9" * 50


def test_a_type_will_do_as_key() -> None:
    assert fit_field("thing", "长" * 21) == fit_field("thing12", "长" * 21)


@pytest.mark.parametrize(("key", "value"), rows(TAKEN))
def test_a_value_within_its_limits_is_left_as_it_is(key: str, value: str) -> None:
    assert fit_field(key, value) == value


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
TROUBLED_TEXT = st.text(st.sampled_from(["长", "a", " ", "\u3000", *UNSEEN.values()]), max_size=60)


@given(ANY_TEXT | TROUBLED_TEXT)
@example("a" * 19 + " " * 5 + "b")
@example("\u3164" * 21)
def test_whatever_the_text_a_fitted_thing_is_taken_and_fits_again(text: str) -> None:
    shown = fit_field("thing1", text)
    check_fields({"thing1": shown})
    assert fault("thing1", shown) is None
    assert fit_field("thing1", shown) == shown
    assert len(shown) <= 20


@given(st.sampled_from(sorted(TAKEN)), ANY_TEXT)
def test_whatever_the_text_no_fitted_value_is_empty_or_holds_what_nobody_sees(key: str, text: str) -> None:
    try:
        check_fields({key: fit_field(key, text)})
    except TemplateFieldError as error:
        assert error.reason not in ("empty", "a control character or a line end")  # noqa: PT017


@given(st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=20))
def test_a_short_plain_thing_is_never_changed(text: str) -> None:
    assert fit_field("thing1", text) == text
