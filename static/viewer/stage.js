// The stage: two canvases, the film's below and the marks' above, drawn together once a frame and only when needed.

import { CanvasFilm } from "./film_canvas.js";
import { WebglFilm } from "./film_webgl.js";
import { View, panesOf } from "./geometry.js";

let hasWebgl = true;  // to ask costs time, and another film of the page gets the same answer

export class Stage {
  #wanted = false;

  /**
   * @param element Holds the canvases; its size is theirs.
   * @param film {width, height} in the film's own pixels.
   * @param settings From settings.js.
   */
  constructor(element, film, settings) {
    this.element = element;
    this.settings = settings;
    this.view = new View(film);
    this.painters = [];  // (context, pane, view, settings), over panes that show marks; the context is the stage's
    this.fixtures = [];  // the same, over every pane
    this.marks = this.#addCanvas();
    this.context = this.marks.getContext("2d");
    settings.watch(({ mirror }) => {
      this.view.mirrored = mirror;
      this.redraw();
    });
    this.sizes = new ResizeObserver(() => this.redraw());
    this.sizes.observe(element);
  }

  /**
   * Show the film: the canvases replace its picture.
   * @param image The picture, or an ImageBitmap of it.
   */
  async show(image) {
    const bitmap = image instanceof ImageBitmap ? image : await decoded(image);
    try {
      if (!hasWebgl) throw new Error("asked before");
      this.film = new WebglFilm(this.#addCanvas(), bitmap);
      this.film.canvas.addEventListener("webglcontextlost", () => this.#drawWithout(bitmap));
    } catch {
      hasWebgl = false;
      this.#drawWithout(bitmap);
    }
    this.redraw();
  }

  /** Give back what the film took: a browser has few contexts of WebGL, and they are large. */
  close() {
    this.sizes.disconnect();
    this.film?.close();
    this.film = null;
  }

  get panes() {
    return panesOf({ width: this.element.clientWidth, height: this.element.clientHeight }, this.settings.now.compare);
  }

  /** Where a pointer is on the stage. */
  placeOf(event) {
    const box = this.element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  redraw() {
    if (this.#wanted) return;
    this.#wanted = true;
    requestAnimationFrame(() => {
      this.#wanted = false;
      this.draw();
    });
  }

  draw() {
    const { view, panes, context, settings } = this;
    if (!this.film || !this.element.clientWidth) return;
    const ratio = devicePixelRatio;
    for (const canvas of [this.film.canvas, this.marks]) this.#size(canvas, ratio);
    if (view.fitted) view.fit(panes[0]);
    this.film.draw(panes, view, settings.now, ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.marks.width, this.marks.height);
    for (const pane of panes) {
      if (pane.marked) this.#paint(this.painters, pane, this.#uncovered(pane));
      this.#paint(this.fixtures, pane, pane);
    }
    if (settings.now.compare === "swipe") this.#drawDivider(panes[0]);
    this.element.dispatchEvent(new Event("drawn"));
  }

  /** The divider's place on the stage, while films are compared by swiping. */
  get divider() {
    return this.settings.now.compare === "swipe" ? (this.element.clientWidth * this.settings.now.swipe) / 100 : null;
  }

  #paint(painters, pane, { x, y, width, height }) {
    this.context.save();
    this.context.beginPath();
    this.context.rect(x, y, width, height);
    this.context.clip();
    for (const paint of painters) {
      this.context.save();
      paint(this.context, pane, this.view, this.settings.now);
      this.context.restore();
    }
    this.context.restore();
  }

  #uncovered(pane) {
    if (this.divider === null) return pane;
    return { ...pane, x: pane.x + this.divider, width: pane.width - this.divider };
  }

  #drawDivider(pane) {
    const { context, divider } = this;
    context.fillStyle = "rgb(0 0 0 / 0.6)";
    context.fillRect(divider - 2, 0, 4, pane.height);
    context.fillStyle = "#fff";
    context.fillRect(divider - 1, 0, 2, pane.height);
    context.beginPath();
    context.arc(divider, pane.height / 2, 13, 0, 7);
    context.fill();
    context.font = "600 14px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = "#000";
    context.fillText("‹ ›", divider, pane.height / 2 - 1);
  }

  #addCanvas() {
    const canvas = document.createElement("canvas");
    this.element.prepend(canvas);  // a film's canvas lies below the marks'
    return canvas;
  }

  #size(canvas, ratio) {
    const width = Math.round(this.element.clientWidth * ratio);
    const height = Math.round(this.element.clientHeight * ratio);
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
  }

  #drawWithout(bitmap) {
    if (!this.element.isConnected) return;  // another film has taken its place
    this.film?.canvas.remove();
    this.element.querySelectorAll("canvas").forEach((canvas) => canvas !== this.marks && canvas.remove());
    const film = this.film = new CanvasFilm(this.#addCanvas(), bitmap);
    const sharpen = () => film.halve().then(() => this.redraw(), () => {});  // it was closed meanwhile
    this.element.addEventListener("drawn", sharpen, { once: true });  // the film is seen first
  }
}

async function decoded(image) {
  await image.decode();
  return createImageBitmap(image, { colorSpaceConversion: "none" });
}
