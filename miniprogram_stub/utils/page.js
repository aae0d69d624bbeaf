/*
 * Page() for this mini-program: words in the chosen language, the size of type, and the title of the navigation bar.
 *
 * A page finds them in data.t, data.language and data.large, and can call this.reword() after a change of settings.
 * data.type is the style of its outermost view: type as large as WeChat's own is set to.
 * `options.words` names the page's part of utils/texts.js; its `title` is the title.
 */
const settings = require('./settings.js');
const texts = require('./texts.js');

function page(options) {
  const { onLoad, onShow } = options;
  Page({
    ...options,
    data: { t: texts.zh[options.words], common: texts.zh.common, language: 'zh', large: false, size: '', type: '', ...options.data },

    reword() {
      const { language, large } = settings.read();
      const t = texts[language][options.words];
      const { size, factor } = settings.typeOf({ large });
      this.setData({ t, common: texts[language].common, language, large, size, type: `--factor: ${factor}` });
      wx.setNavigationBarTitle({ title: t.title });
    },

    onLoad(query) {
      this.reword();
      return onLoad && onLoad.call(this, query || {});
    },

    onShow() {
      if (settings.read().language !== this.data.language || settings.read().large !== this.data.large) this.reword();
      return onShow && onShow.call(this);
    },
  });
}

/*
 * Run `act` unless one is under way: a second tap on a slow network is no second declaration.
 * After a refusal the first field that is wrong is on the screen.
 */
async function once(target, act) {
  if (target.data.busy) return;
  target.setData({ busy: true, problem: null });
  try {
    await act();
  } catch (problem) {
    if (!problem.type) throw problem;
    target.setData({ problem });
    if (Object.keys(problem.fields || {}).length) wx.pageScrollTo({ selector: '.field-wrong', fail: () => {} });
  } finally {
    target.setData({ busy: false });
  }
}

module.exports = { page, once };
