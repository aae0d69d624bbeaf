const SAYS = {
  malformed: 'This is no Jixiang code. 这不是吉祥码。',
  'unknown-key': 'No published key has signed this: fetch the keys again. 不是由已公布的密钥签发，请更新密钥。',
  forged: 'The signature is wrong. 签名不正确。',
  'not-yet-valid': 'This is not valid yet: compare the clocks. 尚未生效，请核对时钟。',
  expired: 'This is over: ask for a new one. 已过期，请对方重新出示。',
  broken: 'This list is wrong as a whole: keep the one before. 此名单有误，请继续使用上一份。',
  older: 'This list is not newer than the one before: keep that. 此名单不比上一份新，请继续使用上一份。',
  'from-future': 'This list is from the future: compare the clocks. 此名单的时间在未来，请核对时钟。',
  'list-expired': 'The trust list is over: fetch another. 互认名单已过期，请重新取得。',
  'issuer-suspended': 'The codes of this issuer are not recognised now. 发码地暂停互认。',
  'key-revoked': 'The key that signed this is revoked: do not believe it. 签发此码的密钥已被作废。',
};

/* A token or a list that must not be used; `check` names the first check that it does not pass. */
export class Refused extends Error {
  constructor(check) {
    super(`${check}: ${SAYS[check]}`);
    this.name = 'Refused';
    this.check = check;
  }
}
