#!/usr/bin/env bash
# cn2an 0.5.24, chinese2digits 6.0.2, WeTextProcessing 1.2.0 (PyPI, with pynini 2.1.7)
#
# What somebody says at a window becomes text with digits, and what a gate shows is said by a voice: 体温三十六点五度, 36.5℃.
# Guess: in a sentence a number is what has a unit, a day or an order beside it, and names are left alone. The other way round
#   a temperature, a day and a span of years are the commonest there are, and come out as people say them.
# Really:
#   cn2an's transform() and chinese2digits take every numeral: the city of Siping (四平) is 4平, Jiutai (九台) 9台, Shiyan (十堰)
#     10堰, and the person 王一三 is 王13. chinese2digits makes 李0.0003 of 李万三. WeTextProcessing leaves names alone, but
#     36 degrees and a half (三十六度五) is 36°五, and of the year 二〇二〇 it makes nothing.
#   To be said, cn2an makes 三十六.五摄氏度 of 36.5℃, with a dot that no voice says; "nine minus twelve years old" (九负十二岁) of
#     9-12岁, and "two thousand and twenty minus three minus nineteen" of 2020-03-19. 1-14天 is right.
#     WeTextProcessing has all four as people say them.
# Why it matters: a place of contact that was dictated is in no list of places, a name is no longer the one on the card, and a gate
#   says 365 for a fever. Tests with 十四天 and 三月十九日 pass. Convert the field of a number, never a sentence.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet cn2an==0.5.24 chinese2digits==6.0.2 WeTextProcessing==1.2.0 pynini==2.1.7 2> "$folder/pip.log"
cd "$folder"
cat > said.py <<'PY'
import logging
import warnings

warnings.simplefilter("ignore")
logging.disable()

import chinese2digits
import cn2an
from itn.chinese.inverse_normalizer import InverseNormalizer
from tn.chinese.normalizer import Normalizer

HEARD = ("十四天", "体温三十六点五度", "体温三十六度五", "二〇二〇年三月十九日", "王一三", "李万三", "四平市", "九台区", "十堰市")
SHOWN = ("第14天", "36.5℃", "1-14天", "9-12岁", "2020-03-19")
TO_DIGITS = {
    "cn2an": lambda text: cn2an.transform(text, "cn2an"),
    "chinese2digits": lambda text: chinese2digits.takeNumberFromString(text)["replacedText"],
    "WeTextProcessing": InverseNormalizer().normalize,
}
TO_WORDS = {"cn2an": lambda text: cn2an.transform(text, "an2cn"), "WeTextProcessing": Normalizer().normalize}
for texts, libraries in ((HEARD, TO_DIGITS), (SHOWN, TO_WORDS)):
    for name, convert in libraries.items():
        print(f"{name}:", ", ".join(f"{text} = {convert(text)}" for text in texts))
PY
venv/bin/python said.py 2> noise | tee seen || { cat noise; exit 1; }
diff seen - <<'TEXT'
cn2an: 十四天 = 14天, 体温三十六点五度 = 体温36.5度, 体温三十六度五 = 体温36度5, 二〇二〇年三月十九日 = 2020年3月19日, 王一三 = 王13, 李万三 = 李万三, 四平市 = 4平市, 九台区 = 9台区, 十堰市 = 10堰市
chinese2digits: 十四天 = 14天, 体温三十六点五度 = 体温36.5度, 体温三十六度五 = 体温36度5, 二〇二〇年三月十九日 = 2020年3月19日, 王一三 = 王13, 李万三 = 李0.0003, 四平市 = 4平市, 九台区 = 9台区, 十堰市 = 10堰市
WeTextProcessing: 十四天 = 14天, 体温三十六点五度 = 体温36.5°, 体温三十六度五 = 体温36°五, 二〇二〇年三月十九日 = 二〇二〇年03/19, 王一三 = 王一三, 李万三 = 李万三, 四平市 = 四平市, 九台区 = 九台区, 十堰市 = 十堰市
cn2an: 第14天 = 第十四天, 36.5℃ = 三十六.五摄氏度, 1-14天 = 一到十四天, 9-12岁 = 九负十二岁, 2020-03-19 = 二千零二十负三负十九
WeTextProcessing: 第14天 = 第十四天, 36.5℃ = 三十六点五摄氏度, 1-14天 = 一到十四天, 9-12岁 = 九到十二岁, 2020-03-19 = 二零二零年三月十九日
TEXT
