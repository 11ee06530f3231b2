// Brush and eraser, for pointers and for the keyboard.

import { clamp } from "../viewer/settings.js";
import { ARROWS } from "../viewer/stage_keys.js";
import { tr } from "../words.js";

const VALUES = { brush: 1, eraser: 0 };
const MARGIN = 24;  // CSS pixels between the keyboard's brush and the edge of the stage

export class Brush {
  #last = null;  // where the stroke in hand ended so far
  #value = 1;  // what it draws, whatever tool is chosen meanwhile
  #byKeyboard = false;

  /** @param told Called with a sentence for those who do not see the stage. */
  constructor(stage, mask, history, told) {
    Object.assign(this, { stage, mask, history, told });
    this.at = null;  // the film's point under the brush; null while it is nowhere
    stage.element.addEventListener("pointermove", (event) => event.pointerType !== "touch" && this.#hover(event));
    stage.element.addEventListener("pointerdown", () => this.#byKeyboard && this.lift(), { capture: true });
    stage.element.addEventListener("pointerleave", () => this.#hide());
    stage.element.addEventListener("blur", () => this.lift());
    stage.element.addEventListener("keydown", (event) => this.#key(event));
  }

  get radius() {
    return this.stage.settings.now.size / 2;
  }

  /** Whether brush or eraser is chosen, or still at work. */
  get chosen() {
    return this.isDown || this.stage.settings.now.tool in VALUES;
  }

  get isDown() {
    return this.#last !== null;
  }

  /** What a drag does while brush or eraser is chosen. */
  get tools() {
    const tool = {
      down: ({ place, pane }) => this.#begin(this.stage.view.toFilm(pane, place)),
      move: ({ place, pane }) => this.#drawTo(this.stage.view.toFilm(pane, place)),
      up: () => this.lift(),
      cancel: () => this.#giveUp(),
    };
    return { brush: tool, eraser: tool };
  }

  /** End the stroke in hand, if there is one. */
  lift() {
    if (!this.isDown) return;
    if (this.#byKeyboard) this.told(tr("Up"));
    this.#last = null;
    this.#byKeyboard = false;
    this.history.commit();
    this.#changed();
  }

  #begin(point) {
    this.history.begin();
    this.#value = VALUES[this.stage.settings.now.tool];
    this.#last = point;
    this.#drawTo(point);
  }

  #drawTo(point) {
    if (!this.isDown) return;
    this.history.touch(this.mask.draw(this.#last, point, this.radius, this.#value));
    this.#last = point;
    this.stage.redraw();
  }

  #giveUp() {
    if (!this.isDown) return;
    this.#last = null;
    this.#byKeyboard = false;
    this.history.cancel();
    this.#changed();
  }

  #changed() {
    this.stage.redraw();
    this.stage.element.dispatchEvent(new Event("changed"));
  }

  #hover(event) {
    if (this.#byKeyboard) return;
    this.at = this.stage.view.toFilm(this.stage.panes[0], this.stage.placeOf(event));
    this.stage.redraw();
  }

  #hide() {
    if (this.#byKeyboard) return;
    this.at = null;
    this.stage.redraw();
  }

  #key(event) {
    if (!this.chosen || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in ARROWS) this.#step(ARROWS[event.key], event.shiftKey ? 1 : Math.max(1, Math.round(this.radius)));
    else if (event.key === "Enter" || event.key === " ") this.#press();
    else if (event.key === "Escape" && this.isDown) this.#giveUp();
    else return;
    event.preventDefault();
  }

  #press() {
    if (this.isDown) return this.lift();
    this.at ??= { ...this.stage.view.centre };
    this.#begin(this.at);
    this.#byKeyboard = true;
    this.told(tr("Down"));
  }

  #step([across, down], length) {
    const { view, panes } = this.stage;
    const from = this.at ?? view.centre;
    this.at = {
      x: clamp(from.x + across * length * Math.sign(view.transform(panes[0]).across), 0, this.mask.width),
      y: clamp(from.y + down * length, 0, this.mask.height),
    };
    if (this.isDown) this.#drawTo(this.at);
    this.#follow(panes[0]);
    this.stage.redraw();
  }

  // Move the film where the brush would leave the stage.
  #follow(pane) {
    const { x, y } = this.stage.view.toStage(pane, this.at);
    const [dx, dy] = [clamp(x, MARGIN, pane.width - MARGIN) - x, clamp(y, MARGIN, pane.height - MARGIN) - y];
    if ((dx || dy) && !this.stage.view.fitted) this.stage.view.pan(dx, dy);
  }
}
