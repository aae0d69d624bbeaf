/* What somebody agrees to before their data leaves the phone. Tells the page by the events agreed and refused. */
const privacy = require('../../utils/privacy.js');
const settings = require('../../utils/settings.js');
const texts = require('../../utils/texts.js');

Component({
  data: { t: texts.zh.consent, size: '', type: '' },

  lifetimes: {
    attached() {
      const { language, large } = settings.read();
      const { size, factor } = settings.typeOf({ large });
      this.setData({ t: texts[language].consent, size, type: `--factor: ${factor}` });
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

    openGuide() {
      wx.openPrivacyContract({ fail: () => {} });
    },
  },
});
