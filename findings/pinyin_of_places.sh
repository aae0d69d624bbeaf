#!/usr/bin/env bash
# pinyin-pro 3.29.4 and china-division 2.7.0 (npm), pypinyin 0.55.0; Node
#
# Names of places in Latin letters, for the English page, the list that is sorted, the station's display: 长春市 is
# Changchun, and both libraries know it.
# Guess: a county is read in an address as it is read alone; phrases before it can only help.
# Really: 长 is read zhang, as in 市长 (mayor) and 省长 (governor), wherever it follows a city or a province, without a space,
#   as all addresses are written. Of 3,320 cities and counties, each after what it belongs to, pinyin-pro reads 28 otherwise
#   than alone and pypinyin 8, all of them so, among them the capitals of Jilin and Hunan.
#   Alone, pypinyin is wrong with 长白 (zhang bai) and 漯河 (ta he), and both with 珲春 (hui chun), which is Hunchun.
# Why it matters: the address of a whole city is somebody else's at a gate that compares Latin letters, and every test with
#   Beijing and Shanghai passes. Read each level by itself, and keep a list of one's own province.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pypinyin==0.55.0
npm install --silent --no-audit --no-fund --prefix "$folder" pinyin-pro@3.29.4 china-division@2.7.0 > "$folder/npm.log"
cd "$folder"
cat > read.js <<'JS'
const { pinyin } = require('pinyin-pro');
const divided = (level) => require(`china-division/dist/${level}.json`);
const named = (places) => Object.fromEntries(places.map(({ code, name }) => [code, name]));
const provinces = named(divided('provinces'));
const cities = named(divided('cities'));
const SEAT = /^市辖区$|直辖/; // a level without a name of its own
const pairs = divided('cities').map(({ provinceCode, name }) => [provinces[provinceCode], name]);
divided('areas').forEach(({ provinceCode, cityCode, name }) => {
  pairs.push([SEAT.test(cities[cityCode]) ? provinces[provinceCode] : cities[cityCode], name]);
});
const known = ['长春', '长白', '漯河', '珲春'];
const read = (name) => pinyin(name, { toneType: 'none' });
console.log(JSON.stringify({
  pairs, known, read: Object.fromEntries([...pairs.flatMap(([a, b]) => [a, b, a + b]), ...known].map((name) => [name, read(name)])),
}));
JS
node read.js > places.json
venv/bin/python - <<'PY'
import json

from pypinyin import lazy_pinyin

with open("places.json", encoding="utf-8") as file:
    places = json.load(file)
READERS = {"pinyin-pro": places["read"].get, "pypinyin": lambda name: " ".join(lazy_pinyin(name))}
other, known = {}, {}
for library, read in READERS.items():
    known[library] = {name: read(name) for name in places["known"]}
    other[library] = [
        (above, name) for above, name in places["pairs"] if read(above + name) != f"{read(above)} {read(name)}"
    ]
    print(library, known[library])
    print(len(other[library]), "of", len(places["pairs"]), "read otherwise in an address:")
    for above, name in other[library]:
        print("  ", above + name, "is", read(above + name))
assert [len(some) for some in other.values()] == [28, 8] and len(places["pairs"]) == 3320, "changed"
for library, read in READERS.items():
    assert all(above[-1] in "省市州" and name[0] == "长" for above, name in other[library]), "changed"
    assert read("吉林省长春市") == "ji lin sheng zhang chun shi", "changed"
assert known["pinyin-pro"] == {"长春": "chang chun", "长白": "chang bai", "漯河": "luo he", "珲春": "hui chun"}, "changed"
assert known["pypinyin"] == {"长春": "chang chun", "长白": "zhang bai", "漯河": "ta he", "珲春": "hui chun"}, "changed"
PY
