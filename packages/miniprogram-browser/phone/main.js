/*
 * The start of a phone: WeChat's frame for the mini-program, in the page phone.html?phone=<name>&start=<page>&….
 *
 * Owns the order in which the parts begin. What each part does is in its own file.
 */
import { glassEasel, MiniProgramEnv } from 'glass-easel-miniprogram-adapter';

import { firstAddress } from './address.js';
import { makeBackend, spreadAttributes } from './backend.js';
import { makeDialogs } from '../wx/dialogs.js';
import { defineElements } from './elements.js';
import { listen } from './events.js';
import { makePages } from './pages.js';
import { requirePlugin } from '../wx/speech.js';
import { makeWx } from '../wx/wx.js';

/* Start the compiled mini-program: {app, templates, units, load}. */
export function start(program) {
  const phone = makePhone(new URLSearchParams(location.search).get('phone') || 'demo');
  document.documentElement.dataset.style = program.app.style || '';
  const space = new MiniProgramEnv().createCodeSpace('main', true);
  phone.backend = makeBackend();
  phone.dialogs = makeDialogs(phone);
  phone.pages = makePages(phone, program, space);
  phone.wx = makeWx(phone, program);
  Object.assign(globalThis, { wx: phone.wx, requirePlugin, ...phone.pages.globals, ...wxsGlobals() });
  defineElements(phone, space.getComponentSpace());
  glassEasel.addGlobalErrorListener(tellError);
  glassEasel.addGlobalWarningListener((message) => !message.includes('but get null value')); // as WeChat, silently the default
  define(program, space);
  listen(phone, document.getElementById('phone'));
  window.phone = outside(phone);
  phone.pages.launch(firstAddress(location.search, program.app.pages[0]));
}

function tellError(error) {
  console.error(error);
  return false; // told already
}

function makePhone(name) {
  const phone = { name, online: navigator.onLine, tapping: false };
  phone.tell = (event, more) => {
    window.parent.postMessage({ ...more, from: 'phone', phone: phone.name, event }, location.origin);
  };
  return phone;
}

/* What WXS has beyond plain JavaScript. */
function wxsGlobals() {
  return {
    getRegExp: (source, flags) => new RegExp(source, flags),
    getDate: (...parts) => (parts.length ? new Date(...parts) : new Date()),
  };
}

/* Components before the pages that use them, and app.js before both, as in WeChat. */
function define(program, space) {
  const plain = space.prepareComponentOptions.bind(space);
  space.prepareComponentOptions = (is, options) => {
    const [prepared, isolation] = plain(is, options);
    const inPage = program.units.some((unit) => unit.path === is && unit.kind === 'page');
    const idPrefixGenerator = inPage ? null : prepared.idPrefixGenerator;
    return [{ ...prepared, writeIdToDOM: true, idPrefixGenerator }, isolation];
  };
  program.units.forEach((unit) => {
    space.addComponentStaticConfig(unit.path, { ...unit.config, usingComponents: absolute(unit.uses) });
    if (unit.scope) space.addStyleSheet(unit.path, undefined, unit.scope);
  });
  Object.entries(program.templates).forEach(([path, content]) => {
    space.addCompiledTemplate(path, { groupList: program.templates, content });
  });
  program.load();
  const attributes = spreadAttributes(space);
  [...program.units].reverse().forEach((unit) => {
    space.setOverallBehavior(unit.kind === 'component' ? attributes : null);
    space.globalComponentEnv(globalThis, unit.path, unit.load);
  });
}

function absolute(uses) {
  return Object.fromEntries(Object.entries(uses).map(([tag, path]) => [tag, `/${path}`]));
}

/* What the stage and the tests may use. */
function outside(phone) {
  return {
    name: phone.name,
    wx: phone.wx,
    storage: phone.storage,
    page: () => phone.pages.top().caller,
    open: (url) => phone.pages.reLaunch(url.startsWith('/') ? url : `/${url}`),
    pullDown: () => phone.pages.pullDown(),
    setOnline: (online) => phone.setOnline(online),
    get online() {
      return phone.online;
    },
  };
}
