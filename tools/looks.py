"""The appearance of each state, for the frames and marks of tools/make_art.py."""

from typing import NamedTuple

from app.codes.states import State


class Look(NamedTuple):
    """The appearance of a state: its color, the ink on it, and its mark in a square of 96."""

    color: str
    ink: str
    mark: str


# A circle, a triangle, a house, an octagon and a broken ring: distinct without color. {c} is the color, {i} the ink.
LOOKS = {
    State.GREEN: Look(
        "#0a7a41",
        "#ffffff",
        '<circle cx="48" cy="48" r="46" fill="{i}"/>'
        '<path d="M27 50 42 65 70 34" fill="none" stroke="{c}" stroke-width="11"'
        ' stroke-linecap="round" stroke-linejoin="round"/>',
    ),
    State.YELLOW: Look(
        "#ffcb1f",
        "#231a00",
        '<path d="M48 10 91 84H5Z" fill="{i}" stroke="{i}" stroke-width="10" stroke-linejoin="round"/>'
        '<path d="M48 36V68" stroke="{c}" stroke-width="13" stroke-linecap="round"/>'
        '<circle cx="48" cy="70" r="12" fill="{c}"/><circle cx="48" cy="70" r="6" fill="{i}"/>'
        '<path d="M48 50V70" stroke="{i}" stroke-width="5" stroke-linecap="round"/>',
    ),
    State.ORANGE: Look(
        "#f47b20",
        "#241000",
        '<path d="M48 10 90 46H80V86H16V46H6Z" fill="{i}" stroke="{i}" stroke-width="8" stroke-linejoin="round"/>'
        '<path d="M38 91V64a10 10 0 0 1 20 0V91Z" fill="{c}"/>',
    ),
    State.RED: Look(
        "#c4161c",
        "#ffffff",
        '<path d="M31 5H65L91 31V65L65 91H31L5 65V31Z" fill="{i}" stroke="{i}" stroke-width="5"'
        ' stroke-linejoin="round"/>'
        '<path d="M48 25V71M25 48H71" stroke="{c}" stroke-width="17" stroke-linecap="butt"/>',
    ),
    State.UNVERIFIED: Look(
        "#e9ecef",
        "#4a525d",
        '<circle cx="48" cy="48" r="42" fill="none" stroke="{i}" stroke-width="8" stroke-dasharray="18.38 8"/>'
        '<path d="M35 39a13 13 0 1 1 19 11.5c-4.500 2.500-6 5-6 9.500" fill="none" stroke="{i}" stroke-width="8"'
        ' stroke-linecap="round"/><circle cx="48" cy="72" r="5.500" fill="{i}"/>',
    ),
}
