/*
 * Reading aloud, by WeChat's plug-in 微信同声传译 where the mini-program was given it (docs/how-to/release-the-mini-program.md).
 *
 * Where it is not, or does not speak the language, nothing is offered: a screen reader says the page by itself.
 */
const languages = require('./languages.js');

const PLUGIN = 'WechatSI';
const VOICES = ['zh_CN', 'en_US']; // that the plug-in documents; one that has others names them in `voices`
const LONGEST = 300; // characters at once: it takes 1000 bytes

let playing = null;

/* Whether what is written in a language can be read aloud here. */
function canRead(language) {
  const plugin = find();
  return Boolean(plugin) && (plugin.voices || VOICES).includes(languages.about(language).voice);
}

/* Read a text; resolves when it has been read or stopped. Rejects where that failed. */
async function read(text, language) {
  stop();
  const turn = {};
  playing = turn;
  for (const piece of pieces(text)) {
    if (playing !== turn) return;
    await play(await spoken(piece, languages.about(language).voice), turn); // eslint-disable-line no-await-in-loop
  }
}

function stop() {
  const before = playing;
  playing = null;
  if (before && before.end) before.end();
}

/* A plug-in that app.json does not name is an error in WeChat. */
function find() {
  try {
    return requirePlugin(PLUGIN); // eslint-disable-line no-undef
  } catch (error) {
    return null;
  }
}

/* The text in parts that end with a sentence. */
function pieces(text) {
  const sentences = text.match(/[^。.!?！？]+[。.!?！？]*\s*/g) || [];
  return sentences.reduce((parts, sentence) => {
    const last = parts[parts.length - 1];
    if (last !== undefined && last.length + sentence.length <= LONGEST) return [...parts.slice(0, -1), last + sentence];
    return [...parts, sentence];
  }, []);
}

function spoken(content, lang) {
  return new Promise((resolve, reject) => {
    find().textToSpeech({ lang, tts: true, content, success: ({ filename }) => resolve(filename), fail: reject });
  });
}

function play(source, turn) {
  return new Promise((resolve, reject) => {
    const sound = wx.createInnerAudioContext();
    const over = (settle) => () => {
      sound.destroy();
      settle();
    };
    turn.end = over(resolve);
    sound.onEnded(turn.end);
    sound.onError(over(() => reject(new Error('the sound cannot be played'))));
    sound.src = source;
    sound.play();
  });
}

module.exports = { canRead, read, stop };
