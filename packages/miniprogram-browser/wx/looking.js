/* Reads QR codes: in pictures, and on the screen of the other phone on the stage. */
import jsQR from 'jsqr';

export const LOOKS = 250; // milliseconds between two looks
const LARGEST = 1000; // pixels of a picture, after making it smaller

/* Tell the code that the other phone on the stage shows, if any; `view` is the canvas on which it is seen. */
export function look(phone, view, tell) {
  const { stage } = window.parent;
  const images = window.parent !== window && stage && stage.screens ? stage.screens(phone.name) : [];
  for (const image of images) {
    if (!image.complete) continue;
    const text = read(image, view);
    if (text) return tell(text);
  }
  return undefined;
}

/* The text of the QR code in a picture, or null; draws the picture on a canvas. */
export function read(image, canvas) {
  const width = image.naturalWidth || 600;
  const height = image.naturalHeight || width;
  const scale = Math.min(1, LARGEST / Math.max(width, height));
  Object.assign(canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
  const brush = canvas.getContext('2d', { willReadFrequently: true });
  brush.fillStyle = '#ffffff';
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.drawImage(image, 0, 0, canvas.width, canvas.height);
  const found = jsQR(brush.getImageData(0, 0, canvas.width, canvas.height).data, canvas.width, canvas.height);
  return found ? found.data : null;
}
