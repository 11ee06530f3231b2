import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "../../static/correct/history.js";
import { Mask } from "../../static/correct/mask.js";

function stroke(mask, history, x, value = 1) {
  history.begin();
  history.touch(mask.draw({ x, y: 5 }, { x, y: 5 }, 2, value));
  history.commit();
  return mask.pixels.slice();
}

test("undo and redo go back and forth through every change", () => {
  const mask = new Mask(40, 10);
  const history = new History(mask);
  const states = [mask.pixels.slice(), stroke(mask, history, 4), stroke(mask, history, 12), stroke(mask, history, 12, 0)];
  for (const state of states.slice(0, -1).reverse()) {
    history.undo();
    assert.deepEqual(mask.pixels, state);
  }
  assert.equal(history.canUndo, false);
  for (const state of states.slice(1)) {
    history.redo();
    assert.deepEqual(mask.pixels, state);
  }
  assert.equal(history.canRedo, false);
});

test("a change that changes nothing is none", () => {
  const mask = new Mask(40, 10);
  const history = new History(mask);
  stroke(mask, history, 4, 0);
  assert.equal(history.canUndo, false);
  assert.equal(history.changed, false);
});

test("a new change forgets what was undone", () => {
  const mask = new Mask(40, 10);
  const history = new History(mask);
  stroke(mask, history, 4);
  history.undo();
  assert.equal(history.canRedo, true);
  stroke(mask, history, 20);
  assert.equal(history.canRedo, false);
});

test("it is unchanged again once everything is undone", () => {
  const mask = new Mask(40, 10);
  const history = new History(mask);
  stroke(mask, history, 4);
  assert.equal(history.changed, true);
  history.undo();
  assert.equal(history.changed, false);
});

test("a change that is given up leaves the mask as it was", () => {
  const mask = new Mask(40, 10);
  const history = new History(mask);
  const before = stroke(mask, history, 4);
  history.begin();
  history.touch(mask.draw({ x: 30, y: 5 }, { x: 30, y: 5 }, 3, 1));
  history.cancel();
  assert.deepEqual(mask.pixels, before);
  history.undo();
  assert.equal(mask.count, 0);
});
