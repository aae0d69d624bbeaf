/*
 * The story that a newcomer plays: eight steps, each ticked off when it has happened.
 *
 * What happens is told by the phones (postMessage), by WeChat's messages, and by the code itself, which is asked for
 * while a change of its color is awaited.
 */
import { element, words } from './words.js';

const STEPS = [
  ['点 demo-new', 'tap demo-new'],
  ['左：订阅提醒，允许', 'left: reminders, allow'],
  ['左：健康申报', 'left: declare'],
  ['左：查看吉祥码', 'left: show the code'],
  ['右：扫码', 'right: scan it'],
  ['右：测温，输入 37.5', 'right: measure, type 37.5'],
  ['微信消息到达：点开，码已变黄', 'a message arrives: open it, the code is yellow'],
  ['右：扫下一位，再测 36.5，码变绿', 'right: scan again, type 36.5: green'],
];
const [CHOSEN, SUBSCRIBED, DECLARED, SHOWN, SCANNED, FEVER, YELLOW, NORMAL] = STEPS.keys();

/* The story in `list`; `after` is shown when it is over. stateNow() resolves to the state of the citizen's code. */
export function makeStory(list, after, stateNow) {
  const done = new Set();
  let measured = false; // at the station, since the code was scanned
  let warned = false; // by a message of a yellow code
  const items = STEPS.map((step) => {
    const item = element('li', {}, element('span', { className: 'mark' }), element('span', {}, ...words(...step)));
    list.append(item);
    return item;
  });
  mark();

  function mark() {
    const next = items.findIndex((item, index) => !done.has(index));
    items.forEach((item, index) => {
      item.className = done.has(index) ? 'done' : index === next ? 'next' : '';
      item.firstChild.textContent = done.has(index) ? '✓' : String(index + 1);
      if (index === next) item.setAttribute('aria-current', 'step');
      else item.removeAttribute('aria-current');
    });
    after.hidden = next >= 0;
  }

  /* A step that rests on another counts only after it. */
  function happened(step, restsOn) {
    if (done.has(step) || (restsOn !== undefined && !done.has(restsOn))) return;
    done.add(step);
    mark();
  }

  function requested(side, { path, method, status }) {
    if (status < 200 || status >= 300) return;
    if (side === 'citizen' && method === 'GET' && path.endsWith('/code') && warned) happened(YELLOW, FEVER);
    if (method !== 'POST') return;
    if (side === 'citizen' && path.endsWith('/subscriptions')) happened(SUBSCRIBED);
    if (side === 'citizen' && path.endsWith('/declarations')) happened(DECLARED);
    if (side === 'inspector' && path.endsWith('/checks')) happened(SCANNED, CHOSEN);
    if (side === 'inspector' && path.endsWith('/checks/temperature')) measured = done.has(SCANNED);
  }

  return {
    chosen: (username) => username === 'demo-new' && happened(CHOSEN),

    /* What a phone has told: a page that is shown, or a request that was answered. */
    told(side, event) {
      if (event.event === 'requested') requested(side, event);
      if (side === 'citizen' && event.event === 'shown' && event.page === 'pages/code/code') happened(SHOWN, DECLARED);
    },

    /* A message that has just come. */
    received(notice) {
      warned = warned || notice.fields.some((field) => field.value === '黄码');
    },

    /* Look at the code while a change of its color is awaited. */
    async look() {
      if (!measured || done.has(NORMAL)) return;
      const state = await stateNow();
      if (state === 'YELLOW') happened(FEVER);
      if (state === 'GREEN') happened(NORMAL, FEVER);
    },
  };
}
