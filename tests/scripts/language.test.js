import assert from "node:assert/strict";
import test from "node:test";

globalThis.document = {
  documentElement: { lang: "de" },
  getElementById: () => ({ textContent: JSON.stringify({
    "Uploading, {share} %": "Lädt hoch, {share} %", "{count} film": ["{count} Aufnahme", "{count} Aufnahmen"],
  }) }),
};
const { figure, tr, trN } = await import("../../static/words.js");

test("a text is said in the page's language, with its values, and in English where nobody translated it", () => {
  assert.equal(tr("Uploading, {share} %", { share: 7 }), "Lädt hoch, 7 %");
  assert.equal(tr("Never said: {it}", { it: 0 }), "Never said: 0");
  assert.equal(tr("{nothing}"), "{nothing}");
});

test("one film, two films", () => {
  assert.equal(trN("{count} film", "{count} films", 1), "1 Aufnahme");
  assert.equal(trN("{count} film", "{count} films", 2), "2 Aufnahmen");
  assert.equal(trN("{count} mask", "{count} masks", 2), "2 masks");
});

test("a German figure has a comma", () => {
  assert.equal(figure(12.345, 1), "12,3");
});
