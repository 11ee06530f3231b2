// How the film is shown at the moment. It changes what is seen, never what was found.

const DEFAULTS = Object.freeze({
  window: 100,  // width of the shown grey levels, in percent of the film's
  level: 50,  // their middle
  invert: false,
  mirror: false,
  layer: "area",  // off, area, model (its area, where the reader drew another), probability or uncertainty
  style: "fill",  // of an area: fill, contour or pattern
  opacity: 45,  // of what lies over the film, in percent
  compare: "off",  // off, side or swipe
  swipe: 50,  // where the divider stands, in percent of the width
  tool: "move",  // what a drag does: move, window or ruler
});

export class Settings {
  #listeners = new Set();

  constructor(changes = {}) {
    this.initial = { ...DEFAULTS, ...changes };
    this.now = { ...this.initial };
  }

  /** Change some, and tell every listener. */
  set(changes) {
    this.now = { ...this.now, ...changes };
    for (const listener of this.#listeners) listener(this.now);
  }

  reset() {
    this.set(this.initial);
  }

  /** Call a function now and at every change. */
  watch(listener) {
    this.#listeners.add(listener);
    listener(this.now);
  }
}

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** The grey levels, 0 to 1, shown black and white. */
export function shownRange({ window, level }) {
  return { low: (level - window / 2) / 100, high: (level + window / 2) / 100 };
}
