// Films without an answer are known to this tab alone: the server keeps none of them. So that none vanishes when
// its reader looks at another film's result, the tab remembers them for as long as a film would be kept.

import { inTab } from "../stored.js";

const KEY = "pleura-failures";
const keepMinutes = Number(document.querySelector("#upload").dataset.keepMinutes);

export function remembered() {
  const all = JSON.parse(inTab.get(KEY) ?? "[]");
  return all.filter((memory) => memory.until > Date.now());
}

export function remember(row) {
  const text = (selector) => row.querySelector(selector).textContent;
  const memory = {
    id: crypto.getRandomValues(new Uint32Array(2)).join("-"),
    until: Date.now() + 60_000 * keepMinutes,
    name: text(".name"), title: text(".title"), detail: text(".detail"), code: text("code.reason"),
  };
  keep([...remembered(), memory]);
  return memory;
}

export function forget(memory) {
  keep(remembered().filter((other) => other.id !== memory.id));
}

function keep(memories) {
  inTab.set(KEY, JSON.stringify(memories));
}
