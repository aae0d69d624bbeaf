/*
 * `wx`, as a browser can play it: each call that the pages use, behaving as WeChat documents it.
 *
 * One list of calls; what they need stands below it. A call that is not here throws an error that names it.
 * Those that answer take success, fail and complete, and give a promise when none of these is there.
 */
import { appInfo, deviceInfo, makeAudio, makeNetwork, shake, systemInfo, windowInfo } from './device.js';
import { base64, makeFiles, USER_DATA_PATH } from './files.js';
import { makePrivacy } from './privacy.js';
import { makeRequest } from './request.js';
import { makeStorage } from './storage.js';
import { makeSubscriptions } from './subscriptions.js';

/* Why a call fails: `errMsg` becomes "<call>:fail <message>". */
export class Refusal extends Error {
  constructor(message, more = {}) {
    super(message);
    this.more = more;
  }
}

export function makeWx(phone, program) {
  const { pages, dialogs } = phone;
  phone.storage = makeStorage(`phone:${phone.name}:`, Refusal);
  followLanguage(phone.storage);
  const network = makeNetwork(phone);
  const { subscribe, templates, subscriptions, setSettings, numberCode, login } = makeSubscriptions(phone, Refusal);
  const files = makeFiles(dialogs.files, Refusal, phone);
  const title = program.app.window ? program.app.window.navigationBarTitleText : '';
  const privacy = makePrivacy(phone, program.app, title, Refusal);
  const quiet = () => ({});
  let brightness = 1;
  let clipboard = '';

  const answering = {
    // storage
    getStorage: ({ key }) => ({ data: phone.storage.needed(key) }),
    setStorage: ({ key, data }) => phone.storage.set(key, data),
    removeStorage: ({ key }) => phone.storage.remove(key),
    clearStorage: () => phone.storage.clear(),
    getStorageInfo: () => phone.storage.info(),

    // the person
    login,
    checkSession: quiet,
    requestSubscribeMessage: ({ tmplIds }) => subscribe(title, tmplIds),
    getSetting: async ({ withSubscriptions }) => ({ authSetting: {}, ...(withSubscriptions ? await subscriptions() : {}) }),
    openSetting: async ({ withSubscriptions }) => {
      const chosen = await dialogs.settings(await templates());
      if (chosen) await setSettings(chosen);
      return { authSetting: {}, ...(withSubscriptions ? await subscriptions() : {}) };
    },
    scanCode: async ({ onlyFromCamera }) => {
      const result = await dialogs.scan(onlyFromCamera);
      if (result === null) throw new Refusal('cancel');
      return { result, scanType: 'QR_CODE', charSet: 'UTF-8', path: '', rawData: '' };
    },

    getPrivacySetting: privacy.setting,
    requirePrivacyAuthorize: privacy.authorize,
    openPrivacyContract: async () => {
      await privacy.showContract();
    },

    chooseMedia: privacy.guarded(files.chooseMedia),
    chooseMessageFile: privacy.guarded(files.chooseMessageFile),
    compressImage: files.compressImage,
    downloadFile: files.downloadFile,
    openDocument: files.openDocument,
    shareFileMessage: files.shareFileMessage,

    // pages
    navigateTo: ({ url }) => go('navigateTo', url),
    redirectTo: ({ url }) => go('redirectTo', url),
    reLaunch: ({ url }) => go('reLaunch', url),
    navigateBack: ({ delta = 1 }) => pages.navigateBack(delta),
    setNavigationBarTitle: (options) => pages.setBar({ navigationBarTitleText: options.title }),
    setNavigationBarColor: ({ frontColor, backgroundColor }) => {
      const navigationBarTextStyle = frontColor === '#ffffff' ? 'white' : 'black';
      pages.setBar({ navigationBarTextStyle, navigationBarBackgroundColor: backgroundColor });
    },
    pageScrollTo: ({ scrollTop, selector, duration = 300 }) => scrollPage(pages.top(), scrollTop, selector, duration),
    startPullDownRefresh: () => pages.pullDown(),
    stopPullDownRefresh: () => pages.stopPull(),
    hideShareMenu: quiet,
    showShareMenu: quiet,
    updateShareMenu: quiet,

    // what lies over a page
    showToast: (options) => dialogs.showToast(options.title, options.icon || 'success', options.duration || 1500),
    hideToast: () => dialogs.hideToast(),
    showLoading: (options) => dialogs.showToast(options.title, 'loading', 0),
    hideLoading: () => dialogs.hideToast(),
    showModal: async (options) => (await dialogs.modal(options)) || { confirm: false, cancel: true, content: null },
    showActionSheet: async ({ itemList, itemColor }) => {
      const tapIndex = await dialogs.actions(itemList, itemColor);
      if (tapIndex === null) throw new Refusal('cancel');
      return { tapIndex };
    },

    // the device
    vibrateShort: () => shake(phone, 15),
    vibrateLong: () => shake(phone, 400),
    setScreenBrightness: ({ value }) => {
      if (!(value >= 0 && value <= 1)) throw new Refusal('value out of range');
      brightness = value;
      document.getElementById('phone').style.filter = value < 1 ? `brightness(${0.35 + 0.65 * value})` : '';
    },
    getScreenBrightness: () => ({ value: brightness }),
    setKeepScreenOn: quiet,
    setVisualEffectOnCapture: quiet,
    getNetworkType: () => ({ networkType: network.type() }),
    makePhoneCall: async ({ phoneNumber }) => {
      const { confirm } = (await dialogs.modal({ content: phoneNumber, confirmText: dialogs.words().call })) || {};
      if (!confirm) throw new Refusal('cancel');
    },
    setClipboardData: async ({ data }) => {
      clipboard = data;
      if (navigator.clipboard) await navigator.clipboard.writeText(data).catch(() => {});
      dialogs.showToast(dialogs.words().copied, 'none', 1500);
      return { data };
    },
    getClipboardData: () => ({ data: clipboard }),
    getRandomValues: ({ length }) => ({ randomValues: crypto.getRandomValues(new Uint8Array(length)).buffer }),
    getSystemInfo: () => systemInfo(),
  };

  const plain = {
    getStorageSync: (key) => phone.storage.get(key),
    setStorageSync: (key, data) => named('setStorageSync', () => phone.storage.set(key, data)),
    removeStorageSync: (key) => phone.storage.remove(key),
    clearStorageSync: () => phone.storage.clear(),
    getStorageInfoSync: () => phone.storage.info(),
    request: makeRequest(phone),
    onNetworkStatusChange: network.on,
    offNetworkStatusChange: network.off,
    createInnerAudioContext: () => makeAudio(),
    createSelectorQuery: () => pages.top().caller.createSelectorQuery(),
    onUserCaptureScreen: quiet,
    offUserCaptureScreen: quiet,
    env: { USER_DATA_PATH },
    getUpdateManager: () => ({ onCheckForUpdate: quiet, onUpdateReady: quiet, onUpdateFailed: quiet, applyUpdate: quiet }),
    getLaunchOptionsSync: () => phone.launched,
    getEnterOptionsSync: () => phone.launched,
    getSystemInfoSync: () => systemInfo(),
    getAppBaseInfo: () => appInfo(),
    getWindowInfo: () => windowInfo(),
    getDeviceInfo: () => deviceInfo(),
    getAccountInfoSync: () => ({ miniProgram: { appId: 'touristappid', envVersion: 'develop', version: '' } }),
    getFileSystemManager: () => ({
      getFileInfo: (options) => answer('getFileInfo', files.getFileInfo, options),
      readFile: (options) => answer('readFile', files.readFile, options),
      unlink: (options) => answer('unlink', files.unlink, options),
      writeFile: (options) => answer('writeFile', files.writeFile, options),
    }),
    arrayBufferToBase64: base64,
    base64ToArrayBuffer: (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer,
    nextTick: (work) => Promise.resolve().then(work),
    canIUse: (name) => name.split('.')[0] in calls,
    onNeedPrivacyAuthorization: privacy.onNeed,
    $agreePrivacy: privacy.agree,
    $getPhoneNumber: async (done) => done(await phoneNumber(title)),
  };

  async function phoneNumber(name) {
    try {
      await privacy.authorize();
    } catch (refusal) {
      return { errMsg: `getPhoneNumber:fail ${refusal.message}`, ...refusal.more };
    }
    if (!(await dialogs.allowNumber(name))) return { errMsg: 'getPhoneNumber:fail user deny', errno: 103 };
    try {
      return { errMsg: 'getPhoneNumber:ok', code: await numberCode() };
    } catch (error) {
      return { errMsg: `getPhoneNumber:fail ${error.message}` };
    }
  }

  function go(name, url) {
    const refused = pages.refusal(url);
    if (refused) throw new Refusal(refused);
    if (name === 'navigateTo' && pages.full()) throw new Refusal('webview count limit exceed');
    pages[name](url);
  }

  const calls = { ...plain };
  Object.entries(answering).forEach(([name, work]) => {
    calls[name] = (options) => answer(name, work, options || {});
  });
  return new Proxy(calls, { get: (known, name) => (name in known || typeof name === 'symbol' ? known[name] : missing(name)) });
}

function named(name, work) {
  try {
    work();
  } catch (refusal) {
    throw new Error(`${name}:fail ${refusal.message}`);
  }
}

function missing(name) {
  return () => {
    throw new Error(`wx.${name} is not in browser/wx.js`);
  };
}

/* Do the work at once; tell the result later, in WeChat's ways. */
function answer(name, work, options) {
  const { success, fail, complete } = options;
  const done = begin(work, options).then(
    (result) => ({ errMsg: `${name}:ok`, ...result }),
    (error) => Promise.reject(error instanceof Refusal ? failure(name, error) : error),
  );
  if (!success && !fail && !complete) return done;
  done.then(
    (result) => [success, complete].forEach((callback) => callback && callback(result)),
    (problem) => {
      if (!problem.errMsg) throw problem;
      [fail, complete].forEach((callback) => callback && callback(problem));
    },
  ).catch((error) => console.error(error));
  return undefined;
}

function begin(work, options) {
  try {
    return Promise.resolve(work(options));
  } catch (error) {
    return Promise.reject(error);
  }
}

function failure(name, refusal) {
  return { errMsg: `${name}:fail ${refusal.message}`, ...refusal.more };
}

/* The document speaks the language that the mini-program has been set to. */
function followLanguage(storage) {
  const show = () => {
    const settings = storage.get('settings');
    const language = (settings && settings.language) || 'zh';
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : language;
  };
  storage.onChange(show);
  show();
}

function scrollPage(entry, scrollTop, selector, duration) {
  const aim = selector && entry.place.querySelector(selector.replace(/^#(.+)$/, '[id$="$1"]'));
  const top = aim ? aim.getBoundingClientRect().top - entry.place.getBoundingClientRect().top + entry.place.scrollTop : scrollTop;
  entry.place.scrollTo({ top, behavior: duration ? 'smooth' : 'instant' });
}
