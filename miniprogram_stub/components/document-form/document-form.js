/*
 * The form of a document check, for typing and for readers that type: kind, number and name.
 *
 * Tells the page by the events `asked`, with {type, number, name}, and `closed`. A reader ends each part with the end of
 * a line, which goes on to the next field and then asks, or with a tab, which divides what came into one field.
 */
const { KINDS, isWhole, split } = require('../../utils/documents.js');
const settings = require('../../utils/settings.js');
const texts = require('../../utils/texts.js');

Component({
  properties: { fields: { type: Object, value: {} }, busy: { type: Boolean, value: false } },

  data: { t: texts.zh.document, kinds: texts.zh.register.kinds, kind: 0, number: '', name: '', focused: 'number' },

  lifetimes: {
    attached() {
      const { language } = settings.read();
      this.form = { number: '', name: '' };
      this.setData({ t: texts[language].document, kinds: texts[language].register.kinds });
    },
  },

  methods: {
    chooseKind(event) {
      this.setData({ kind: Number(event.detail.value) });
    },

    write(event) {
      const { value } = event.detail;
      this.form[event.currentTarget.dataset.field] = value;
      if (!isWhole(value)) return;
      this.form = { ...this.form, ...split(value) };
      this.setData(this.form);
    },

    /* The end of a line: what is missing comes next. */
    confirm() {
      const { number, name } = this.form;
      if (number.trim() && name.trim()) this.ask();
      else this.setData({ focused: number.trim() ? 'name' : 'number' });
    },

    ask() {
      if (this.data.busy) return;
      this.triggerEvent('asked', { type: KINDS[this.data.kind], ...this.form });
    },

    close() {
      this.triggerEvent('closed');
    },
  },
});
