import assert from "node:assert/strict";
import { test } from "node:test";
import { diverging, heaviest, sequential, strongest, unpacked } from "../../static/why/maps.js";

const packed = (levels) => ({ side: 3, peak: 2, levels: btoa(String.fromCharCode(...levels.map((level) => level & 255))) });
const map = (values) => ({ side: 3, peak: 2, values: Float32Array.from(values) });

test("levels are shares of the peak, and what was not tried is nothing", () => {
  const { side, peak, values } = unpacked(packed([127, -127, 0, -128, 0, 0, 0, 0, 0]));
  assert.deepEqual([side, peak], [3, 2]);
  assert.deepEqual([...values.slice(0, 4)], [1, -1, 0, NaN]);
});

test("the strongest cell is named where it stands on the page", () => {
  const values = map([0, 0, 0.5, 0, 0, 0, -0.75, 0, 0]);
  assert.deepEqual(strongest(values, 1, false), { value: 1, place: "upper right" });
  assert.deepEqual(strongest(values, 1, true), { value: 1, place: "upper left" });
  assert.deepEqual(strongest(values, -1, false), { value: 1.5, place: "lower left" });
  assert.equal(strongest(map(new Array(9).fill(0)), 1, false), null);
});

test("the heaviest ninth has the largest sum of one sign", () => {
  assert.equal(heaviest(map([0, 0, 0, 0, 0.2, 0, 0, 0, 0.1]), 1, false), "centre");
  assert.equal(heaviest(map([0, 0, 0, 0, 0.2, 0, 0, 0, 0.1]), -1, false), null);
  assert.equal(heaviest(map([0, NaN, 0, 0.4, 0, 0, 0, 0, 0]), 1, true), "middle right");
});

test("colours run from clear to full", () => {
  assert.equal(sequential(0)[3], 0);
  assert.equal(sequential(1)[3], 1);
  assert.deepEqual(sequential(1).slice(0, 3), [255, 255, 217]);
  assert.equal(diverging(0)[3], 0);
  assert.notDeepEqual(diverging(-1).slice(0, 3), diverging(1).slice(0, 3));
});
