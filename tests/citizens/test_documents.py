"""Identity documents: which numbers are accepted, in which spelling, and why others are refused."""

import sys
import unicodedata
from contextlib import suppress
from datetime import date
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.citizens.documents import DocumentType, check_digit, mask_name, mask_number, mask_phone, normalize
from app.core.errors import Problem

TODAY = date(2020, 3, 20)


def refusal(kind: DocumentType, number: str) -> str:
    with pytest.raises(Problem) as problem:
        normalize(kind, number, TODAY)
    (field,) = problem.value.fields
    assert field.pointer == "/document/number"
    return field.slug


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014"])
def test_the_examples_of_the_standard_are_accepted_whatever_became_of_their_region(number: str) -> None:
    assert normalize(DocumentType.ID_CARD, number, TODAY) == number


@pytest.mark.parametrize("region", ["133100", "220402", "659099"])  # Xiong'an, and two that no list has
def test_a_region_newer_or_older_than_any_list_is_accepted(region: str) -> None:
    number = _with_check_digit(f"{region}20190401001")
    assert normalize(DocumentType.ID_CARD, number.lower(), TODAY) == number


@pytest.mark.parametrize(
    "written", ["11010519491231002x", " 110105 19491231 002X ", "１１０１０５１９４９１２３１００２Ｘ"]
)
def test_small_letters_spaces_and_full_width_digits_are_put_right(written: str) -> None:
    assert normalize(DocumentType.ID_CARD, written, TODAY) == "11010519491231002X"


@pytest.mark.parametrize(
    ("number", "slug"),
    [
        ("110105194912310021", "number-check-digit"),
        ("11010519491331002X", "number-birth-date"),
        ("110105202103200021", "number-birth-date"),  # born after today
        ("110105187912310021", "number-birth-date"),
        ("11010519491231002", "id-card-number"),
        ("1101051949123100XX", "id-card-number"),
        ("110105491231002", "id-card-number-of-15"),
        ("810000199408230021", "number-of-residence-permit"),
        ("", "id-card-number"),
        ("１１０１０５１９４９１２３１００２٣", "id-card-number"),  # a digit, but not one of ours
    ],
)
def test_an_id_card_number_that_cannot_be_is_refused_with_its_reason(number: str, slug: str) -> None:
    assert refusal(DocumentType.ID_CARD, number) == slug


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(place: int, shift: int) -> None:
    number = "11010519491231002X"
    wrong = str((int(number[place]) + shift) % 10)
    with pytest.raises(Problem):
        normalize(DocumentType.ID_CARD, number[:place] + wrong + number[place + 1 :], TODAY)


@given(st.text(max_size=30), st.sampled_from(DocumentType))
def test_whatever_is_entered_is_accepted_or_refused_by_field(number: str, kind: DocumentType) -> None:
    pointers = ["/document/number"]
    try:
        assert normalize(kind, number, TODAY)
    except Problem as problem:
        pointers = [field.pointer for field in problem.fields]
    assert pointers == ["/document/number"]


def test_residence_permits_of_hong_kong_macau_and_taiwan_have_their_own_numbers() -> None:
    for region in ("810000", "820000", "830000"):
        first = f"{region}19940823002"
        number = first + check_digit(first)
        assert normalize(DocumentType.RESIDENCE_PERMIT, number, TODAY) == number
    assert refusal(DocumentType.RESIDENCE_PERMIT, "11010519491231002X") == "residence-permit-number"


def test_a_reissued_travel_permit_is_the_same_person() -> None:
    kind = DocumentType.HONG_KONG_MACAU_PERMIT
    assert normalize(kind, "H1234567802", TODAY) == normalize(kind, "h12345678", TODAY) == "H12345678"
    assert refusal(kind, "X12345678") == "hong-kong-macau-permit-number"


def test_travel_permits_of_taiwan_and_passports_are_checked_by_their_form() -> None:
    assert normalize(DocumentType.TAIWAN_PERMIT, "12345678", TODAY) == "12345678"
    assert normalize(DocumentType.TAIWAN_PERMIT, "1234567801（b）", TODAY) == "1234567801B"  # until 2008
    assert normalize(DocumentType.TAIWAN_PERMIT, "1234567801(3)", TODAY) == "12345678013"
    assert normalize(DocumentType.TAIWAN_PERMIT, "12345678 01", TODAY) == "1234567801"  # from 2006 to 2008
    assert refusal(DocumentType.TAIWAN_PERMIT, "1234567") == "taiwan-permit-number"
    assert normalize(DocumentType.TAIWAN_ONE_TIME_PERMIT, "f290299977", TODAY) == "F290299977"
    assert refusal(DocumentType.TAIWAN_ONE_TIME_PERMIT, "NODIGITS") == "taiwan-one-time-permit-number"
    assert normalize(DocumentType.PASSPORT, "c01x00t47", TODAY) == "C01X00T47"
    assert refusal(DocumentType.PASSPORT, "NODIGITS") == "passport-number"
    assert refusal(DocumentType.PASSPORT, "12#45") == "passport-number"


def test_travel_documents_and_birth_certificates_are_checked_by_their_form() -> None:
    assert normalize(DocumentType.TRAVEL_DOCUMENT, "t 0123 4567", TODAY) == "T01234567"
    assert refusal(DocumentType.TRAVEL_DOCUMENT, "11010519491231002X") == "travel-document-number"
    assert normalize(DocumentType.BIRTH_CERTIFICATE, "x-220101001", TODAY) == "X220101001"
    assert refusal(DocumentType.BIRTH_CERTIFICATE, "X22010100") == "birth-certificate-number"


def test_permanent_residence_cards_of_both_kinds_are_accepted() -> None:
    kind = DocumentType.PERMANENT_RESIDENCE
    number = _with_check_digit("92284019900101001")
    assert normalize(kind, number, TODAY) == number
    assert refusal(DocumentType.ID_CARD, number) == "number-of-permanent-residence"
    assert normalize(kind, "CHN310080010101", TODAY) == "CHN310080010101"
    assert refusal(kind, "CHN31008001010") == "permanent-residence-number"


def test_masks_show_enough_for_the_holder_and_no_more() -> None:
    assert mask_number("11010519491231002X") == "110************02X"
    assert mask_number("C1234") == "C***4"
    assert mask_number("H12345678") == "H*******8"
    assert mask_name("示例甲") == "示**"
    assert mask_name("ANNA EXAMPLE") == "A*** E******"
    assert mask_name("甲") == mask_name("A") == "*"
    assert mask_phone("13800001234") == "138****1234"


# --- spellings

NUMBERS = {
    DocumentType.ID_CARD: st.integers(0, 999).map(lambda n: _with_check_digit(f"22010219900101{n:03d}")),
    DocumentType.RESIDENCE_PERMIT: st.integers(0, 999).map(lambda n: _with_check_digit(f"81000019900101{n:03d}")),
    DocumentType.HONG_KONG_MACAU_PERMIT: st.from_regex("[HM][0-9]{8}", fullmatch=True),
    DocumentType.TAIWAN_PERMIT: st.from_regex("[0-9]{8}|[0-9]{10}[A-Z]?", fullmatch=True),
    DocumentType.TAIWAN_ONE_TIME_PERMIT: st.from_regex("[A-Z][0-9]{9}", fullmatch=True),
    DocumentType.PERMANENT_RESIDENCE: st.from_regex("[A-Z]{3}[0-9]{12}", fullmatch=True),
    DocumentType.PASSPORT: st.from_regex("[A-Z]{1,2}[0-9]{4,12}", fullmatch=True),
    DocumentType.TRAVEL_DOCUMENT: st.from_regex("[A-Z][0-9]{8}", fullmatch=True),
    DocumentType.BIRTH_CERTIFICATE: st.from_regex("[A-Z][0-9]{9}", fullmatch=True),
}
LOOK_ALIKES = {
    "H": "HНΗＨℋ",
    "M": "MМΜⅯ",
    "A": "AАΑＡ",
    "C": "CСⅭ",
    "X": "XХΧⅩ",
    "I": "Iıİ",
    "S": "SſЅ",
    "K": "K\u212aК",
}
MARKS = ("", " ", "\u3000", "-", "\u2013", "－", "\u200b", "\u200d", "\ufeff", "\u202e", "\u00ad", "\ufe0f", "\u3164")


@cache
def _digits() -> dict[str, list[str]]:
    """By digit its signs of every script; looked up when they are needed, for Unicode is long."""
    found: dict[str, list[str]] = {digit: [] for digit in "0123456789"}
    for char in map(chr, range(sys.maxunicode + 1)):
        if (value := unicodedata.digit(char, None)) is not None:
            found[str(value)].append(char)
    return found


def _with_check_digit(first: str) -> str:
    return first + check_digit(first)


@st.composite
def spelled(draw: st.DrawFn) -> tuple[DocumentType, str, str]:
    """A number that is accepted, and a way of writing it: digits of any script, any case, marks in between."""
    kind = draw(st.sampled_from(DocumentType))
    number = draw(NUMBERS[kind])
    written = ""
    for char in number:
        likes = _digits()[char] if char.isdigit() else [*LOOK_ALIKES.get(char, ""), char, char.lower()]
        written += draw(st.sampled_from([char, char, *likes])) + draw(st.sampled_from(MARKS))
    return kind, number, written


@given(spelled())
def test_whatever_the_spelling_of_a_number_it_is_the_same_person_or_refused(
    example: tuple[DocumentType, str, str],
) -> None:
    kind, number, written = example
    with suppress(Problem):
        assert normalize(kind, written, TODAY) == normalize(kind, number, TODAY)


@given(st.text(max_size=20), st.sampled_from(DocumentType))
def test_what_is_kept_of_a_number_is_ascii_and_is_kept_as_it_is(text: str, kind: DocumentType) -> None:
    with suppress(Problem):
        kept = normalize(kind, text, TODAY)
        assert kept.isascii()
        assert kept == kept.upper()
        assert normalize(kind, kept, TODAY) == kept


@pytest.mark.parametrize("number", ["H١٢٣٤٥٦٧٨", "Н12345678", "M१२३४५६७८", "H1234567८01"])
def test_a_permit_with_digits_or_letters_of_another_script_is_refused(number: str) -> None:
    assert refusal(DocumentType.HONG_KONG_MACAU_PERMIT, number) == "hong-kong-macau-permit-number"


@pytest.mark.parametrize("number", ["𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖", "①２3\u200b4-5 6\u2009７8\ufeff", "12345678\u202c"])
def test_compatible_characters_and_invisible_marks_are_put_right(number: str) -> None:
    assert normalize(DocumentType.TAIWAN_PERMIT, number, TODAY) == "12345678"
