/*
 * The words of problems that the phone finds by itself, and the way out of those that the server finds.
 *
 * A problem is what every call of utils/request.js and utils/duty.js is rejected with:
 *   type        the slug of the server's problem, or one of the slugs below
 *   title       a sentence for people, in the chosen language
 *   way         what to do about it, '' when the title says it
 *   status      of HTTP, 0 when the phone made the problem
 *   fields      a sentence for each bad field, named as in the forms: document_number for /document/number
 *   retryAfter  seconds to wait before another attempt, 0 when the server did not say
 *   passing     whether trying again later may help
 */
const languages = require('./languages.js');
const settings = require('./settings.js');

const PASSING = ['offline', 'timed-out', 'unavailable'];

/* [title, way] in Chinese and English; further languages have theirs in languages/. Titles of token-… are those of the server, for the same findings. */
const WORDS = {
  offline: {
    zh: ['无法连接服务', '请检查网络后重试。'],
    en: ['The service cannot be reached', 'Check the network and try again.'],
  },
  'timed-out': {
    zh: ['服务没有及时回答', '网络可能较慢，请稍后重试。'],
    en: ['The service did not answer in time', 'The network may be slow; try again shortly.'],
  },
  'not-our-server': {
    zh: ['收到的不是本服务的回答', '所连的无线网络可能需要先登录：请打开浏览器登录，或改用移动网络后重试。'],
    en: [
      'What answered was not this service',
      'The Wi-Fi may want you to log in first: open the browser and do so, or use mobile data, then try again.',
    ],
  },
  'answer-too-large': {
    zh: ['收到的内容过大，未予读取', '请改用其他网络后重试；仍不行请拨打 12345。'],
    en: ['The answer was far too large and was not read', 'Try again on another network; if that does not help, call 12345.'],
  },
  unavailable: {
    zh: ['服务暂时不可用', '请稍后再试。'],
    en: ['The service is out of reach for the moment', 'Try again shortly.'],
  },
  unexpected: {
    zh: ['操作未能完成', '请稍后再试；仍不行请拨打 12345。'],
    en: ['This could not be done', 'Try again later; if that does not help, call 12345.'],
  },
  'service-ended': {
    zh: ['吉祥码服务已结束', '不再有颜色，也不需要出示。手机上的码和记录已删除；个人数据和密钥的销毁报告由主管部门公布。'],
    en: [
      'The Jixiang code service has ended',
      'There are no colors any more, and nothing has to be shown. Code and records are gone from this phone; a report says how data and keys were destroyed.',
    ],
  },
  'no-paper-card': {
    zh: ['您没有有效的纸质码', '可能已挂失或已到期：请下拉刷新，然后重新办理。'],
    en: ['You have no valid card on paper', 'It may have been reported lost, or be over: reload, and get another one.'],
  },
  'file-not-kept': {
    zh: ['手机未能保存文件', '请清理手机空间后重试。'],
    en: ['The phone could not keep the file', 'Free some space, then try again.'],
  },
  'strip-unkept': {
    zh: ['手机空间不足，未能保存离线码', '请清理手机空间后重试；关闭小程序前仍可使用。'],
    en: ['The phone is full: this is not kept for later', 'Free some space, then try again; until the mini-program is closed it works.'],
  },
  'too-many-requests': {
    zh: ['操作过于频繁', '请一小时后再试。'],
    en: ['Too many attempts', 'Try again in an hour.'],
  },
  'session-missing': { zh: ['请先登录', ''], en: ['Please log in first', ''] },
  'document-offline': {
    zh: ['没有网络，无法按证件查验', '请扫描对方的吉祥码（离线也可查验），或连接网络后再查。'],
    en: [
      'Documents cannot be checked without network',
      'Scan the person’s code, which works offline too, or connect and check again.',
    ],
  },
  'no-keys': {
    zh: ['没有网络，本机也没有核验公钥', '请连接一次网络，之后即可离线查验。'],
    en: ['There is no network, and this phone has no keys to verify with', 'Connect once; afterwards you can check offline.'],
  },
  'keys-too-old': {
    zh: ['没有网络，本机的核验公钥已超过 24 小时', '请连接一次网络以更新公钥，然后重试。'],
    en: [
      'There is no network, and the keys on this phone are older than 24 hours',
      'Connect once so that they are renewed, then try again.',
    ],
  },
  'queue-full': {
    zh: ['本机待上传的查验记录已满', '请连接网络上传后再继续查验。'],
    en: ['This phone can keep no more checks', 'Connect so that they are sent, then go on.'],
  },
  'too-large': {
    zh: ['发送的内容过大', '请移除部分附件，或换成较小的图片，然后重试。'],
    en: ['What was sent is too large', 'Remove an attachment, or take a smaller picture, then try again.'],
  },
  'no-files': {
    zh: ['未能选择文件', '请在微信设置中允许使用相册和相机，然后重试。'],
    en: ['No file could be chosen', 'Allow album and camera in the settings of WeChat, then try again.'],
  },
  'no-camera': {
    zh: ['无法使用摄像头', '请在微信设置中允许使用相机，或点“扫码”逐个扫描。'],
    en: ['The camera cannot be used', 'Allow it in the settings of WeChat, or tap “Scan” for one code at a time.'],
  },
  'no-file': {
    zh: ['附件已无法读取', '请移除后重新选择。'],
    en: ['An attachment can no longer be read', 'Remove it and choose it again.'],
  },
  'invalid-request': { zh: ['有内容填写不正确', ''], en: ['Some of what was sent is not right', ''] },
  'temperature-form': {
    zh: ['体温应为 34.0–43.0 ℃，一位小数', ''],
    en: ['must be 34.0 to 43.0 °C with one decimal', ''],
  },
  'document-tail-form': {
    zh: ['应为证件号码的后四位', ''],
    en: ['must be the last four characters of the document’s number', ''],
  },
  'paper-over': {
    zh: ['此纸质码已过有效期', '请查验手机上的吉祥码，或凭证件查验；请对方补办纸质码。'],
    en: ['This card on paper is past its last day', 'Check the code on the phone, or the document; the holder can get another card.'],
  },
  'venue-code-wrong': {
    zh: ['这不是场所码，或该场所已关闭', '请扫描入口处张贴的场所码；查验员的码请出示吉祥码。'],
    en: ['This is not the code of a venue, or the venue is closed', 'Scan the poster at the entrance, or show your code to the inspector.'],
  },
  'receipt-offline': {
    zh: ['没有网络，无法查验到访凭证', '请扫描对方的吉祥码（离线也可查验），或连接网络后再查。'],
    en: ['Receipts cannot be checked without network', 'Scan the person’s code, which works offline too, or connect and check again.'],
  },
  'receipt-no-temperature': {
    zh: ['到访凭证不能登记体温', '请让对方出示吉祥码，扫码后登记体温。'],
    en: ['No temperature is registered with a receipt', 'Ask the visitor to show the code, and register the temperature with that.'],
  },
  'token-malformed': {
    zh: ['这不是吉祥码', '请让对方打开小程序的“查看吉祥码”，再扫一次。'],
    en: ['This is not a Jixiang code', 'Ask the holder to open the code in the mini-program, and scan again.'],
  },
  'token-unknown-key': {
    zh: ['此码不是本系统签发', '它可能来自测试环境或仿冒程序：请让对方从官方小程序打开吉祥码，否则不得放行。'],
    en: [
      'This code was not issued by this system',
      'It may come from a test system or an imitation: ask for the code in the official mini-program, and let nobody pass without it.',
    ],
  },
  'token-forged': {
    zh: ['此码签名无效，疑似伪造', '不得放行：请让对方从官方小程序重新打开吉祥码；仍无效请报告。'],
    en: [
      'The signature of this code is invalid; it may be forged',
      'Let nobody pass with it: ask for the code in the official mini-program, and report it if that is not valid either.',
    ],
  },
  'token-expired': {
    zh: ['此码已过期，请让对方刷新吉祥码', '截图很快失效：请让对方当面打开。'],
    en: [
      'This code has expired; ask the holder to renew it',
      'A screenshot is soon worthless: the code must be opened before you.',
    ],
  },
  'token-not-yet-valid': {
    zh: ['此码的时间在未来，请检查设备时间', '请把手机设为自动校时，再扫一次。'],
    en: ['This code is from the future; check the clocks', 'Set the phones to automatic time, and scan again.'],
  },
  'foreign-list-expired': {
    zh: ['互认名单已过期，暂时无法查验外省码', '请连接网络以更新名单，或凭证件查验。'],
    en: ['The trust list has expired: codes of other provinces cannot be checked', 'Connect so that it is renewed, or check the document.'],
  },
  'foreign-key-revoked': {
    zh: ['签发此码的密钥已被作废', '不得凭此码放行；请让对方在其发码地的小程序中刷新后再扫，仍无效请凭证件查验。'],
    en: ['The key that signed this code is revoked', 'Let nobody pass with it; ask for a fresh code of its issuer, and check the document if that is refused too.'],
  },
  'foreign-issuer-suspended': {
    zh: ['发码地暂停互认', '请凭证件查验，或请其在本省申领吉祥码。'],
    en: ['The codes of this issuer are not recognised at the moment', 'Check the document, or ask them to register for a code here.'],
  },
};

/* A problem of the phone's own; `more` replaces what is different. */
function made(type, more) {
  const passing = PASSING.includes(type);
  return { type, title: title(type), way: way(type), status: 0, fields: {}, retryAfter: 0, passing, ...more };
}

function title(type) {
  return (words(type) || words('unexpected'))[0];
}

/* What to do, also about a problem that the server told. */
function way(type) {
  return (words(type) || ['', ''])[1];
}

function words(type) {
  const { language } = settings.read();
  const known = Object.prototype.hasOwnProperty.call(WORDS, type) && WORDS[type];
  return known && (known[language] || languages.added(language, 'problems')[type] || known.zh);
}

module.exports = { made, title, way, WORDS };
