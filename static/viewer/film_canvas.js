// Draws the film where no graphics processor does WebGL 2, such as on a remote desktop. Halved
// copies are made once; window and level are a filter of the compositor's, not a pass over the film's pixels.

import { shownRange } from "./settings.js";

const SMALLEST_COPY = 512;
const SVG = "http://www.w3.org/2000/svg";
let filters = 0;

export class CanvasFilm {
  /** Make one with all its copies. */
  static async make(canvas, bitmap) {
    const film = new CanvasFilm(canvas, bitmap);
    await film.halve();
    return film;
  }

  constructor(canvas, bitmap) {
    this.canvas = canvas;
    this.copies = [bitmap];
    this.closed = false;
    this.context = canvas.getContext("2d");
    this.filter = `film-window-${++filters}`;
    this.channels = addFilter(canvas, this.filter);
  }

  /** Halve the film until it is small; until then it is drawn from what there is. */
  async halve() {
    while (!this.closed && Math.max(this.copies.at(-1).width, this.copies.at(-1).height) > SMALLEST_COPY) {
      const { width, height } = this.copies.at(-1);
      this.copies.push(await createImageBitmap(this.copies.at(-1), {
        resizeWidth: Math.ceil(width / 2), resizeHeight: Math.ceil(height / 2), resizeQuality: "medium",
      }));
    }
  }

  close() {
    this.closed = true;
    for (const copy of this.copies) copy.close();
  }

  draw(panes, view, settings, ratio) {
    const { context, canvas } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    const needed = view.film.width * view.scale * ratio;
    const copy = this.copies.findLast((candidate) => candidate.width >= needed) ?? this.copies[0];
    for (const pane of panes) {
      const { across, down, x, y } = view.transform(pane);
      context.save();
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.beginPath();
      context.rect(pane.x, pane.y, pane.width, pane.height);
      context.clip();
      context.transform(across, 0, 0, down, x, y);
      context.drawImage(copy, 0, 0, view.film.width, view.film.height);
      context.restore();
    }
    this.#filter(settings);
  }

  #filter(settings) {
    const { low, high } = shownRange(settings);
    const slope = 1 / (high - low);
    for (const channel of this.channels) {
      channel.setAttribute("slope", settings.invert ? -slope : slope);
      channel.setAttribute("intercept", settings.invert ? 1 + low * slope : -low * slope);
    }
    const plain = slope === 1 && low === 0 && !settings.invert;
    this.canvas.style.filter = plain ? "none" : `url(#${this.filter})`;
  }
}

function addFilter(canvas, id) {
  const make = (name, parent, attributes) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    parent.append(element);
    return element;
  };
  const svg = make("svg", canvas.parentElement, { class: "unseen", "aria-hidden": "true" });
  const filter = make("filter", svg, { id, "color-interpolation-filters": "sRGB" });
  const transfer = make("feComponentTransfer", filter, {});
  return ["feFuncR", "feFuncG", "feFuncB"].map((name) => make(name, transfer, { type: "linear" }));
}
