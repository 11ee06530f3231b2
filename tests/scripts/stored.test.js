import assert from "node:assert/strict";
import { test } from "node:test";
import { inBrowser, inTab } from "../../static/stored.js";

for (const [name, memory] of [["localStorage", inBrowser], ["sessionStorage", inTab]]) {
  const provide = (get) => Object.defineProperty(globalThis, name, { configurable: true, get });

  test(`${name} that the browser bars is no error, and remembers nothing`, () => {
    provide(() => { throw new Error("SecurityError"); });
    memory.set("key", "value");
    memory.remove("key");
    assert.equal(memory.get("key"), null);
  });

  test(`${name} remembers and forgets`, () => {
    const kept = new Map();
    provide(() => ({ getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) }));
    memory.set("key", "value");
    assert.equal(memory.get("key"), "value");
    memory.remove("key");
    assert.equal(memory.get("key"), null);
  });
}
