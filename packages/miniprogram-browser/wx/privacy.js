/*
 * The person's consent to the privacy guide of the mini-program, which WeChat keeps, and asks for before it hands over a
 * phone number, a picture or a file. Only where app.json switches __usePrivacyCheck__ on, as all of WeChat since 2023.
 */
import { makeStorage } from './storage.js';

const GUIDE = '小程序用户隐私保护指引';

export function makePrivacy(phone, app, title, Refusal) {
  const memory = makeStorage(`wechat:${phone.name}:`, Refusal);
  const needed = () => Boolean(app.__usePrivacyCheck__) && !memory.get('privacy');
  const agree = () => memory.set('privacy', true);
  const contract = `《${title}${GUIDE}》`;
  let asking = null; // the mini-program's own way to ask

  async function authorize() {
    if (!needed()) return {};
    const agreed = asking
      ? await new Promise((resolve) => asking(({ event }) => event !== 'exposureAuthorization' && resolve(event === 'agree')))
      : await phone.dialogs.allowPrivacy(contract);
    if (!agreed) throw new Refusal('privacy permission is not authorized', { errno: 104 });
    agree();
    return {};
  }

  return {
    agree,
    authorize,
    setting: () => ({ needAuthorization: needed(), privacyContractName: contract }),
    showContract: () => phone.dialogs.modal({ title: contract, content: phone.dialogs.words().guide, showCancel: false }),
    onNeed: (listener) => { asking = listener; },
    /* A call that waits for the consent; without delay where it is there, for a tap does not last. */
    guarded: (work) => (options) => (needed() ? authorize().then(() => work(options)) : work(options)),
  };
}
