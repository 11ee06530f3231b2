import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, logits, percent } from "../../static/why/words.js";

test("small differences have a digit more, and none is written as minus zero", () => {
  assert.equal(logits(1.234), "1.23");
  assert.equal(logits(-0.0567), "−0.057");
  assert.equal(logits(0.5, true), "+0.50");
  assert.equal(logits(-0.0001, true), "0");
});

test("no probability is written as a certainty", () => {
  assert.equal(percent(0), "<\u00a01\u00a0%");
  assert.equal(percent(1), ">\u00a099\u00a0%");
  assert.equal(percent(0.426), "43\u00a0%");
});

test("time is told in seconds or minutes, and is never nothing", () => {
  assert.equal(duration(0.2), "1 s");
  assert.equal(duration(99), "99 s");
  assert.equal(duration(150), "3 min");
});
