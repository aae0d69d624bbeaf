#!/usr/bin/env bash
# wetext 0.1.8 (the rules of WeTextProcessing), zh-normalization 0.0.2 (those of PaddleSpeech), cn2an 0.5.24 (PyPI)
#
# What is said to people who cannot read a code, or on the telephone: a text goes through a normalizer, which writes numbers as they are
# said, before a voice says it. 12345 is a hotline and is said digit by digit.
# Guess: short numbers without a context may be said as amounts. A number of eighteen digits, a number of a telephone with its area
#   and a range of days are plain enough, and a temperature has its point.
# Really:
#   wetext says 12345 by digits, and of an identity number the first eleven places by digits, as if they were a mobile phone, and
#     the rest as "three million seventy-one thousand …"; with an X at its end as 307,123 and X. cn2an leaves the number as it is.
#   A hotline with its area, 0431-12345, is "zero 431 minus 12,345" to wetext, "431 minus 12,345" to cn2an, and "431 to 12,345" to zh-normalization.
#   3月19日-3月21日, a range, is "minus 21 March" to zh-normalization; 2020/3/19 is 2,020 thirds, and 19, to it and to cn2an.
#   zh-normalization says "degrees" for ℃, and leaves the .0 of 37.0 out; cn2an leaves the point of 36.5℃ as a mark.
#   Of these thirteen, 2020年3月19日, 3-5天 and 14天 are right in all three.
# Why it matters: those who need the voice hear another number than is on the screen, and nobody who can see it notices. Write
#   the words yourself for each number whose kind you know (by digit, with 幺 for 1), and leave none to the normalizer.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q wetext==0.1.8 zh-normalization==0.0.2 cn2an==0.5.24
cd "$folder"
cat > see.py <<'PY'
import cn2an
from wetext import Normalizer
from zh_normalization import TextNormalizer

wetext, paddle = Normalizer(lang="zh", operator="tn"), TextNormalizer()
for text in (
    "2020年3月19日", "隔离14天", "3-5天", "请拨打12345", "请拨打0431-12345", "号码220102199003071234", "号码22010219900307123X", "号码310101199003071234",
    "3月19日-3月21日", "2020/3/19", "体温36.5℃", "体温37.0", "第2栋1-302",
):  # fmt: skip
    print(text, wetext.normalize(text), "".join(paddle.normalize(text)), cn2an.transform(text, "an2cn"), sep=" | ")
PY
venv/bin/python -W ignore see.py > seen
cat seen
diff seen - <<'TEXT'
2020年3月19日 | 二零二零年三月十九日 | 二零二零年三月十九日 | 二零二零年三月十九日
隔离14天 | 隔离十四天 | 隔离十四天 | 隔离十四天
3-5天 | 三到五天 | 三到五天 | 三到五天
请拨打12345 | 请拨打幺二三四五 | 请拨打幺二三四五 | 请拨打一万二千三百四十五
请拨打0431-12345 | 请拨打零四百三十一减一万二千三百四十五 | 请拨打四百三十一到一万二千三百四十五 | 请拨打四百三十一负一万二千三百四十五
号码220102199003071234 | 号码二二零幺零二幺九九零零三百零七万一千二百三十四 | 号码二二零幺零二幺九九零零三零七幺二三四 | 号码220102199003071234
号码22010219900307123X | 号码二二零幺零二幺九九零零三十万七千一百二十三X | 号码二二零幺零二幺九九零零三零七幺二三X | 号码22010219900307123X
号码310101199003071234 | 号码三幺零幺零幺幺九九零零三百零七万一千二百三十四 | 号码三幺零幺零幺幺九九零零三零七幺二三四 | 号码310101199003071234
3月19日-3月21日 | 三月十九日到三月二十一日 | 三月十九日负三月二十一日 | 三月十九日-三月二十一日
2020/3/19 | 二零二零年三月十九日 | 三分之二千零二十每十九 | 三分之二千零二十/十九
体温36.5℃ | 体温三十六点五摄氏度 | 体温三十六点五度 | 体温三十六.五摄氏度
体温37.0 | 体温三十七点零 | 体温三十七 | 体温三十七点零
第2栋1-302 | 第二栋一减三百零二 | 第二栋一到三百零二 | 第二栋一负三百零二
TEXT
