"""What a venue is: its kinds, and the form in which a citizen describes one, cleaned and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.core.errors import FieldError, Problem
from app.core.identity.credit_codes import fold_credit_code, is_credit_code
from app.core.identity.spelling import is_of_known_scripts, tidy_name
from app.core.province import districts
from app.stations import hours

MAX_NAME, MAX_ADDRESS, MAX_ENTRANCE = 40, 120, 18
MAX_ENTRANCES: Final = 20


class VenueKind(StrEnum):
    """The kinds of venues. The slugs are permanent."""

    MALL = "mall"
    MARKET = "market"
    TRANSPORT = "transport"
    HOSPITAL = "hospital"
    SCHOOL = "school"
    OFFICE = "office"
    RESIDENTIAL = "residential"
    VILLAGE = "village"
    HOTEL = "hotel"
    RESTAURANT = "restaurant"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class VenueForm:
    """A venue as a citizen describes it; `hours` as in `stations.hours`, and the names of its entrances."""

    name: str
    kind: str
    district: str
    address: str
    credit_code: str
    hours: Sequence[str]
    entrances: Sequence[str]


def validate(form: VenueForm) -> VenueForm:
    """Return the form in the spelling that is kept. Raises Problem with every bad field."""
    tidy = VenueForm(
        name=tidy_name(form.name),
        kind=form.kind,
        district=form.district,
        address=tidy_name(form.address),
        credit_code=fold_credit_code(form.credit_code),
        hours=[text.strip() for text in form.hours],
        entrances=[tidy_name(name) for name in form.entrances],
    )
    wrong = find_name_errors("/name", tidy.name, MAX_NAME)
    wrong += [] if tidy.kind in set(VenueKind) else [FieldError("/kind", "not-a-choice")]
    wrong += [] if tidy.district in districts() else [FieldError("/district", "not-a-choice")]
    wrong += find_name_errors("/address", tidy.address, MAX_ADDRESS)
    wrong += [] if is_credit_code(tidy.credit_code) else [FieldError("/credit_code", "credit-code-form")]
    wrong += hours.find_errors(tidy.hours) + _find_entrance_errors(tidy.entrances)
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    return tidy


def find_name_errors(pointer: str, name: str, most: int) -> list[FieldError]:
    """Return what is wrong with a name that people read, if anything."""
    if not name:
        return [FieldError(pointer, "required")]
    if len(name) > most:
        return [FieldError(pointer, "too-long")]
    return [] if is_of_known_scripts(name) else [FieldError(pointer, "invalid")]


def _find_entrance_errors(names: Sequence[str]) -> list[FieldError]:
    if not names:
        return [FieldError("/entrances", "required")]
    if len(names) > MAX_ENTRANCES:
        return [FieldError("/entrances", "entrances-too-many")]
    wrong = []
    for place, name in enumerate(names):
        pointer = f"/entrances/{place}"
        taken = name in names[:place]
        wrong += [FieldError(pointer, "entrance-taken")] if taken else find_name_errors(pointer, name, MAX_ENTRANCE)
    return wrong
