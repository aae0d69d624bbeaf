/*
 * WeChat's built-in components that show something: view, text, image, button, navigator, label, scroll-view.
 *
 * Owns how each stands in the document. An element is {properties, make(host, comp) -> {slot}, show(host, data, names, comp)}:
 * made once, then shown whenever properties change. Those that take something in are in fields.js, and what looks
 * at the other phone in camera.js.
 */
import { fileAddress } from './address.js';
import { COMMON_PROPERTIES, showCommon } from './backend.js';
import { defineCamera } from './camera.js';
import { fire } from './events.js';
import { defineFields } from './fields.js';
import { inside } from './inside.js';
import { TAGS } from './tags.js';

const text = (value = '') => ({ type: String, value });
const yes = { type: Boolean, value: false };
const number = (value = 0) => ({ type: Number, value });
const any = { type: null, value: null };

/* Make all built-in components known to the mini-program. */
export function defineElements(phone, space) {
  const all = { ...shown(phone), ...defineFields(phone), ...defineCamera(phone) };
  TAGS.forEach((tag) => {
    const element = all[tag];
    const definition = space.defineComponent({
      is: `wx-${tag}`,
      options: { externalComponent: true, templateEngine: engine(element), writeFieldsToNode: false },
      properties: { ...COMMON_PROPERTIES, hoverClass: text(), ...element.properties },
    });
    space.setGlobalUsingComponent(tag, definition.general());
  });
}

function engine(element) {
  return { create: () => ({ createInstance: (comp) => instance(element, comp) }) };
}

function instance(element, comp) {
  const host = comp.getBackendElement();
  const made = (element.make && element.make(host, comp)) || {};
  const show = (data, names) => {
    showCommon(comp, made.inner || host, data, names);
    if (element.show) element.show(host, data, names, comp);
  };
  const nothing = () => {};
  const shadowRoot = { root: host, slot: made.slot || host, getIdMap: () => ({}), handleEvent: nothing, setListener: nothing };
  return {
    shadowRoot,
    initValues: (data) => show(data, Object.keys(data)),
    updateValues: (data, changes) => show(data, changes.map(([path]) => path[0])),
  };
}

function shown(phone) {
  return {
    view: {},
    label: { properties: { for: text() }, show: showLabel },
    text: { properties: { userSelect: yes, selectable: yes, decode: yes, space: text() }, show: showText },
    image: { properties: IMAGE, make: makeImage, show: showImage },
    button: { properties: BUTTON, make: (host, comp) => makeButton(phone, host, comp), show: showButton },
    navigator: { properties: NAVIGATOR, make: (host, comp) => makeNavigator(phone, host, comp) },
    'scroll-view': { properties: SCROLL, make: makeScroll, show: showScroll },
  };
}

function showLabel(host, data, names, comp) {
  const owner = comp.ownerShadowRoot && comp.ownerShadowRoot.getHostNode();
  const prefix = owner && owner._$idPrefix ? `${owner._$idPrefix}--` : '';
  if (data.for) host.htmlFor = prefix + data.for;
  else host.removeAttribute('for');
}

function showText(host, data) {
  host.toggleAttribute('selectable', data.userSelect || data.selectable);
}

const IMAGE = { src: text(), mode: text('scaleToFill'), lazyLoad: yes, showMenuByLongpress: yes };

/* The picture in it carries the name for screen readers, or none. */
function makeImage(host, comp) {
  host.__image = inside(host, 'img', { alt: '' });
  host.__image.addEventListener('load', () => {
    fire(comp, 'load', { width: host.__image.naturalWidth, height: host.__image.naturalHeight });
  });
  host.__image.addEventListener('error', () => fire(comp, 'error', { errMsg: `${comp.data.src} cannot be shown` }));
}

function showImage(host, data, names, comp) {
  const owner = comp.ownerShadowRoot && comp.ownerShadowRoot.getHostNode();
  if (names.includes('mode')) host.setAttribute('mode', data.mode);
  if (names.includes('ariaLabel')) host.__image.alt = data.ariaLabel || '';
  host.removeAttribute('aria-label');
  if (!names.includes('src')) return;
  if (data.src) host.__image.src = fileAddress(data.src, owner ? owner.is : '');
  else host.__image.removeAttribute('src');
}

const BUTTON = {
  size: text('default'), type: text('default'), plain: yes, disabled: yes, loading: yes, formType: text(), openType: text(),
  hoverClass: text('button-hover'), appParameter: text(), name: text(),
};

function makeButton(phone, host, comp) {
  host.type = 'button';
  const tell = (name) => (detail) => fire(comp, name, detail);
  const opens = {
    agreePrivacyAuthorization: () => {
      phone.wx.$agreePrivacy();
      tell('agreeprivacyauthorization')({});
    },
    getPhoneNumber: () => phone.wx.$getPhoneNumber(tell('getphonenumber')),
    openSetting: () => phone.wx.openSetting({ complete: tell('opensetting') }),
    share: () => phone.pages.share(),
  };
  host.__act = () => {
    const form = comp.data.formType && host.closest('form');
    if (form) form.__do(comp.data.formType);
    else if (opens[comp.data.openType]) opens[comp.data.openType]();
  };
}

function showButton(host, data) {
  host.disabled = data.disabled;
  ['size', 'type'].forEach((name) => host.setAttribute(name === 'type' ? 'kind' : name, data[name]));
  ['plain', 'loading', 'disabled'].forEach((name) => host.toggleAttribute(name, data[name]));
  if (data.loading) host.setAttribute('aria-busy', 'true');
  else if (!data.ariaBusy) host.removeAttribute('aria-busy');
}

const NAVIGATOR = {
  url: text(), openType: text('navigate'), delta: number(1), target: text('self'), hoverClass: text('navigator-hover'),
};

function makeNavigator(phone, host, comp) {
  host.setAttribute('role', 'link');
  host.tabIndex = 0;
  comp.__acts = true;
  host.__act = () => {
    const { openType, url, delta } = comp.data;
    const call = { navigate: 'navigateTo', redirect: 'redirectTo' }[openType] || openType;
    phone.wx[call]({ url, delta, fail: (problem) => console.error(problem.errMsg) });
  };
}

const SCROLL = {
  scrollX: yes, scrollY: yes, scrollTop: any, scrollLeft: any, scrollIntoView: text(), scrollWithAnimation: yes,
  upperThreshold: number(50), lowerThreshold: number(50), enhanced: yes, showScrollbar: { type: Boolean, value: true },
};

function makeScroll(host, comp) {
  host.addEventListener('scroll', () => {
    const { scrollTop, scrollLeft, scrollHeight, scrollWidth, clientHeight, clientWidth } = host;
    fire(comp, 'scroll', { scrollTop, scrollLeft, scrollHeight, scrollWidth });
    const rest = comp.data.scrollX ? scrollWidth - clientWidth - scrollLeft : scrollHeight - clientHeight - scrollTop;
    if (rest <= comp.data.lowerThreshold) fire(comp, 'scrolltolower', {});
    if ((comp.data.scrollX ? scrollLeft : scrollTop) <= comp.data.upperThreshold) fire(comp, 'scrolltoupper', {});
  });
}

function showScroll(host, data, names) {
  host.style.overflowX = data.scrollX ? 'auto' : 'hidden';
  host.style.overflowY = data.scrollY ? 'auto' : 'hidden';
  if (data.scrollX || data.scrollY) host.tabIndex = 0; // else a keyboard could not scroll it
  if (names.includes('scrollTop') && data.scrollTop !== null) host.scrollTop = parseFloat(data.scrollTop);
  if (names.includes('scrollLeft') && data.scrollLeft !== null) host.scrollLeft = parseFloat(data.scrollLeft);
  const aim = names.includes('scrollIntoView') && data.scrollIntoView && host.querySelector(`[id$="${data.scrollIntoView}"]`);
  if (aim) aim.scrollIntoView({ block: 'start' });
}
