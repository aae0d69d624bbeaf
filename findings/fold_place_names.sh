#!/usr/bin/env bash
# OpenCC 1.4.2, zhconv 1.4.3, zhconv-rs 0.4.2, hanziconv 0.3.2, chinese-converter 1.1.1; names: china-division 2.7.0 (npm)
#
# Two spellings of one place, 樓 and 楼, are one place to whoever adds up entries: fold both to simplified forms and
# compare. The names of all 3,351 provinces, cities and counties of the mainland are simplified already.
# Guess: a converter from traditional to simplified leaves every one of them as it is.
# Really: two of five do.
#   OpenCC keeps 乾 in 乾安縣, but makes 乾安县, a county of Jilin, into 干安县: its table of phrases knows the traditional
#   word alone, so two spellings of one county fold to two. 乾县 of Shaanxi and eleven towns with 乾 fare alike.
#   hanziconv makes 呼和浩特 into 唿和浩特, chinese-converter 沈阳 into 沉阳 and 泡 into 辔. Only zhconv and zhconv-rs keep all counties.
#   zhconv-rs makes the traditional name of 扶余 (扶餘, Jilin) into 扶馀, which is nobody's name.
# Why it matters: what is folded by OpenCC must be compared with what is folded by it twice, or not at all, and nothing
#   folded may be shown. Where a sum of entries by place protects people, a county with two keys has the ceiling twice.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q OpenCC==1.4.2 zhconv==1.4.3 zhconv-rs==0.4.2 hanziconv==0.3.2 chinese-converter==1.1.1
npm install --silent --no-audit --no-fund --prefix "$folder" china-division@2.7.0 > "$folder/npm.log"
cd "$folder"
venv/bin/python -W ignore - <<'PY'
import json

import chinese_converter
import opencc
import zhconv
import zhconv_rs
from hanziconv import HanziConv

FOLD = {
    "OpenCC": opencc.OpenCC("t2s").convert,
    "zhconv": lambda name: zhconv.convert(name, "zh-hans"),
    "zhconv-rs": lambda name: zhconv_rs.zhconv(name, "zh-hans"),
    "hanziconv": HanziConv.toSimplified,
    "chinese-converter": chinese_converter.to_simplified,
}
LEVELS = ("provinces", "cities", "areas", "streets")


def names(level):
    with open(f"node_modules/china-division/dist/{level}.json", encoding="utf-8") as file:
        return [place["name"] for place in json.load(file)]


official = {level: names(level) for level in LEVELS}
print("names:", {level: len(some) for level, some in official.items()})
changed = {}
for library, fold in FOLD.items():
    changed[library] = [sum(fold(name) != name for name in some) for some in official.values()]
    counties = [f"{name} -> {fold(name)}" for name in official["cities"] + official["areas"] if fold(name) != name]
    print(f"{library:18} changed {changed[library]} {', '.join(counties)}")
spellings = {library: (fold("乾安縣"), fold("乾安县"), fold("扶餘市")) for library, fold in FOLD.items()}
print(spellings)
assert changed == {
    "OpenCC": [0, 0, 2, 31],
    "zhconv": [0, 0, 0, 29],
    "zhconv-rs": [0, 0, 0, 19],
    "hanziconv": [0, 2, 7, 100],
    "chinese-converter": [0, 1, 5, 79],
}, "changed"
assert spellings["OpenCC"] == ("乾安县", "干安县", "扶余市"), "changed"
assert spellings["zhconv-rs"] == ("乾安县", "乾安县", "扶馀市"), "changed"
assert FOLD["OpenCC"](FOLD["OpenCC"]("乾安縣")) == FOLD["OpenCC"]("乾安县"), "twice is the same again"
PY
