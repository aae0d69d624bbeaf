/*
 * Page() for this mini-program: words in the chosen language, size of type and contrast, and the title of the navigation bar.
 *
 * A page finds them in data.t, data.language, data.large and data.contrast, and can call this.reword() after a change of settings.
 * data.type is the style of its outermost view: type as large as WeChat's own is set to. data.unreviewed and data.binding are
 * what is said of a language that nobody has reviewed, and showOriginal() shows the Chinese in its place, and back.
 * `options.words` names the page's part of utils/texts.js, whose numbers are filled in; its `title` is the title.
 */
const languages = require('./languages.js');
const numbers = require('./numbers.js');
const settings = require('./settings.js');
const texts = require('./texts.js');

const LOOK = { language: 'zh', others: [], unreviewed: '', binding: '', original: false, large: false, contrast: false, size: '', type: '' };

function page(options) {
  const { onLoad, onShow } = options;
  Page({
    ...options,
    data: { t: texts.zh[options.words], common: texts.zh.common, ...LOOK, ...options.data },

    reword() {
      const { language, large, contrast } = settings.read();
      const t = numbers.fill(texts[language][options.words]);
      const { size, factor } = settings.typeOf({ large, contrast });
      const { unreviewed = '', binding = '', look = '' } = languages.about(language);
      const others = languages.others(language);
      this.setData({ t, common: texts[language].common, language, others, unreviewed, binding, original: false });
      this.setData({ large, contrast, size: `${size} ${look}`.trim(), type: `--factor: ${factor}` });
      wx.setNavigationBarTitle({ title: t.title });
    },

    showOriginal() {
      const original = !this.data.original;
      this.setData({ original, t: numbers.fill(texts[original ? 'zh' : this.data.language][options.words]) });
    },

    onLoad(query) {
      this.reword();
      return onLoad && onLoad.call(this, query || {});
    },

    onShow() {
      const chosen = settings.read();
      if (['language', 'large', 'contrast'].some((name) => chosen[name] !== this.data[name])) this.reword();
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

/* What a page does that loads anew whenever it is shown, and when it is pulled down; its JSON file allows the pull. */
const reloaded = {
  onShow() {
    return this.load();
  },

  onPullDownRefresh() {
    return this.load().then(wx.stopPullDownRefresh);
  },
};

module.exports = { page, once, reloaded };
