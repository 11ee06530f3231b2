import assert from "node:assert/strict";
import { test } from "node:test";
import { hideOrShow } from "../../static/viewer/controls.js";
import { holdBack } from "../../static/viewer/reveal.js";
import { Settings } from "../../static/viewer/settings.js";

/** A viewer's element, with the reader's choice on it or without, as in the comparison. */
function viewer(reveal, choice = null) {
  return { querySelector: () => choice, closest: () => ({ dataset: { reveal } }) };
}

test("a reset hides again what was held back, and a key shows it", () => {
  for (const choice of [null, new EventTarget()]) {
    const settings = new Settings({ layer: "area" });
    holdBack(viewer("asked", choice), settings);
    assert.equal(settings.now.layer, "off");
    hideOrShow(settings);
    assert.equal(settings.now.layer, "area");
    settings.reset();
    assert.equal(settings.now.layer, "off");
  }
});

test("a reset goes by the reader's present choice", () => {
  const choice = new EventTarget();
  const settings = new Settings({ layer: "area" });
  holdBack(viewer("first", choice), settings);
  for (const [checked, layer] of [[true, "off"], [false, "area"]]) {
    choice.checked = checked;
    choice.dispatchEvent(new Event("change"));
    settings.reset();
    assert.equal(settings.now.layer, layer);
  }
});
