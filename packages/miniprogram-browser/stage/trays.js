/*
 * The trays between the phones: what WeChat has brought to the citizen's phone, and the switches of the national platform.
 *
 * Shows what the two sandboxes say and keeps nothing else. Everything shown is text, never markup.
 */
import * as calls from './calls.js';
import { element, words } from './words.js';

const SERVICE = [
  { value: 'on', zh: '正常', en: 'on', set: { on: true } },
  { value: 'slow', zh: '缓慢', en: 'slow', set: { on: true, delay: 1.5 } },
  { value: 'off', zh: '关闭', en: 'off', set: { on: false } },
];
const RECORDS = [
  { value: 'none', zh: '无', en: 'none' },
  { value: 'contact', zh: '密接', en: 'contact' },
  { value: 'quarantine', zh: '隔离', en: 'quarantine' },
  { value: 'confirmed', zh: '确诊', en: 'confirmed' },
];

/* The tray of messages: look(name) asks once; heard(message) is called for each that is new. */
export function makeMessages(root, { opened, heard }) {
  let owner = null;
  let known = new Set();
  const nothing = words('还没有消息。要收到变码通知，须在小程序里点“允许”。', 'Nothing yet. A notice comes only after 允许 was tapped in the mini-program.');
  return {
    async look(name) {
      const messages = await calls.messagesOf(name);
      if (owner !== name) root.replaceChildren(element('p', { className: 'nothing' }, ...nothing));
      const first = owner !== name;
      if (first) known = new Set();
      owner = name;
      messages.filter((message) => !known.has(message.msgid)).forEach((message) => {
        if (!known.size) root.replaceChildren();
        known.add(message.msgid);
        root.prepend(card(message, !first, opened));
        if (!first) heard(message);
      });
    },
  };
}

/* A service notice as WeChat shows it. */
function card(message, fresh, opened) {
  const time = new Date(message.received_at).toLocaleTimeString('zh-CN', { hour12: false, timeZone: 'Asia/Shanghai' });
  const fields = message.fields.map((field) =>
    element('div', {}, element('dt', {}, field.label), element('dd', {}, field.value)),
  );
  const content = [
    element('span', { className: 'from' }, '服务通知 · 吉林省网上办事大厅', element('time', {}, time)),
    element('strong', {}, message.title),
    element('dl', {}, ...fields),
  ];
  const className = fresh ? 'notice fresh' : 'notice';
  if (!message.page) return element('div', { className }, ...content);
  const foot = element('span', { className: 'into' }, ...words('进入小程序查看 ›', 'open'));
  const button = element('button', { className, type: 'button' }, ...content, foot);
  button.addEventListener('click', () => opened(message.page));
  return button;
}

/* The platform's two switches; about(person) says whose record the second one shows, or null. */
export function makePlatform(root, failed) {
  let person = null;
  const service = choice(root.querySelector('#switch'), SERVICE, (picked) => calls.setPlatformSwitch(picked.set), failed);
  const record = choice(root.querySelector('#finding'), RECORDS, (picked) => calls.setRecord(person.number, picked.value), failed);
  const hint = root.querySelector('#finding-hint');

  async function look() {
    const now = await calls.platformSwitch();
    service.show(now.on ? (now.delay ? 'slow' : 'on') : 'off');
    record.show(person ? (await calls.recordOf(person.number))[0] || 'none' : null);
  }

  return {
    look,
    about(whom) {
      person = whom;
      record.enable(Boolean(person));
      hint.replaceChildren(
        ...(person
          ? words(`关于${person.name}，下次健康申报时生效。`, 'counts at the next declaration')
          : words('先选择一位居民。', 'choose a citizen first')),
      );
      return look();
    },
  };
}

/* A row of radio buttons in a fieldset: show(value), enable(whether). */
function choice(fieldset, options, act, failed) {
  const inputs = options.map((option) => {
    const input = element('input', { type: 'radio', name: fieldset.id, value: option.value });
    input.addEventListener('change', () => act(option).catch(failed));
    fieldset.append(element('label', {}, input, element('span', {}, ...words(option.zh, option.en))));
    return input;
  });
  return {
    show: (value) => inputs.forEach((input) => (input.checked = input.value === value)),
    enable: (whether) => (fieldset.disabled = !whether),
  };
}
