/*
 * WeChat's built-in components that take something in: input, textarea, checkbox, radio, switch, picker, and form.
 *
 * Owns what a form collects: the named fields of the same page or component, as WeChat gives them to bindsubmit.
 * Each stands on a real field of the document, so that keyboards and screen readers work.
 */
import { fire } from './events.js';
import { inside } from './inside.js';

const text = (value = '') => ({ type: String, value });
const yes = { type: Boolean, value: false };
const number = (value = 0) => ({ type: Number, value });
const any = { type: null, value: null };

const on = { type: Boolean, value: true };

const WRITTEN = {
  value: any, name: text(), placeholder: text(), placeholderStyle: text(), placeholderClass: text(), disabled: yes, focus: yes,
  maxlength: number(140), confirmType: text('done'), confirmHold: yes, cursorSpacing: any, adjustPosition: on,
  alwaysEmbed: yes, holdKeyboard: yes, cursor: any, selectionStart: any, selectionEnd: any,
};
const INPUT = { ...WRITTEN, type: text('text'), password: yes };
const TEXTAREA = { ...WRITTEN, autoHeight: yes, fixed: yes, showConfirmBar: on, disableDefaultPadding: yes };
const TICKED = { value: text(), checked: yes, disabled: yes, color: text() };
const PICKER = {
  mode: text('selector'), range: { type: Array, value: [] }, rangeKey: text(), value: any, start: text(), end: text(),
  fields: text('day'), disabled: yes, name: text(), headerText: text(),
};

export function defineFields() {
  return {
    input: { properties: INPUT, make: makeWritten, show: showInput },
    textarea: { properties: TEXTAREA, make: makeWritten, show: showTextarea },
    checkbox: { properties: TICKED, make: (host, comp) => makeTicked('checkbox', host, comp), show: showTicked },
    radio: { properties: TICKED, make: (host, comp) => makeTicked('radio', host, comp), show: showTicked },
    switch: { properties: { ...TICKED, name: text(), type: text('switch') }, make: makeSwitch, show: showTicked },
    picker: { properties: PICKER, make: makePicker, show: showPicker },
    'checkbox-group': { properties: { name: text() }, make: (host) => makeGroup('group', host, checkedBoxes) },
    'radio-group': { properties: { name: text() }, make: (host) => makeGroup('radiogroup', host, checkedRadio) },
    form: { properties: { reportSubmit: yes }, make: makeForm },
  };
}

/* The host itself is the field. A listener of bindinput may answer with another text. */
function makeWritten(host, comp) {
  host.autocomplete = 'off';
  host.__value = () => host.value;
  host.__reset = () => keep(comp, host, '');
  host.addEventListener('input', () => {
    comp.setData({ value: host.value });
    grow(host, comp.data);
    const replace = (answer) => {
      if (typeof answer === 'string' && answer !== host.value) keep(comp, host, answer);
    };
    fire(comp, 'input', { value: host.value, cursor: host.selectionStart, keyCode: 0 }, { replace });
  });
  host.addEventListener('focus', () => fire(comp, 'focus', { value: host.value, height: 0 }));
  host.addEventListener('blur', () => fire(comp, 'blur', { value: host.value, cursor: host.selectionStart }));
  host.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing || host.tagName === 'TEXTAREA') return;
    event.preventDefault(); // a form of WeChat is not sent by the enter key
    fire(comp, 'confirm', { value: host.value });
  });
}

function keep(comp, host, value) {
  host.value = value;
  comp.setData({ value });
}

function showWritten(host, data, names) {
  const value = data.value === null || data.value === undefined ? '' : String(data.value);
  if (names.includes('value') && host.value !== value) host.value = value;
  if (names.includes('placeholder')) host.placeholder = data.placeholder;
  if (names.includes('placeholderStyle')) showPlaceholder(host, data.placeholderStyle);
  host.disabled = data.disabled;
  host.enterKeyHint = data.confirmType;
  if (data.maxlength >= 0) host.maxLength = data.maxlength;
  else host.removeAttribute('maxlength');
  if (names.includes('focus') && data.focus) setTimeout(() => host.focus(), 0);
}

function showPlaceholder(host, style) {
  const color = /(?:^|;)\s*color\s*:\s*([^;]+)/.exec(style);
  host.style.setProperty('--placeholder', color ? color[1] : '');
}

const KEYBOARDS = { number: 'numeric', digit: 'decimal', idcard: 'text', tel: 'tel' };

function showInput(host, data, names) {
  host.type = data.password || data.type === 'safe-password' ? 'password' : 'text';
  host.inputMode = KEYBOARDS[data.type] || 'text';
  showWritten(host, data, names);
}

function showTextarea(host, data, names) {
  showWritten(host, data, names);
  host.toggleAttribute('auto-height', data.autoHeight);
  setTimeout(() => grow(host, data), 0);
}

function grow(host, data) {
  if (!data.autoHeight) return;
  host.style.height = 'auto';
  host.style.height = `${host.scrollHeight}px`;
}

let nextTick = 0;

/* A tick before the words that the mini-program puts into it. */
function makeTicked(type, host, comp) {
  const tick = inside(host, 'input', { type, class: `wx-${type}-input` });
  const words = inside(host, 'span', { id: `tick-${nextTick += 1}` });
  host.__tick = tick;
  setTimeout(() => {
    if (!host.closest('label') && words.textContent) tick.setAttribute('aria-labelledby', words.id);
  }, 0);
  tick.addEventListener('change', () => {
    comp.setData({ checked: tick.checked });
    const group = host.closest(`${type}-group`);
    if (group) group.__changed(host);
  });
  host.addEventListener('click', (event) => {
    if (event.target === tick || host.closest('label')) return; // the document sees to these
    event.stopPropagation(); // the tick's own click is told
    tick.click();
  });
  return { inner: tick, slot: words };
}

function showTicked(host, data, names) {
  if (names.includes('checked')) host.__tick.checked = data.checked;
  host.__tick.classList.toggle(`wx-${host.tagName.toLowerCase()}-input-checked`, data.checked); // as WeChat, for style sheets
  host.__tick.disabled = data.disabled;
  if (data.color) host.style.setProperty('--tick', data.color);
}

function makeSwitch(host, comp) {
  const tick = inside(host, 'input', { type: 'checkbox', role: 'switch' });
  host.__tick = tick;
  host.__value = () => tick.checked;
  host.__reset = () => comp.setData({ checked: false });
  tick.addEventListener('change', () => {
    comp.setData({ checked: tick.checked });
    fire(comp, 'change', { value: tick.checked });
  });
  return { inner: tick };
}

const checkedBoxes = (host) => ticksIn(host, 'checkbox').filter((tick) => tick.checked).map((tick) => tick.value);
const checkedRadio = (host) => (ticksIn(host, 'radio').find((tick) => tick.checked) || { value: '' }).value;

function ticksIn(host, tag) {
  return [...host.querySelectorAll(tag)].map((element) => element.__wxElement.data);
}

function makeGroup(role, host, valueOf) {
  host.setAttribute('role', role);
  host.__value = () => valueOf(host);
  host.__reset = () => {
    host.querySelectorAll('checkbox, radio').forEach((element) => element.__wxElement.setData({ checked: false }));
  };
  host.__changed = (changed) => {
    host.querySelectorAll('radio').forEach((element) => {
      if (element !== changed) element.__wxElement.setData({ checked: false });
    });
    fire(host.__wxElement, 'change', { value: valueOf(host) });
  };
}

/* A real select or date field lies, unseen, over what the mini-program shows. */
function makePicker(host, comp) {
  const words = inside(host, 'div', { 'aria-hidden': 'true' });
  host.__over = inside(host, 'span');
  host.__comp = comp;
  host.__value = () => (comp.data.value === null ? '' : comp.data.value);
  host.__reset = () => comp.setData({ value: null });
  return { slot: words };
}

function showPicker(host, data, names, comp) {
  if (!host.__field || names.includes('mode')) replaceField(host, data, comp);
  const field = host.__field;
  [...host.attributes].filter(({ name }) => name.startsWith('aria-')).forEach(({ name, value }) => {
    field.setAttribute(name, value);
    host.removeAttribute(name);
  });
  field.disabled = data.disabled;
  if (data.mode === 'selector') showChoices(field, data);
  else showMoment(field, data);
}

function replaceField(host, data, comp) {
  const types = { date: data.fields === 'month' ? 'month' : 'date', time: 'time' };
  const made = data.mode === 'selector' || types[data.mode];
  if (!made) throw new Error(`a picker of mode ${data.mode} is not made in browser/fields.js`);
  const field = document.createElement(data.mode === 'selector' ? 'select' : 'input');
  if (types[data.mode]) field.type = types[data.mode];
  host.__over.replaceWith(field);
  host.__over = field;
  host.__field = field;
  field.addEventListener('change', () => {
    const value = data.mode === 'selector' ? String(field.selectedIndex) : field.value;
    if (value === '' || value === '-1') return;
    comp.setData({ value });
    fire(comp, 'change', { value });
  });
  field.addEventListener('click', () => {
    if (field.showPicker && data.mode !== 'selector') field.showPicker();
  });
}

function showChoices(field, data) {
  const words = (data.range || []).map((choice) => (data.rangeKey ? choice[data.rangeKey] : choice));
  if (words.join('\n') !== field.__words) field.replaceChildren(...words.map((word) => new Option(word)));
  field.__words = words.join('\n');
  field.selectedIndex = data.value === null || data.value === '' ? -1 : Number(data.value);
}

function showMoment(field, data) {
  field.min = data.start;
  field.max = data.end;
  if (field.value !== (data.value || '')) field.value = data.value || '';
}

/* Only fields that stand in the same page or component as the form belong to it. */
function makeForm(host, comp) {
  host.noValidate = true;
  host.addEventListener('submit', (event) => event.preventDefault());
  const fields = () => [...host.querySelectorAll('*')].filter((element) => {
    return element.__value && element.__wxElement.data.name && element.__wxElement.ownerShadowRoot === comp.ownerShadowRoot;
  });
  host.__do = (type) => {
    if (type === 'reset') fields().forEach((field) => field.__reset());
    const value = Object.fromEntries(fields().map((field) => [field.__wxElement.data.name, field.__value()]));
    fire(comp, type, type === 'submit' ? { value, target: null } : {});
  };
}
