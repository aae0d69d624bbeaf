/*
 * Where the server is, for each version of the mini-program as WeChat names them: in DevTools and on developers' phones,
 * on trial, and released. No slash at the end. A phone reaches https domains that are registered with WeChat, and no others.
 */
const SERVERS = {
  develop: 'http://127.0.0.1:8000',
  trial: 'https://trial.jixiang.example',
  release: 'https://jixiang.example',
};

const { envVersion } = wx.getAccountInfoSync().miniProgram;

module.exports = {
  server: SERVERS[envVersion] || SERVERS.release,

  /* WeChat charges for each number that its button gives; without the button people type theirs. */
  phoneButton: true,

  /* The public root key that signs trust lists, 43 characters: codes of other provinces without network. Empty: none. */
  trustRoot: '',
};
