// Undo and redo. A change is kept as the pixels that it flipped, a bit each: flipping them once more undoes it.

import { around } from "./mask.js";

const MOST_BYTES = 64 * 2 ** 20;

export class History {
  #done = [];
  #undone = [];
  #box = null;
  #open = false;
  #saved;

  constructor(mask) {
    this.mask = mask;
    this.before = new Uint8Array(mask.pixels.length);
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Whether the mask is not as it was at the start. */
  get changed() {
    return this.#done.at(-1) !== this.#saved;
  }

  /** Begin a change; it may have many parts. */
  begin() {
    this.commit();
    this.before.set(this.mask.pixels);
    this.#open = true;
  }

  /** Note in which box a part of the change lies. */
  touch(box) {
    this.#box = around(this.#box, box);
  }

  /** Keep the change. It is none if no pixel is another. */
  commit() {
    const flips = this.#box && flipsBetween(this.before, this.mask, this.#box);
    if (flips) {
      this.#done.push(flips);
      this.#undone = [];
      this.#forget();
    }
    this.#close();
  }

  /** Give the change up. */
  cancel() {
    if (this.#open) this.mask.copy(this.before);
    this.#close();
  }

  undo() {
    this.#move(this.#done, this.#undone);
  }

  redo() {
    this.#move(this.#undone, this.#done);
  }

  #move(from, to) {
    this.commit();
    if (!from.length) return;
    const flips = from.pop();
    flip(this.mask, flips);
    to.push(flips);
  }

  #forget() {
    let bytes = 0;
    const first = this.#done.findLastIndex(({ bits }) => (bytes += bits.length) > MOST_BYTES);
    if (first < 0) return;
    this.#done.splice(0, first + 1);
    this.#saved = null;  // there is no way back to the start
  }

  #close() {
    this.#box = null;
    this.#open = false;
  }
}

function flipsBetween(before, { pixels, width }, box) {
  const bits = new Uint8Array(Math.ceil(((box.right - box.left) * (box.bottom - box.top)) / 8));
  let at = 0;
  let any = false;
  for (let y = box.top; y < box.bottom; y++) {
    for (let index = y * width + box.left; index < y * width + box.right; index++, at++) {
      if (pixels[index] === before[index]) continue;
      bits[at >> 3] |= 1 << (at & 7);
      any = true;
    }
  }
  return any ? { box, bits } : null;
}

function flip(mask, { box, bits }) {
  let at = 0;
  for (let y = box.top; y < box.bottom; y++) {
    for (let index = y * mask.width + box.left; index < y * mask.width + box.right; index++, at++) {
      mask.pixels[index] ^= (bits[at >> 3] >> (at & 7)) & 1;
    }
  }
  mask.fresh = around(mask.fresh, box);
}
