import assert from "node:assert/strict";
import { test } from "node:test";
import { Brush } from "../../static/correct/brush.js";
import { History } from "../../static/correct/history.js";
import { Mask } from "../../static/correct/mask.js";

/** A brush on a stage of which every point is the film's. */
function drawing() {
  const element = new EventTarget();
  const settings = { now: { tool: "brush", size: 2 } };
  const same = (pane, place) => place;
  const view = { toFilm: same, toStage: same, transform: () => ({ across: 1 }), centre: { x: 4, y: 4 }, fitted: true };
  const stage = { element, settings, view, panes: [{ width: 20, height: 8 }], redraw() {} };
  const mask = new Mask(20, 8);
  const brush = new Brush(stage, mask, new History(mask), () => {});
  const press = (key) => element.dispatchEvent(Object.assign(new Event("keydown", { cancelable: true }), { key }));
  return { brush, mask, settings, press };
}

test("a stroke stays what it was when it began, whatever tool is chosen meanwhile", () => {
  for (const [began, before, meanwhile, marked] of [["brush", 0, "move", 1], ["brush", 0, "eraser", 1], ["eraser", 1, "window", 0]]) {
    const { brush, mask, settings } = drawing();
    mask.pixels.fill(before);
    settings.now.tool = began;
    const { down, move, up } = brush.tools[began];
    down({ place: { x: 4, y: 4 } });
    settings.now.tool = meanwhile;
    move({ place: { x: 12, y: 4 } });
    up();
    assert.equal(mask.pixels[4 * 20 + 11], marked, `${began}, then ${meanwhile}`);
  }
});

test("a stroke of the keyboard goes on, and can be ended, after another tool was chosen", () => {
  const { brush, mask, settings, press } = drawing();
  press("Enter");
  settings.now.tool = "move";
  press("ArrowRight");
  assert.equal(mask.pixels[4 * 20 + 5], 1);
  press("Enter");
  assert.equal(brush.isDown, false);
  assert.equal(brush.chosen, false);
});
