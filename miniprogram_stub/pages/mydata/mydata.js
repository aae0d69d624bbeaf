/* 我的数据: take everything along that is kept, as a file that is gone from this phone when the page is left. */
const { citizen } = require('../../utils/request.js');
const { page, once } = require('../../utils/page.js');

page({
  words: 'myData',
  data: { kind: 'pdf', file: '', busy: false, problem: null, named: false, registered: false },

  /* Who has no user name has no password either. */
  onShow() {
    const account = citizen.account();
    this.setData({ registered: Boolean(account), named: Boolean(account && account.username) });
  },

  onUnload() {
    this.forget();
  },

  choose(event) {
    this.forget();
    this.setData({ kind: event.detail.value, file: '', problem: null });
  },

  byPassword(event) {
    return this.export({ password: event.detail.value.password });
  },

  byWeChat() {
    return this.export(null);
  },

  export(proof) {
    return once(this, async () => {
      this.forget();
      this.setData({ file: '' });
      this.setData({ file: await citizen.export(this.data.kind, proof) });
    });
  },

  /* WeChat sends a file only on a tap, so the export and the sending are two. */
  take() {
    const { kind, file } = this.data;
    if (kind === 'pdf') wx.openDocument({ filePath: file, fileType: 'pdf', showMenu: true });
    else wx.shareFileMessage({ filePath: file, fileName: `jixiang-data.${kind}` });
  },

  forget() {
    if (this.data.file) wx.getFileSystemManager().unlink({ filePath: this.data.file, fail: () => {} });
  },
});
