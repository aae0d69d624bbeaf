/* The districts of the province: the server's names, which are the Chinese words, and the English words in their order. */
const DISTRICTS = [
  '长春市',
  '吉林市',
  '四平市',
  '辽源市',
  '通化市',
  '白山市',
  '松原市',
  '白城市',
  '延边朝鲜族自治州',
  '长白山保护开发区',
];
const DISTRICTS_EN = [
  'Changchun',
  'Jilin City',
  'Siping',
  'Liaoyuan',
  'Tonghua',
  'Baishan',
  'Songyuan',
  'Baicheng',
  'Yanbian',
  'Changbaishan',
];

module.exports = { DISTRICTS, DISTRICTS_EN };
