/*
 * What WeChat lays over a mini-program: toast, modal, action sheet, the consent sheets, the scanner, the settings.
 *
 * Owns how they look to eye, keyboard and screen reader. Decides nothing: each answers what the person chose.
 */
import { LOOKS, look, read } from './looking.js';

const WORDS = {
  zh: {
    ok: '确定', cancel: '取消', allow: '允许', refuse: '拒绝', keep: '总是保持以上选择，不再询问', copied: '内容已复制', call: '呼叫',
    subscribe: '申请向你发送以下服务通知', number: '申请获取并验证你的手机号', scan: '扫码', look: '请将另一部手机的码放入取景框',
    picture: '选择图片', type: '输入内容', close: '关闭', nothing: '图片里没有二维码', settings: '设置', receive: '接收', message: '服务通知',
    privacy: '请阅读并同意', guide: '在微信公众平台填写的指引显示在这里。',
  },
  en: {
    ok: 'OK', cancel: 'Cancel', allow: 'Allow', refuse: 'Refuse', keep: 'Always do this, and do not ask again', copied: 'Copied', call: 'Call',
    subscribe: 'asks to send you these service messages', number: 'asks for your phone number', scan: 'Scan', look: 'Hold the code of the other phone in the frame',
    picture: 'Choose a picture', type: 'Type the text', close: 'Close', nothing: 'There is no QR code in this picture', settings: 'Settings', receive: 'Receive', message: 'Service message',
    privacy: 'Please read and agree to', guide: 'The guide that is filled in in WeChat’s console appears here.',
  },
  ko: {
    ok: '확인', cancel: '취소', allow: '허락', refuse: '거절', keep: '늘 이렇게 하고 다시 묻지 않기', copied: '복사했습니다', call: '전화 걸기',
    subscribe: '다음 서비스 알림을 보내려고 합니다', number: '전화번호를 확인하려고 합니다', scan: '코드 찍기', look: '다른 휴대폰의 코드를 네모 안에 맞추세요',
    picture: '그림 고르기', type: '글자 넣기', close: '닫기', nothing: '그림에 QR 코드가 없습니다', settings: '설정', receive: '받기', message: '서비스 알림',
    privacy: '읽고 동의하세요', guide: '위챗 공중 플랫폼에 적은 지침이 여기에 나타납니다.',
  },
};

/* The overlays of one phone, each a function that resolves to what was chosen. */
export function makeDialogs(phone) {
  const words = () => WORDS[document.documentElement.lang] || WORDS.zh;
  const toast = document.getElementById('toast');
  let fading = 0;

  function showToast(title, icon, duration) {
    clearTimeout(fading);
    toast.replaceChildren(make('i', { class: icon, 'aria-hidden': 'true' }), make('span', {}, title));
    toast.hidden = false;
    if (duration) fading = setTimeout(hideToast, duration);
    phone.tell('toast', { title, icon });
  }

  function hideToast() {
    clearTimeout(fading);
    toast.hidden = true;
  }

  /* A dialog with this content; `fill` gets it and a function that ends it with an answer. Escape answers null. */
  function open(kind, label, fill) {
    return new Promise((resolve) => {
      const dialog = make('dialog', { class: kind, 'aria-label': label });
      document.getElementById('dialogs').appendChild(dialog);
      const end = (answer) => {
        dialog.remove();
        resolve(answer);
      };
      dialog.addEventListener('cancel', (event) => {
        event.preventDefault();
        end(null);
      });
      fill(dialog, end);
      dialog.showModal();
    });
  }

  function modal({ title = '', content = '', showCancel = true, cancelText, confirmText, editable, placeholderText }) {
    return open('modal', title || content, (dialog, end) => {
      const field = editable && make('input', { value: content, placeholder: placeholderText || '', 'aria-label': title });
      if (title) dialog.append(make('h2', {}, title));
      dialog.append(field || make('p', {}, content));
      const buttons = make('footer');
      if (showCancel) buttons.append(button(cancelText || words().cancel, () => end({ confirm: false, cancel: true })));
      const confirm = () => end({ confirm: true, cancel: false, content: field ? field.value : null });
      buttons.append(button(confirmText || words().ok, confirm, 'main'));
      dialog.append(buttons);
    });
  }

  function actions(itemList, itemColor) {
    return open('sheet actions', words().ok, (dialog, end) => {
      itemList.forEach((item, index) => {
        const choice = button(item, () => end(index));
        if (itemColor) choice.style.color = itemColor;
        dialog.append(choice);
      });
      dialog.append(button(words().cancel, () => end(null), 'apart'));
    });
  }

  /* Resolves to {accepted: [ids], keep}; null is a refusal, too. */
  function subscribe(name, templates) {
    return open('sheet', words().subscribe, (dialog, end) => {
      const boxes = templates.map(({ id, title }) => [id, tick(title, true)]);
      const keep = tick(words().keep, false);
      const answer = (allowed) => {
        const accepted = boxes.filter(([, box]) => allowed && box.firstChild.checked).map(([id]) => id);
        end({ accepted, keep: keep.firstChild.checked });
      };
      dialog.append(make('h2', {}, `${name} ${words().subscribe}`), ...boxes.map(([, box]) => box), keep, choose(answer));
    });
  }

  function allowNumber(name) {
    return open('sheet', words().number, (dialog, end) => {
      dialog.append(make('h2', {}, `${name} ${words().number}`), choose(end));
    });
  }

  function allowPrivacy(contract) {
    return open('sheet', contract, (dialog, end) => {
      dialog.append(make('h2', {}, `${words().privacy} ${contract}`), choose(end));
    });
  }

  function choose(answer) {
    const buttons = make('footer');
    buttons.append(button(words().refuse, () => answer(false)), button(words().allow, () => answer(true), 'main'));
    return buttons;
  }

  /* Switches for the templates; resolves to {id: 'accept' | 'reject'}. */
  function settings(templates) {
    return open('sheet', words().settings, (dialog, end) => {
      const boxes = templates.map(({ id, title, on }) => [id, tick(`${words().receive} ${title}`, on)]);
      const done = () => end(Object.fromEntries(boxes.map(([id, box]) => [id, box.firstChild.checked ? 'accept' : 'reject'])));
      dialog.append(make('h2', {}, words().settings), ...boxes.map(([, box]) => box), button(words().ok, done, 'main'));
    });
  }

  /* Resolves to the text of a code, or null. */
  function scan(onlyFromCamera) {
    let looking = 0;
    const seen = open('scanner', words().scan, (dialog, end) => {
      const view = make('canvas', { width: 300, height: 300, role: 'img', 'aria-label': words().look });
      const said = make('p', { role: 'status' }, words().look);
      dialog.append(button(words().close, () => end(null), 'close'), view, said);
      if (!onlyFromCamera) dialog.append(pictureButton(words, said, end));
      dialog.append(button(words().type, () => askText(end)));
      looking = setInterval(() => look(phone, view, end), LOOKS);
    });
    return seen.finally(() => clearInterval(looking));
  }

  async function askText(end) {
    const answer = await modal({ title: words().type, editable: true });
    if (answer && answer.confirm && answer.content) end(answer.content);
  }

  return { showToast, hideToast, modal, actions, subscribe, allowNumber, allowPrivacy, settings, scan, files, words };
}

/* The browser's own way to choose files, which opens in a tap only; resolves to them, or to null. */
function files(accept, several) {
  const field = make('input', { type: 'file', accept });
  field.multiple = several;
  return new Promise((resolve) => {
    field.addEventListener('change', () => resolve([...field.files]));
    field.addEventListener('cancel', () => resolve(null));
    field.click();
  });
}

function pictureButton(words, said, end) {
  const file = make('input', { type: 'file', accept: 'image/*', 'aria-label': words().picture });
  const label = make('label', { class: 'picture' }, words().picture);
  label.append(file);
  file.addEventListener('change', () => {
    const image = new Image();
    image.onload = () => {
      const text = read(image, document.createElement('canvas'));
      if (text) end(text);
      else said.textContent = words().nothing;
    };
    image.onerror = () => {
      said.textContent = words().nothing;
    };
    const reader = new FileReader();
    reader.onload = () => {
      image.src = reader.result;
    };
    if (file.files[0]) reader.readAsDataURL(file.files[0]);
  });
  return label;
}

function make(tag, attributes = {}, text = '') {
  const element = document.createElement(tag);
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  element.textContent = text;
  return element;
}

function button(text, act, kind = '') {
  const element = make('button', { type: 'button', class: kind }, text);
  element.addEventListener('click', act);
  return element;
}

function tick(text, checked) {
  const label = make('label');
  const box = make('input', { type: 'checkbox' });
  box.checked = checked;
  label.append(box, text);
  return label;
}
