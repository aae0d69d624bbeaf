"""Names of people: one spelling of each before it is kept, asked or compared, and what can be a name at all.

Han is judged by its ranges in Unicode, not by the tables of the interpreter, which know no character newer than
themselves: people have names in every extension. The middle dot in a name is U+00B7 and a name may have 50 letters at
least, by 民委发〔2016〕33号 of twelve ministries; the platform may compare letter by letter.
"""

import re
import unicodedata
from typing import Final

from app.core.identity import spelling

MAX_LENGTH: Final = 200  # of a folded name; the longest known names of passports are shorter
_MIDDLE_DOTS: Final = "\u2022\u2027\u2219\u22c5\u25cf\u2e31\u2e33\u30fb\uff0e\uff65\ua78f\u0387\u1427"
_APOSTROPHES: Final = "\u2018\u2019\u201b\u02b9\u02bb\u02bc\u2032\uff07`\u00b4"
# FE 50 to FE A0 of GBK: characters for which Unicode had no place then. Older systems and keyboards write them in the
# private area, U+E815 to U+E864, in this order; 䶮, a given name, is one of them.
_GBK_PRIVATE: Final = (
    "⺁𠂇𠂉𠃌⺄㑳㑇⺈⺋龴㖞㘚㘎⺌⺗㥮㤘龵㧏㧟㩳㧐龶龷㭎㱮㳠⺧𡗗龸⺪䁖䅟⺮䌷⺳⺶⺷𢦏䎱䎬⺻䏝䓖䙡䙌龹"
    "䜣䜩䝼䞍⻊䥇䥺䥽䦂䦃䦅䦆䦟䦛䦷䦶龺𤇾䲣䲟䲠䲡䱷䲢䴓䴔䴕䴖䴗䴘䴙䶮龻"
)
_ONE_SPELLING: Final = str.maketrans(
    dict.fromkeys(_MIDDLE_DOTS, "·")
    | dict.fromkeys(_APOSTROPHES, "'")
    | dict(zip(map(chr, range(0xE815, 0xE865)), _GBK_PRIVATE, strict=True))
)
_HAN: Final = f"[{spelling.HAN}]"
_DOT_OF_HAN: Final = re.compile(rf"(?<={_HAN})(?: *[.。])+ *(?={_HAN})")
_DOTS: Final = re.compile(r" *·[ ·]*")
_BLANK_OF_HAN: Final = re.compile(rf"(?<={_HAN}) (?={_HAN})")
_PUNCTUATION: Final = frozenset(" ·.'-\u0f0b")  # the last divides the syllables of Tibetan


def fold_person_name(name: str) -> str:
    """Return a name in the spelling that is kept and asked: capitals as in passports, U+00B7 between its parts.

    Widths, dashes, apostrophes and middle dots become one; blanks around a dot and between Han go, and invisible marks.
    """
    folded = spelling.fold(name.translate(_ONE_SPELLING)).translate(_ONE_SPELLING)
    folded = " ".join("".join("-" if _is_dash(char) else char for char in folded).split())
    folded = _DOTS.sub("·", _DOT_OF_HAN.sub("·", folded))
    return unicodedata.normalize("NFKC", _BLANK_OF_HAN.sub("", folded).upper())


def is_person_name(folded: str) -> bool:
    """Return whether a folded text can be the name of a person: letters of any script, and the punctuation of names.

    One letter is enough: there are people with a name of one character.
    """
    has_letter = any(spelling.is_letter(char) for char in folded)
    return has_letter and len(folded) <= MAX_LENGTH and all(_is_of_name(char) for char in folded)


def _is_dash(char: str) -> bool:
    return spelling.is_dash(char) and char != "ー"  # in a name of katakana a long vowel


def _is_of_name(char: str) -> bool:
    return spelling.is_letter(char) or char in _PUNCTUATION or unicodedata.category(char)[0] == "M"
