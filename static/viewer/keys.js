// Every key of the page in one table: it answers them, hints at them on the buttons, and fills the sheet of keys.

import { bindLetterSwitch } from "../letter_keys.js";
import { onEachPage } from "../pages.js";

const keys = [];
let sheet, enabled;

/**
 * Add keys to the page.
 * @param group What the sheet calls them together.
 * @param entries {key, label, run} or {key, label, control}: a control's selector is clicked, and gets a hint.
 *   `key` is as KeyboardEvent names it, in lower case; `also` is another key for the same. Where a page lacks the
 *   control, or what `needs` selects, it lacks the key, too.
 */
export function addKeys(group, entries) {
  for (const entry of entries) {
    const control = entry.control && document.querySelector(entry.control);
    const needed = entry.control ?? entry.needs;
    if (needed && !document.querySelector(needed)) continue;
    keys.push({ ...entry, group, run: entry.run ?? (() => control.matches(":disabled") || control.click()) });
    if (control) hint(control, entry);
  }
  fillSheet();
}

function hint(control, { key, label }) {
  const host = control.closest("label") ?? control;
  host.dataset.tip = `${label}  ${shown(key)}`;
  control.setAttribute("aria-keyshortcuts", key === "+" ? "Plus" : key);
}

function shown(key) {
  return key.length === 1 ? key.toUpperCase() : key;
}

function fillSheet() {
  const groups = Map.groupBy(keys, ({ group }) => group);
  sheet.querySelector("#key-groups").replaceChildren(...Array.from(groups, ([name, entries]) => {
    const section = document.createElement("section");
    const heading = Object.assign(document.createElement("h3"), { textContent: name });
    const list = document.createElement("dl");
    for (const { key, label } of entries) {
      const term = document.createElement("dt");
      term.append(Object.assign(document.createElement("kbd"), { textContent: shown(key) }));
      list.append(term, Object.assign(document.createElement("dd"), { textContent: label }));
    }
    section.append(heading, list);
    return section;
  }));
}

function isTyping(target) {
  return target.matches("input:not([type=range], [type=radio], [type=checkbox]), textarea, select, [contenteditable]");
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!enabled.checked || document.querySelector("dialog[open]") || isTyping(event.target)) return;
  const pressed = event.key.toLowerCase();
  const entry = keys.find(({ key, also }) => [key, also].includes(event.key) || key === pressed);
  if (!entry) return;
  event.preventDefault();
  entry.run();
});

// A hint can be dismissed, and comes back with the next control.
document.addEventListener("keydown", (event) => document.body.classList.toggle("untipped", event.key === "Escape"));
document.addEventListener("pointerover", () => document.body.classList.remove("untipped"));

onEachPage(() => {
  keys.length = 0;
  sheet = document.querySelector("#keys");
  enabled = document.querySelector("#shortcuts");
  document.querySelector("[data-action=keys]").addEventListener("click", () => sheet.showModal());
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());  // beside the sheet
  bindLetterSwitch(enabled);
});
