/* What an inspector hears and feels, so that nobody has to look at the screen: one sound and one pattern an action. */
const SOUNDS = { pass: '/sounds/pass.wav', measure: '/sounds/measure.wav', stop: '/sounds/stop.wav', ask: '/sounds/measure.wav' };

/* Sound and vibration for pass, measure, stop or ask. A phone that can do neither is silent, and nothing fails. */
function alert(action) {
  play(SOUNDS[action]);
  if (action === 'pass') wx.vibrateShort({ type: 'light', fail: () => {} });
  else wx.vibrateLong({ fail: () => {} });
}

function play(source) {
  const sound = wx.createInnerAudioContext();
  sound.onEnded(() => sound.destroy());
  sound.onError(() => sound.destroy());
  sound.src = source;
  sound.play();
}

module.exports = { alert };
