/*
 * Between glass-easel and the browser's document.
 *
 * Owns inline style without the style attribute (a strict content policy forbids that), rpx in it, and the attributes that
 * WeChat lets every component have: hidden, aria-*. Knows no single component.
 */
import { glassEasel } from 'glass-easel-miniprogram-adapter';

const ARIA = [
  'label', 'labelledby', 'describedby', 'details', 'errormessage', 'controls', 'owns', 'activedescendant', 'flowto',
  'live', 'atomic', 'busy', 'relevant', 'hidden', 'checked', 'disabled', 'expanded', 'pressed', 'selected', 'current', 'invalid',
  'required', 'readonly', 'level', 'modal', 'multiline', 'multiselectable', 'orientation', 'placeholder', 'haspopup', 'sort',
  'autocomplete', 'keyshortcuts', 'roledescription', 'posinset', 'setsize', 'colcount', 'colindex', 'rowcount', 'rowindex',
  'valuenow', 'valuemin', 'valuemax', 'valuetext',
];
const NAMING_IDS = ['labelledby', 'describedby', 'details', 'errormessage', 'controls', 'owns', 'activedescendant', 'flowto'];
const ACTS = ['button', 'link', 'checkbox', 'radio', 'switch', 'tab', 'menuitem', 'option'];

/* Properties that every component has, by the name of its property: what it does to the element. */
const COMMON = {
  hidden: (element, value) => element.toggleAttribute('hidden', Boolean(value)),
  ariaRole: setRole,
  role: setRole,
};
ARIA.forEach((name) => {
  COMMON[camel(`aria-${name}`)] = (element, value, comp) => setAria(element, name, value, comp);
});

export const COMMON_PROPERTIES = Object.fromEntries(Object.keys(COMMON).map((name) => [name, { type: null, value: null }]));

/* Show these common properties of a component on a DOM element. */
export function showCommon(comp, element, data, names) {
  names.forEach((name) => {
    if (COMMON[name] && (data[name] !== null || element.__shown)) COMMON[name](element, data[name], comp);
  });
  element.__shown = true;
}

/* A behaviour that gives the common properties to the mini-program's own components. */
export function spreadAttributes(space) {
  const observers = {};
  Object.keys(COMMON).forEach((name) => {
    observers[name] = function show(value) {
      if (value !== null) showCommon(this._$, this._$.getBackendElement(), { [name]: value }, [name]);
    };
  });
  return space.behavior().definition({ properties: COMMON_PROPERTIES, observers }).register()._$;
}

/* glass-easel's view of this window, with elements whose style is set rule by rule. */
export function makeBackend() {
  const context = new glassEasel.CurrentWindowBackendContext();
  context.document = {
    createElement: (tag) => withStyle(document.createElement(tag)),
    createTextNode: (text) => document.createTextNode(text),
    createDocumentFragment: () => document.createDocumentFragment(),
  };
  return context;
}

function withStyle(element) {
  element.setAttribute = (name, value) => {
    if (name === 'style') element.style.cssText = String(value).replace(/(-?\d*\.?\d+)(rpx|vh)\b/g, 'calc($1 * var(--$2))');
    else Element.prototype.setAttribute.call(element, name, value);
  };
  return element;
}

function setRole(element, role, comp) {
  set(element, 'role', role);
  comp.__acts = ACTS.includes(role);
  if (comp.__acts && element.tabIndex < 0) element.tabIndex = 0;
}

/* Ids in the document carry the name of the component that they are in. */
function setAria(element, name, value, comp) {
  const host = comp.ownerShadowRoot && comp.ownerShadowRoot.getHostNode();
  const prefix = host && host._$idPrefix ? `${host._$idPrefix}--` : '';
  const named = NAMING_IDS.includes(name) && value;
  set(element, `aria-${name}`, named ? String(value).split(/\s+/).map((id) => prefix + id).join(' ') : value);
}

function set(element, name, value) {
  if (value === null || value === undefined || value === '') element.removeAttribute(name);
  else element.setAttribute(name, String(value));
}

function camel(name) {
  return name.replace(/-(.)/g, (whole, letter) => letter.toUpperCase());
}
