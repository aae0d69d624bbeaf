/*
 * WeChat's camera in a page, as far as a browser has one: in the mode scanCode it reads what the other phone on the stage
 * shows, and tells it at every look. Without that phone, or where a test is the world before it, a DOM event `sees` with
 * the text is what comes into its sight.
 */
import { fire } from './events.js';
import { LOOKS, look } from '../wx/looking.js';

const text = (value = '') => ({ type: String, value });

export function defineCamera(phone) {
  return {
    camera: {
      properties: { mode: text('normal'), resolution: text('medium'), devicePosition: text('back'), flash: text('auto') },
      make: (host, comp) => makeCamera(phone, host, comp),
    },
  };
}

function makeCamera(phone, host, comp) {
  const view = document.createElement('canvas');
  host.setAttribute('role', 'img');
  host.append(view);
  const tell = (result) => {
    if (comp.data.mode === 'scanCode') fire(comp, 'scancode', { type: 'QR_CODE', result, charSet: 'UTF-8' });
  };
  host.addEventListener('sees', ({ detail }) => tell(detail));
  let shown = false;
  const looking = setInterval(() => {
    if (shown && !host.isConnected) clearInterval(looking); // the page has taken it away
    shown = host.isConnected;
    if (shown) look(phone, view, tell);
  }, LOOKS);
}
