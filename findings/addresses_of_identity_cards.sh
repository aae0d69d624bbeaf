#!/usr/bin/env bash
# address-parse 1.2.19, zh-address-parse 1.3.16; names: china-division 2.7.0 (npm); Node
#
# Addresses as identity cards have them: of a county, the province and the county, without the city between them.
# Guess: a parser knows the tree of places, so either it finds the county below the province, or it gives none.
# Really, of 1,784 counties, banners and cities of that rank, as "province, county, street":
#   address-parse finds 20 in another place, since it takes the first name of its tree that has the letters in it, wherever they
#     are: 石渠县 in the west of Sichuan is 渠县 in its east, 丹凤县 is 凤县, 峨眉山市 is 眉山市, and right banners are left ones.
#   Both lose the 26 that are called as their city is: 吉林省通化县 is the city of 通化, and "县" goes to the street. Written with the
#     city, they find them.
#   zh-address-parse does not find the city of Jilin, which is called as its province is, when the province is left out.
# Why it matters: where somebody lives decides which district calls them, and a wrong one is as well formed as the right one. The
#   addresses that one tests with have their city. Let people choose their county, or take it from the number's first six digits
#   as a question, never as an answer.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" address-parse@1.2.19 zh-address-parse@1.3.16 \
  china-division@2.7.0 > "$folder/npm.log"
cd "$folder"
cat > read.js <<'JS'
const { default: AddressParse } = require('address-parse');
const provinces = require('china-division/dist/pca-code.json');
const zhAddressParse = require('zh-address-parse');

const readers = {
  'address-parse': (text) => AddressParse.parse(text)[0],
  'zh-address-parse': (text) => zhAddressParse(text, { type: 0 }),
};
const places = provinces.flatMap((province) => province.children.flatMap((city) => (city.children ?? [])
  .map(({ name, code }) => ({ province: province.name, city: city.name, name, code }))));
const names = new Set(places.map(({ name }) => name));
const counties = places.filter(({ name, code }) => code.length === 6 && Number(code.slice(4)) > 20 && /[县旗市]$/.test(name));

for (const [reader, read] of Object.entries(readers)) {
  let right = 0;
  const elsewhere = [], lost = [];
  for (const { province, city, name } of counties) {
    const seen = read(`${province}${name}人民大街1号`);
    if (seen.area === name) right += 1;
    else if (names.has(seen.area) || (/[市州]$/.test(city) && seen.city && seen.city !== city)) {
      elsewhere.push(`${name} as ${seen.city}${seen.area}`);
    } else if (!seen.area && seen.city === city) lost.push(name);
  }
  console.log(`${reader}: ${right} of ${counties.length} right`);
  for (const place of elsewhere) console.log(`  ${place}`);
  console.log(`  ${lost.length} in the city alone, such as ${lost.find((name) => name.startsWith('通'))}`);
}
for (const text of ['吉林省通化县人民大街1号', '吉林省通化市通化县人民大街1号', '吉林市昌邑区人民大街1号']) {
  for (const [reader, read] of Object.entries(readers)) {
    const { province, city, area, details, detail } = read(text);
    console.log(`${reader}: ${text}: ${[province, city, area, details ?? detail].map((part) => part || '-').join(' ')}`);
  }
}
JS
node read.js | tee seen
diff seen - <<'TEXT'
address-parse: 1707 of 1784 right
  土默特右旗 as 呼和浩特市土默特左旗
  巴林右旗 as 赤峰市巴林左旗
  科尔沁左翼中旗 as 通辽市科尔沁区
  科尔沁左翼后旗 as 通辽市科尔沁区
  新巴尔虎右旗 as 呼伦贝尔市新巴尔虎左旗
  乌拉特后旗 as 巴彦淖尔市乌拉特中旗
  杭锦后旗 as 鄂尔多斯市杭锦旗
  察哈尔右翼后旗 as 乌兰察布市察哈尔右翼中旗
  科尔沁右翼前旗 as 通辽市科尔沁区
  科尔沁右翼中旗 as 通辽市科尔沁区
  苏尼特右旗 as 锡林郭勒盟苏尼特左旗
  太和县 as 马鞍山市和县
  临澧县 as 常德市澧县
  峨眉山市 as 眉山市
  石渠县 as 达州市渠县
  得荣县 as 自贡市荣县
  祥云县 as 临沧市云县
  工布江达县 as 昌都市江达县
  丹凤县 as 宝鸡市凤县
  伊宁县 as 伊犁哈萨克自治州伊宁市
  26 in the city alone, such as 通化县
zh-address-parse: 1740 of 1784 right
  黔西市 as 黔西南布依族苗族自治州
  阿克陶县 as 阿克苏地区
  26 in the city alone, such as 通化县
address-parse: 吉林省通化县人民大街1号: 吉林省 通化市 - 县人民大街1号
zh-address-parse: 吉林省通化县人民大街1号: 吉林省 通化市 - 县人民大街1号
address-parse: 吉林省通化市通化县人民大街1号: 吉林省 通化市 通化县 人民大街1号
zh-address-parse: 吉林省通化市通化县人民大街1号: 吉林省 通化市 通化县 人民大街1号
address-parse: 吉林市昌邑区人民大街1号: 吉林省 吉林市 昌邑区 人民大街1号
zh-address-parse: 吉林市昌邑区人民大街1号: 吉林省 - - 市昌邑区人民大街1号
TEXT
