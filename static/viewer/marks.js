// What lies over the film: the marked area, a map, and the letters of the patient's sides.

import { MAPS, coloured } from "./colours.js";
import { tr } from "../words.js";

const MARK = "#ffb63d";
const HALO = "rgb(0 0 0 / 0.65)";
const HATCH_STEP = 9;

/** Draws a marked area in the style of the settings, while its layer is shown. */
export class MarkedArea {
  /** @param contour SVG path in the film's pixels; its `data-layer` names the layer. */
  constructor(contour) {
    this.layer = contour.dataset.layer;
    this.path = new Path2D(contour.getAttribute("d"));
    this.hatch = hatching();
  }

  draw(context, pane, view, { layer, style, opacity }) {
    if (layer !== this.layer) return;
    const { across, down, x, y } = view.transform(pane);
    const outline = new Path2D();
    outline.addPath(this.path, new DOMMatrix([across, 0, 0, down, x, y]));
    if (style !== "contour") {
      context.globalAlpha = opacity / 100;
      context.fillStyle = style === "fill" ? MARK : this.#hatchAt(context, x, y);
      context.fill(outline, "evenodd");
      context.globalAlpha = 1;
    }
    context.lineJoin = "round";
    for (const [width, colour] of [[3.5, HALO], [1.6, MARK]]) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.stroke(outline);
    }
  }

  /** The pattern, moving with the film. */
  #hatchAt(context, x, y) {
    const pattern = context.createPattern(this.hatch, "repeat");
    pattern.setTransform(new DOMMatrix([0.5, 0, 0, 0.5, x % HATCH_STEP, y % HATCH_STEP]));
    return pattern;
  }
}

function hatching() {
  const side = 2 * HATCH_STEP;  // twice as fine as it is drawn
  const tile = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const context = tile.getContext("2d");
  context.beginPath();
  for (const offset of [-side, 0, side]) {
    context.moveTo(offset - 2, side + 2);
    context.lineTo(offset + side + 2, -2);
  }
  for (const [width, colour] of [[7, HALO], [4, MARK]]) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }
  return tile;
}

/** Draws the probability or the uncertainty map; each is fetched when it is first asked for. */
export class Maps {
  /**
   * @param addresses Of the pictures, by layer.
   * @param onWaiting Is told whether a map is on its way.
   */
  constructor(addresses, redraw, onWaiting = () => {}) {
    this.addresses = addresses;
    this.onWaiting = onWaiting;
    this.redraw = redraw;
    this.pictures = {};
  }

  draw(context, pane, view, { layer, opacity }) {
    if (!(layer in this.addresses)) return this.onWaiting(false);
    const { canvas: picture } = (this.pictures[layer] ??= this.#fetch(layer));
    this.onWaiting(!picture);
    if (!picture) return;
    const { across, down, x, y } = view.transform(pane);
    context.save();
    context.globalAlpha = opacity / 100;
    context.imageSmoothingQuality = "high";
    context.transform(across, 0, 0, down, x, y);
    context.drawImage(picture, 0, 0, view.film.width, view.film.height);
    context.restore();
  }

  #fetch(layer) {
    const entry = { canvas: null };
    const image = new Image();
    image.addEventListener("load", () => {
      entry.canvas = coloured(image, MAPS[layer]);
      this.redraw();
    });
    image.addEventListener("error", () => delete this.pictures[layer]);  // asked for again at the next drawing
    image.src = this.addresses[layer];
    return entry;
  }
}

/** Draws the letters of the patient's sides at a pane's edges, where the film says which is which. */
export function drawSides(imageLeft) {
  const letters = imageLeft === "left" ? ["L", "R"] : ["R", "L"];
  return (context, pane, view) => {
    const [atLeft, atRight] = view.mirrored ? letters.toReversed() : letters;
    context.font = "600 17px system-ui, sans-serif";
    context.textBaseline = "middle";
    const middle = pane.y + pane.height / 2;
    for (const [letter, align, x] of [[atLeft, "left", pane.x + 12], [atRight, "right", pane.x + pane.width - 12]]) {
      context.textAlign = align;
      outlined(context, letter, x, middle);
    }
  };
}

/** Name what is compared, side by side or by swiping: the film alone, and the film with what is marked. */
export function nameMarked(context, pane, view, { compare, swipe }) {
  if (compare === "off") return;
  context.font = "500 13px system-ui, sans-serif";
  context.textBaseline = "alphabetic";
  const bottom = pane.y + pane.height - 14;
  if (compare === "side") {
    context.textAlign = "center";
    outlined(context, pane.marked ? tr("With overlay") : tr("Film alone"), pane.x + pane.width / 2, bottom);
    return;
  }
  const divider = (pane.width * swipe) / 100;
  context.textAlign = "right";
  outlined(context, tr("Film alone"), divider - 10, bottom);
  context.textAlign = "left";
  outlined(context, tr("With overlay"), divider + 10, bottom);
}

/** Write white on a dark edge: to be read on any film. */
export function outlined(context, text, x, y) {
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = "rgb(0 0 0 / 0.8)";
  context.strokeText(text, x, y);
  context.fillStyle = "#fff";
  context.fillText(text, x, y);
}
