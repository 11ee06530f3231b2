// Whether single letters are shortcuts: one switch for every page, for those who speak to their browser (WCAG 2.1.4).

import { inBrowser } from "./stored.js";

const KEY = "pleura-letter-keys";

export function areLettersOn() {
  return inBrowser.get(KEY) !== "off";
}

export function bindLetterSwitch(choice) {
  choice.checked = areLettersOn();
  choice.addEventListener("change", () => inBrowser.set(KEY, choice.checked ? "on" : "off"));
}
