/*
 * The window with two phones: a citizen's and an inspector's, and between them what WeChat and the platform do.
 *
 * Owns who holds which phone. Everything happens by real calls (calls.js) and in the mini-program itself (phone.js).
 */
import * as calls from './calls.js';
import { makePhone } from './phone.js';
import { makeStory } from './story.js';
import { makeMessages, makePlatform } from './trays.js';
import { element, words } from './words.js';

const HOME = 'pages/home/home';
const STATION = 'pages/station/station';
const KEPT = 'stage.citizen'; // who holds the left phone, over a reload

const at = (id) => document.getElementById(id);
const citizen = makePhone(at('citizen'));
const inspector = makePhone(at('inspector'));
const story = makeStory(at('story'), at('after'), () => calls.stateOf(citizen.stored('citizen.session')));
const messages = makeMessages(at('messages'), { opened: openNotice, heard: story.received });
const platform = makePlatform(document.querySelector('.platform'), failed);
let cast = null;

/* For the phones: what the camera of the one sees on the screen of the other. */
window.stage = {
  screens: (name) => (name === citizen.name ? inspector : citizen).images(),
};

function failed(error) {
  at('trouble').textContent = error.message;
  at('trouble').hidden = false;
}

function worked() {
  at('trouble').hidden = true;
}

/* Run what a tap began; while it runs, its button cannot be tapped again. */
async function tapped(button, act) {
  button.disabled = true;
  worked();
  try {
    await act();
  } catch (error) {
    failed(error);
  } finally {
    button.disabled = false;
  }
}

/* --- who holds the phones ------------------------------------------------------------------------------------- */

async function play(person) {
  const { session, account } = await calls.logIn(person.username, person.username, cast.password);
  hold(person.username, person);
  const storage = { 'citizen.session': session, 'citizen.account': account };
  await citizen.show(person.username, HOME, { storage, quiet: 'pages/login/login' });
  story.chosen(person.username);
}

async function newPhone() {
  const { newcomer } = await calls.castOfTheStage();
  const name = `new-${newcomer.number.slice(-5).toLowerCase()}`;
  await calls.addUser(name);
  hold(name, newcomer);
  at('newcomer').hidden = false;
  at('newcomer').querySelectorAll('[data-copy]').forEach((place) => offer(place, newcomer[place.dataset.copy]));
  await citizen.show(name, HOME);
}

/* From now on the left phone, the tray and the platform's record are this person's. */
function hold(name, person) {
  document.querySelector('.invite').hidden = true;
  at('newcomer').hidden = true;
  at('whose').textContent = name;
  [...at('people').children].forEach((chip) => chip.setAttribute('aria-pressed', String(chip.dataset.name === name)));
  sessionStorage.setItem(KEPT, person.username || '');
  platform.about(person).catch(failed);
}

async function logInspectorIn() {
  const { username } = cast.inspector;
  const { session, station } = await calls.logInAtStation(username, cast.password);
  at('inspectors').firstChild.setAttribute('aria-pressed', 'true');
  const storage = { 'station.session': session, 'station.name': station };
  await inspector.show(username, STATION, { storage, quiet: 'pages/station-login/station-login' });
}

function offer(place, text) {
  const copy = element('button', { type: 'button' }, ...words('复制', 'copy'));
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text);
    copy.replaceChildren(...words('已复制', 'copied'));
  });
  place.replaceChildren(element('code', {}, text), copy);
}

function openNotice(page) {
  citizen.open(`/${page}`);
}

/* --- the stage's own buttons ---------------------------------------------------------------------------------- */

function chip(name, content, act) {
  const button = element('button', { type: 'button', className: `chip ${name}` }, ...content);
  button.dataset.name = name;
  button.setAttribute('aria-pressed', 'false');
  button.addEventListener('click', () => tapped(button, act));
  return button;
}

function drawChips() {
  const people = cast.people.map((person) => {
    const made = chip(person.username, [person.username], () => play(person));
    made.title = `${person.name}：${person.for.zh} ${person.for.en}`;
    return made;
  });
  at('people').append(...people, chip('new', words('新手机', 'new phone'), newPhone));
  at('inspectors').append(chip(cast.inspector.username, [cast.inspector.username], logInspectorIn));
  const start = document.querySelector('.start');
  start.addEventListener('click', () => tapped(start, () => play(cast.people[0])));
}

function drawLinks() {
  const names = { api: ['接口', 'API'], wechat: ['微信沙箱', 'WeChat'], platform: ['平台沙箱', 'platform'] };
  Object.entries(names).forEach(([key, name]) => {
    at('links').append(element('a', { href: cast.links[key], target: '_blank', rel: 'noopener' }, ...words(...name)));
  });
}

/* On a narrow window one part is seen at a time. */
function drawViews() {
  const buttons = [...document.querySelectorAll('.views button')];
  buttons.forEach((button) => {
    button.addEventListener('click', () => {
      document.querySelector('main').dataset.view = button.dataset.view;
      buttons.forEach((other) => other.setAttribute('aria-pressed', String(other === button)));
    });
  });
}

/* --- what goes on --------------------------------------------------------------------------------------------- */

window.addEventListener('message', (event) => {
  if (event.origin !== location.origin || !event.data || event.data.from !== 'phone') return;
  if (event.source === citizen.frame.contentWindow) story.told('citizen', event.data);
  if (event.source === inspector.frame.contentWindow) story.told('inspector', event.data);
});

async function everySecond() {
  const time = new Date().toLocaleTimeString('zh-CN', { hour: '2-digit', minute: '2-digit', timeZone: 'Asia/Shanghai' });
  document.querySelectorAll('.time').forEach((place) => (place.textContent = time));
  if (citizen.name && !document.hidden) {
    await messages.look(citizen.name).catch(() => {});
    await story.look();
  }
  setTimeout(everySecond, 1000);
}

async function begin() {
  cast = await calls.castOfTheStage();
  drawChips();
  drawLinks();
  const kept = cast.people.find((person) => person.username === sessionStorage.getItem(KEPT));
  everySecond();
  await Promise.all([logInspectorIn(), kept ? play(kept) : platform.about(null)]);
}

drawViews();
window.addEventListener('focus', () => platform.look().catch(() => {}));
begin().catch(failed);
