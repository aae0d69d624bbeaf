/* The page: what was pasted is verified in place; nothing leaves it, and nothing is kept. */
import { parseKeys, Refused, verify } from '../src/index.js';

const WORDS = {
  UNVERIFIED: '未核验 Unverified', GREEN: '绿码 Green', YELLOW: '黄码 Yellow', ORANGE: '橙码 Orange', RED: '红码 Red',
};
const find = (id) => document.getElementById(id);

find('file').addEventListener('change', async ({ target }) => {
  if (target.files[0]) find('keys').value = await target.files[0].text();
});
find('form').addEventListener('submit', (event) => {
  event.preventDefault();
  const answer = find('answer');
  const { look, lines } = read();
  answer.className = look;
  answer.replaceChildren(...lines.map((text, index) => Object.assign(document.createElement('p'), { textContent: text, className: index ? '' : 'word' })));
  answer.hidden = false;
});

/* What to show: the look, and lines of which the first is the answer. */
function read() {
  const at = find('at').value.trim();
  const moment = at ? new Date(at) : new Date();
  let keys;
  try {
    keys = parseKeys(JSON.parse(find('keys').value));
  } catch (error) {
    return refused('密钥无法使用 The keys cannot be used', error instanceof TypeError ? error.message : '不是 JSON。 This is no JSON.');
  }
  if (Number.isNaN(moment.getTime())) return refused('时间无法识别 This is no moment', '例如 Such as 2020-03-20T12:00:30+08:00');
  try {
    return shown(verify(find('text').value.replace(/[\t\r\n]+$/, ''), keys, { at: moment }));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return refused('不予认可 Refused', error.message);
  }
}

function shown(code) {
  const ends = `有效至 Ends ${format(code.endsAt)}`;
  if (code.form === 'JX2') {
    const issued = `办理 Issued ${format(code.issuedAt)}`;
    return { look: 'paper', lines: ['纸质码，无颜色 A card on paper, no color', '请核对证件 Look at the document', issued, ends] };
  }
  return { look: code.state.toLowerCase(), lines: [WORDS[code.state], `颜色截至 As of ${format(code.issuedAt)}`, ends] };
}

const refused = (word, why) => ({ look: 'refused', lines: [word, why] });
const format = (moment) => `${moment.toLocaleString('sv-SE', { timeZone: 'Asia/Shanghai' })}（北京时间）`;
