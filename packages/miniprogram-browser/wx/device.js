/*
 * The phone as a device: its network, its sound, its trembling, and what it says of itself.
 *
 * The network can be switched off for a trial; all else is the browser's.
 */
import { fileAddress } from '../phone/address.js';
import { hush, say, speechIn } from './speech.js';

/* The network of a phone, and who wants to hear of it. Gives the phone its setOnline. */
export function makeNetwork(phone) {
  const listeners = new Set();
  let allowed = true;
  const type = () => (phone.online ? 'wifi' : 'none');
  const changed = () => {
    const online = allowed && navigator.onLine;
    if (online === phone.online) return;
    phone.online = online;
    document.getElementById('phone').toggleAttribute('offline', !online);
    phone.tell('network', { online });
    listeners.forEach((listener) => listener({ isConnected: online, networkType: type() }));
  };
  ['online', 'offline'].forEach((name) => window.addEventListener(name, changed));
  phone.setOnline = (online) => {
    allowed = online;
    changed();
  };
  const off = (listener) => (listener ? listeners.delete(listener) : listeners.clear());
  return { type, on: (listener) => listeners.add(listener), off };
}

export function shake(phone, milliseconds) {
  if (navigator.vibrate) navigator.vibrate(milliseconds);
  const body = document.getElementById('phone');
  body.classList.add('shaking');
  setTimeout(() => body.classList.remove('shaking'), Math.max(milliseconds, 150));
  phone.tell('vibrated', { milliseconds });
}

const SOUNDS = { Play: 'play', Pause: 'pause', Stop: 'stop', Ended: 'ended', Canplay: 'canplay', TimeUpdate: 'timeupdate', Error: 'error' };

/* wx.createInnerAudioContext, over the browser's own player. */
export function makeAudio() {
  const audio = new Audio();
  let speech = null; // what is to be said in place of a sound
  const heard = {};
  const tell = (name, ...what) => (heard[name] || []).forEach((listener) => listener(...what));
  const context = audioCalls(audio, tell, () => speech);
  ['play', 'pause', 'ended', 'canplay', 'timeupdate'].forEach((name) => audio.addEventListener(name, () => tell(name)));
  audio.addEventListener('error', () => tell('error', { errCode: 10001, errMsg: 'the sound cannot be played' }));
  Object.entries(SOUNDS).forEach(([name, event]) => {
    context[`on${name}`] = (listener) => {
      heard[event] = [...(heard[event] || []), listener];
    };
    context[`off${name}`] = () => delete heard[event];
  });
  ['loop', 'volume', 'autoplay', 'currentTime', 'duration', 'paused', 'playbackRate'].forEach((name) => {
    Object.defineProperty(context, name, { get: () => audio[name], set: (value) => { audio[name] = value; } });
  });
  const set = (source) => {
    speech = speechIn(String(source));
    if (!speech) audio.setAttribute('src', fileAddress(String(source), ''));
  };
  return Object.defineProperty(context, 'src', { get: () => audio.getAttribute('src') || '', set });
}

function playSound(audio, tell) {
  return audio.play().catch((error) => tell('error', { errCode: 10001, errMsg: error.message }));
}

function audioCalls(audio, tell, speech) {
  return {
    play: () => (speech() ? say(speech(), tell) : playSound(audio, tell)),
    pause: () => audio.pause(),
    seek: (seconds) => {
      audio.currentTime = seconds;
    },
    stop() {
      audio.pause();
      audio.currentTime = 0;
      tell('stop');
    },
    destroy() {
      if (speech()) hush();
      audio.pause();
      audio.removeAttribute('src');
    },
  };
}

export function appInfo() {
  const language = document.documentElement.lang.replace('-', '_');
  const factor = Number(new URLSearchParams(location.search).get('font')) || 1; // WeChat's own size of type, for a trial
  const fonts = { fontSizeSetting: 16 * factor, fontSizeScaleFactor: factor };
  return { SDKVersion: '3.8.0', version: '8.0.0', language, theme: 'light', ...fonts, enableDebug: false, host: { env: 'WeChat' } };
}

export function deviceInfo() {
  return { brand: 'browser', model: 'browser', platform: 'devtools', system: 'browser', benchmarkLevel: -1 };
}

export function windowInfo() {
  const bar = document.getElementById('bar').offsetHeight;
  const { innerWidth: width, innerHeight: height, devicePixelRatio } = window;
  const safeArea = { left: 0, right: width, top: 0, bottom: height, width, height };
  const screen = { pixelRatio: devicePixelRatio, screenWidth: width, screenHeight: height, statusBarHeight: 0, safeArea };
  return { ...screen, windowWidth: width, windowHeight: height - bar };
}

export function systemInfo() {
  return { ...appInfo(), ...deviceInfo(), ...windowInfo() };
}
