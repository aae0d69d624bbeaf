/*
 * requirePlugin('WechatSI'), WeChat's plug-in that makes speech of a text: spoken here by the browser's own voices.
 *
 * As there, textToSpeech answers with a `filename` that createInnerAudioContext plays. `voices` is more than the plug-in has:
 * the languages that this browser has a voice for.
 */
const TAGS = { zh_CN: 'zh-CN', en_US: 'en-US', ko_KR: 'ko-KR' };
const SPEECH = 'speech:';

export function requirePlugin(name) {
  if (name !== 'WechatSI' || !window.speechSynthesis) throw new Error(`plugin "${name}" is not defined`);
  return { voices: voices(), textToSpeech };
}

function voices() {
  const known = window.speechSynthesis.getVoices().map(({ lang }) => lang.slice(0, 2));
  return Object.keys(TAGS).filter((voice) => known.includes(voice.slice(0, 2)));
}

function textToSpeech({ lang, content, success, fail }) {
  if (!voices().includes(lang)) fail({ retcode: -20001, msg: 'no such voice' });
  else success({ retcode: 0, origin: content, filename: SPEECH + JSON.stringify({ lang, content }) });
}

/* What a source says, or null where it is a sound. */
export function speechIn(source) {
  return source.startsWith(SPEECH) ? JSON.parse(source.slice(SPEECH.length)) : null;
}

/* Say it, and tell 'play', 'ended' or 'error'. */
export function say({ lang, content }, tell) {
  const utterance = new SpeechSynthesisUtterance(content);
  utterance.lang = TAGS[lang];
  utterance.onstart = () => tell('play');
  utterance.onend = () => tell('ended');
  utterance.onerror = ({ error }) => tell('error', { errCode: 10001, errMsg: error });
  window.speechSynthesis.speak(utterance);
}

export function hush() {
  window.speechSynthesis.cancel();
}
