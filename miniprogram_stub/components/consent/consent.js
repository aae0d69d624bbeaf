/* What somebody agrees to before their data leaves the phone. Tells the page by the events agreed and refused. */
const privacy = require('../../utils/privacy.js');
const languages = require('../../utils/languages.js');
const settings = require('../../utils/settings.js');
const texts = require('../../utils/texts.js');

Component({
  data: { t: texts.zh.consent, common: texts.zh.common, unreviewed: '', binding: '', original: false, size: '', type: '' },

  lifetimes: {
    attached() {
      const { language, large, contrast } = settings.read();
      const { size, factor } = settings.typeOf({ large, contrast });
      const { unreviewed = '', binding = '', look = '' } = languages.about(language);
      this.setData({ t: texts[language].consent, common: texts[language].common, unreviewed, binding });
      this.setData({ size: `${size} ${look}`.trim(), type: `--factor: ${factor}` });
    },
  },

  methods: {
    agree() {
      privacy.agree();
      this.triggerEvent('agreed');
    },

    refuse() {
      this.triggerEvent('refused');
    },

    showOriginal() {
      const original = !this.data.original;
      this.setData({ original, t: texts[original ? 'zh' : settings.read().language].consent });
    },

    openGuide() {
      wx.openPrivacyContract({ fail: () => {} });
    },
  },
});
