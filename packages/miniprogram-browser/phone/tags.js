/* The tags of WeChat that elements.js and fields.js make; the build refuses others. */
export const TAGS = [
  'button', 'checkbox', 'checkbox-group', 'form', 'image', 'input', 'label', 'navigator', 'picker',
  'radio', 'radio-group', 'scroll-view', 'switch', 'text', 'textarea', 'view',
];
