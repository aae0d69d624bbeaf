"""What the national platform's word proves about two documents.

It knows which name, document and phone belong together. It has confirmed the account with the former document, and now
says the same of the new one. That is one person where the number of a document changes as it is renewed or replaced.
A citizen number is for life: two of them are two people of one name and one phone, until two officers know better.
"""

from typing import Final

from app.citizens.documents import DocumentType, birth_date
from app.citizens.lookup import Document

_FOR_LIFE: Final = (DocumentType.ID_CARD, DocumentType.RESIDENCE_PERMIT)


def is_proof(former: Document, new: Document) -> bool:
    """Return whether the platform's word alone makes the new document that of the same person."""
    if DocumentType.BIRTH_CERTIFICATE in (former[0], new[0]):
        return False
    if former[0] not in _FOR_LIFE:
        return not are_apart(former, new)
    settled = former[0] is DocumentType.RESIDENCE_PERMIT and new[0] is DocumentType.ID_CARD
    return settled and not are_apart(former, new)


def are_apart(former: Document, new: Document) -> bool:
    """Return whether both numbers have a day of birth, and not the same."""
    days = {birth_date(*former), birth_date(*new)} - {None}
    return len(days) > 1
