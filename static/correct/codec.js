// A mask from and to a PNG, in strips: the four bytes a pixel of a canvas would be a lot for a large film.

import { Mask } from "./mask.js";

const STRIP = 256;  // rows
const WHITE = 0xffffffff;
const BLACK = 0xff000000;

/** Read a mask that the server sent; the picture has the film's pixels. */
export async function fetchMask(address, width, height) {
  const image = new Image();
  image.src = address;
  await image.decode();
  const mask = new Mask(width, height);
  const canvas = new OffscreenCanvas(width, STRIP);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  for (let top = 0; top < height; top += STRIP) {
    context.clearRect(0, 0, width, STRIP);
    context.drawImage(image, 0, -top);
    const { data } = context.getImageData(0, 0, width, Math.min(STRIP, height - top));
    for (let index = 0; index < data.length / 4; index++) mask.pixels[top * width + index] = data[4 * index] >> 7;
  }
  return mask;
}

/** Encode a mask, white where it is marked. */
export function toPng({ width, height, pixels }) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  for (let top = 0; top < height; top += STRIP) {
    const strip = new ImageData(width, Math.min(STRIP, height - top));
    const colours = new Uint32Array(strip.data.buffer);
    for (let index = 0; index < colours.length; index++) colours[index] = pixels[top * width + index] ? WHITE : BLACK;
    context.putImageData(strip, 0, top);
  }
  return canvas.convertToBlob({ type: "image/png" });
}
