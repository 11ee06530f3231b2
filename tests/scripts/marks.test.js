import assert from "node:assert/strict";
import { test } from "node:test";

import { nameMarked } from "../../static/viewer/marks.js";

const PANE = { x: 0, y: 0, width: 100, height: 100 };

function written(compare, pane = PANE) {
  const found = [];
  nameMarked({ strokeText() {}, fillText: (text, x) => found.push([text, x]) }, pane, {}, { compare, swipe: 40 });
  return found;
}

test("one film needs no name", () => {
  assert.deepEqual(written("off"), []);
});

test("side by side each film has its name below it", () => {
  assert.deepEqual(written("side", { ...PANE, marked: false }), [["Film alone", 50]]);
  assert.deepEqual(written("side", { ...PANE, x: 100, marked: true }), [["With overlay", 150]]);
});

test("the names stand on both sides of the divider", () => {
  assert.deepEqual(written("swipe"), [["Film alone", 30], ["With overlay", 50]]);
});
