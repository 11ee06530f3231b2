// Distances on the detector, in millimetres: only on a film that says credibly how large its pixels are.

import { outlined } from "./marks.js";
import { paneAt } from "./geometry.js";
import { figure, tr } from "../words.js";

const GRAB = 14;  // CSS pixels around an end that take hold of it
const SHORTEST = 4;
const LINE = "#7fe3ff";

export class Ruler {
  /**
   * @param spacing [row, column], millimetres between the centres of pixels on the detector.
   * @param announce Says a sentence to those who do not see the stage.
   */
  constructor(stage, spacing, announce) {
    Object.assign(this, { stage, spacing, announce, distances: [], held: null, cross: null });
    stage.fixtures.push((context, pane) => this.#draw(context, pane));
  }

  down({ place, pane }) {
    const found = this.#endNear(place, pane);
    if (found) this.held = found;
    else this.#start(this.stage.view.toFilm(pane, place));
  }

  move({ place, pane }) {
    this.held.distance[this.held.end] = this.stage.view.toFilm(pane, place);
    this.stage.redraw();
  }

  up({ place, pane }) {
    const { distance } = this.held;
    const [a, b] = distance.map((end) => this.stage.view.toStage(pane, end));
    if (Math.hypot(a.x - b.x, a.y - b.y) < SHORTEST) this.#drop(distance);
    else this.announce(tr("{length} on the detector", { length: this.text(distance) }));
    this.held = null;
  }

  /** Let go of the held end: a distance that was there before is again as it was. */
  cancel() {
    if (!this.held) return;
    const { distance, end, before } = this.held;
    if (before) distance[end] = before;
    else this.#drop(distance);
    this.held = null;
    this.stage.redraw();
  }

  clear() {
    this.distances = [];
    this.held = this.cross = null;
    this.stage.redraw();
  }

  /** With keys alone: the first call starts a distance at the cross, the second ends it there. */
  place() {
    const pane = this.stage.panes.at(-1);
    this.cross ??= { x: pane.x + pane.width / 2, y: pane.y + pane.height / 2 };
    if (!this.held) {
      this.#start(this.stage.view.toFilm(pane, this.cross));
      this.announce(tr("First end set. Move the cross with the arrow keys, then press Enter."));
    } else this.up({ place: this.cross, pane });
    this.stage.redraw();
  }

  /** Move the cross by CSS pixels. */
  step(dx, dy) {
    const pane = this.stage.panes.at(-1);
    const { x, y } = this.cross ?? { x: pane.x + pane.width / 2, y: pane.y + pane.height / 2 };
    this.cross = { x: x + dx, y: y + dy };
    if (this.held) this.move({ place: this.cross, pane });
    this.stage.redraw();
  }

  length([a, b]) {
    const [row, column] = this.spacing;
    return Math.hypot((b.x - a.x) * column, (b.y - a.y) * row);
  }

  text(distance) {
    return `${figure(this.length(distance), 1)} mm`;
  }

  #start(point) {
    const distance = [point, { ...point }];
    this.distances.push(distance);
    this.held = { distance, end: 1 };
  }

  #drop(distance) {
    this.distances = this.distances.filter((other) => other !== distance);
    this.stage.redraw();
  }

  #endNear(place, pane) {
    for (const distance of this.distances) {
      for (const end of [0, 1]) {
        const at = this.stage.view.toStage(pane, distance[end]);
        if (Math.hypot(at.x - place.x, at.y - place.y) < GRAB) return { distance, end, before: distance[end] };
      }
    }
    return null;
  }

  #draw(context, pane) {
    context.font = "600 14px system-ui, sans-serif";
    context.textBaseline = "middle";
    for (const distance of this.distances) this.#drawDistance(context, pane, distance);
    if (this.cross && paneAt(this.stage.panes, this.cross).x === pane.x) drawCross(context, this.cross);
  }

  #drawDistance(context, pane, distance) {
    const [a, b] = distance.map((end) => this.stage.view.toStage(pane, end));
    const apart = Math.hypot(b.x - a.x, b.y - a.y) || 1;
    const tick = { x: (-6 * (b.y - a.y)) / apart, y: (6 * (b.x - a.x)) / apart };
    context.beginPath();
    for (const [from, to] of [[a, b], ...[a, b].map((end) => [
      { x: end.x - tick.x, y: end.y - tick.y }, { x: end.x + tick.x, y: end.y + tick.y }])]) {
      context.moveTo(from.x, from.y);
      context.lineTo(to.x, to.y);
    }
    stroke(context);
    const right = a.x > b.x ? a : b;
    const fits = right.x + 90 < pane.x + pane.width;
    context.textAlign = fits ? "left" : "right";
    outlined(context, this.text(distance), right.x + (fits ? 12 : -12), right.y + (fits ? 0 : -18));
  }
}

function drawCross(context, { x, y }) {
  context.beginPath();
  for (const [dx, dy] of [[12, 0], [0, 12]]) {
    context.moveTo(x - dx, y - dy);
    context.lineTo(x + dx, y + dy);
  }
  stroke(context);
}

function stroke(context) {
  for (const [width, colour] of [[4, "rgb(0 0 0 / 0.7)"], [1.75, LINE]]) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }
}
