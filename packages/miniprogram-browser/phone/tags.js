/* The tags of WeChat that elements.js, fields.js and camera.js make; the build refuses others. */
export const TAGS = [
  'button', 'camera', 'checkbox', 'checkbox-group', 'form', 'image', 'input', 'label', 'navigator', 'picker',
  'radio', 'radio-group', 'scroll-view', 'switch', 'text', 'textarea', 'view',
];
