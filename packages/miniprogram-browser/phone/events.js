/*
 * What fingers and keys do, as the events of WeChat: tap, longpress, touchstart, touchmove, touchend.
 *
 * Owns the order: first the mini-program hears the tap, then the component does its own (submit, open a page …). While it hears
 * a tap, phone.tapping is true: WeChat allows some calls only then.
 */
import { glassEasel } from 'glass-easel-miniprogram-adapter';

const LONG = 350; // milliseconds, as documented
const FAR = 10; // pixels that a finger may wander in a tap

/* Hear everything below this element. */
export function listen(phone, element) {
  element.addEventListener('click', () => markTap(phone), true);
  element.addEventListener('click', clicked);
  element.addEventListener('keydown', pressed);
  const finger = { timer: 0, start: null };
  element.addEventListener('pointerdown', (event) => down(finger, event));
  element.addEventListener('pointermove', (event) => moved(finger, event));
  window.addEventListener('pointerup', (event) => up(finger, event, 'touchend'));
  window.addEventListener('pointercancel', (event) => up(finger, event, 'touchcancel'));
}

function down(finger, event) {
  touch('touchstart', event);
  hover(event.target, true);
  finger.start = event;
  finger.timer = setTimeout(() => ['longpress', 'longtap'].forEach((name) => touch(name, event)), LONG);
}

function moved(finger, event) {
  if (!finger.start) return;
  touch('touchmove', event);
  if (Math.hypot(event.clientX - finger.start.clientX, event.clientY - finger.start.clientY) > FAR) clearTimeout(finger.timer);
}

function up(finger, event, name) {
  clearTimeout(finger.timer);
  if (!finger.start) return;
  touch(name, event, finger.start.target);
  hover(finger.start.target, false);
  finger.start = null;
}

/* Let a component tell something. `replace` gets what a listener returned. */
export function fire(comp, name, detail, { bubbles = false, replace } = {}) {
  const options = { bubbles, composed: false, handleListenerReturn: replace };
  glassEasel.Event.dispatchEvent(comp, new glassEasel.Event(name, detail, options));
}

/* The time of a tap is the tap with all that it sets going at once. */
function markTap(phone) {
  phone.tapping = true;
  setTimeout(() => {
    phone.tapping = false;
  }, 0);
}

/* The nearest component of the mini-program around a DOM node. */
export function componentAt(node) {
  let at = node;
  while (at && !at.__wxElement) at = at.parentNode;
  return at ? at.__wxElement : null;
}

/* A click on a label comes once more from the field in it: that one is not a second tap. */
function clicked(event) {
  const label = event.target.closest('label');
  const again = label && label.__clicked;
  if (label) label.__clicked = true;
  if (label) setTimeout(() => { label.__clicked = false; }, 0);
  const comp = componentAt(event.target);
  if (comp && !again) dispatch(comp, 'tap', event);
  act(event.target);
}

/* What the nearest component does by itself, such as sending its form. */
function act(target) {
  let at = target;
  while (at && !at.__act) at = at.parentNode;
  if (at) at.__act();
}

/* Enter and space do for a component with a role what they do for a button. */
function pressed(event) {
  const comp = event.target.__wxElement;
  if (!comp || !comp.__acts || event.target.tagName === 'BUTTON' || event.target.tagName === 'INPUT') return;
  if (event.key !== 'Enter' && event.key !== ' ') return;
  event.preventDefault();
  event.target.click();
}

function touch(name, event, target = event.target) {
  const comp = componentAt(target);
  if (comp) dispatch(comp, name, event);
}

function dispatch(comp, name, event) {
  const point = { identifier: 0, clientX: event.clientX, clientY: event.clientY, pageX: event.pageX, pageY: event.pageY };
  const touches = /end|cancel/.test(name) ? [] : [point];
  const extraFields = { touches, changedTouches: [point] };
  const options = { bubbles: true, composed: true, capturePhase: true, originalEvent: event, extraFields };
  glassEasel.Event.dispatchEvent(comp, new glassEasel.Event(name, { x: event.pageX, y: event.pageY }, options));
}

/* The hover-class of the nearest component that has one, while a finger is on it. */
function hover(target, on) {
  let host = target;
  while (host && !(host.__wxElement && host.__wxElement.data && host.__wxElement.data.hoverClass)) host = host.parentNode;
  if (!host || host.__wxElement.data.disabled) return;
  const { hoverClass } = host.__wxElement.data;
  if (/^(button|navigator)-hover$/.test(hoverClass)) host.toggleAttribute('pressed', on);
  else if (hoverClass !== 'none') hoverClass.split(/\s+/).forEach((name) => host.__wxElement.classList.toggle(name, on));
}
