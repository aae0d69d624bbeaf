"""Names of people, phones and numbers, in the spellings in which people really bring them."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.identity.names import MAX_LENGTH, fold_person_name, is_person_name
from app.core.identity.phones import fold_phone, is_phone
from app.core.identity.spelling import fold_number, is_of_known_scripts, skeleton

KEPT = "阿卜杜拉·买买提"
MIDDLE_DOTS = "\u2022\u30fb\u2027\uff0e\uff65\u2219\u22c5.\u00b7\u3002"
INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u202d\u202e\u2060\u2066\u2069\ufeff\u00ad\u061c\ufe0f"
BLANKS = " \t\n\u00a0\u2009\u3000"
IN_NUMBERS = INVISIBLE + BLANKS + "-\u2010\u2011\u2013\u2014\uff0d\u2212'\u2018\u2019\uff07`\u00b4"
FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


def between(text: str, marks: str) -> st.SearchStrategy[str]:
    """Return the text with any of the marks before, behind and between its characters."""
    any_marks = st.text(st.sampled_from(marks), max_size=3)
    return st.tuples(*[any_marks] * (len(text) + 1)).map(
        lambda drawn: drawn[0] + "".join(char + more for char, more in zip(text, drawn[1:], strict=True))
    )


# --- names


@pytest.mark.parametrize("blanks", ["{}", " {} ", "\u3000{}", "{}\u200b"])
def test_each_middle_dot_that_a_keyboard_writes_is_the_one_of_the_register(blanks: str) -> None:
    kept = {dot: fold_person_name(f"阿卜杜拉{blanks.format(dot)}买买提") for dot in MIDDLE_DOTS}
    assert kept == dict.fromkeys(MIDDLE_DOTS, KEPT)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ａｎｎａ　Ｅｘａｍｐｌｅ", "ANNA EXAMPLE"),
        ("  anna\t example ", "ANNA EXAMPLE"),
        ("J.R. O\u2019Example\u2013Smith", "J.R. O'EXAMPLE-SMITH"),
        ("Jos\u0065\u0301", "JOSÉ"),
        ("Weiß", "WEISS"),  # as in the lines that machines read of a passport
        ("示 例　甲", "示例甲"),
        ("示\u202e例\ufeff", "示例"),
        ("⼈例", "人例"),  # a radical, as texts copied from a PDF have it
        ("\uf9d1例", "六例"),  # a compatibility ideograph
        ("示\ue863", "示䶮"),  # as GBK has it
        ("葛\U000e0100例", "葛例"),  # a variant of the same character
        ("アンナ・マリー", "アンナ·マリー"),
        ("阿卜杜拉··买买提", KEPT),
        ("阿卜杜拉. .买买提", KEPT),
    ],
)
def test_a_name_is_kept_in_one_spelling(typed: str, kept: str) -> None:
    assert fold_person_name(typed) == kept
    assert is_person_name(kept)


@given(st.text(max_size=20))
@example("\u1fb7 a")
@example("李.\u0301李")
def test_what_is_folded_is_folded_no_further(text: str) -> None:
    once = fold_person_name(text)
    assert fold_person_name(once) == once
    assert fold_person_name(text.swapcase()) == once or not text.isascii()


LATEST = "㐀龿〇﨎𠀀𪜀𫝀𫠠𬺰𮯰丽𰀀𱍐\U000323af\U000323b0\U00033479"


@pytest.mark.parametrize("char", LATEST)
def test_han_of_each_extension_is_a_name_whatever_the_interpreter_knows_of_it(char: str) -> None:
    assert is_person_name(fold_person_name(char))
    assert is_person_name(fold_person_name(f"示{char}"))
    assert is_of_known_scripts(f"示{char}")
    assert skeleton(f"示{char}") != skeleton("示")


def test_this_interpreter_does_not_know_every_extension() -> None:
    """Without it the test above proves nothing; then write a later character there."""
    assert any(not char.isalpha() for char in LATEST if unicodedata.category(char) != "Nl")


@pytest.mark.parametrize(
    "name",
    ["甲", "O", "示" * 30, f"{'示' * 14}·{'例' * 15}", "Wolfeschlegelstein " * 5, "བཀྲ་ཤིས", "김예시", "ئابدۇللا"],
)
def test_names_of_one_character_and_of_many_are_names(name: str) -> None:
    assert is_person_name(fold_person_name(name))


@pytest.mark.parametrize("name", ["", "12", "示\a例", "🙂🙂", "a<script>", "--", " · ", "示1", "示" * (MAX_LENGTH + 1)])
def test_what_is_no_name_is_refused(name: str) -> None:
    assert not is_person_name(fold_person_name(name))


# --- phones and numbers


COUNTRIES = ["", "+86", "0086", "86", "86-", "(+86) ", "+860", "0"]


@given(between("13800138000", IN_NUMBERS + "()."), st.sampled_from(COUNTRIES))
def test_a_phone_is_one_whatever_is_written_between_its_digits(written: str, country: str) -> None:
    assert fold_phone(country + written) == "13800138000"
    assert fold_phone((country + written).translate(FULL_WIDTH)) == "13800138000"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("+49 (0)151 2345-6789", "+4915123456789"),
        ("0049 151 23456789", "+4915123456789"),
        ("+82 010-1234-5678", "+821012345678"),
        ("0082 (010) 1234 5678", "+821012345678"),
        ("+886 0912 345 678", "+886912345678"),
        ("+229 01 95 12 34 56", "+2290195123456"),  # in Benin the 0 is a part of it, and in Italy
        ("+39 06 6981 2345", "+390669812345"),
        ("\u202a+852\u00a06123\u00a04567\u202c", "+85261234567"),
        ("\u200e+86 138 0013 8000", "13800138000"),
        ("'13800138000", "13800138000"),
        ("+86+8613800138000", "13800138000"),
    ],
)
def test_a_phone_is_kept_in_one_spelling(written: str, kept: str) -> None:
    assert fold_phone(written) == kept
    assert is_phone(kept)


@pytest.mark.parametrize("beginning", range(130, 200))
def test_no_range_of_phones_is_refused(beginning: int) -> None:
    assert is_phone(fold_phone(f"{beginning}00000000"))


@pytest.mark.parametrize(
    "written",
    [
        "12345678",
        "010-1234-5678",  # of a Korean without a country, or a line in Beijing
        "23800000000",
        "1380000000",
        "138000000000",
        "+0123456789",
        "+8612345678",
        "138０００００００٣",
        "phone",
        "",
    ],
)
def test_what_is_no_phone_is_refused(written: str) -> None:
    assert not is_phone(fold_phone(written))


@given(between("22010219900101123x", IN_NUMBERS + "()（）"))
def test_a_number_is_one_whatever_is_written_between_its_digits(written: str) -> None:
    assert fold_number(written) == fold_number(written.translate(FULL_WIDTH)) == "22010219900101123X"


@given(st.text(max_size=30))
def test_a_folded_number_has_no_mark_and_is_folded_no_further(text: str) -> None:
    folded = fold_number(text)
    assert fold_number(folded) == folded or not folded.isascii()  # which every form refuses
    assert not re.search(r"[\s'\u200b-\u200f\u202a-\u202e\ufeff\u00ad-]", folded)
