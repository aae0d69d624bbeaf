/*
 * One of the two phones: the frame that runs the mini-program, its drawn body, and its network.
 *
 * Reaches into the frame by `window.phone` only, which the mini-program's shell offers for this.
 */
const PATIENCE = 20000; // milliseconds for a phone to come up
const WIDTH = 414; // of the drawn body, with a screen of 390 × 844 in it
const HEIGHT = 898;

/* The phone drawn in `root`: {name, frame, show, open, stored, images}. */
export function makePhone(root) {
  const frame = root.querySelector('iframe');
  const network = root.querySelector('.network input');
  const phone = { name: '', frame, open: (url) => outside(frame).open(url), images: () => imagesOn(frame) };

  /* Bring up the phone of this name at a page. What goes into its storage is put there while a page that asks
     nothing is shown, so that no page begins with one session and goes on with another. */
  phone.show = async (name, page, { storage = {}, quiet = page } = {}) => {
    phone.name = name;
    root.classList.add('waking');
    try {
      const inner = await wake(frame, name, quiet);
      if (phone.name !== name) return; // another was chosen meanwhile
      inner.setOnline(network.checked);
      Object.entries(storage).forEach(([key, value]) => inner.wx.setStorageSync(key, value));
      if (quiet !== page) inner.open(`/${page}`);
    } finally {
      if (phone.name === name) root.classList.remove('waking');
    }
  };

  phone.stored = (key) => (outside(frame) ? outside(frame).wx.getStorageSync(key) : '');

  network.addEventListener('change', () => {
    root.classList.toggle('offline', !network.checked);
    if (outside(frame)) outside(frame).setOnline(network.checked);
  });
  root.classList.toggle('offline', !network.checked); // browsers keep a box as it was over a reload
  new ResizeObserver(() => fit(root)).observe(root.querySelector('.fit'));
  return phone;
}

function outside(frame) {
  return frame.contentWindow && frame.contentWindow.phone;
}

/* Load the frame and wait until the mini-program runs in it. Rejects with what to look at. */
function wake(frame, name, page) {
  const end = Date.now() + PATIENCE;
  const before = outside(frame);
  const title = frame.title.split('：')[0];
  frame.title = `${title}：${name}`;
  frame.hidden = false;
  frame.src = `/phone.html?phone=${encodeURIComponent(name)}&start=${page}`;
  return new Promise((resolve, reject) => {
    const look = () => {
      const inner = outside(frame);
      if (inner && inner !== before && inner.name === name && frame.contentDocument.readyState === 'complete') resolve(inner);
      else if (Date.now() > end) reject(new Error('小程序没有启动，请查看浏览器控制台。 The mini-program does not start: see the console.'));
      else setTimeout(look, 40);
    };
    look();
  });
}

/* What a camera before this screen would see: pictures that are loaded and shown. */
function imagesOn(frame) {
  if (!frame.contentDocument) return [];
  return [...frame.contentDocument.querySelectorAll('img')].filter(
    (image) => image.complete && image.naturalWidth > 0 && image.getClientRects().length > 0,
  );
}

function fit(root) {
  const space = root.querySelector('.fit');
  const scale = Math.min(space.clientWidth / WIDTH, space.clientHeight / HEIGHT, 1);
  root.querySelector('.phone').style.setProperty('--scale', String(scale));
}
