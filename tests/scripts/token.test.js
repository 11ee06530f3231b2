import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = { querySelector: () => ({ content: "ours" }), querySelectorAll: () => [] };
globalThis.DOMParser = class {
  parseFromString() {
    return { querySelector: () => ({ content: "new" }) };
  }
};
const { fetchWithToken } = await import("../../static/token.js");

function answering(...answers) {
  const sent = [];
  globalThis.fetch = async (address, { headers } = {}) => {
    if (!headers) return new Response("a page");
    sent.push(headers);
    return answers.shift();
  };
  return sent;
}

const refused = (code) => new Response(JSON.stringify({ code, detail: "…" }), { status: 400 });

test("what is refused for another reason than the token is not sent again", async () => {
  const sent = answering(refused("invalid_mask"), new Response());
  const answer = await fetchWithToken("/", { method: "POST" });
  assert.equal(answer.status, 400);
  assert.equal((await answer.json()).code, "invalid_mask");
  assert.equal(sent.length, 1);
});

test("what is refused for its token is sent with a new one, and all its headers", async () => {
  const sent = answering(refused("form_expired"), new Response());
  const answer = await fetchWithToken("/", { headers: { "X-Other": "kept" } });
  assert.ok(answer.ok);
  assert.deepEqual(sent, [{ "X-Other": "kept", "X-CSRFToken": "ours" }, { "X-Other": "kept", "X-CSRFToken": "new" }]);
});
