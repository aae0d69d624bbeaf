"""Identity documents: the kinds, the normalized form of a number, its validity, and masking of personal data.

A number is checked by the rules of its kind only. An ID-card number is never refused for its region: regions are
abolished and founded over the years, and people keep their numbers (GB 11643-1999). Where a form has no public source,
more is taken than there may be: the platform decides.
"""

import re
from datetime import date
from enum import StrEnum

from app.core.errors import Problem, bad_field
from app.core.identity import spelling

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_OLDEST_BIRTH = date(1880, 1, 1)


class DocumentType(StrEnum):
    """The kinds of identity documents that people in the province have: docs/reference/documents.md."""

    ID_CARD = "id-card"  # 居民身份证
    RESIDENCE_PERMIT = "residence-permit"  # 港澳台居民居住证
    HONG_KONG_MACAU_PERMIT = "hong-kong-macau-permit"  # 港澳居民来往内地通行证
    TAIWAN_PERMIT = "taiwan-permit"  # 台湾居民来往大陆通行证
    TAIWAN_ONE_TIME_PERMIT = "taiwan-one-time-permit"  # 台湾居民来往大陆通行证（一次有效）
    PERMANENT_RESIDENCE = "permanent-residence"  # 外国人永久居留身份证
    PASSPORT = "passport"
    TRAVEL_DOCUMENT = "travel-document"  # 中华人民共和国旅行证
    BIRTH_CERTIFICATE = "birth-certificate"  # 出生医学证明


# Those with which nobody registers alone: an infant has a guardian.
NEEDS_GUARDIAN = frozenset({DocumentType.BIRTH_CERTIFICATE})

_PATTERNS = {
    DocumentType.HONG_KONG_MACAU_PERMIT: r"[HM][0-9]{8}([0-9]{2})?",
    DocumentType.TAIWAN_PERMIT: r"[0-9]{8}|[0-9]{10}[A-Z0-9]?",
    DocumentType.TAIWAN_ONE_TIME_PERMIT: r"(?=.*[0-9])[A-Z0-9]{8,12}",
    DocumentType.PASSPORT: r"(?=.*[0-9])[A-Z0-9]{5,15}",
    DocumentType.TRAVEL_DOCUMENT: r"[A-Z]{1,2}[0-9]{6,8}",
    DocumentType.BIRTH_CERTIFICATE: r"[A-Z][0-9]{9}",
}
# A citizen number under another kind: its first two digits, and what to say.
_OTHER_KINDS = (
    (r"8[123]", "number-of-residence-permit"),
    (r"9.", "number-of-permanent-residence"),
)


def normalize(kind: DocumentType, number: str, today: date) -> str:
    """Return the number in its normalized form: ASCII capitals and digits, without what `fold_number` drops.

    A digit or letter of another script is refused, however alike: it would be the number of another person.

    Raises Problem with the field `/document/number` when no document of this kind can have it.
    """
    number = spelling.fold_number(number)
    if kind is DocumentType.ID_CARD:
        _check_id_card(number, today)
    elif kind is DocumentType.RESIDENCE_PERMIT:
        _check_18(number, today, r"8[123]0000[0-9]{11}[0-9X]", "residence-permit-number")
    elif kind is DocumentType.PERMANENT_RESIDENCE and not re.fullmatch(r"[A-Z]{3}[0-9]{12}", number):
        _check_18(number, today, r"9[0-9]{16}[0-9X]", "permanent-residence-number")
    elif kind in _PATTERNS and not re.fullmatch(_PATTERNS[kind], number):
        raise bad_field("/document/number", f"{kind}-number")
    # the two digits of a re-issue do not identify the person: H12345678 and H1234567801 are the same one
    return number[:9] if kind is DocumentType.HONG_KONG_MACAU_PERMIT else number


def _check_id_card(number: str, today: date) -> None:
    """Raise Problem unless this is the number of an identity card; one of 15 digits ended in 2013, and is no proof."""
    if re.fullmatch(r"[1-8][0-9]{14}", number):
        raise bad_field("/document/number", "id-card-number-of-15")
    _check_18(number, today, r"[1-9][0-9]{16}[0-9X]", "id-card-number")
    for beginning, slug in _OTHER_KINDS:
        if re.match(beginning, number):
            raise bad_field("/document/number", slug)


def _check_18(number: str, today: date, pattern: str, slug: str) -> None:
    """Raise Problem unless this is an 18-digit citizen number: form, date of birth, check digit."""
    if not re.fullmatch(pattern, number):
        raise bad_field("/document/number", slug)
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise bad_field("/document/number", "number-birth-date") from None
    if not _OLDEST_BIRTH <= born <= today:
        raise bad_field("/document/number", "number-birth-date")
    if number[17] != check_digit(number):
        raise bad_field("/document/number", "number-check-digit")


def birth_date(kind: DocumentType, number: str) -> date | None:
    """Return the day of birth that a normalized number of 18 digits has; None for other numbers."""
    if kind not in (DocumentType.ID_CARD, DocumentType.RESIDENCE_PERMIT, DocumentType.PERMANENT_RESIDENCE):
        return None
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14])) if len(number) == 18 else None


def check_digit(number: str) -> str:
    """Return the eighteenth character for the first seventeen digits."""
    return _CHECK_DIGITS[sum(w * int(d) for w, d in zip(_WEIGHTS, number, strict=False)) % 11]


def parse_document_type(text: str) -> DocumentType:
    """Return the kind with this name. Raises Problem `unknown-document-type`."""
    try:
        return DocumentType(text)
    except ValueError:
        raise Problem("unknown-document-type") from None


def mask_number(number: str) -> str:
    """Return a document number for display: enough for its holder to recognize it."""
    shown = max(1, len(number) // 6)  # at each end
    hidden = "*" * (len(number) - 2 * shown)
    return f"{number[:shown]}{hidden}{number[-shown:]}"


def mask_name(name: str) -> str:
    """Return a name for display: the first character, or the first letter of each Latin word; of one character none."""
    masked = name[0] + "*" * (len(name) - 1)
    if name.isascii():
        masked = " ".join(f"{word[0]}{'*' * (len(word) - 1)}" for word in name.split())
    return masked if masked != name else "*" * len(name)


def mask_phone(phone: str) -> str:
    """Return a phone number for display."""
    return f"{phone[:3]}****{phone[-4:]}"
