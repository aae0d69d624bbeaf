/* Elements with words in them: Chinese first, small English beside it. */
export function words(zh, en) {
  return [`${zh} `, element('small', { lang: 'en' }, en)];
}

/* An element with these properties and children; a text child is text, never markup. */
export function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
