// Whether single letters are shortcuts: one switch for every page, for those who speak to their browser (WCAG 2.1.4).

import { store, stored } from "./stored.js";

const KEY = "pleura-letter-keys";

export function areLettersOn() {
  return stored(KEY) !== "off";
}

export function bindLetterSwitch(choice) {
  choice.checked = areLettersOn();
  choice.addEventListener("change", () => store(KEY, choice.checked ? "on" : "off"));
}
