"""Identity documents: which numbers are accepted, in which spelling, and why others are refused."""

from datetime import date

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
        ("110105491231002", "id-card-number"),  # the 15 digits of old
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
    assert refusal(DocumentType.TAIWAN_PERMIT, "1234567") == "taiwan-permit-number"
    assert normalize(DocumentType.PASSPORT, "c01x00t47", TODAY) == "C01X00T47"
    assert refusal(DocumentType.PASSPORT, "NODIGITS") == "passport-number"
    assert refusal(DocumentType.PASSPORT, "12#45") == "passport-number"


def test_permanent_residence_cards_of_both_kinds_are_accepted() -> None:
    kind = DocumentType.PERMANENT_RESIDENCE
    first = "91100019900101001"
    assert normalize(kind, first + check_digit(first), TODAY)
    assert normalize(kind, "CHN310080010101", TODAY) == "CHN310080010101"
    assert refusal(kind, "CHN31008001010") == "permanent-residence-number"


def test_masks_show_enough_for_the_holder_and_no_more() -> None:
    assert mask_number("11010519491231002X") == "110************02X"
    assert mask_number("C1234") == "C***4"
    assert mask_number("H12345678") == "H*******8"
    assert mask_name("示例甲") == "示**"
    assert mask_name("Anna Example") == "A*** E******"
    assert mask_phone("13800001234") == "138****1234"
