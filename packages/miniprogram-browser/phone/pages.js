/*
 * The pages that are open, one over the other, and the life of each: onLoad, onShow, onReady, onHide, onUnload.
 *
 * Owns the stack of at most ten pages, App, and the bar above with title and way back. Knows nothing of what a page does.
 */
import { glassEasel } from 'glass-easel-miniprogram-adapter';

import { split } from './address.js';

const DEEPEST = 10;
const PLAIN_BAR = { navigationBarTitleText: '', navigationBarBackgroundColor: '#000000', navigationBarTextStyle: 'white' };
const PULL = 80; // pixels that a finger moves down to ask for fresh data

/* The stack of one phone; `globals` are what the mini-program's code finds in its global place. */
export function makePages(phone, program, space) {
  const stack = [];
  const app = {};
  const [whole, title, back] = ['bar', 'title', 'back'].map((id) => document.getElementById(id));
  const top = () => stack[stack.length - 1];

  /* A page made and put on the stack, not shown yet. */
  function push(url) {
    const { path, query } = split(url, stack.length ? top().path : '');
    const place = document.createElement('div');
    place.className = 'page-place';
    place.tabIndex = 0; // so that a keyboard can scroll it
    document.getElementById('pages').appendChild(place);
    const entry = { path, query, place, config: { ...program.app.window, ...unitOf(path).config }, bar: {} };
    stack.push(entry);
    create(entry);
    return entry;
  }

  function create(entry) {
    const root = new Root(phone, space, entry.path);
    entry.comp = root.comp;
    entry.caller = root.comp.getMethodCaller();
    Object.assign(entry.caller, { route: entry.path, options: entry.query });
    root.attach(entry.place);
    entry.place.addEventListener('scroll', () => scrolled(entry));
    if (entry.config.enablePullDownRefresh) hearPull(entry.place, self.pullDown);
    call(entry, 'onLoad', entry.query);
  }

  function show(entry) {
    if (!stack.includes(entry)) return; // its onLoad has led on to another page
    const lost = stack.some((other) => other !== entry && other.place.contains(document.activeElement));
    stack.forEach((other) => {
      other.place.hidden = other !== entry;
    });
    showBar(entry);
    if (lost) title.focus({ preventScroll: true }); // where a reader goes on
    call(entry, 'onShow');
    entry.comp.triggerPageLifetime('show', []);
    phone.tell('shown', { page: entry.path });
    if (entry.ready) return;
    entry.ready = true;
    setTimeout(() => call(entry, 'onReady'), 0);
  }

  function hide(entry) {
    call(entry, 'onHide');
    entry.comp.triggerPageLifetime('hide', []);
  }

  function drop(entry) {
    stack.splice(stack.indexOf(entry), 1);
    call(entry, 'onUnload');
    entry.caller.setData = () => {}; // an answer that comes after its page has gone changes nothing
    glassEasel.Element.pretendDetached(entry.comp);
    entry.place.remove();
  }

  function showBar(entry) {
    const config = { ...PLAIN_BAR, ...entry.config, ...entry.bar };
    title.textContent = config.navigationBarTitleText;
    document.title = config.navigationBarTitleText;
    whole.style.background = config.navigationBarBackgroundColor;
    whole.dataset.text = config.navigationBarTextStyle;
    whole.hidden = entry.config.navigationStyle === 'custom';
    entry.place.toggleAttribute('barless', whole.hidden);
    back.hidden = stack.length < 2;
  }

  function scrolled(entry) {
    const { scrollTop, scrollHeight, clientHeight } = entry.place;
    call(entry, 'onPageScroll', { scrollTop });
    const near = scrollHeight - clientHeight - scrollTop <= (entry.config.onReachBottomDistance || 50);
    if (near && !entry.near) call(entry, 'onReachBottom');
    entry.near = near;
  }

  function unitOf(path) {
    return program.units.find((unit) => unit.kind === 'page' && unit.path === path);
  }

  /* Why this page cannot be opened, or ''. */
  function refusal(url) {
    if (!url) return 'parameter error: parameter.url should be String instead of Undefined;';
    const { path } = split(url, stack.length ? top().path : '');
    return unitOf(path) ? '' : `page "${path}" is not found`;
  }

  const self = {
    top,
    stack,
    refusal,
    full: () => stack.length >= DEEPEST,
    navigateTo(url) {
      hide(top());
      show(push(url));
    },
    redirectTo(url) {
      const old = top();
      const entry = push(url);
      drop(old);
      show(entry);
    },
    reLaunch(url) {
      const old = [...stack].reverse();
      const entry = push(url);
      old.forEach(drop);
      show(entry);
    },
    navigateBack(delta) {
      const away = Math.min(Math.max(delta, 1), stack.length - 1);
      for (let left = away; left > 0; left -= 1) drop(top());
      if (away) show(top());
    },
    setBar(changes) {
      Object.assign(top().bar, changes);
      showBar(top());
    },
    pullDown() {
      top().place.toggleAttribute('pulled', true);
      call(top(), 'onPullDownRefresh');
    },
    stopPull: () => top().place.toggleAttribute('pulled', false),
    share: () => call(top(), 'onShareAppMessage', { from: 'button', target: null }),
    launch(url) {
      const known = refusal(url) ? `/${program.app.pages[0]}` : url;
      const { path, query } = split(known, '');
      phone.launched = { path, query, scene: query.scene ? 1047 : 1001, referrerInfo: {} };
      run(app, app.onLaunch, phone.launched);
      run(app, app.onShow, phone.launched);
      show(push(known));
    },
  };
  back.addEventListener('click', () => self.navigateBack(1));
  document.addEventListener('visibilitychange', () => {
    const name = document.hidden ? 'onHide' : 'onShow';
    if (document.hidden) hide(top());
    run(app, app[name], phone.launched);
    if (!document.hidden) call(top(), name);
  });
  self.globals = {
    App: (options) => Object.assign(app, options),
    getApp: () => app,
    getCurrentPages: () => stack.map((entry) => entry.caller),
  };
  return self;
}

/* A page's component, styled and put into its place. */
class Root {
  constructor(phone, space, path) {
    this.comp = space.getComponentSpace().createComponentByUrl('page', `/${path}`, null, phone.backend);
    this.comp.getBackendElement().setAttribute('is', path);
  }

  attach(place) {
    const holder = document.createElement('span');
    place.appendChild(holder);
    glassEasel.Element.replaceDocumentElement(this.comp, place, holder);
  }
}

/* A finger that moves down from the very top. */
function hearPull(place, pull) {
  let start = null;
  place.addEventListener('touchstart', (event) => {
    start = place.scrollTop <= 0 ? event.touches[0].clientY : null;
  }, { passive: true });
  place.addEventListener('touchmove', (event) => {
    if (start === null || event.touches[0].clientY - start < PULL) return;
    start = null;
    pull();
  }, { passive: true });
}

function call(entry, name, ...args) {
  const { comp, caller } = entry;
  run(caller, glassEasel.Component.getMethod(comp, name), ...args);
}

function run(self, method, ...args) {
  if (typeof method !== 'function') return undefined;
  try {
    return method.apply(self, args);
  } catch (error) {
    console.error(error);
    return undefined;
  }
}
