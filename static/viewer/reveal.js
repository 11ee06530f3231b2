// Leaves the overlay off until it is asked for: where the reader wants that, and where the answer is indeterminate.

import { inBrowser } from "../stored.js";

const KEY = "pleura-reveal";

export function holdBack(root, settings) {
  const choice = root.querySelector("#reveal");
  const isWanted = inBrowser.get(KEY) === "asked";
  if (choice) {
    choice.checked = isWanted;
    choice.addEventListener("change", () => inBrowser.set(KEY, choice.checked ? "asked" : "first"));
  }
  const isAsked = root.closest("[data-reveal]")?.dataset.reveal === "asked";
  if (isAsked || isWanted) settings.set({ layer: "off", hiddenLayer: root.dataset.layer });
}
